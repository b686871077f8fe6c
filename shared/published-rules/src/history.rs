//! The history of the versions, read from the newest on.

use crate::version::{Version, read};
use std::sync::Arc;
use std::vec::IntoIter;
use store::records::{Key, Record, Records};
use workflow::BoxError;

pub(crate) const HISTORY: &str = "rules#history";
/// Above all sort keys, which are digits.
const END: &str = ":";
/// The most versions that are read with one request. DynamoDB gives at most 1 MB, which bounds the memory.
const MOST_AT_ONCE: usize = 16;

/// The versions that can be read, newest first.
///
/// One version is read at first, then more with each request: most readers want the newest one.
pub struct History {
    records: Arc<dyn Records>,
    before: String,
    at_once: usize,
    page: IntoIter<(String, Record)>,
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History").field("before", &self.before).finish_non_exhaustive()
    }
}

impl History {
    pub(crate) fn new(records: Arc<dyn Records>) -> Self {
        Self { records, before: END.to_owned(), at_once: 1, page: Vec::new().into_iter() }
    }

    pub(crate) fn before(records: Arc<dyn Records>, number: u64) -> Self {
        Self { before: sort(number), ..Self::new(records) }
    }

    /// The next older version that can be read. `None` after the oldest.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn next(&mut self) -> Result<Option<Version>, BoxError> {
        while let Some((_, record)) = self.next_record().await? {
            if let Ok(version) = read(&record) {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// The next older record with its number, whatever it holds.
    pub(crate) async fn next_record(&mut self) -> Result<Option<(u64, Record)>, BoxError> {
        loop {
            for (sort, record) in self.page.by_ref() {
                // Another program's record in between is none of the versions.
                if let Ok(number) = sort.parse() {
                    return Ok(Some((number, record)));
                }
            }
            let page = self.records.newest(HISTORY, &self.before, self.at_once).await?;
            let Some((last, _)) = page.last() else { return Ok(None) };
            self.before.clone_from(last);
            self.at_once = (self.at_once * 2).min(MOST_AT_ONCE);
            self.page = page.into_iter();
        }
    }
}

pub(crate) fn historic(number: u64) -> Key {
    Key { partition: HISTORY.to_owned(), sort: sort(number) }
}

fn sort(number: u64) -> String {
    format!("{number:08}")
}
