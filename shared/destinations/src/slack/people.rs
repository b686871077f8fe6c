//! Whom a message mentions: finds owners in Slack by their e-mail addresses. A failed lookup never keeps a message back: it then
//! names the owner, and mentions those whom the rule has for that.
//!
//! Source: <https://docs.slack.dev/reference/methods/users.lookupByEmail>

use super::Slack;
use super::answer::Found;
use super::render::Called;
use crate::Error;
use alerting::notification::{Mentioned, Person};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The scope of the lookup.
const SCOPE: &str = "users:read.email";
/// How long all lookups of one message may take together.
const TIME: Duration = Duration::from_secs(2);
/// How long an answer counts: for so long a person who has joined or left is not noticed.
const KEPT: SignedDuration = SignedDuration::from_mins(10);
/// How many answers a process keeps.
const MOST: usize = 500;
/// How long Slack is asked no more after it has not answered a lookup: otherwise each message would wait for it.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

const NOT_KNOWN: &str = "not known";
const NO_ADDRESS: &str = "Tableau has no e-mail address";
const NOT_FOUND: &str = "not found in Slack";
const DEACTIVATED: &str = "deactivated in Slack";
const BY_WEBHOOK: &str = "not looked up, since that needs a bot token";
const NO_SCOPE: &str = "not looked up, since the Slack app has no scope users:read.email";
const NO_ANSWER: &str = "Slack did not answer the lookup";

/// Finds people in Slack.
#[derive(Debug, Default)]
pub(super) struct People {
    known: Mutex<HashMap<String, (Timestamp, Found)>>,
    /// Until when Slack is not asked, and why.
    pause: Mutex<Option<(Timestamp, &'static str)>>,
    has_warned: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl People {
    /// Whom the message calls, in Slack's words.
    pub(super) async fn called(&self, slack: &Slack, mentioned: &Mentioned, now: Timestamp) -> Called {
        let began = Instant::now();
        let mut called = Called { more_owners: mentioned.more_owners, ..Called::default() };
        for owner in &mentioned.owners {
            match self.find(slack, owner, now, TIME.saturating_sub(began.elapsed())).await {
                Ok(id) => called.mention(&id),
                Err(why) => called.not_found.push((owner.name.clone(), why)),
            }
        }
        mentioned.named.iter().for_each(|named| called.mention(named));
        if !called.not_found.is_empty() {
            mentioned.if_unknown.iter().for_each(|other| called.mention(other));
        }
        called
    }

    async fn find(
        &self,
        slack: &Slack,
        owner: &Person,
        now: Timestamp,
        time: Duration,
    ) -> Result<String, &'static str> {
        let Some(address) = &owner.email else {
            return Err(if owner.name.trim().is_empty() { NOT_KNOWN } else { NO_ADDRESS });
        };
        let address = address.to_lowercase();
        let found = match self.known(&address, now) {
            Some(found) => found,
            None => self.ask(slack, &address, now, time).await?,
        };
        match found {
            Found::User(id) => Ok(id),
            Found::Deactivated => Err(DEACTIVATED),
            Found::Nothing => Err(NOT_FOUND),
        }
    }

    async fn ask(
        &self,
        slack: &Slack,
        address: &str,
        now: Timestamp,
        time: Duration,
    ) -> Result<Found, &'static str> {
        if let Some((_, why)) = lock(&self.pause).filter(|(until, _)| now < *until) {
            return Err(why);
        }
        if time.is_zero() {
            return Err(NO_ANSWER);
        }
        match slack.find_user(address, time).await {
            Ok(Some(found)) => {
                self.keep(address, &found, now);
                Ok(found)
            }
            Ok(None) => Err(BY_WEBHOOK),
            Err(error) => Err(self.unanswered(&error, now)),
        }
    }

    /// Notes that a lookup failed, and says why.
    fn unanswered(&self, error: &Error, now: Timestamp) -> &'static str {
        let (pause, why) = match error {
            error if error.is_missing_scope() => {
                if !self.has_warned.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "owners are not mentioned: the Slack app has no scope {SCOPE}; add it at OAuth & Permissions of the \
                         app, and install the app again"
                    );
                }
                (KEPT, NO_SCOPE)
            }
            error => {
                // The error names the method and no address.
                let reason = workflow::chain(error);
                tracing::warn!(reason, "an owner was not looked up in Slack");
                let wait = match error {
                    Error::Refused { retry_after: Some(wait), .. }
                    | Error::Foreign { retry_after: Some(wait), .. } => SignedDuration::try_from(*wait).ok(),
                    _ => None,
                };
                (wait.unwrap_or(PAUSE).clamp(PAUSE, KEPT), NO_ANSWER)
            }
        };
        *lock(&self.pause) = now.checked_add(pause).ok().map(|until| (until, why));
        why
    }

    fn known(&self, address: &str, now: Timestamp) -> Option<Found> {
        let known = lock(&self.known);
        known.get(address).filter(|(at, _)| is_fresh(*at, now)).map(|(_, found)| found.clone())
    }

    fn keep(&self, address: &str, found: &Found, now: Timestamp) {
        let mut known = lock(&self.known);
        if known.len() >= MOST {
            known.retain(|_, (at, _)| is_fresh(*at, now));
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(address.to_owned(), (now, found.clone()));
    }
}

fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at).abs() < KEPT
}
