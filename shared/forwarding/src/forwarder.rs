//! Sends an event to a destination, unless it is stopped or its circuit is open.

use crate::aws::{AwsDestinations, AwsError, Letter};
use crate::documents::{Stop, TargetState, target_key};
use crate::signature::message_id;
use crate::target::{Error, Message, Taken, Targets};
use circuit::{CallResult, Circuits, Guarded};
use jiff::Timestamp;
use rules::settings::Destination;
use std::fmt;
use std::time::Duration;
use store::Documents;
use tableau::Event;
use workflow::{Failure, Invocation, chain};

/// An event for a destination.
#[derive(Clone, Copy, Debug)]
pub struct Parcel<'a> {
    /// The event.
    pub event: &'a Event,
    /// Where it goes.
    pub destination: Destination<'a>,
    /// What happened, in one line.
    pub title: &'a str,
    /// A JSON text.
    pub body: &'a str,
    /// How long a target may take.
    pub longest: Duration,
}

/// A parcel that a destination has taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// HTTP status; 200 for AWS.
    pub status: u16,
    /// The id of what the target has made, such as an issue.
    pub made: Option<String>,
    /// Whether the target wants no more events.
    pub is_last: bool,
}

/// Sends events.
pub struct Forwarder {
    targets: Targets,
    aws: AwsDestinations,
    circuits: Circuits,
    documents: Documents,
}

impl fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarder").finish_non_exhaustive()
    }
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error(transparent)]
    Target(Error),
    #[error(transparent)]
    Aws(AwsError),
}

impl SendError {
    fn call_result(&self) -> CallResult {
        match self {
            Self::Target(error) => error.call_result(),
            Self::Aws(error) => error.call_result(),
        }
    }
}

impl From<SendError> for Failure {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Target(error) => error.into(),
            SendError::Aws(error) => error.into(),
        }
    }
}

/// Counts a failed call as a metric. The reason is logged where the failure is handled.
fn count<T>(sent: &Result<T, Guarded<SendError>>) {
    let Err(Guarded::Call(error)) = sent else { return };
    let failure = match error {
        SendError::Target(error) if error.is_misconfiguration() => "credential",
        error if matches!(error.call_result(), CallResult::Answered) => "permanent",
        _ => "transient",
    };
    tracing::debug!(
        monotonic_counter.destination_failures = 1,
        destination = "Forward",
        failure,
        "a call failed"
    );
}

impl Forwarder {
    /// Sends to `targets` and `aws`, behind circuits of independent parts: one for each destination.
    pub fn new(targets: Targets, aws: AwsDestinations, circuits: Circuits, documents: Documents) -> Self {
        Self { targets, aws, circuits, documents }
    }

    /// Why a destination gets no events, if it gets none: a target that wanted no more, until its URL or secret changes or a test is
    /// accepted.
    ///
    /// # Errors
    /// When the table or the secret cannot be read.
    pub async fn stopped(
        &self,
        destination: Destination<'_>,
        now: Timestamp,
    ) -> Result<Option<String>, Failure> {
        let Destination::Target(name) = destination else { return Ok(None) };
        let stop = self.stop_of(name, now).await?;
        Ok(stop.map(|stop| {
            let at = stop.at.strftime("%Y-%m-%d %H:%M UTC");
            format!("the target `{name}` wants no events since {at}: {}", stop.why)
        }))
    }

    /// Sends a parcel also to a target that is stopped. If the target takes it, the target is not stopped any more.
    ///
    /// # Errors
    /// As for [`Forwarder::send`].
    pub async fn send_test(&self, parcel: Parcel<'_>, invocation: &Invocation) -> Result<Sent, Failure> {
        let sent = self.send(parcel, invocation).await?;
        if let (Destination::Target(name), Sent { is_last: false, .. }) = (parcel.destination, &sent) {
            self.start(name, invocation.time()).await?;
        }
        Ok(sent)
    }

