//! What the services hold, and who watches it.

use super::{Keys, cloud_formation, dynamodb, event_bridge, fault, scheduler, secrets_manager, sqs};
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

/// What the services hold.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(super) secrets: secrets_manager::Secrets,
    pub(super) queues: sqs::Queues,
    pub(super) buses: event_bridge::Buses,
    pub(super) tables: dynamodb::Tables,
    pub(super) schedules: scheduler::Schedules,
    pub(super) stacks: cloud_formation::Stacks,
    pub(super) faults: fault::Faults,
    pub(super) observer: Option<mpsc::UnboundedSender<Notice>>,
}

/// Something that happened inside, for watchers.
#[derive(Clone, Debug)]
pub(crate) enum Notice {
    Published { bus: String, detail_type: String, targets: Vec<String> },
    DeadLettered { queue: String },
}

pub(crate) struct Shared {
    state: Mutex<State>,
    /// Woken whenever a message may have come into sight.
    pub(super) changed: Notify,
    pub(super) url: String,
    pub(super) keys: Keys,
}

impl fmt::Debug for Shared {
    /// Without what the services hold: secrets, sessions, events.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(state: State, url: String) -> Self {
        Self { state: Mutex::new(state), changed: Notify::new(), url, keys: Keys::new() }
    }

    /// A panic elsewhere leaves the services usable.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(super) fn notify(&self, notice: Notice) {
        if let Some(observer) = &self.observer {
            // There may be no watcher left.
            let _ = observer.send(notice);
        }
    }
}
