//! Claims in memory: for inline mode and tests.

use super::{Claim, ClaimKey, ClaimStore, End, EventFacts, StoreError};
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

/// Claims in memory.
#[derive(Debug, Default)]
pub struct MemoryClaims(Mutex<HashMap<ClaimKey, Record>>);

#[derive(Debug)]
struct Record {
    state: State,
    attempts: u32,
    effects: BTreeSet<String>,
}

#[derive(Debug, PartialEq)]
enum State {
    Claimed(Timestamp),
    Released,
    Ended(End),
}

impl MemoryClaims {
    fn change<T>(
        &self,
        key: &ClaimKey,
        attempt: u32,
        change: impl FnOnce(&mut Record) -> T,
    ) -> Result<T, StoreError> {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match records.get_mut(key) {
            Some(record) if record.attempts == attempt && matches!(record.state, State::Claimed(_)) => {
                Ok(change(record))
            }
            _ => Err(StoreError::Superseded),
        }
    }
}

#[async_trait]
impl ClaimStore for MemoryClaims {
    async fn claim(
        &self,
        key: &ClaimKey,
        _: &EventFacts,
        now: Timestamp,
        deadline: Timestamp,
    ) -> Result<Claim, StoreError> {
        let mut records = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let record = records.entry(key.clone()).or_insert_with(|| Record {
            state: State::Released,
            attempts: 0,
            effects: BTreeSet::new(),
        });
        match record.state {
            State::Claimed(until) if until >= now => return Ok(Claim::Busy { until }),
            State::Ended(End::Done | End::Skipped(_)) => return Ok(Claim::Finished),
            State::Claimed(_) | State::Released | State::Ended(End::Failed(_)) => {}
        }
        record.state = State::Claimed(deadline);
        record.attempts += 1;
        Ok(Claim::Granted { attempt: record.attempts, effects: record.effects.clone() })
    }

    async fn record_effect(&self, key: &ClaimKey, attempt: u32, effect: &str) -> Result<(), StoreError> {
        self.change(key, attempt, |record| {
            record.effects.insert(effect.to_owned());
        })
    }

    async fn complete(
        &self,
        key: &ClaimKey,
        attempt: u32,
        end: &End,
        _: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(key, attempt, |record| record.state = State::Ended(end.clone()))
    }

    async fn release(&self, key: &ClaimKey, attempt: u32, _: &str, _: Timestamp) -> Result<(), StoreError> {
        self.change(key, attempt, |record| record.state = State::Released)
    }
}
