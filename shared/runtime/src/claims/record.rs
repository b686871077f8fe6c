//! What may become of a record: the rules that every form of the store keeps. No I/O.

use super::{Claim, End, Ended, StoreError};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// A workflow's record of an event.
#[derive(Debug, Default)]
pub(super) struct Record {
    state: State,
    attempts: u32,
    effects: BTreeSet<String>,
}

#[derive(Debug, Default)]
enum State {
    /// Nobody has begun.
    #[default]
    New,
    /// Someone is at it, or died over it.
    Claimed {
        deadline: Timestamp,
    },
    Ended(End),
}

impl Record {
    /// Claims the event until `deadline`, unless it is finished or somebody else's claim still runs at `now`.
    pub(super) fn claim(&mut self, now: Timestamp, deadline: Timestamp) -> Claim {
        match &self.state {
            State::Claimed { deadline } if *deadline >= now => return Claim::Busy { until: *deadline },
            State::Ended(end) if end.is_final() => return Claim::Finished,
            State::New | State::Claimed { .. } | State::Ended(_) => {}
        }
        self.state = State::Claimed { deadline };
        self.attempts += 1;
        Claim::Granted { attempt: self.attempts, effects: self.effects.clone() }
    }

    /// Writes an effect down, if the record is still the attempt's.
    pub(super) fn record_effect(&mut self, attempt: u32, effect: &str) -> Result<(), StoreError> {
        self.check(attempt)?;
        self.effects.insert(effect.to_owned());
        Ok(())
    }

    /// Ends the attempt, if the record is still its own.
    pub(super) fn end(&mut self, ended: &Ended) -> Result<(), StoreError> {
        self.check(ended.attempt)?;
        self.state = State::Ended(ended.end.clone());
        Ok(())
    }

    /// A claim past its deadline is its attempt's own until somebody takes it over.
    fn check(&self, attempt: u32) -> Result<(), StoreError> {
        let ours = self.attempts == attempt && matches!(self.state, State::Claimed { .. });
        ours.then_some(()).ok_or(StoreError::Superseded)
    }
}
