//! The keys in the table.

use crate::key::Key;
use crate::permissions::Permissions;
use crate::rate::{Spent, Turn};
use crate::secret::{generate, is_id, parts};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use std::fmt;
use std::sync::Arc;
use store::Documents;
use store::records::{Change, Commit, Key as RecordKey, Record, Records, Write};
use workflow::{BoxError, Failure};

/// The partition of all keys, so that they can be listed.
const PARTITION: &str = "key#all";
/// How long a revoked key is kept: it says whose the requests of the year before were.
const KEPT_REVOKED: SignedDuration = SignedDuration::from_hours(400 * 24);
/// How long a key is kept that is not revoked: the table needs a time.
const KEPT: SignedDuration = SignedDuration::from_hours(100 * 366 * 24);
/// How often a change is tried again after another process wrote first.
const TRIES: u32 = 10;

/// The keys in the table, and how often each was used.
#[derive(Clone)]
pub struct Keys {
    records: Arc<dyn Records>,
    documents: Documents,
}

/// A key that was just made. Its secret is not stored, and cannot be shown again.
#[derive(Debug)]
pub struct NewKey {
    /// What is stored.
    pub key: Key,
    /// The whole key, `twk_…`.
    pub secret: SecretString,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Keys {
    /// The keys in these records, with their rates in these documents.
    pub fn new(records: Arc<dyn Records>, documents: Documents) -> Self {
        Self { records, documents }
    }

    /// Makes a key.
    ///
    /// # Errors
    /// When the table does not answer. The key may have been stored; without its secret it is of no use.
    pub async fn create(
        &self,
        caller: &str,
        permissions: Permissions,
        per_minute: u32,
        now: Timestamp,
    ) -> Result<NewKey, BoxError> {
        let (id, secret, hash) = generate()?;
        let caller = caller.to_owned();
        let key = Key { id, hash, caller, permissions, per_minute, created_at: now, revoked_at: None };
        match self.records.commit(&[change(&key, 0, now)?]).await? {
            Commit::Done(_) => Ok(NewKey { key, secret }),
            Commit::Conflict(_) => Err("a key with the same id exists: try again".into()),
        }
    }

    /// The key with this id.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn get(&self, id: &str) -> Result<Option<Key>, BoxError> {
        Ok(self.load(id).await?.map(|(key, _)| key))
    }

    /// All keys, the oldest first.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn list(&self) -> Result<Vec<Key>, BoxError> {
        let records = self.records.list(PARTITION).await?;
        let mut keys: Vec<Key> = records.iter().filter_map(|(id, record)| read(id, record)).collect();
        keys.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        Ok(keys)
    }

    /// Revokes a key from now on. A key that is revoked stays as it is. `None` if there is no such key.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn revoke(&self, id: &str, now: Timestamp) -> Result<Option<Key>, BoxError> {
        for _ in 0..TRIES {
            let Some((mut key, version)) = self.load(id).await? else { return Ok(None) };
            if key.revoked_at.is_some() {
                return Ok(Some(key));
            }
            key.revoked_at = Some(now);
            if let Commit::Done(_) = self.records.commit(&[change(&key, version, now)?]).await? {
                return Ok(Some(key));
            }
        }
        Err("other processes change the key at the same time".into())
    }

    /// The key that a caller presents. `None` if it has another form, is not known, has another secret or is revoked: callers are not
    /// told which.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn verify(&self, presented: &str, now: Timestamp) -> Result<Option<Key>, BoxError> {
        let Some((id, secret)) = parts(presented) else { return Ok(None) };
        let Some((key, _)) = self.load(id).await? else { return Ok(None) };
        let is_revoked = key.revoked_at.is_some_and(|at| at <= now);
        let is_right = key.hash.is_of(secret);
        Ok((is_right && !is_revoked).then_some(key))
    }

    /// Uses one request of a key.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn take(&self, key: &Key, now: Timestamp) -> Result<Turn, Failure> {
        let taken =
            self.documents.change(&key.id, now, |spent: &mut Spent| spent.take(key.per_minute, now)).await;
        taken.map(|(_, turn)| turn).map_err(Failure::transient)
    }

    async fn load(&self, id: &str) -> Result<Option<(Key, u64)>, BoxError> {
        if !is_id(id) {
            return Ok(None);
        }
        let found = self.records.load(&[record_key(id)]).await?.into_iter().next().flatten();
        Ok(found.and_then(|record| Some((read(id, &record)?, record.version))))
    }
}

fn record_key(id: &str) -> RecordKey {
    RecordKey { partition: PARTITION.to_owned(), sort: id.to_owned() }
}

fn change(key: &Key, expected: u64, now: Timestamp) -> Result<Change, BoxError> {
    let kept = if key.revoked_at.is_some() { KEPT_REVOKED } else { KEPT };
    let write = Write {
        text: serde_json::to_string(key)?,
        expires_at: now.checked_add(kept).unwrap_or(Timestamp::MAX),
        due: None,
        is_active: false,
    };
    Ok(Change { key: record_key(&key.id), expected: Some(expected), write: Some(write) })
}

/// A stored key. One that cannot be read counts as none: a key whose limits are not known must not be accepted.
fn read(id: &str, record: &Record) -> Option<Key> {
    let read = serde_json::from_str::<Key>(&record.text);
    // The error itself would repeat what it could not read.
    let read = read.inspect_err(|error| {
        tracing::error!(key.id = id, column = error.column(), "a stored key cannot be read, and is refused");
    });
    read.ok().filter(|key| key.id == id)
}
