//! Sends what a request has to send, and sets its next timer.

use crate::link::LinkKeys;
use crate::mail::{self, Surroundings};
use crate::request::{Outgoing, Request, Take};
use crate::requests::{Requests, timer_key};
use email::EmailNotifier;
use jiff::Timestamp;
use std::sync::Arc;
use timer::{Timer, TimerMessage};
use workflow::{CredentialError, CredentialSource, Failure, Invocation, Outcome};

/// What is wrong with a request whose seal does not fit.
const UNSEALED: &str = "the stored request was not written by this function, or with a key of the links that is not valid any more";

/// What sends mails.
pub struct Post {
    pub(crate) requests: Requests,
    pub(crate) keys: Arc<dyn CredentialSource<LinkKeys>>,
    pub(crate) mails: EmailNotifier,
    pub(crate) timer: Option<Arc<dyn Timer>>,
    pub(crate) public_url: String,
}

impl std::fmt::Debug for Post {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Post").finish_non_exhaustive()
    }
}

/// A secret that cannot be read is an answer that may come later, or that a person has to give.
pub(crate) fn of_secret(error: CredentialError) -> Failure {
    if error.transient { Failure::transient(error) } else { Failure::misconfigured(error) }
}

impl Post {
    /// Sends every mail that waits, one after the other, and sets the next timer.
    ///
    /// # Errors
    /// If a mail was not sent: it is sent at the next attempt.
    pub(crate) async fn work(&self, id: &str, invocation: &Invocation) -> Result<Outcome, Failure> {
        loop {
            let now = invocation.time();
            let Some((request, take)) = self.requests.change(id, now, |request| request.take(now)).await?
            else {
                return Ok(Outcome::skipped("there is no such request any more"));
            };
            match take {
                Take::Nothing => {
                    self.set_timer(id, now).await?;
                    return Ok(Outcome::Done);
                }
                Take::Busy(until) => {
                    return Ok(Outcome::deferred(until, "another worker sends the mail"));
                }
                Take::Send(mail) => {
                    let sent = self.send(&request, &mail, invocation).await;
                    let now = invocation.time();
                    let is_hopeless = matches!(&sent, Err(Failure::Permanent { .. }));
                    let note = |request: &mut Request| match &sent {
                        Ok(()) => request.sent(&mail),
                        Err(_) if is_hopeless => request.undeliverable(&mail),
                        Err(_) => request.not_sent(),
                    };
                    let noted = self.requests.change(id, now, note).await?;
                    match sent {
                        Ok(()) => {}
                        // What stands behind it can be sent.
                        Err(failure) if is_hopeless && mail != Outgoing::Request => {
                            let reason = failure.reason();
                            tracing::error!(
                                certification.id = id,
                                reason,
                                ?mail,
                                "a mail cannot be delivered"
                            );
                        }
                        Err(failure) => {
                            if let Some((request, ())) = noted.filter(|_| is_hopeless) {
                                self.arm(&request, now).await?;
                            }
                            return Err(failure);
                        }
                    }
                }
            }
        }
    }

    async fn send(&self, request: &Request, mail: &Outgoing, invocation: &Invocation) -> Result<(), Failure> {
        let keys = self.keys.current().await.map_err(of_secret)?;
        if !keys.has_sealed(&request.bound(), &request.seal) {
            return Err(Failure::permanent(UNSEALED));
        }
        let zone = request.zone();
        let of = Surroundings { keys: &keys, public_url: &self.public_url, zone: zone.as_ref() };
        let Some(letter) = mail::letter(request, mail, &of) else { return Ok(()) };
        self.mails.post(letter, invocation).await.map_err(|undelivered| undelivered.failure)?;
        let steward = of_steward(&request.steward);
        tracing::info!(certification.id = request.id, steward, ?mail, "mail sent");
        Ok(())
    }

    /// Sets the timer for the next look at a request.
    ///
    /// # Errors
    /// If it could not be set. The hourly sweep looks at the request then.
    pub(crate) async fn set_timer(&self, id: &str, now: Timestamp) -> Result<(), Failure> {
        // First the document, so that no timer fires which the document does not know.
        let set = |request: &mut Request| {
            if request.wake_at.is_none_or(|at| at <= now) {
                request.set_next_look(now);
            }
        };
        let Some((request, ())) = self.requests.change(id, now, set).await? else { return Ok(()) };
        self.arm(&request, now).await
    }

    /// Arms the timer that the document names.
    ///
    /// # Errors
    /// As [`Self::set_timer`].
    pub(crate) async fn arm(&self, request: &Request, now: Timestamp) -> Result<(), Failure> {
        let (Some(timer), Some(due)) = (&self.timer, request.wake_at) else { return Ok(()) };
        timer.ensure(&TimerMessage::new(timer_key(&request.id), due, request.generation), now).await?;
        Ok(())
    }
}

/// An address for logs and outcomes.
pub(crate) fn of_steward(address: &str) -> String {
    match rules::Address::parse(address) {
        Ok(address) => email::masked(&[address]),
        Err(_) => "an address".to_owned(),
    }
}
