//! Versions of the rules in the stack's table.

use crate::history::{History, historic};
use crate::version::{InForce, Seen, Source, Version, read, sha256};
use jiff::{SignedDuration, Timestamp};
use rules::Rules;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::TEXT_LIMIT_BYTES as RECORD_LIMIT_BYTES;
use store::records::{Change, Commit, Key, Record, Records, Write};
use workflow::BoxError;

/// The partition of the version in force, whose sort key is `-`.
pub const IN_FORCE_KEY: &str = "rules#current";
/// The largest text of a version, in bytes.
pub const TEXT_LIMIT_BYTES: usize = 150_000;
/// How long a version is kept after another one replaced it.
const KEPT: SignedDuration = SignedDuration::from_hours(365 * 24);
/// The version in force must not end: this is longer than any table lives.
const ENDLESS: SignedDuration = SignedDuration::from_hours(100 * 365 * 24);
/// How often a publication that is to replace any version is tried when others publish at the same time.
const TRIES: u32 = 3;

/// Why a version was not published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The text has mistakes.
    #[error(transparent)]
    Rules(#[from] rules::Error),
    /// The text is too large, or what is stored of it is: the text and its JSON form, both written as JSON.
    #[error(
        "the rules are too large: the file has {bytes} bytes, of at most {TEXT_LIMIT_BYTES}, and takes {stored} bytes in the \
         table, of at most {RECORD_LIMIT_BYTES}; shorten comments or join rules"
    )]
    TooLarge {
        /// How many bytes the text has.
        bytes: usize,
        /// How many bytes are stored.
        stored: usize,
    },
    /// Another version has been published since.
    #[error("another version has been published in the meantime: look at the difference again")]
    Conflict,
    /// The table does not answer.
    #[error("the table with the rules cannot be used")]
    Table(#[source] BoxError),
}

/// What is published, and by whom.
#[derive(Clone, Debug)]
pub struct Publication<'p> {
    /// The text of the file.
    pub text: &'p str,
    /// How it is published.
    pub source: Source,
    /// Who publishes it.
    pub published_by: &'p str,
    /// When.
    pub at: Timestamp,
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

    /// What is in force.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn in_force(&self) -> Result<InForce, BoxError> {
        let Some(record) = self.load().await? else { return Ok(InForce::Nothing) };
        let seen = Seen(record.version);
        Ok(match read(&record) {
            Ok(version) => InForce::Version(Box::new(version), seen),
            Err(error) => InForce::Damaged(error.to_string(), seen),
        })
    }

    pub(crate) async fn load(&self) -> Result<Option<Record>, BoxError> {
        Ok(self.records.load(&[current()]).await?.into_iter().next().flatten())
    }

    /// The versions that can be read, newest first.
    pub fn history(&self) -> History {
        History::new(Arc::clone(&self.records))
    }

    /// The versions that can be read and are older than this one, newest first.
    pub fn history_before(&self, number: u64) -> History {
        History::before(Arc::clone(&self.records), number)
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

    /// Publishes a text as the next version, after all checks. `after`: what its author has seen in force; `None` replaces
    /// whatever is in force.
    ///
    /// # Errors
    /// [`PublishError`]. The version in force stays.
    pub async fn publish(
        &self,
        publication: &Publication<'_>,
        after: Option<&InForce>,
    ) -> Result<Version, PublishError> {
        self.put(checked(publication)?, after).await
    }

    /// Publishes a version that has been checked; its number is set here, and so is `stack_file` if it says none.
    pub(crate) async fn put(
        &self,
        mut version: Version,
        after: Option<&InForce>,
    ) -> Result<Version, PublishError> {
        let stack_file = version.stack_file.take();
        for attempt in 0..=TRIES {
            let replaced = self.load().await.map_err(PublishError::Table)?;
            let earlier = replaced.as_ref().and_then(|record| read(record).ok());
            // The answer to a commit that was made may be lost: the version in force is this one then.
            if attempt > 0
                && let Some(earlier) = earlier.as_ref().filter(|earlier| is_same(earlier, &version))
            {
                return Ok(earlier.clone());
            }
            let record = replaced.as_ref().map_or(0, |record| record.version);
            if attempt == TRIES || after.is_some_and(|after| after.seen() != Seen(record)) {
                break;
            }
            let newest = self.history().next_record().await.map_err(PublishError::Table)?;
            version.stack_file =
                stack_file.clone().or_else(|| earlier.as_ref().and_then(Version::stack_file));
            // The versions that this one replaces, by number: each is kept for a while from now on.
            let mut ending: BTreeMap<u64, &str> = BTreeMap::new();
            ending.extend(newest.as_ref().map(|(number, record)| (*number, record.text.as_str())));
            ending.extend(
                earlier.iter().zip(&replaced).map(|(earlier, record)| (earlier.number, record.text.as_str())),
            );
            version.number = ending.last_key_value().map_or(0, |(number, _)| *number).saturating_add(1);
            let text = serde_json::to_string(&version).map_err(|error| PublishError::Table(error.into()))?;
            if text.len() > RECORD_LIMIT_BYTES {
                return Err(PublishError::TooLarge { bytes: version.text.len(), stored: text.len() });
            }
            match self.write(&version, &text, record, &ending).await {
                Ok(true) => return Ok(version),
                Ok(false) => {}
                Err(error) => {
                    let now = self.load().await.ok().flatten().and_then(|record| read(&record).ok());
                    return match now.filter(|now| is_same(now, &version)) {
                        Some(made) => Ok(made),
                        None => Err(PublishError::Table(error)),
                    };
                }
            }
        }
        Err(PublishError::Conflict)
    }

    async fn write(
        &self,
        version: &Version,
        text: &str,
        replaced: u64,
        ending: &BTreeMap<u64, &str>,
    ) -> Result<bool, BoxError> {
        let until = |kept| version.published_at.checked_add(kept);
        let write =
            |text: &str, expires_at| Write { text: text.to_owned(), expires_at, due: None, is_active: false };
        let endless = until(ENDLESS)?;
        let ends = until(KEPT)?;
        let mut changes = vec![
            Change { key: current(), expected: Some(replaced), write: Some(write(text, endless)) },
            Change { key: historic(version.number), expected: Some(0), write: Some(write(text, endless)) },
        ];
        changes.extend(ending.iter().map(|(number, text)| Change {
            key: historic(*number),
            expected: None,
            write: Some(write(text, ends)),
        }));
        Ok(matches!(self.records.commit(&changes).await?, Commit::Done(_)))
    }
}

/// The version that a publication becomes, without its number.
pub(crate) fn checked(publication: &Publication<'_>) -> Result<Version, PublishError> {
    let Publication { text, source, published_by, at } = *publication;
    let bytes = text.len();
    let version = |form| Version {
        number: 0,
        published_at: at,
        published_by: published_by.to_owned(),
        source,
        layer: None,
        stack_file: (source == Source::StackDeploy).then(|| sha256(text)),
        text: text.to_owned(),
        form,
    };
    if bytes > TEXT_LIMIT_BYTES {
        let stored = serde_json::to_string(&version(String::new())).map_or(bytes, |stored| stored.len());
        return Err(PublishError::TooLarge { bytes, stored });
    }
    Ok(version(Rules::to_json(text)?))
}

/// Whether two versions come from one publication.
fn is_same(one: &Version, other: &Version) -> bool {
    let facts = |version: &Version| (version.published_at, version.source);
    facts(one) == facts(other) && one.published_by == other.published_by && one.text == other.text
}

fn current() -> Key {
    Key::single(IN_FORCE_KEY.to_owned())
}
