//! What the receivers have got, what requests have to know, and faults.

use super::matillion::Client;
use crate::fault::FaultPlan;
use crate::recorder::log::Log;
use http::HeaderMap;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The host name of the receivers. It ends with a name that is reserved for tests, and no name server knows it.
pub const RECEIVER_NAME: &str = "receiver.test";

/// A request that a receiver got.
#[derive(Clone, Debug)]
pub struct Received {
    /// The HTTP method.
    pub method: String,
    /// The path as it was sent, without the query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The bytes of the body.
    pub body: Vec<u8>,
    /// The status that was answered; 0 if there was no answer.
    pub status: u16,
}

impl Received {
    /// A header's value as text; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// How a request fails.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiverFault {
    /// Answers this status, these headers and this body. Nothing is carried out.
    Answer(u16, &'static [(&'static str, &'static str)], &'static str),
    /// Resets the connection. Nothing is carried out.
    Reset,
    /// Never answers.
    Hang,
    /// Carries the request out, then resets the connection.
    AnswerLost,
}

/// What requests have to know.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) hooks: BTreeMap<String, Vec<String>>,
    pub(super) jira: (String, String),
    pub(super) etl: (String, String),
    pub(super) dpc: Client,
    pub(super) slack: String,
    pub(super) snowflake: String,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) requests: Log<Received>,
    faults: Mutex<FaultPlan<ReceiverFault>>,
    keys: Mutex<Keys>,
    issues: AtomicUsize,
}

impl Shared {
    pub(super) fn faults(&self) -> MutexGuard<'_, FaultPlan<ReceiverFault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn new(keys: Keys) -> Self {
        Self {
            requests: Log::default(),
            faults: Mutex::default(),
            keys: Mutex::new(keys),
            issues: AtomicUsize::new(0),
        }
    }

    pub(super) fn keys(&self) -> Keys {
        self.keys_to_change().clone()
    }

    pub(super) fn keys_to_change(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn next_issue(&self) -> usize {
        self.issues.fetch_add(1, Ordering::SeqCst) + 1
    }
}
