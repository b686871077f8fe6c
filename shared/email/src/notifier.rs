//! E-mail as a destination of alerting, behind a circuit breaker and at the account's pace.

use crate::error::{Error, QUOTA_WAIT, RATE_WAIT, Refusal, masked};
use crate::letter::Letter;
use crate::mail::{Mail, Unsubscribe};
use crate::pace::Pace;
use crate::ses::Ses;
use crate::target::{MOST_RECIPIENTS, MailTarget};
use alerting::Capabilities;
use alerting::notification::Notification;
use alerting::notifier::{Delivered, Delivery, Notifier, Undelivered};
use async_trait::async_trait;
use circuit::{CallResult, Circuits, Guarded};
use rules::Address;
use std::time::Duration;
use workflow::{Failure, Invocation, chain};

/// The circuit of the account's rate and quota: those of Amazon SES itself are another one.
const ACCOUNT: &str = "account";
/// How long a mail waits within an attempt for those before it.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// How long a test may look for its recipients in the suppression list, after the mail was taken.
const LONGEST_LOOKUP: Duration = Duration::from_secs(5);

/// Mails through Amazon SES.
#[derive(Debug)]
pub struct EmailNotifier {
    ses: Ses,
    circuits: Circuits,
    unsubscribe: Unsubscribe,
    pace: Pace,
    rate: f64,
}

impl EmailNotifier {
    /// Sends through `ses`, behind `circuits`, to at most so many recipients a second.
    pub fn new(ses: Ses, circuits: Circuits, unsubscribe: Unsubscribe, recipients_a_second: f64) -> Self {
        Self { ses, circuits, unsubscribe, pace: Pace::new(recipients_a_second), rate: recipients_a_second }
    }

    /// Sends a letter.
    ///
    /// # Errors
    /// [`Undelivered`], which says whether the mail may have arrived all the same.
    pub async fn post(&self, letter: Letter, invocation: &Invocation) -> Result<(), Undelivered> {
        let mail = letter.mail(self.ses.from());
        match self.send(mail, invocation).await {
            Ok(_) => Ok(()),
            Err(error) => Err(undelivered(error)),
        }
    }

    /// Sends a mail. If Amazon SES refuses it because of some recipients, the others get it.
    /// Returns those who were left out.
    async fn send(&self, mut mail: Mail, invocation: &Invocation) -> Result<Vec<Address>, Guarded<Error>> {
        if mail.to.is_empty() || mail.to.len() > MOST_RECIPIENTS {
            return Err(Guarded::Call(Error::Recipients(mail.to.len())));
        }
        let mut left_out = Vec::new();
        loop {
            let error = match self.send_once(&mail, invocation).await {
                Ok(id) => {
                    let recipients = mail.to.len();
                    tracing::info!(ses.message_id = id, recipients, "Amazon SES has taken a mail");
                    return Ok(left_out);
                }
                Err(error) => error,
            };
            let unusable = match &error {
                Guarded::Call(error) => error.unusable().to_vec(),
                Guarded::CircuitOpen(_) => Vec::new(),
            };
            let are_left = mail.to.iter().any(|address| !unusable.contains(address));
            if unusable.is_empty() || !are_left {
                return Err(error);
            }
            let recipients = masked(&unusable);
            let reason = chain(&error);
            tracing::error!(recipients, reason, "recipients were left out of a mail; the others get it");
            mail.to.retain(|address| !unusable.contains(address));
            left_out.extend(unusable);
        }
    }

    /// The recipients on the account's suppression list, each with the reason.
    async fn listed(&self, recipients: &[Address]) -> Result<Vec<String>, String> {
        let mut listed = Vec::new();
        for address in recipients {
            if let Some(reason) = self.ses.suppressed(address).await? {
                listed.push(format!("{} (after {reason})", masked(std::slice::from_ref(address))));
            }
        }
        Ok(listed)
    }

