#![doc = include_str!("../README.md")]

mod api;
mod cause;
mod credential;
mod effect;
mod failure;
mod invocation;
mod messenger;
mod page;
mod shared_message;
mod trial;

pub use api::{ApiAnswer, ApiRequest};
pub use cause::FoundCause;
pub use credential::{CredentialError, CredentialSource, Fixed};
pub use effect::{Effect, OtherEffect};
pub use failure::{BoxError, Failure, chain};
pub use invocation::{EffectLog, Invocation, NoEffectLog};
pub use messenger::{MESSAGE_OBJECTIVE, counts_for_objective};
pub use page::{Page, PageMethod, PageRequest};
pub use shared_message::{SharedMessage, Why};
pub use trial::{TestRequest, Tested};

use jiff::Timestamp;
use std::borrow::Cow;
use std::future::Future;
use tableau::Event;
use timer::TimerMessage;

/// A workflow: what a function does about an event.
pub trait Workflow: Send + Sync + 'static {
    /// Kebab-case name; equals the function's folder, package and binary, and the key of its rules.
    const NAME: &'static str;

    /// The path segment of its public pages, as `certifications` in `/certifications/{token}`. `None`: it has none.
    const PAGES: Option<&'static str> = None;

    /// The path segment of its API, as `refreshes` in `/refreshes` and `/refreshes/{id}`. `None`: it has none.
    const API: Option<&'static str> = None;

    /// Handles one event. May run more than once for the same event.
    ///
    /// # Errors
    /// [`Failure`], which says what must happen to the event's message.
    fn handle(
        &self,
        event: &Event,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Outcome, Failure>> + Send;

    /// Handles a timer that fires. May run more than once for the same timer, also at the same time and long after
    /// the due time, because timers are not claimed. The document named by the timer's `key` decides; a timer whose
    /// `generation` differs from the document's is out of date and does nothing.
    ///
    /// [`Outcome::Deferred`] sets the timer again. A timer can be set again only a few times.
    ///
    /// # Errors
    /// [`Failure`], which says what must happen to the timer's message, as for an event.
    fn on_timer(
        &self,
        timer: &TimerMessage,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Outcome, Failure>> + Send {
        let _ = (timer, invocation);
        async { Ok(Outcome::skipped("this workflow has no timers")) }
    }

    /// Runs once an hour, if the template has a schedule for it. Finds documents whose timer is overdue (for example
    /// because a queue or role was replaced) and does what the timer would have done.
    ///
    /// # Errors
    /// [`Failure`], which is logged and counted, but not retried: the next sweep comes within the hour.
    fn on_sweep(&self, invocation: &Invocation) -> impl Future<Output = Result<Outcome, Failure>> + Send {
        let _ = invocation;
        async { Ok(Outcome::skipped("this workflow has nothing to sweep")) }
    }

    /// Sends a test notification to the targets that an operator asks for. Returns what came of it in each of them, also if
    /// none was accepted.
    ///
    /// # Errors
    /// [`Failure`] if nothing could be sent: there is no target, or the rules cannot be used.
    fn on_test(
        &self,
        test: &TestRequest,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Vec<Tested>, Failure>> + Send {
        let _ = (test, invocation);
        async { Err(Failure::permanent("this workflow sends no notifications, so there is nothing to test")) }
    }

    /// Answers a request for one of its public pages ([`Workflow::PAGES`]), which anyone may send: only the token says whether it comes
    /// from a link of ours.
    ///
    /// # Errors
    /// [`Failure`] if there is no answer; it is logged, and the person is asked to try again.
    fn on_page(
        &self,
        page: &PageRequest,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<Page, Failure>> + Send {
        let _ = (page, invocation);
        async { Err(Failure::permanent("this workflow has no pages")) }
    }

    /// Answers a request to its API ([`Workflow::API`]), which anyone may send: the workflow checks who it is.
    ///
    /// # Errors
    /// [`Failure`] if there is no answer; it is logged, and the caller gets `503`.
    fn on_api(
        &self,
        request: &ApiRequest,
        invocation: &Invocation,
    ) -> impl Future<Output = Result<ApiAnswer, Failure>> + Send {
        let _ = (request, invocation);
        async { Err(Failure::permanent("this workflow has no API")) }
    }
}

/// The outcome of an attempt that did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The effect happened.
    Done,
    /// Nothing had to be done; the text says why.
    Skipped(Cow<'static, str>),
    /// The event cannot be acted on (an unreadable body, or a site that is not listed); the text says why. An alarm
    /// counts these events.
    Ignored(Cow<'static, str>),
    /// The event must be handled later. This is not a failure.
    Deferred {
        /// When to handle the event again.
        until: Timestamp,
        /// What the event waits for.
        reason: Cow<'static, str>,
    },
}

impl Outcome {
    /// The outcome that nothing had to be done, because of `reason`.
    pub fn skipped(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Skipped(reason.into())
    }

    /// The outcome that the event cannot be acted on, because of `reason`.
    pub fn ignored(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Ignored(reason.into())
    }

    /// The outcome that the event is to be handled again at `until`, because of `reason`.
    pub fn deferred(until: Timestamp, reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Deferred { until, reason: reason.into() }
    }

    /// The outcome's name: `done`, `skipped`, `ignored` or `deferred`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped(_) => "skipped",
            Self::Ignored(_) => "ignored",
            Self::Deferred { .. } => "deferred",
        }
    }
}
