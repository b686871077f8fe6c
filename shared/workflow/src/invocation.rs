//! An attempt at an event: its time, its deadline, and what earlier attempts did.

use crate::cause::{FoundCause, FoundCauses};
use crate::{BoxError, Effect, Failure};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tableau::{EventId, Payload};

/// One attempt at one event.
#[derive(Clone)]
pub struct Invocation {
    /// Lambda's request id, with which the log lines of this attempt can be found.
    pub request_id: String,
    /// When the attempt began.
    pub now: Timestamp,
    /// When Lambda ends the invocation.
    pub deadline: Instant,
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// Whether a temporary failure is retried. False in inline mode.
    pub retried: bool,
    began: Instant,
    effects: BTreeSet<Effect>,
    log: Arc<dyn EffectLog>,
    causes: FoundCauses,
    payload: Option<Arc<Payload>>,
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation")
            .field("request_id", &self.request_id)
            .field("attempt", &self.attempt)
            .field("effects", &self.effects)
            .finish_non_exhaustive()
    }
}

/// Where effects are recorded, so that a later attempt does not repeat them.
#[async_trait]
pub trait EffectLog: Send + Sync {
    /// Records that `effect` happened.
    ///
    /// # Errors
    /// When the store did not confirm it, or this attempt no longer holds the claim.
    async fn record(&self, effect: &Effect) -> Result<(), BoxError>;
}

/// Records nothing: for an attempt that is not repeated.
#[derive(Clone, Copy, Debug)]
pub struct NoEffectLog;

#[async_trait]
impl EffectLog for NoEffectLog {
    async fn record(&self, _: &Effect) -> Result<(), BoxError> {
        Ok(())
    }
}

impl Invocation {
    /// A first attempt that ends `timeout` from now and is not retried.
    pub fn new(request_id: impl Into<String>, now: Timestamp, timeout: Duration) -> Self {
        Self {
            request_id: request_id.into(),
            now,
            deadline: Instant::now() + timeout,
            attempt: 1,
            retried: false,
            began: Instant::now(),
            effects: BTreeSet::new(),
            log: Arc::new(NoEffectLog),
            causes: FoundCauses::default(),
            payload: None,
        }
    }

    /// Makes the attempt one that is retried when it fails and that records its effects in `log`.
    #[must_use]
    pub fn repeated(mut self, attempt: u32, effects: BTreeSet<Effect>, log: Arc<dyn EffectLog>) -> Self {
        self.attempt = attempt;
        self.retried = true;
        self.effects = effects;
        self.log = log;
        self
    }

    /// Adds what Tableau sent, for a workflow that hands it on.
    #[must_use]
    pub fn with_payload(mut self, payload: Payload) -> Self {
        self.payload = Some(Arc::new(payload));
        self
    }

    /// What Tableau sent; `None` for a timer, a sweep or a test.
    pub fn payload(&self) -> Option<&Payload> {
        self.payload.as_deref()
    }

    /// The present time: `now` plus the time that has passed since.
    pub fn time(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        self.now.checked_add(passed).unwrap_or(self.now)
    }

    /// When Lambda ends the invocation, by the clock of `now`.
    pub fn ends_at(&self) -> Timestamp {
        let lasts = SignedDuration::try_from(self.deadline.saturating_duration_since(self.began));
        self.now.checked_add(lasts.unwrap_or_default()).unwrap_or(Timestamp::MAX)
    }

    /// The time left until Lambda ends the invocation.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The effects that earlier attempts recorded.
    pub fn happened(&self) -> impl Iterator<Item = &Effect> {
        self.effects.iter()
    }

    /// Whether an earlier attempt recorded this effect.
    pub fn has_happened(&self, effect: &Effect) -> bool {
        self.effects.contains(effect)
    }

    /// Notes what was found out about why the refresh of `event` failed. The delivery record and a metric say it.
    pub fn note_cause(&self, event: &EventId, found: FoundCause) {
        self.causes.note(event, found);
    }

