//! The state machine of a delivery record: the rules that every store follows. No I/O.

use crate::claim::{Claim, Claimant, End, Ended, Progress, StoreError};
use crate::record::claim_runs;
use jiff::Timestamp;
use workflow::Effect;

/// The state of a workflow's record of an event, as far as it decides about claims.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    position: Position,
    attempts: u32,
    progress: Progress,
}

#[derive(Debug, Default)]
enum Position {
    /// No attempt has begun.
    #[default]
    New,
    /// A worker is handling the event, or died while handling it.
    Claimed {
        owner: String,
        deadline: Timestamp,
    },
    Ended(End),
}

impl Machine {
    /// Claims the event, unless it is finished, another worker's claim still runs, or a newer copy of the message
    /// exists.
    pub(crate) fn claim(&mut self, claimant: &Claimant) -> Claim {
        match &self.position {
            Position::Claimed { owner, deadline }
                if *owner != claimant.owner && claim_runs(*deadline, claimant.now) =>
            {
                return Claim::Busy { until: *deadline };
            }
            Position::Ended(End::Done | End::Skipped(_)) => return Claim::Finished,
            Position::Ended(End::Deferred(_))
                if claimant.copy_of.is_some_and(|copy_of| self.attempts > copy_of) =>
            {
                return Claim::ExtraCopy;
            }
            Position::New | Position::Claimed { .. } | Position::Ended(_) => {}
        }
        self.position = Position::Claimed { owner: claimant.owner.clone(), deadline: claimant.deadline };
        self.attempts += 1;
        Claim::Granted { attempt: self.attempts, progress: self.progress.clone() }
    }

    /// Records an effect, if this attempt still holds the claim.
    pub(crate) fn record_effect(&mut self, attempt: u32, effect: &Effect) -> Result<(), StoreError> {
        self.check(attempt)?;
        self.progress.effects.insert(effect.clone());
        Ok(())
    }

    /// Ends the attempt, if it still holds the claim.
    pub(crate) fn end(&mut self, ended: &Ended) -> Result<(), StoreError> {
        if self.attempts == ended.attempt
            && matches!(&self.position, Position::Ended(end) if end.state() == ended.end.state())
        {
            // The outcome was already recorded: the first answer was lost, and the call is repeated.
            return Ok(());
        }
        self.check(ended.attempt)?;
        let before = &self.progress;
        let effects = before.effects.clone();
        let cause = ended.cause.clone().or_else(|| before.cause.clone());
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
        self.progress = Progress { last_reason: ended.end.kept_reason(), cause, ..progress };
        self.position = Position::Ended(ended.end.clone());
        Ok(())
    }

    /// An expired claim still belongs to its attempt until another worker takes the event over.
    fn check(&self, attempt: u32) -> Result<(), StoreError> {
        let ours = self.attempts == attempt && matches!(self.position, Position::Claimed { .. });
        ours.then_some(()).ok_or(StoreError::Superseded)
    }
}
