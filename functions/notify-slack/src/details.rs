//! What Tableau can tell about an event.

use crate::NotifySlack;
use incidents::Holder;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tableau::{Action, Event};
use tableau_client::{Cause, Content};
use tokio::sync::OnceCell;
use workflow::{Failure, Invocation, chain};

/// From this failure on the message goes out without what Tableau did not tell: late is worse than short.
const ATTEMPT_WITHOUT_DETAILS: u32 = 3;
/// How long Tableau may take to tell, all calls together: the message itself needs time as well.
const DETAILS_TIMEOUT: Duration = Duration::from_secs(15);

/// How far Tableau's clock may be ahead of ours.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// The oldest event that may come: one from the archive, which keeps events for ten years at most.
const OLDEST: SignedDuration = SignedDuration::from_hours(10 * 366 * 24);

/// Whether Tableau told us something.
#[derive(Debug, PartialEq)]
pub(crate) enum Told<T> {
    /// It did.
    Yes(T),
    /// There is nothing to tell.
    Nothing,
    /// It did not answer in time.
    NotNow,
    /// It refused; mostly because the credential's user may not ask. With its code.
    Refused(String),
}

impl<T> Told<T> {
    pub(crate) fn as_option(&self) -> Option<&T> {
        match self {
            Self::Yes(value) => Some(value),
            Self::Nothing | Self::NotNow | Self::Refused(_) => None,
        }
    }
}

/// What Tableau told about the event.
#[derive(Debug)]
pub(crate) struct Details {
    pub(crate) content: Told<Content>,
    pub(crate) cause: Told<Cause>,
}

/// An attempt at an event, and what Tableau tells about it: asked for once, and only if somebody needs it.
pub(crate) struct Attempt<'a> {
    pub(crate) event: &'a Event,
    pub(crate) invocation: &'a Invocation,
    details: OnceCell<Details>,
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(event: &'a Event, invocation: &'a Invocation) -> Self {
        Self { event, invocation, details: OnceCell::new() }
    }

    /// When the attempt began.
    pub(crate) fn now(&self) -> Timestamp {
        self.invocation.now
    }

    /// When it happened at Tableau; when we heard of it, if Tableau did not say, or if what it said cannot be: with an
    /// instant in the future all later events of the object would count as old ones.
    pub(crate) fn happened_at(&self) -> Timestamp {
        let now = self.invocation.now;
        let is_credible = |at: &Timestamp| (-OLDEST..=AHEAD).contains(&at.duration_since(now));
        self.event.created_at.filter(is_credible).unwrap_or(now)
    }

    /// Whether an earlier attempt told the channel.
    pub(crate) fn has_told(&self, channel: &str) -> bool {
        self.invocation.happened("slack/").any(|told| told == channel)
    }

    /// Notes that the channel is told.
    pub(crate) async fn note_told(&self, channel: &str) -> Result<(), Failure> {
        let nothing = async { Ok::<_, Failure>(()) };
        self.invocation.once(&format!("slack/{channel}"), nothing).await.map(|_| ())
    }

    /// Of leases: no longer than the attempt can last.
    pub(crate) fn holder(&self) -> Holder {
        Holder::new(self.invocation.ends_at())
    }

    pub(crate) async fn details(&self, workflow: &NotifySlack) -> Result<&Details, Failure> {
        self.details.get_or_try_init(|| workflow.details(self.event, self.invocation)).await
    }
}

impl NotifySlack {
    /// What Tableau can tell about the event. What it cannot tell for now is waited for, but not for long.
    async fn details(&self, event: &Event, invocation: &Invocation) -> Result<Details, Failure> {
        let patient = invocation.retried && invocation.attempt < ATTEMPT_WITHOUT_DETAILS;
        let time = DETAILS_TIMEOUT.min(invocation.remaining() / 2);
        let (reason, failure) = match tokio::time::timeout(time, self.ask(event, invocation)).await {
            Ok(Ok(details)) => return Ok(details),
            Ok(Err(error)) => (chain(&error), Failure::from(error)),
            Err(_) => {
                let reason = format!("Tableau did not answer within {} s", time.as_secs());
                (reason.clone(), Failure::transient(reason))
            }
        };
        if patient {
            return Err(failure);
        }
        tracing::warn!(event.id = %event.id, reason, "the message goes out without details");
        Ok(Details { content: Told::NotNow, cause: Told::NotNow })
    }

    /// Asks Tableau. Only what may pass is an error.
    async fn ask(&self, event: &Event, invocation: &Invocation) -> Result<Details, tableau_client::Error> {
        let content = match event.name.action() {
            Some(Action::Deleted) => Told::Nothing,
            _ => told(self.tableau.content(&event.subject).await, event)?,
        };
        let cause = match event.name.action() {
            Some(Action::RefreshFailed) => {
                told(self.tableau.failure_cause(event, invocation.now).await, event)?
            }
            _ => Told::Nothing,
        };
        Ok(Details { content, cause })
    }
}

fn told<T>(
    answer: Result<Option<T>, tableau_client::Error>,
    event: &Event,
) -> Result<Told<T>, tableau_client::Error> {
    match answer {
        Ok(Some(answer)) => Ok(Told::Yes(answer)),
        Ok(None) => Ok(Told::Nothing),
        Err(error) if error.is_transient() => Err(error),
        Err(error) => {
            let reason = chain(&error);
            tracing::warn!(event.id = %event.id, reason, "the message goes out without a detail");
            Ok(Told::Refused(error.code().unwrap_or("no code").to_owned()))
        }
    }
}
