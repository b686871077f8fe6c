//! What an attempt knows: its time, its deadline, and what earlier attempts did.

use crate::{BoxError, Effect, Failure};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One attempt at one event.
#[derive(Clone)]
pub struct Invocation {
    /// Lambda's request id: finds the log lines of this attempt.
    pub request_id: String,
    /// When the attempt began.
    pub now: Timestamp,
    /// When Lambda ends the process.
    pub deadline: Instant,
    /// Counted from 1.
    pub attempt: u32,
    /// Whether a transient failure is tried again later. Not so in inline mode.
    pub retried: bool,
    began: Instant,
    effects: BTreeSet<Effect>,
    log: Arc<dyn EffectLog>,
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

/// Where effects that happened are recorded, so that a later attempt does not repeat them.
#[async_trait]
pub trait EffectLog: Send + Sync {
    /// Writes down that `effect` happened.
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
    /// A first attempt that ends `timeout` from now and is not repeated.
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
        }
    }

    /// The same, as an attempt that is tried again when it fails and writes its effects down in `log`.
    #[must_use]
    pub fn repeated(mut self, attempt: u32, effects: BTreeSet<Effect>, log: Arc<dyn EffectLog>) -> Self {
        self.attempt = attempt;
        self.retried = true;
        self.effects = effects;
        self.log = log;
        self
    }

    /// What time it is: `now`, and what has passed since.
    pub fn time(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        self.now.checked_add(passed).unwrap_or(self.now)
    }

    /// When Lambda ends the process, by the clock of `now`.
    pub fn ends_at(&self) -> Timestamp {
        let lasts = SignedDuration::try_from(self.deadline.saturating_duration_since(self.began));
        self.now.checked_add(lasts.unwrap_or_default()).unwrap_or(Timestamp::MAX)
    }

    /// The time left until Lambda ends the process.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// The effects that earlier attempts wrote down.
    pub fn happened(&self) -> impl Iterator<Item = &Effect> {
        self.effects.iter()
    }

    /// Whether an earlier attempt wrote down that `effect` happened.
    pub fn has_happened(&self, effect: &Effect) -> bool {
        self.effects.contains(effect)
    }

    /// Runs `action` unless an earlier attempt wrote down that `effect` happened, then writes it down.
    ///
    /// A workflow with several effects names each ([`Effect::Notified`] with its channel): when the second fails, the first
    /// does not happen again. `None` means that it had happened before.
    ///
    /// # Errors
    /// The action's own failure. That the record could not be written is no failure, since the effect
    /// happened; only a later attempt would find out, and repeat it.
    pub async fn once<T, E: Into<Failure>>(
        &self,
        effect: Effect,
        action: impl Future<Output = Result<T, E>>,
    ) -> Result<Option<T>, Failure> {
        if self.has_happened(&effect) {
            return Ok(None);
        }
        let value = action.await.map_err(Into::into)?;
        let _ = self.log.record(&effect).await;
        Ok(Some(value))
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

    #[tokio::test]
    async fn an_effect_that_was_written_down_does_not_happen_again() {
        let log = Arc::new(Recorded::default());
        let one = Effect::from("notified/one");
        let two = Effect::from("notified/two");
        let invocation = Invocation::new("r", Timestamp::UNIX_EPOCH, Duration::from_secs(1)).repeated(
            2,
            BTreeSet::from([one.clone()]),
            Arc::<Recorded>::clone(&log),
        );

        let first = invocation.once(one.clone(), async { Ok::<_, Failure>(1) }).await.unwrap();
        let second = invocation.once(two.clone(), async { Ok::<_, Failure>(2) }).await.unwrap();

        assert_eq!((first, second), (None, Some(2)));
        assert_eq!(invocation.happened().collect::<Vec<_>>(), [&one]);
        assert!(invocation.has_happened(&one) && !invocation.has_happened(&two));
        assert_eq!(*log.0.lock().unwrap(), [two]);
    }

    #[tokio::test]
    async fn an_effect_that_failed_is_not_written_down() {
        let log = Arc::new(Recorded::default());
        let invocation = Invocation::new("r", Timestamp::UNIX_EPOCH, Duration::from_secs(1)).repeated(
            1,
            BTreeSet::new(),
            Arc::<Recorded>::clone(&log),
        );

        let failed =
            invocation.once(Effect::from("noted"), async { Err::<(), _>(Failure::transient("down")) }).await;

        assert!(failed.is_err());
        assert!(log.0.lock().unwrap().is_empty());
    }
}
