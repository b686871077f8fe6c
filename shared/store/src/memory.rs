//! Documents in memory.

use crate::form::check_text;
use crate::{Key, Put, Store, Stored, Version, Write};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use workflow::BoxError;

/// Documents in memory. They do not expire and are lost when the process ends.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<HashMap<Key, Stored>>);

impl MemoryStore {
    fn documents(&self) -> MutexGuard<'_, HashMap<Key, Stored>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &Key) -> Result<Option<Stored>, BoxError> {
        Ok(self.documents().get(key).cloned())
    }

    async fn put(&self, key: &Key, expected: Version, write: &Write) -> Result<Put, BoxError> {
        check_text(key, &write.text)?;
        let mut documents = self.documents();
        let current = documents.get(key);
        if current.map_or(Version::ABSENT, |current| current.version) != expected {
            return Ok(Put::Conflict(current.cloned()));
        }
        let version = expected.next();
        documents.insert(key.clone(), Stored { version, text: write.text.clone() });
        Ok(Put::Written(version))
    }
}
