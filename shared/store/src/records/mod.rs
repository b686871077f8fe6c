//! Records: versioned documents with a partition and a sort key. Several can be changed together, all or none.

mod memory;

pub use crate::dynamodb::DynamoDbRecords;
pub use memory::MemoryRecords;

use crate::form::check_text;
use async_trait::async_trait;
use jiff::Timestamp;
use std::fmt;
use workflow::BoxError;

/// The most changes in one commit.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
pub const MOST_CHANGES: usize = 100;
/// The most bytes of text in one commit. A DynamoDB transaction has at most 4 MB, including keys and other
/// attributes.
pub const COMMIT_LIMIT_BYTES: usize = 3_700_000;
/// The longest sort key that DynamoDB accepts, in bytes.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const SORT_LIMIT_BYTES: usize = 1_024;
/// The sort key of a record that is the only one in its partition.
pub(crate) const ALONE: &str = "-";

/// A record's key. The records of one partition can be listed. Keys are logged, so they must not contain secrets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The partition, in the form of a [`crate::Key`]: `{kind}#{name}`.
    pub partition: String,
    /// The sort key in the partition, from 1 to 1,024 bytes.
    pub sort: String,
}

impl Key {
    /// The key of a record that is the only one in its partition.
    pub fn single(partition: String) -> Self {
        Self { partition, sort: ALONE.to_owned() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.partition, self.sort)
    }
}

/// A record as read from the store. `Debug` does not show the text, which may contain a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// The version: counts the record's changes, from 1.
    pub version: u64,
    /// The document, as JSON. Empty if only a mark was written.
    pub text: String,
    /// The mark: a number beside the document, see [`Records::raise_mark`].
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

/// One change of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The record to change.
    pub key: Key,
    /// The version that the record must have; 0 if it must not exist; `None` for any version.
    pub expected: Option<u64>,
    /// The new content. `None` to change nothing and only check the version.
    pub write: Option<Write>,
}

impl Change {
    /// The record's version after the commit. `None` for a write at any version, which increments a version that it
    /// does not know.
    pub(crate) fn version_after(&self) -> Option<u64> {
        let written = u64::from(self.write.is_some());
        self.expected.map(|expected| expected.saturating_add(written))
    }
}

/// The new content of a record. `Debug` does not show the text, which may contain a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Write {
    /// The document, as JSON, at most [`crate::TEXT_LIMIT_BYTES`] long.
    pub text: String,
    /// When the table may delete the record, in whole seconds.
    pub expires_at: Timestamp,
    /// When a sweep should look at the record, in whole milliseconds; `None` for never.
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

/// The result of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commit {
    /// All changes were made. The new versions, in the order of the changes; `None` where any version was accepted.
    Done(Vec<Option<u64>>),
    /// Nothing was written. Some or all of the records that prevented the commit, as they are now: records with
    /// another version than expected, or records that another request was changing.
    Conflict(Vec<(Key, Option<Record>)>),
}

/// The result of raising a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marked {
    /// The mark was raised, or was already as high.
    Done,
    /// The mark was refused because the record is active: the caller has to read and change the record.
    Active(Record),
}

/// A store of records.
///
/// A read sees every write that was confirmed before it. A request whose answer was lost may be sent twice; the
/// second answer says that the write was made.
#[async_trait]
pub trait Records: Send + Sync {
    /// Reads the records in the order of `keys`; not all at the same instant. The same key may be given twice.
    ///
    /// # Errors
    /// When the store does not answer, or repeatedly leaves keys out of its answer, or when a key is invalid.
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, BoxError>;

    /// Reads all records of a partition, in the order of their sort keys.
    ///
    /// # Errors
    /// When the store does not answer, or the partition is invalid.
    async fn list(&self, partition: &str) -> Result<Vec<(String, Record)>, BoxError>;

    /// Reads records of a partition in the reverse order of their sort keys: those below `before`, at most `limit` and at most
    /// about 1 MB. Empty only if there is none. DynamoDB repairs no version here, so a reader needs no right to write.
    ///
    /// # Errors
    /// When the store does not answer, or the partition is invalid.
    async fn newest(
        &self,
        partition: &str,
        before: &str,
        limit: usize,
    ) -> Result<Vec<(String, Record)>, BoxError> {
        let listed = self.list(partition).await?.into_iter().rev();
        Ok(listed.filter(|(sort, _)| sort.as_str() < before).take(limit).collect())
    }

    /// Makes all changes or none. The changes are of different records, at most [`MOST_CHANGES`].
    ///
    /// # Errors
    /// When the store does not answer; the changes may have been made all the same. When the changes are invalid: too
    /// many, one record twice, texts or keys that are too long.
    async fn commit(&self, changes: &[Change]) -> Result<Commit, BoxError>;

    /// Raises a record's mark with one request, unless the record is active. A raised mark counts as a change of the
    /// record's version.
    ///
    /// # Errors
    /// When the store does not answer, or other requests change the record at every try.
    async fn raise_mark(&self, key: &Key, mark: i64, expires_at: Timestamp) -> Result<Marked, BoxError>;

    /// Finds up to `limit` keys of records that were due before `before`, the earliest first. The index may lag
    /// behind the records, so the caller reads a record before acting on it.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn due(&self, before: Timestamp, limit: usize) -> Result<Vec<Key>, BoxError>;
}

/// Refuses a partition that is invalid for DynamoDB or that no IAM policy covers.
pub(crate) fn check_partition(partition: &str) -> Result<(), BoxError> {
    partition.parse::<crate::Key>().map(drop).map_err(BoxError::from)
}

/// Refuses a key that is invalid for DynamoDB or that no IAM policy covers.
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

/// Refuses changes that cannot be in one commit, and changes that DynamoDB would refuse.
pub(crate) fn check_changes(changes: &[Change]) -> Result<(), BoxError> {
    let count = changes.len();
    if count > MOST_CHANGES {
        return Err(format!("{count} records cannot be changed together: {MOST_CHANGES} is the most").into());
    }
    let mut keys: Vec<&Key> = changes.iter().map(|change| &change.key).collect();
    keys.sort();
    if let Some(twice) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("one commit must not change the record `{}` twice", twice[0]).into());
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
