//! Versions of the rules in the stack's table.

use crate::version::{Source, Version};
use jiff::{SignedDuration, Timestamp};
use rules::Rules;
use std::sync::Arc;
use store::records::{Change, Commit, Key, Record, Records, Write};
use workflow::BoxError;

/// The largest text of a version, in bytes.
pub const TEXT_LIMIT_BYTES: usize = 150_000;
/// How long a version is kept. Versions must not end: this is longer than any table lives.
const KEPT: SignedDuration = SignedDuration::from_hours(100 * 365 * 24);
const HISTORY: &str = "rules#history";

/// Why a version was not published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The text has mistakes.
    #[error(transparent)]
    Rules(#[from] rules::Error),
    /// The text is too large.
    #[error("the rules have {bytes} bytes: {TEXT_LIMIT_BYTES} is the most; shorten comments or join rules")]
    TooLarge {
        /// How many bytes it has.
        bytes: usize,
    },
    /// Another version has been published since.
    #[error("another version has been published in the meantime: look at the difference again")]
    Conflict,
    /// The table does not answer.
    #[error("the table with the rules cannot be used")]
    Table(#[source] BoxError),
}

/// Versions of the rules in the stack's table.
#[derive(Clone)]
pub struct PublishedRules {
    records: Arc<dyn Records>,
}

impl std::fmt::Debug for PublishedRules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublishedRules").finish_non_exhaustive()
    }
}

impl PublishedRules {
    /// The versions in `records`.
    pub fn new(records: Arc<dyn Records>) -> Self {
        Self { records }
    }

    /// The version in force. `None` before the first one is published.
    ///
    /// # Errors
    /// When the table does not answer or the version is damaged.
    pub async fn current(&self) -> Result<Option<Version>, BoxError> {
        match self.load().await? {
            Some(record) => read(&record).map(Some),
            None => Ok(None),
        }
    }

    pub(crate) async fn load(&self) -> Result<Option<Record>, BoxError> {
        Ok(self.records.load(&[current()]).await?.into_iter().next().flatten())
    }

    /// All versions that can be read, oldest first.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn history(&self) -> Result<Vec<Version>, BoxError> {
        let listed = self.records.list(HISTORY).await?;
        Ok(listed.iter().filter_map(|(_, record)| read(record).ok()).collect())
    }

    /// One version. `None` for one that there is not.
    ///
    /// # Errors
    /// When the table does not answer or the version is damaged.
    pub async fn version(&self, number: u64) -> Result<Option<Version>, BoxError> {
        match self.records.load(&[historic(number)]).await?.into_iter().next().flatten() {
            Some(record) => read(&record).map(Some),
            None => Ok(None),
        }
    }

    /// Publishes a text as the next version, after all checks. `after`: the number of the version that its author has seen as the
    /// one in force, 0 for none; `None` replaces whatever is in force.
    ///
    /// # Errors
    /// [`PublishError`]. The version in force stays.
    pub async fn publish(
        &self,
        text: &str,
        source: Source,
        published_by: &str,
        after: Option<u64>,
        now: Timestamp,
    ) -> Result<Version, PublishError> {
        if text.len() > TEXT_LIMIT_BYTES {
            return Err(PublishError::TooLarge { bytes: text.len() });
        }
        let form = Rules::to_json(text)?;
        // Twice: one may publish meanwhile whom this author does not know of and is to replace.
        for _ in 0..3 {
            let record = self.load().await.map_err(PublishError::Table)?;
            let in_force = match &record {
                Some(record) => self.number(record).await.map_err(PublishError::Table)?,
                None => 0,
            };
            if after.is_some_and(|after| after != in_force) {
                return Err(PublishError::Conflict);
            }
            let version = Version {
                number: in_force + 1,
                published_at: now,
                published_by: published_by.to_owned(),
                source,
                text: text.to_owned(),
                form: form.clone(),
            };
            if self.write(&version, record.as_ref()).await.map_err(PublishError::Table)? {
                return Ok(version);
            }
        }
        Err(PublishError::Conflict)
    }

    /// The number of the version in force, also of a damaged one: of the newest in the history then.
    async fn number(&self, record: &Record) -> Result<u64, BoxError> {
        if let Ok(version) = read(record) {
            return Ok(version.number);
        }
        let history = self.history().await?;
        Ok(history.last().map_or(record.version, |version| version.number.max(record.version)))
    }

    async fn write(&self, version: &Version, replaced: Option<&Record>) -> Result<bool, BoxError> {
        let text = serde_json::to_string(version)?;
        let expires_at = version.published_at.checked_add(KEPT)?;
        let write = || Write { text: text.clone(), expires_at, due: None, is_active: false };
        let expected = Some(replaced.map_or(0, |record| record.version));
        let changes = [
            Change { key: current(), expected, write: Some(write()) },
            // A version of this number may be left from an attempt whose answer was lost.
            Change { key: historic(version.number), expected: None, write: Some(write()) },
        ];
        Ok(matches!(self.records.commit(&changes).await?, Commit::Done(_)))
    }
}

fn current() -> Key {
    Key::single("rules#current".to_owned())
}

fn historic(number: u64) -> Key {
    Key { partition: HISTORY.to_owned(), sort: format!("{number:08}") }
}

pub(crate) fn read(record: &Record) -> Result<Version, BoxError> {
    serde_json::from_str(&record.text).map_err(|error| format!("the version is damaged: {error}").into())
}
