//! The state of a Graph simulator.

use super::drive::{CLIENT_ID, Drive};
use super::id::id;
use super::upload::UploadSession;
use crate::fault::FaultPlan;
use crate::recorder::log::Log;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How a call fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GraphFault {
    /// Answers this status with an empty body.
    Status(u16),
    /// Answers this status with a plain text.
    Text(u16),
    /// Answers this status with an HTML page.
    Html(u16),
    /// Answers this status with an error of this code, and with another inside it.
    Error {
        /// HTTP status.
        status: u16,
        /// The outer code.
        code: &'static str,
        /// The code inside.
        inner: Option<&'static str>,
    },
    /// Answers `429`, and how long to wait in seconds.
    TooManyRequests(Option<u64>),
    /// Carries the call out, and answers this status with an empty body.
    DoneThen(u16),
    /// Carries the call out, and answers `202` as if more were to come, without saying what.
    DoneThenAccepted,
    /// Forgets the upload session before it answers.
    SessionGone,
    /// Carries the call out, and resets the connection in place of an answer.
    AnswerLost,
    /// Resets the connection.
    Reset,
    /// Answers after this time.
    Slow(Duration),
}

/// A call that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphCall {
    /// `token`, `drive`, `drives`, `item`, `create`, `piece`, `ask`, `cancel`, or method and path of another call.
    pub kind: String,
    /// The status of the answer; 0 if there was none.
    pub status: u16,
    /// The path and query, as it came; without its query for upload sessions.
    pub target: String,
    /// The header `User-Agent`.
    pub agent: String,
    /// The header `Content-Range`.
    pub range: String,
    /// Whether there was a header `Authorization`.
    pub authorized: bool,
}

/// The application, and the tokens that it was given.
#[derive(Debug)]
pub(super) struct App {
    pub(super) tenant: String,
    pub(super) client_id: String,
    pub(super) secret: String,
    pub(super) life: Duration,
    pub(super) tokens: Vec<(String, Instant)>,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) calls: Log<GraphCall>,
    /// Library and path of each file that was uploaded, and its size.
    pub(super) uploads: Log<(String, u64)>,
    pub(super) app: Mutex<App>,
    pub(super) drives: Mutex<Vec<Drive>>,
    pub(super) sessions: Mutex<BTreeMap<String, UploadSession>>,
    /// Every token, and the secret part of every upload address, that was ever given.
    given_secrets: Mutex<Vec<String>>,
    /// The longest name that is taken; a longer one is refused as a wrong token would be.
    pub(super) longest_name: usize,
    faults: Mutex<FaultPlan<GraphFault>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Shared {
    fn default() -> Self {
        let app = App {
            tenant: "contoso.onmicrosoft.com".to_owned(),
            client_id: CLIENT_ID.to_owned(),
            secret: format!("graph~simulated~{}", id()),
            life: Duration::from_secs(3_599),
            tokens: Vec::new(),
        };
        Self {
            calls: Log::default(),
            uploads: Log::default(),
            app: Mutex::new(app),
            drives: Mutex::default(),
            sessions: Mutex::default(),
            given_secrets: Mutex::default(),
            longest_name: 240,
            faults: Mutex::default(),
        }
    }
}

impl Shared {
    pub(super) fn faults(&self) -> MutexGuard<'_, FaultPlan<GraphFault>> {
        held(&self.faults)
    }

    pub(super) fn app(&self) -> MutexGuard<'_, App> {
        held(&self.app)
    }

    pub(super) fn drives(&self) -> MutexGuard<'_, Vec<Drive>> {
        held(&self.drives)
    }

    pub(super) fn given_secrets(&self) -> MutexGuard<'_, Vec<String>> {
        held(&self.given_secrets)
    }

    pub(super) fn sessions(&self) -> MutexGuard<'_, BTreeMap<String, UploadSession>> {
        held(&self.sessions)
    }
}