    async fn send_once(&self, mail: &Mail, invocation: &Invocation) -> Result<String, Guarded<Error>> {
        let longest = LONGEST_PAUSE.min(invocation.remaining() / 3);
        let call = async {
            let wait = self.pace.enter(mail.to.len(), longest);
            let wait = wait.map_err(|wait| Error::Paced { rate: self.rate.to_string(), wait })?;
            tokio::time::sleep(wait).await;
            let sent = self.ses.send(mail).await.inspect_err(Error::count);
            self.pace.left(mail.to.len());
            sent
        };
        // Boxed, because the nested futures would otherwise be too deep for the compiler.
        Box::pin(self.circuits.call(ACCOUNT, invocation.time(), call, call_result)).await
    }
}

#[async_trait]
impl Notifier for EmailNotifier {
    type Target = MailTarget;

    /// A mail that was sent stays as it is. It belongs to a thread by an id that needs no memory of what was sent.
    async fn capabilities(&self) -> Result<Capabilities, Failure> {
        Ok(Capabilities { edit: false, thread: true, idempotency_key: false, grouping: true })
    }

    async fn deliver(
        &self,
        target: &MailTarget,
        delivery: Delivery<'_>,
        notification: &Notification,
        invocation: &Invocation,
    ) -> Result<Delivered, Undelivered> {
        if let Delivery::Edit { audible: false, .. } | Delivery::Close { audible: false, .. } = delivery {
            return Ok(Delivered::default());
        }
        let mail = Mail::about(notification, target, self.ses.from(), &self.unsubscribe);
        match self.send(mail, invocation).await {
            Ok(left_out) => {
                let note = (!left_out.is_empty()).then(|| format!("not sent to {}", masked(&left_out)));
                Ok(Delivered { message: None, audible: true, note, skipped: None })
            }
            Err(error) => Err(undelivered(error)),
        }
    }

    // D006
    async fn receipt(&self, target: &MailTarget, _: &Delivered) -> String {
        let listed = tokio::time::timeout(LONGEST_LOOKUP, self.listed(&target.to)).await;
        let listed = listed.unwrap_or_else(|_| Err("Amazon SES did not answer in time".to_owned()));
        let accepted =
            "accepted by Amazon SES, which does not say whether the mail arrives: look in the mailbox";
        match listed {
            Ok(listed) if listed.is_empty() => {
                format!("{accepted}. No recipient is on the account's suppression list")
            }
            Ok(listed) => format!(
                "accepted by Amazon SES, which sends nothing to {}: on the account's suppression list, until you remove it from there",
                listed.join(", ")
            ),
            Err(reason) => {
                format!("{accepted}. The account's suppression list could not be looked up: {reason}")
            }
        }
    }
}

fn undelivered(error: Guarded<Error>) -> Undelivered {
    let maybe_sent = matches!(&error, Guarded::Call(error) if error.may_have_arrived());
    Undelivered { failure: error.into(), maybe_sent }
}

/// What a failed call says about the health of Amazon SES and of the account, for the circuit breakers.
fn call_result(error: &Error) -> CallResult {
    match error {
        Error::Unclear { .. } | Error::Unreachable { .. } => CallResult::Failed,
        Error::Paced { .. } | Error::Recipients(_) => CallResult::NotCalled,
        Error::Refused { refusal, .. } => match refusal {
            Refusal::Rate => CallResult::Throttled(RATE_WAIT),
            Refusal::DailyQuota => CallResult::Throttled(QUOTA_WAIT),
            Refusal::Unavailable | Refusal::Foreign => CallResult::Failed,
            _ => CallResult::Answered,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttle_is_the_accounts_trouble_is_amazons_and_a_refusal_is_an_answer() {
        let of = |refusal| {
            let (code, region) = ("word".to_owned(), "eu-central-1".to_owned());
            call_result(&Error::Refused { status: 400, code, region, refusal })
        };
        assert_eq!(of(Refusal::Rate), CallResult::Throttled(RATE_WAIT));
        assert_eq!(of(Refusal::DailyQuota), CallResult::Throttled(QUOTA_WAIT));
        assert_eq!(of(Refusal::Unavailable), CallResult::Failed);
        assert_eq!(of(Refusal::Foreign), CallResult::Failed);
        for refusal in [Refusal::Paused, Refusal::Content, Refusal::NotVerified] {
            assert_eq!(of(refusal), CallResult::Answered);
        }
        assert_eq!(call_result(&Error::Recipients(0)), CallResult::NotCalled);
    }
}
