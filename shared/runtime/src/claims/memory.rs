//! Claims in memory: for inline mode and tests.

use super::record::Record;
use super::{Claim, ClaimKey, ClaimStore, Claimant, Ended, EventFacts, StoreError};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Claims in memory.
#[derive(Debug, Default)]
pub struct MemoryClaims(Mutex<HashMap<ClaimKey, Record>>);

impl MemoryClaims {
    fn with<T>(&self, key: &ClaimKey, change: impl FnOnce(&mut Record) -> T) -> T {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(records.entry(key.clone()).or_default())
    }
}

#[async_trait]
impl ClaimStore for MemoryClaims {
    async fn claim(&self, key: &ClaimKey, _: &EventFacts, claimant: &Claimant) -> Result<Claim, StoreError> {
        Ok(self.with(key, |record| record.claim(claimant)))
    }

    async fn record_effect(&self, key: &ClaimKey, attempt: u32, effect: &str) -> Result<(), StoreError> {
        self.with(key, |record| record.record_effect(attempt, effect))
    }

    async fn end(&self, key: &ClaimKey, ended: &Ended) -> Result<(), StoreError> {
        self.with(key, |record| record.end(ended))
    }
}
