//! One attempt's questions about one event: how long to wait, and what to do without an answer.

use crate::words::{NO_ANSWER, why};
use circuit::Guarded;
use guarded_tableau::TableauError;
use std::future::Future;
use std::time::Duration;
use tableau::Event;
use workflow::{Failure, Invocation};

/// From this failed attempt on the event is handled without what Tableau did not say: late is worse than short.
const ATTEMPT_WITHOUT_FACTS: u32 = 3;
/// How long Tableau may take, all calls together: the rest of the work needs time as well.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How long an attempt waits for the circuit of Tableau to close. Late is worse than short.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What a call to Tableau gives.
pub type Answer<T> = Result<T, Guarded<TableauError>>;

/// One attempt's questions about one event.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The event.
    pub event: &'a Event,
    /// The attempt.
    pub invocation: &'a Invocation,
    /// Whether the event is tried again if Tableau does not answer.
    pub is_patient: bool,
}

/// Tableau did not say anything.
#[derive(Debug)]
pub struct Unanswered {
    /// The failure of the attempt, if it waits.
    pub failure: Failure,
    /// Why: for people, without a full stop.
    pub why: String,
    /// Whether the event is to be tried again because of it.
    pub waits: bool,
}

impl<'a> Question<'a> {
    /// The questions of an attempt that is tried again if Tableau does not answer, but not for ever.
    pub fn new(event: &'a Event, invocation: &'a Invocation) -> Self {
        let is_patient = invocation.retried && invocation.attempt < ATTEMPT_WITHOUT_FACTS;
        Self { event, invocation, is_patient }
    }

    /// Whether to try the event again because of this error: it may pass, or a person fixes it, and there is time.
    pub fn waits_for(&self, error: &Guarded<TableauError>) -> bool {
        self.is_patient
            && match error {
                Guarded::CircuitOpen(error) => error.retry_after <= LONGEST_WAIT,
                Guarded::Call(error) => error.is_transient() || error.is_misconfiguration(),
            }
    }

    /// The answer to `ask`, or why there is none in time.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub async fn in_time<T>(&self, ask: impl Future<Output = Answer<T>> + Send) -> Result<T, Unanswered> {
        self.within(TIMEOUT.min(self.invocation.remaining() / 2), ask).await
    }

    /// The answer to `ask`, or why there is none in this time.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub(crate) async fn within<T>(
        &self,
        time: Duration,
        ask: impl Future<Output = Answer<T>> + Send,
    ) -> Result<T, Unanswered> {
        // In a box, since futures of all steps within each other grow too deep for the compiler.
        match tokio::time::timeout(time, Box::pin(ask)).await {
            Ok(answer) => answer.map_err(|error| Unanswered {
                waits: self.waits_for(&error),
                why: why(&error),
                failure: error.into(),
            }),
            Err(_) => {
                let reason = format!("Tableau did not answer within {} s", time.as_secs());
                let why = NO_ANSWER.to_owned();
                Err(Unanswered { failure: Failure::transient(reason), why, waits: self.is_patient })
            }
        }
    }
}
