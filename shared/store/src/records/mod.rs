//! Many documents that belong together: versioned records with a partition and a sort key, changed together or not at all.

mod memory;

pub use crate::dynamodb::DynamoDbRecords;
pub use memory::MemoryRecords;

use crate::form::check_text;
use async_trait::async_trait;
use jiff::Timestamp;
use std::fmt;
use workflow::BoxError;

/// The most changes of one commit.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const MOST_CHANGES: usize = 100;
/// The most bytes of text of one commit. A transaction of DynamoDB has 4 MB at most, keys and other attributes included.
pub const COMMIT_LIMIT_BYTES: usize = 3_700_000;
/// The longest sort key of DynamoDB.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const SORT_LIMIT_BYTES: usize = 1_024;
/// The sort key of a record that is alone in its partition.
pub(crate) const ALONE: &str = "-";

/// What names a record. Records of one partition can be listed. Not secret: keys are logged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The partition, of the form of a [`crate::Key`]: `{kind}#{name}`.
    pub partition: String,
    /// The place in it, from 1 to 1,024 bytes.
    pub sort: String,
}

impl Key {
    /// A record that is alone in its partition.
    pub fn single(partition: String) -> Self {
        Self { partition, sort: ALONE.to_owned() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.partition, self.sort)
    }
}

/// A record as it was read. `Debug` says nothing of the text, which may hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Counts changes, from 1.
    pub version: u64,
    /// The document, as JSON. Empty when only a mark was written.
    pub text: String,
    /// The mark beside it, see [`Records::raise_mark`].
    pub mark: Option<i64>,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("version", &self.version)
            .field("bytes", &self.text.len())
            .field("mark", &self.mark)
            .finish()
    }
}

/// One part of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Of which record.
    pub key: Key,
    /// The version that it must have, 0 for none. `None`: any.
    pub expected: Option<u64>,
    /// What to write. `None`: nothing, the version only has to hold.
    pub write: Option<Write>,
}

impl Change {
    /// The version that the record has after the commit. An unconditional write counts it up without knowing it.
    pub(crate) fn version_after(&self) -> Option<u64> {
        let written = u64::from(self.write.is_some());
        self.expected.map(|expected| expected.saturating_add(written))
    }
}

/// What to write. `Debug` says nothing of the text, which may hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Write {
    /// The document, as JSON; [`crate::TEXT_LIMIT_BYTES`] at most.
    pub text: String,
    /// From when on the record may be deleted, in whole seconds.
    pub expires_at: Timestamp,
    /// When a sweep is to look at it, if at all, in whole milliseconds.
    pub due: Option<Timestamp>,
    /// Whether marks are refused from now on.
    pub is_active: bool,
}

impl fmt::Debug for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Write")
            .field("bytes", &self.text.len())
            .field("expires_at", &self.expires_at)
            .field("due", &self.due)
            .field("is_active", &self.is_active)
            .finish()
    }
}

/// What became of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commit {
    /// All of it was made. The versions now, in the order of the changes; `None` where any version was expected.
    Done(Vec<Option<u64>>),
    /// Nothing was written. Records that were in the way, as they are: of another version than expected, or being changed by
    /// another request at that moment. Not always all of them.
    Conflict(Vec<(Key, Option<Record>)>),
}

/// What became of a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marked {
    /// It is raised, or was as high already.
    Done,
    /// The record is active: it has to be read and changed.
    Active(Record),
}

/// A store of records.
///
/// Reads see every write that was confirmed before them. A request whose answer is lost on the way may be sent twice: it is
/// found to be ours.
#[async_trait]
pub trait Records: Send + Sync {
    /// The records, in the order of the keys; not all at one instant. A key may come twice.
    ///
    /// # Errors
    /// When the store does not answer, or leaves some keys out again and again, and for a key that no record can have.
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, BoxError>;

    /// All records of a partition, by sort key.
    ///
    /// # Errors
    /// When the store does not answer, and for a partition that no record can have.
    async fn list(&self, partition: &str) -> Result<Vec<(String, Record)>, BoxError>;

    /// Makes all changes or none, [`MOST_CHANGES`] at most, of different records.
    ///
    /// # Errors
    /// When the store does not answer; the changes may have been made all the same. For what no store takes: more changes,
    /// a record twice, texts or keys that are too long.
    async fn commit(&self, changes: &[Change]) -> Result<Commit, BoxError>;

    /// Raises the number beside a document with one request, unless the record is active. If that changes it, it counts as a
    /// change.
    ///
    /// # Errors
    /// When the store does not answer, or others change the record again and again.
    async fn raise_mark(&self, key: &Key, mark: i64, expires_at: Timestamp) -> Result<Marked, BoxError>;

    /// Up to `limit` keys of records that were due before `before`, the earliest first. An index knows them, which may lag
    /// behind: who acts on one reads the record first.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn due(&self, before: Timestamp, limit: usize) -> Result<Vec<Key>, BoxError>;
}

/// Refuses a partition that DynamoDB would refuse, or that no policy names.
pub(crate) fn check_partition(partition: &str) -> Result<(), BoxError> {
    partition.parse::<crate::Key>().map(drop).map_err(BoxError::from)
}

/// Refuses a key that DynamoDB would refuse, or that no policy names.
pub(crate) fn check_key(key: &Key) -> Result<(), BoxError> {
    check_partition(&key.partition)?;
    match key.sort.len() {
        1..=SORT_LIMIT_BYTES => Ok(()),
        bytes => {
            let partition = &key.partition;
            Err(format!("a sort key of `{partition}` has {bytes} bytes: 1 to {SORT_LIMIT_BYTES}").into())
        }
    }
}

/// Refuses what cannot be made together, and what DynamoDB would refuse of each change.
pub(crate) fn check_changes(changes: &[Change]) -> Result<(), BoxError> {
    let count = changes.len();
    if count > MOST_CHANGES {
        return Err(format!("{count} records cannot be changed together: {MOST_CHANGES} is the most").into());
    }
    let mut keys: Vec<&Key> = changes.iter().map(|change| &change.key).collect();
    keys.sort();
    if let Some(twice) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("the record `{}` cannot be changed twice at once", twice[0]).into());
    }
    let mut bytes = 0;
    for change in changes {
        check_key(&change.key)?;
        if let Some(write) = &change.write {
            check_text(&change.key, &write.text)?;
            bytes += write.text.len();
        }
    }
    if bytes > COMMIT_LIMIT_BYTES {
        let most = COMMIT_LIMIT_BYTES;
        return Err(format!("{bytes} bytes cannot be written together: {most} is the most").into());
    }
    Ok(())
}
