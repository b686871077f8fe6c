//! The state shared by the handlers of a running simulator.

use super::delivery::Delivery;
use super::model::Model;
use super::version::RestVersion;
use crate::clock::Clock;
use crate::fault::{Fault, FaultPlan};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tableau::SiteLuid;
use tokio::runtime::Handle;
use tokio::sync::watch;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) clock: Clock,
    pub(crate) max_version: RestVersion,
    pub(crate) retry_gaps: [Duration; 3],
    pub(crate) refreshes_take: Option<Duration>,
    pub(crate) refreshes_per_hour: Option<usize>,
    pub(crate) exports_at_once: usize,
    pub(crate) metadata_nodes: usize,
    pub(crate) running_jobs_show_a_finish_code: bool,
    pub(crate) pats_may_impersonate: bool,
    pub(crate) data_management: bool,
    /// Whether the admin page shows the secret of a token.
    pub(crate) shows_token: bool,
}

/// How often each route was called.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Calls {
    pub(crate) all: u32,
    /// How many of these calls were answered with status 400 or above, or not at all.
    pub(crate) failed: u32,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    pub(crate) client: reqwest::Client,
    /// The runtime for deliveries, so that events can be fired from any thread.
    pub(crate) runtime: Handle,
    /// How many duplicates each delivery gets.
    pub(crate) duplicates: AtomicU32,
    /// The number of calls that a fault delays at the moment.
    held: AtomicUsize,
    /// The number of deliveries in progress.
    pub(crate) in_flight: watch::Sender<usize>,
    model: Mutex<Model>,
    faults: Mutex<FaultPlan<Fault>>,
    calls: Mutex<BTreeMap<String, Calls>>,
    /// Method, path and query of each export.
    asked: Mutex<Vec<(String, String)>>,
    exports: Mutex<BTreeMap<SiteLuid, usize>>,
    deliveries: Mutex<Vec<Delivery>>,
    moved_to: Mutex<Option<String>>,
}

impl State {
    /// Creates the state. Must be called on a Tokio runtime.
    pub(crate) fn new(settings: Settings, model: Model, client: reqwest::Client) -> Self {
        Self {
            settings,
            client,
            runtime: Handle::current(),
            duplicates: AtomicU32::new(0),
            held: AtomicUsize::new(0),
            in_flight: watch::Sender::new(0),
            model: Mutex::new(model),
            faults: Mutex::default(),
            calls: Mutex::default(),
            asked: Mutex::default(),
            exports: Mutex::default(),
            deliveries: Mutex::default(),
            moved_to: Mutex::default(),
        }
    }

    /// The URL of the server that the site has moved to, if it moved.
    pub(crate) fn moved_to(&self) -> MutexGuard<'_, Option<String>> {
        self.moved_to.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn model(&self) -> MutexGuard<'_, Model> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, FaultPlan<Fault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn deliveries(&self) -> MutexGuard<'_, Vec<Delivery>> {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn calls(&self) -> MutexGuard<'_, BTreeMap<String, Calls>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Method, path and query of each export.
    pub(crate) fn asked(&self) -> MutexGuard<'_, Vec<(String, String)>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of running exports of each site.
    pub(crate) fn exports(&self) -> MutexGuard<'_, BTreeMap<SiteLuid, usize>> {
        self.exports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self, route: String, failed: bool) {
        let mut calls = self.calls();
        let calls = calls.entry(route).or_default();
        calls.all += 1;
        calls.failed += u32::from(failed);
    }

    /// Delays a call. It counts as held, also if its caller goes away.
    pub(crate) async fn hold(&self, delay: Duration) {
        self.held.fetch_add(1, Ordering::SeqCst);
        let _held = Held(&self.held);
        tokio::time::sleep(delay).await;
    }

    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::SeqCst)
    }
}

/// A call that is held.
struct Held<'h>(&'h AtomicUsize);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
