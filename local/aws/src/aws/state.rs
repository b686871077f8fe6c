//! The state of all services, and the observers of the services.

use super::{
    Keys, cloud_formation, dynamodb, event_bridge, fault, s3, scheduler, secrets_manager, ses, sns, sqs,
};
use crate::lambda::Lambda;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

/// The state of all services.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) secrets: secrets_manager::Secrets,
    pub(super) queues: sqs::Queues,
    pub(super) buses: event_bridge::Buses,
    pub(super) tables: dynamodb::Tables,
    pub(super) schedules: scheduler::Schedules,
    pub(super) buckets: s3::Buckets,
    pub(super) ses: ses::Ses,
    pub(super) topics: sns::Topics,
    pub(super) stacks: cloud_formation::Stacks,
    pub(super) faults: fault::Faults,
    pub(super) observer: Option<mpsc::UnboundedSender<Notice>>,
}

/// A notice to observers about something that happened in the services.
#[derive(Clone, Debug)]
pub(crate) enum Notice {
    Published { bus: String, detail_type: String, targets: Vec<String> },
    DeadLettered { queue: String },
}

pub(crate) struct Shared {
    state: Mutex<State>,
    /// Notified whenever a message may have become visible.
    pub(super) changed: Notify,
    pub(super) url: String,
    pub(super) keys: Keys,
    /// The functions that Lambda invokes, by name.
    functions: Mutex<BTreeMap<String, Lambda>>,
}

impl fmt::Debug for Shared {
    /// Shows nothing of the stored secrets, sessions or events.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(state: State, url: String) -> Self {
        Self {
            state: Mutex::new(state),
            changed: Notify::new(),
            url,
            keys: Keys::new(),
            functions: Mutex::default(),
        }
    }

    /// The functions that Lambda invokes, by name.
    pub(super) fn functions(&self) -> MutexGuard<'_, BTreeMap<String, Lambda>> {
        self.functions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ignore a poisoned lock: a panic in another thread leaves the services usable.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn notify(&self, notice: Notice) {
        if let Some(observer) = &self.observer {
            // The observer may have been dropped; then the notice is not needed.
            let _ = observer.send(notice);
        }
    }
}
