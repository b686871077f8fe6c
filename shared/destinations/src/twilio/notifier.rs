//! Text messages as a destination of alerting: renders, counts and sends notifications. The crate `alerting` decides when and to whom.

use super::answer::{Taken, undelivered};
use super::daily::{Place, Texts};
use super::error::TextError;
use super::guarded::call;
use super::text::text;
use super::{Twilio, gsm};
use alerting::Capabilities;
use alerting::incident::MessageRef;
use alerting::notification::{Kind, Notification};
use alerting::notifier::{Delivered, Delivery, Notifier, Undelivered};
use async_trait::async_trait;
use circuit::{Circuits, Guarded};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rules::PhoneNumber;
use sha2::{Digest, Sha256};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use store::Documents;
use workflow::{Failure, Invocation};

/// How long a test waits for the end of its text.
const LONGEST_POLL: Duration = Duration::from_secs(30);
/// How often it asks.
const POLL: Duration = Duration::from_secs(2);
/// What the invocation of a test needs for its answer.
const RESERVE: Duration = Duration::from_secs(8);
/// The states that a text stays in. `sent` is none of them: the network may still report something else.
const ENDS: [&str; 5] = ["delivered", "undelivered", "failed", "canceled", "read"];

/// Where texts are counted, and how many a recipient gets a day.
#[derive(Debug)]
pub struct Daily {
    /// The documents with the counts.
    pub documents: Documents,
    /// The workflow whose texts are counted.
    pub workflow: &'static str,
    /// How many texts a recipient gets a day.
    pub limit: u32,
}

/// Text messages through Twilio.
#[derive(Debug)]
pub struct TwilioNotifier {
    twilio: Twilio,
    circuits: Circuits,
    daily: Daily,
    /// When the invocation ends that sent the last text.
    ends: Mutex<Option<Instant>>,
}

impl TwilioNotifier {
    /// Sends through `twilio`, behind `circuits`, and counts in `daily`.
    pub fn new(twilio: Twilio, circuits: Circuits, daily: Daily) -> Self {
        Self { twilio, circuits, daily, ends: Mutex::default() }
    }

    /// Takes a place among the texts of the day, sends the text, and gives the place back if it was certainly not sent.
    async fn send(
        &self,
        to: &PhoneNumber,
        shown: &Notification,
        invocation: &Invocation,
    ) -> Result<Taken, TextError> {
        let identity = identity(shown, invocation);
        let now = invocation.time();
        let place = self.take(to, &identity, shown, now).await?;
        let note = match place {
            Place::Free => None,
            Place::Last => Some(last_words(self.daily.limit)),
            Place::NoneUntil(until) => {
                let limit = self.daily.limit;
                let to = to.masked();
                return Err(TextError::DailyLimit { to, limit, until });
            }
        };
        let body = text(shown, note.as_deref());
        let sent = self.twilio.send(to, &body).await;
        match &sent {
            Ok(taken) => {
                let recipient = to.masked();
                let segments = gsm::segments(&body);
                tracing::info!(
                    twilio.message_sid = taken.sid,
                    recipient,
                    segments,
                    "Twilio has taken a text"
                );
            }
            Err(error) if error.may_have_arrived() => {}
            Err(_) => self.give_back(to, &identity, now).await,
        }
        sent
    }

    async fn take(
        &self,
        to: &PhoneNumber,
        identity: &str,
        shown: &Notification,
        now: Timestamp,
    ) -> Result<Place, TextError> {
        let zone = shown.timezone.clone().unwrap_or(TimeZone::UTC);
        let limit = usize::try_from(self.daily.limit).unwrap_or(usize::MAX);
        let key = self.key(to);
        let take = |texts: &mut Texts| texts.take(identity, limit, now, &zone);
        let taken = self.daily.documents.change(&key, now, take).await;
        taken.map(|(_, place)| place).map_err(TextError::Uncounted)
    }

    /// Without an answer of the table, the day has one text less.
    async fn give_back(&self, to: &PhoneNumber, identity: &str, now: Timestamp) {
        let key = self.key(to);
        let give_back = |texts: &mut Texts| texts.give_back(identity);
        if let Err(error) = self.daily.documents.change(&key, now, give_back).await {
            let reason = workflow::chain(&error);
            let recipient = to.masked();
            tracing::warn!(recipient, reason, "a text that was not sent stays counted");
        }
    }

    fn key(&self, to: &PhoneNumber) -> String {
        format!("{}#{}", self.daily.workflow, to.key())
    }

