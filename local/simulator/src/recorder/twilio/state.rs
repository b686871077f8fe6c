//! The state of the Twilio simulator, and its faults.

use super::message::{TwilioMessage, TwilioRefusal, TwilioRequest};
use crate::fault::FaultPlan;
use crate::recorder::log::Log;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How a request to the Twilio simulator fails.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TwilioFault {
    /// Answers this status with this code.
    Code(u16, u32),
    /// Answers `429` with code 20429 and this `Retry-After` in seconds.
    TooManyRequests {
        /// The `Retry-After` value; `None` omits the header.
        retry_after: Option<u64>,
    },
    /// Answers `503` with code 20503.
    ServerError,
    /// Answers this status with the HTML page of a proxy. A redirect leads to a sign-in page.
    Html(u16),
    /// Resets the connection before the first byte of the answer. Nothing is sent.
    Reset,
    /// Sends the text, then resets the connection.
    AnswerLost,
    /// Never answers.
    Hang,
}

/// What the account is, and what it may do.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub(super) sid: String,
    /// The passwords that the account takes, by user: its own token, and API keys.
    pub(super) passwords: BTreeMap<String, String>,
    pub(super) senders: BTreeSet<String>,
    pub(super) services: BTreeSet<String>,
    /// Whether it is a trial account, which sends to verified numbers only.
    pub(super) verified_only: Option<BTreeSet<String>>,
    /// The recipients that have answered STOP.
    pub(super) opted_out: BTreeSet<String>,
    /// The countries that texts may be sent to, by the beginning of their numbers. Empty: all.
    pub(super) countries: Vec<String>,
    /// What becomes of the texts to a number: a state and an error.
    pub(super) ends: BTreeMap<String, (String, Option<u32>)>,
}

/// The state shared by all handlers.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) messages: Log<TwilioMessage>,
    pub(super) refusals: Log<TwilioRefusal>,
    pub(super) requests: Log<TwilioRequest>,
    pub(super) calls: AtomicUsize,
    faults: Mutex<FaultPlan<TwilioFault>>,
    account: Mutex<Account>,
}

impl Shared {
    pub(super) fn faults(&self) -> MutexGuard<'_, FaultPlan<TwilioFault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn account(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
