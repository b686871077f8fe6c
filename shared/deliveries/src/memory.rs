//! Delivery records in memory, for inline mode and tests.

use crate::claim::{Claim, ClaimStore, Claimant, Ended, StoreError};
use crate::facts::EventFacts;
use crate::key::DeliveryKey;
use crate::machine::Machine;
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use workflow::Effect;

/// Delivery records in memory.
#[derive(Debug, Default)]
pub struct MemoryClaims(Mutex<HashMap<DeliveryKey, Machine>>);

impl MemoryClaims {
    fn with<T>(&self, key: &DeliveryKey, change: impl FnOnce(&mut Machine) -> T) -> T {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(records.entry(key.clone()).or_default())
    }
}

#[async_trait]
impl ClaimStore for MemoryClaims {
    async fn claim(
        &self,
        key: &DeliveryKey,
        _: &EventFacts,
        claimant: &Claimant,
    ) -> Result<Claim, StoreError> {
        Ok(self.with(key, |record| record.claim(claimant)))
    }

    async fn record_effect(
        &self,
        key: &DeliveryKey,
        attempt: u32,
        effect: &Effect,
    ) -> Result<(), StoreError> {
        self.with(key, |record| record.record_effect(attempt, effect))
    }

    async fn end(&self, key: &DeliveryKey, ended: &Ended) -> Result<(), StoreError> {
        self.with(key, |record| record.end(ended))
    }
}
