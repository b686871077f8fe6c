#![doc = include_str!("../README.md")]

mod credential;
mod effect;
mod failure;
mod invocation;
mod shared_message;

pub use credential::{CredentialError, CredentialSource, Fixed};
pub use effect::{Effect, OtherEffect};
pub use failure::{BoxError, Failure, chain};
pub use invocation::{EffectLog, Invocation, NoEffectLog};
pub use shared_message::{SharedMessage, Why};

use jiff::Timestamp;
use std::borrow::Cow;
use std::future::Future;
use tableau::Event;
use timer::TimerMessage;

/// What is done about an event.
pub trait Workflow: Send + Sync + 'static {
    /// Kebab-case name; equals the function's folder, package and binary, and the key of its rules.
    const NAME: &'static str;

    /// Handles one event. May run more than once for the same event.
    ///
    /// # Errors
    /// [`Failure`], which says what must happen to the message.
    fn handle(
        &self,
        event: &Event,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Outcome, Failure>> + Send;

    /// Handles a timer that fires. May run more than once for the same timer, also at the same time, and long after
    /// its time: no claim is kept. The document named by the timer's `key` decides; a timer whose `generation` is not the
    /// document's is out of date, and done.
    ///
    /// [`Outcome::Deferred`] arms the timer again, which counts as one of its few hops.
    ///
    /// # Errors
    /// [`Failure`], which says what must happen to the timer: the same as to an event.
    fn on_timer(
        &self,
        timer: &TimerMessage,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Outcome, Failure>> + Send {
        let _ = (timer, invocation);
        async { Ok(Outcome::skipped("this workflow has no timers")) }
    }

    /// Runs once an hour, if the template has a schedule for it: finds documents whose timer is overdue, since a queue or a
    /// role was replaced, and does what the timer would have done.
    ///
    /// # Errors
    /// [`Failure`], which is logged and counted. Nothing is tried again: the next sweep comes within the hour.
    fn on_sweep(&self, invocation: &Invocation) -> impl Future<Output = Result<Outcome, Failure>> + Send {
        let _ = invocation;
        async { Ok(Outcome::skipped("this workflow has nothing to sweep")) }
    }
}

/// How an attempt ended that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The effect happened.
    Done,
    /// There was nothing to do, and why.
    Skipped(Cow<'static, str>),
    /// The event cannot be acted on, and why: a body that cannot be read, or a site that is not ours. An alarm counts these.
    Ignored(Cow<'static, str>),
    /// It is too early: the event is handled again then, as after a temporary failure, although nothing went wrong.
    Deferred {
        /// When to look again.
        until: Timestamp,
        /// What it waits for.
        reason: Cow<'static, str>,
    },
}

impl Outcome {
    /// Nothing to do, because of `reason`.
    pub fn skipped(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Skipped(reason.into())
    }

    /// The event cannot be acted on, because of `reason`.
    pub fn ignored(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Ignored(reason.into())
    }

    /// To be handled again at `until`, because of `reason`.
    pub fn deferred(until: Timestamp, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Deferred { until, reason: reason.into() }
    }

    /// `done`, `skipped`, `ignored` or `deferred`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped(_) => "skipped",
            Self::Ignored(_) => "ignored",
            Self::Deferred { .. } => "deferred",
        }
    }
}
