//! What Tableau can tell about an event.

use crate::NotifySlack;
use incidents::Holder;
use jiff::Timestamp;
use std::time::Duration;
use tableau::{Action, Event, Subject};
use tableau_client::{Cause, CauseLookup, Content};
use tokio::sync::OnceCell;
use workflow::{Destination, Effect, Failure, Invocation, chain};

/// From this failure on the message goes out without what Tableau did not tell: late is worse than short.
const ATTEMPT_WITHOUT_DETAILS: u32 = 3;
/// How long Tableau may take to tell, all calls together: the message itself needs time as well.
const DETAILS_TIMEOUT: Duration = Duration::from_secs(15);

const NO_ANSWER: &str = "Tableau did not answer";

/// Whether Tableau told us something.
#[derive(Debug, PartialEq)]
pub(crate) enum Told<T> {
    /// It did.
    Yes(T),
    /// There is nothing to tell.
    Nothing,
    /// It did not, and why: for people, without a full stop.
    Not(String),
}

impl<T> Told<T> {
    pub(crate) fn as_option(&self) -> Option<&T> {
        match self {
            Self::Yes(value) => Some(value),
            Self::Nothing | Self::Not(_) => None,
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
        self.event.credible_time(now).unwrap_or(now)
    }

    /// Whether an earlier attempt told the channel.
    pub(crate) fn has_told(&self, channel: &str) -> bool {
        self.invocation.has_happened(&Effect::sent(Destination::Slack, channel))
    }

    /// Notes that the channel is told.
    pub(crate) async fn note_told(&self, channel: &str) -> Result<(), Failure> {
        let nothing = async { Ok::<_, Failure>(()) };
        self.invocation.once(Effect::sent(Destination::Slack, channel), nothing).await.map(|_| ())
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
    /// What Tableau can tell about the event. What it cannot tell for now, or not before a person has fixed the credential, is
    /// waited for, but not for long.
    async fn details(&self, event: &Event, invocation: &Invocation) -> Result<Details, Failure> {
        let patient = invocation.retried && invocation.attempt < ATTEMPT_WITHOUT_DETAILS;
        let time = DETAILS_TIMEOUT.min(invocation.remaining() / 2);
        let (why, reason, failure) =
            match tokio::time::timeout(time, self.ask(event, invocation, patient)).await {
                Ok(Ok(details)) => return Ok(details),
                Ok(Err(error)) => (why(&error), chain(&error), Failure::from(error)),
                Err(_) => {
                    let reason = format!("Tableau did not answer within {} s", time.as_secs());
                    (NO_ANSWER.to_owned(), reason.clone(), Failure::transient(reason))
                }
            };
        if patient {
            return Err(failure);
        }
        tracing::warn!(event.id = %event.id, reason, "the message goes out without details");
        Ok(Details { content: Told::Not(why.clone()), cause: Told::Not(why) })
    }

    /// Asks Tableau. What may pass, or a person fixes, is an error if there is time to wait for it; otherwise the detail is
    /// left out, and the others are kept.
    async fn ask(
        &self,
        event: &Event,
        invocation: &Invocation,
        patient: bool,
    ) -> Result<Details, tableau_client::Error> {
        let content = match event.name.action() {
            Some(Action::Deleted) => Told::Nothing,
            // Of users and sites there is nothing to ask.
            _ if !matches!(event.subject, Subject::Workbook(_) | Subject::Datasource(_)) => Told::Nothing,
            _ if self.is_of_another_site(event).await? => {
                let why =
                    || "the event is of another site than the one that Tableau is asked about".to_owned();
                return Ok(Details { content: Told::Not(why()), cause: Told::Not(why()) });
            }
            _ => match self.tableau.content(&event.subject).await {
                Ok(content) => content.map_or(Told::Nothing, Told::Yes),
                Err(error) => not_told(error, event, patient)?,
            },
        };
        let cause = match event.name.action() {
            Some(Action::RefreshFailed) => match self.tableau.failure_cause(event, invocation.now).await {
                Ok(lookup) => reason_of(lookup, event),
                Err(error) => not_told(error, event, patient)?,
            },
            _ => Told::Nothing,
        };
        Ok(Details { content, cause })
    }

    /// Whether the event is of a site that our credential does not sign in to: there is no use in looking for its things.
    async fn is_of_another_site(&self, event: &Event) -> Result<bool, tableau_client::Error> {
        let ours = self.tableau.session_site().await?;
        let is_other = !ours.as_str().eq_ignore_ascii_case(event.site.as_str());
        if is_other {
            tracing::warn!(
                event.id = %event.id,
                site.luid = %event.site,
                "the event is of another site than the Tableau credential; nothing is looked up"
            );
        }
        Ok(is_other)
    }
}

fn not_told<T>(
    error: tableau_client::Error,
    event: &Event,
    patient: bool,
) -> Result<Told<T>, tableau_client::Error> {
    if patient && (error.is_transient() || error.is_misconfiguration()) {
        return Err(error);
    }
    let reason = chain(&error);
    tracing::warn!(event.id = %event.id, reason, "the message goes out without a detail");
    Ok(Told::Not(why(&error)))
}

fn reason_of(lookup: CauseLookup, event: &Event) -> Told<Cause> {
    let why = match lookup {
        CauseLookup::Found(cause) => return Told::Yes(cause),
        CauseLookup::NoneListed => "Tableau lists no failed job for it".to_owned(),
        CauseLookup::Unreadable { code } => format!("Tableau lists its job, but does not show it ({code})"),
        CauseLookup::NoText { .. } => "its job has no text about the failure".to_owned(),
        CauseLookup::TooMany { jobs } => {
            format!("{jobs} jobs of this name failed at that time, too many to find its own among them")
        }
        CauseLookup::Refused { code } => refused(&code),
        _ => "it was not found".to_owned(),
    };
    tracing::info!(event.id = %event.id, why, "no reason of the failure was found");
    Told::Not(why)
}

/// Why Tableau told nothing, in words for a channel.
fn why(error: &tableau_client::Error) -> String {
    use tableau_client::Error::{Credential, Foreign, Redirected, SessionRefused};
    match error {
        Foreign { status, content, .. } => format!(
            "{NO_ANSWER}: {content} with status {status} came in place of its answer; a proxy or a login page may stand between"
        ),
        Redirected { .. } => {
            "the answer redirects elsewhere; a proxy or a login page may stand between, or the server has another \
             address"
                .to_owned()
        }
        Credential(error) if !error.transient => "the Tableau secret cannot be read, and has to be fixed".to_owned(),
        SessionRefused { source, .. } => why(source),
        error => match (error.code(), error.advice()) {
            (Some(code), Some(advice)) => format!("Tableau refused ({code}); {advice}"),
            (Some(code), None) => refused(code),
            (None, _) if error.is_transient() => NO_ANSWER.to_owned(),
            (None, _) => "Tableau's answer cannot be read".to_owned(),
        },
    }
}

fn refused(code: &str) -> String {
    let advice = match code {
        "403000" | "403079" => "; the token's user has to be a site administrator",
        _ => "",
    };
    format!("Tableau refused ({code}){advice}")
}