    /// What this attempt has found out about why the refresh of `event` failed; `None` if it has not looked.
    pub fn cause_of(&self, event: &EventId) -> Option<FoundCause> {
        self.causes.of(event)
    }

    /// Runs `action` and records `effect`, unless an earlier attempt has already recorded that effect.
    ///
    /// A workflow with several effects names each one ([`Effect::Notified`] with its channel): when the second fails,
    /// the retry does not repeat the first. `None` means that the effect had already happened.
    ///
    /// # Errors
    /// The failure of `action`. An effect that cannot be recorded is not a failure, because the effect happened; a
    /// later attempt may then repeat it.
    pub async fn once<T, E: Into<Failure>>(
        &self,
        effect: Effect,
        action: impl Future<Output = Result<T, E>>,
    ) -> Result<Option<T>, Failure> {
        let action = async { action.await.map(Ok::<T, Infallible>) };
        Ok(self.once_unless(effect, action).await?.map(|Ok(value)| value))
    }

    /// Like [`Invocation::once`], for an action that may find that it has no effect: `Ok(Err(_))` says why. Then nothing is recorded.
    ///
    /// # Errors
    /// As [`Invocation::once`].
    pub async fn once_unless<T, N, E: Into<Failure>>(
        &self,
        effect: Effect,
        action: impl Future<Output = Result<Result<T, N>, E>>,
    ) -> Result<Option<Result<T, N>>, Failure> {
        if self.has_happened(&effect) {
            return Ok(None);
        }
        let done = action.await.map_err(Into::into)?;
        if done.is_ok() {
            let _ = self.log.record(&effect).await;
        }
        Ok(Some(done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Default)]
    struct Recorded(Mutex<Vec<Effect>>);

    #[async_trait]
    impl EffectLog for Recorded {
        async fn record(&self, effect: &Effect) -> Result<(), BoxError> {
            self.0.lock().unwrap().push(effect.clone());
            Ok(())
        }
    }

    /// An attempt after others, in which these effects have happened, and what it writes down.
    fn invocation(attempt: u32, happened: BTreeSet<Effect>) -> (Invocation, Arc<Recorded>) {
        let log = Arc::new(Recorded::default());
        let invocation = Invocation::new("r", Timestamp::UNIX_EPOCH, Duration::from_secs(1));
        (invocation.repeated(attempt, happened, Arc::<Recorded>::clone(&log)), log)
    }

    #[tokio::test]
    async fn an_effect_that_was_written_down_does_not_happen_again() {
        let one = Effect::from("notified/one");
        let two = Effect::from("notified/two");
        let (invocation, log) = invocation(2, BTreeSet::from([one.clone()]));

        let first = invocation.once(one.clone(), async { Ok::<_, Failure>(1) }).await.unwrap();
        let second = invocation.once(two.clone(), async { Ok::<_, Failure>(2) }).await.unwrap();

        assert_eq!((first, second), (None, Some(2)));
        assert_eq!(invocation.happened().collect::<Vec<_>>(), [&one]);
        assert!(invocation.has_happened(&one) && !invocation.has_happened(&two));
        assert_eq!(*log.0.lock().unwrap(), [two]);
    }

    #[tokio::test]
    async fn an_effect_that_failed_is_not_written_down() {
        let (invocation, log) = invocation(1, BTreeSet::new());

        let failed =
            invocation.once(Effect::from("noted"), async { Err::<(), _>(Failure::transient("down")) }).await;

        assert!(failed.is_err());
        assert!(log.0.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_action_without_an_effect_is_not_written_down_and_says_why() {
        let (invocation, log) = invocation(1, BTreeSet::new());

        let gone = async { Ok::<_, Failure>(Err::<(), _>("gone")) };
        let gone = invocation.once_unless(Effect::from("noted"), gone).await.unwrap();

        assert_eq!(gone, Some(Err("gone")));
        assert!(log.0.lock().unwrap().is_empty());
    }
}
