//! What may become of a record: the rules that every form of the store keeps. No I/O.

use super::{Claim, Claimant, End, Ended, LONGEST_CLAIM, Progress, StoreError};
use jiff::Timestamp;

/// A workflow's record of an event.
#[derive(Debug, Default)]
pub(super) struct Record {
    state: State,
    attempts: u32,
    progress: Progress,
}

#[derive(Debug, Default)]
enum State {
    /// No attempt has begun.
    #[default]
    New,
    /// A worker handles the event, or died over it.
    Claimed {
        owner: String,
        deadline: Timestamp,
    },
    Ended(End),
}

impl Record {
    /// Claims the event, unless it is finished, another worker's claim still runs, or the message is an extra copy.
    pub(super) fn claim(&mut self, claimant: &Claimant) -> Claim {
        match &self.state {
            State::Claimed { owner, deadline }
                if *owner != claimant.owner && runs(*deadline, claimant.now) =>
            {
                return Claim::Busy { until: *deadline };
            }
            State::Ended(End::Done | End::Skipped(_)) => return Claim::Finished,
            State::Ended(End::Deferred(_))
                if claimant.copy_of.is_some_and(|copy_of| self.attempts > copy_of) =>
            {
                return Claim::ExtraCopy;
            }
            State::New | State::Claimed { .. } | State::Ended(_) => {}
        }
        self.state = State::Claimed { owner: claimant.owner.clone(), deadline: claimant.deadline };
        self.attempts += 1;
        Claim::Granted { attempt: self.attempts, progress: self.progress.clone() }
    }

    /// Writes an effect down, if the record is still the attempt's.
    pub(super) fn record_effect(&mut self, attempt: u32, effect: &str) -> Result<(), StoreError> {
        self.check(attempt)?;
        self.progress.effects.insert(effect.to_owned());
        Ok(())
    }

    /// Ends the attempt, if the record is still its own.
    pub(super) fn end(&mut self, ended: &Ended) -> Result<(), StoreError> {
        if self.attempts == ended.attempt
            && matches!(&self.state, State::Ended(end) if end.state() == ended.end.state())
        {
            // Recorded before: the answer was lost, and the call is repeated.
            return Ok(());
        }
        self.check(ended.attempt)?;
        let before = &self.progress;
        let effects = before.effects.clone();
        let progress = match &ended.end {
            End::Released(_) => {
                let failures = before.failures + 1;
                Progress { effects, failures, deferrals: before.deferrals, ..Progress::default() }
            }
            End::Misconfigured(_) => {
                let misconfigured_since = before.misconfigured_since.or(Some(ended.at));
                Progress { effects, deferrals: before.deferrals, misconfigured_since, ..Progress::default() }
            }
            End::Deferred(_) => Progress { effects, deferrals: before.deferrals + 1, ..Progress::default() },
            End::Done | End::Skipped(_) | End::Ignored(_) | End::Failed(_) => {
                Progress { effects, ..Progress::default() }
            }
        };
        self.progress = Progress { last_reason: ended.end.kept_reason(), ..progress };
        self.state = State::Ended(ended.end.clone());
        Ok(())
    }

    /// A claim past its deadline is its attempt's own until another worker takes it over.
    fn check(&self, attempt: u32) -> Result<(), StoreError> {
        let ours = self.attempts == attempt && matches!(self.state, State::Claimed { .. });
        ours.then_some(()).ok_or(StoreError::Superseded)
    }
}

/// Whether a claim until `deadline` still runs at `now`.
fn runs(deadline: Timestamp, now: Timestamp) -> bool {
    deadline >= now && deadline.duration_since(now) <= LONGEST_CLAIM
}