    fn all_ends(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last state of a text that Twilio says within half a minute.
    async fn followed(&self, sid: &str, to: &PhoneNumber) -> Result<Taken, TextError> {
        let ends = self.all_ends().unwrap_or_else(Instant::now);
        let time = ends.saturating_duration_since(Instant::now()).saturating_sub(RESERVE).min(LONGEST_POLL);
        let began = Instant::now();
        loop {
            let state = self.twilio.state(sid, to).await?;
            if ENDS.contains(&state.status.as_str()) || began.elapsed() + POLL > time {
                return Ok(state);
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// What the last text of a day says.
fn last_words(limit: u32) -> String {
    format!("Last text today, limit of {limit} reached; see Tableau for more.")
}

/// What makes a notification the same one in each attempt. A test is another one each time.
fn identity(shown: &Notification, invocation: &Invocation) -> String {
    let kind = match shown.kind {
        // The first text about an incident is its beginning, however often it has failed by then.
        Kind::Opened | Kind::Updated => "opened",
        Kind::Resolved => "resolved",
        Kind::GroupOpened | Kind::GroupUpdated => "group",
        Kind::GroupResolved => "group-resolved",
        Kind::Event => "event",
        Kind::Digest => "digest",
    };
    match &shown.thread {
        Some(thread) => format!("{kind}:{thread}"),
        None if is_test(shown) => format!("test:{}", invocation.request_id),
        None => {
            let digest = Sha256::digest(text(shown, None).as_bytes());
            let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            format!("{kind}:{digest}")
        }
    }
}

/// Whether a person asked for it with `tableau-webhooks test`.
fn is_test(shown: &Notification) -> bool {
    shown.kind == Kind::Event && shown.event.is_none()
}

#[async_trait]
impl Notifier for TwilioNotifier {
    type Target = PhoneNumber;

    /// A text that was sent stays as it is.
    async fn capabilities(&self) -> Result<Capabilities, Failure> {
        Ok(Capabilities { edit: false, thread: false, idempotency_key: false, grouping: true })
    }

    /// Each text costs money and disturbs a person: one says that it begins, and one that it is over.
    fn sends_updates(&self) -> bool {
        false
    }

    async fn deliver(
        &self,
        to: &PhoneNumber,
        delivery: Delivery<'_>,
        shown: &Notification,
        invocation: &Invocation,
    ) -> Result<Delivered, Undelivered> {
        if let Delivery::Edit { audible: false, .. } | Delivery::Close { audible: false, .. } = delivery {
            return Ok(Delivered::default());
        }
        *self.all_ends() = Some(invocation.deadline);
        let send = self.send(to, shown, invocation);
        // Boxed, because the nested futures would otherwise be too deep for the compiler.
        match Box::pin(call(&self.circuits, invocation.time(), send)).await {
            Ok(taken) => {
                // Only a test looks what has become of its text.
                let reference = || MessageRef { conversation: to.key(), id: taken.sid };
                Ok(Delivered {
                    message: is_test(shown).then(reference),
                    audible: true,
                    note: None,
                    skipped: None,
                })
            }
            Err(error) => {
                let maybe_sent = matches!(&error, Guarded::Call(error) if error.may_have_arrived());
                Err(Undelivered { failure: error.into(), maybe_sent })
            }
        }
    }

    // D005
    async fn receipt(&self, to: &PhoneNumber, delivered: &Delivered) -> String {
        let Some(MessageRef { id: sid, .. }) = &delivered.message else {
            return "taken by Twilio, which does not say yet whether the text arrives".to_owned();
        };
        let id = format!("message {sid}");
        match self.followed(sid, to).await {
            Ok(Taken { status, error_code: Some(code), .. }) => {
                format!("taken by Twilio as {id}, and not delivered: {status}, {code}: {}", undelivered(code))
            }
            Ok(Taken { status, .. }) if status == "delivered" => format!("delivered, {id}"),
            Ok(Taken { status, .. }) => {
                format!(
                    "taken by Twilio as {id}; its state is `{status}` so far. Look at the phone, and else at the message in the console of \
                     Twilio"
                )
            }
            Err(error) => {
                let reason = workflow::chain(&error);
                format!("taken by Twilio as {id}, which does not say what has become of it: {reason}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alerting::notification::test;

    #[test]
    fn a_repeated_attempt_has_the_same_identity_and_a_repeated_test_another_one() {
        let invocation = |id: &str| Invocation::new(id, Timestamp::UNIX_EPOCH, Duration::from_secs(1));
        let of = |kind, thread: Option<&str>| {
            let shown = Notification { kind, thread: thread.map(str::to_owned), ..test("send-sms") };
            identity(&shown, &invocation("one"))
        };
        assert_eq!(of(Kind::Opened, Some("e0")), "opened:e0");
        assert_eq!(of(Kind::Updated, Some("e0")), "opened:e0");
        assert_eq!(of(Kind::Resolved, Some("e0")), "resolved:e0");
        assert_eq!(of(Kind::GroupOpened, Some("e0")), "group:e0");
        assert_eq!(of(Kind::Digest, None), of(Kind::Digest, None));
        assert!(of(Kind::Digest, None).starts_with("digest:"));
        assert_eq!(of(Kind::Event, None), "test:one");
        assert_ne!(identity(&test("send-sms"), &invocation("two")), of(Kind::Event, None));
    }
}