    /// Sends a parcel once, also to a target that is stopped.
    ///
    /// # Errors
    /// [`Failure`], which says what becomes of the event.
    pub async fn send(&self, parcel: Parcel<'_>, invocation: &Invocation) -> Result<Sent, Failure> {
        let now = invocation.time();
        // In a box: the futures within each other would be too deep for the compiler.
        let call = Box::pin(self.call(parcel, now));
        let key = parcel.destination.key();
        let sent = Box::pin(self.circuits.call(key, now, call, SendError::call_result)).await;
        count(&sent);
        match (sent, parcel.destination) {
            (Ok(taken), Destination::Target(name)) if taken.is_last => {
                let why = format!("it answered {} and `webhook-delivery: disable`", taken.status);
                self.note_stop(name, why, now).await;
                Ok(Sent { status: taken.status, made: taken.made, is_last: true })
            }
            (Ok(taken), _) => Ok(Sent { status: taken.status, made: taken.made, is_last: false }),
            (Err(Guarded::Call(SendError::Target(error))), Destination::Target(name)) if error.is_stop() => {
                self.note_stop(name, chain(&error), now).await;
                Err(error.into())
            }
            (Err(error), _) => Err(error.into()),
        }
    }

    async fn call(&self, parcel: Parcel<'_>, now: Timestamp) -> Result<Taken, SendError> {
        let Parcel { event, destination, title, body, longest } = parcel;
        let event_id = event.id.to_string();
        let id = message_id(&event_id, destination.key());
        let letter = Letter {
            arn: destination.key(),
            region: destination.region().unwrap_or_default(),
            id: &id,
            event: event.name.as_str(),
            title,
            object: event.subject.luid(),
            at: event.created_at,
            body,
        };
        let by_aws = Taken { status: 200, ..Taken::default() };
        match destination {
            Destination::Target(target) => {
                let message = Message { event: &event_id, target, body, longest };
                self.targets.post(message, now).await.map_err(SendError::Target)
            }
            Destination::Bus(_) => self.aws.put_event(letter).await.map(|()| by_aws).map_err(SendError::Aws),
            Destination::Topic(_) => self.aws.publish(letter).await.map(|()| by_aws).map_err(SendError::Aws),
        }
    }

    /// Why the target gets no events, if it does not. Another URL or secret starts it again.
    async fn stop_of(&self, name: &str, now: Timestamp) -> Result<Option<Stop>, Failure> {
        let state: TargetState = self.documents.read(&target_key(name)).await.map_err(Failure::transient)?;
        let Some(stop) = state.stopped else { return Ok(None) };
        let is_same = match self.targets.fingerprint(name).await? {
            kept if kept != stop.fingerprint => false,
            // The secret may have changed since it was read.
            _ => self.targets.new_fingerprint(name).await?.is_none_or(|renewed| renewed == stop.fingerprint),
        };
        if is_same {
            return Ok(Some(stop));
        }
        self.start(name, now).await?;
        Ok(None)
    }

    async fn start(&self, name: &str, now: Timestamp) -> Result<(), Failure> {
        let start = |state: &mut TargetState| state.stopped.take().is_some();
        let changed = self.documents.change(&target_key(name), now, start).await;
        let (_, was_stopped) = changed.map_err(Failure::transient)?;
        if was_stopped {
            tracing::info!(target = name, "the target gets events again");
        }
        Ok(())
    }

    /// Stops a target. The line in the log and the event's own reason tell the operator.
    async fn note_stop(&self, name: &str, why: String, now: Timestamp) {
        tracing::error!(
            target = name,
            reason = why,
            "the target wants no more events: none is sent to it until its URL or secret changes, or a test is accepted"
        );
        let Ok(fingerprint) = self.targets.fingerprint(name).await else { return };
        let stop = Stop { at: now, why, fingerprint };
        let stopped = |state: &mut TargetState| state.stopped = Some(stop.clone());
        if let Err(error) = self.documents.change(&target_key(name), now, stopped).await {
            tracing::warn!(
                target = name,
                reason = chain(&error),
                "it could not be recorded that the target is stopped"
            );
        }
    }
}
