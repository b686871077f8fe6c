//! Documents in the process.

use crate::form::check_together;
use crate::{BulkStore, Conflict, Delete, Due, Key, Put, PutAll, Store, Stored, Version, Write};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use workflow::BoxError;

/// Keeps documents in the process. They do not expire, and are gone with it.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<HashMap<Key, Slot>>);

#[derive(Debug)]
struct Slot {
    stored: Stored,
    due: Option<Due>,
}

type Slots = HashMap<Key, Slot>;

impl MemoryStore {
    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn current(slots: &Slots, key: &Key) -> Option<Stored> {
    slots.get(key).map(|slot| slot.stored.clone())
}

fn version(slots: &Slots, key: &Key) -> Version {
    slots.get(key).map_or(Version::ABSENT, |slot| slot.stored.version)
}

fn insert(slots: &mut Slots, key: &Key, expected: Version, write: &Write) -> Version {
    let version = expected.next();
    let stored = Stored { version, text: write.text.clone() };
    slots.insert(key.clone(), Slot { stored, due: write.due.clone() });
    version
}

/// As the index of the table has it: in whole milliseconds.
fn milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, BoxError> {
        Ok(current(&self.slots(), key))
    }

    async fn put(&self, key: &Key, expected: Version, write: &Write) -> Result<Put, BoxError> {
        write.check(key)?;
        let mut slots = self.slots();
        if version(&slots, key) != expected {
            return Ok(Put::Conflict(current(&slots, key)));
        }
        Ok(Put::Written(insert(&mut slots, key, expected, write)))
    }
}

#[async_trait]
impl BulkStore for MemoryStore {
    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Stored>>, BoxError> {
        let slots = self.slots();
        Ok(keys.iter().map(|key| current(&slots, key)).collect())
    }

    async fn put_all(&self, puts: &[(Key, Version, Write)]) -> Result<PutAll, BoxError> {
        check_together(puts)?;
        let mut slots = self.slots();
        let conflict = |(key, expected, _): &(Key, Version, Write)| match version(&slots, key) == *expected {
            true => Conflict::None,
            false => Conflict::Current(current(&slots, key)),
        };
        let conflicts: Vec<Conflict> = puts.iter().map(conflict).collect();
        if conflicts.iter().any(|conflict| *conflict != Conflict::None) {
            return Ok(PutAll::Conflict(conflicts));
        }
        let written = puts.iter().map(|(key, expected, write)| insert(&mut slots, key, *expected, write));
        Ok(PutAll::Written(written.collect()))
    }

    async fn delete(&self, key: &Key, expected: Version) -> Result<Delete, BoxError> {
        let mut slots = self.slots();
        match current(&slots, key) {
            Some(stored) if stored.version != expected => Ok(Delete::Conflict(stored)),
            _ => {
                slots.remove(key);
                Ok(Delete::Deleted)
            }
        }
    }

    async fn due(
        &self,
        scope: &str,
        before: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Key, Timestamp)>, BoxError> {
        let slots = self.slots();
        let dues = slots.iter().filter_map(|(key, slot)| Some((key, slot.due.as_ref()?)));
        let dues = dues.filter(|(_, due)| due.scope == scope);
        let mut found: Vec<_> = dues.map(|(key, due)| (key.clone(), milliseconds(due.at))).collect();
        found.retain(|(_, at)| *at < milliseconds(before));
        found.sort_by(|(one, at), (other, other_at)| (at, one).cmp(&(other_at, other)));
        found.truncate(limit);
        Ok(found)
    }
}
