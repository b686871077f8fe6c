//! The PagerDuty simulator as tests and the local stack use it.

use super::admin_api;
use super::event::{PagerDutyEvent, PagerDutyRefusal};
use super::serve;
use super::service::{PagerDutyAlert, SAMPLE_ROUTING_KEY, Service, ServiceState};
use super::state::{PagerDutyFault, Shared};
use crate::recorder::log::TimedOut;
use crate::server::Server;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// An account of PagerDuty on loopback, which checks events as the Events API v2 does, folds them into alerts, and records them.
///
/// Clones share the account; it stops when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct PagerDutySimulator {
    state: Arc<Shared>,
    server: Arc<Server>,
}

impl PagerDutySimulator {
    /// Starts on a free port of 127.0.0.1, with the service `data`, whose key is [`SAMPLE_ROUTING_KEY`](crate::SAMPLE_ROUTING_KEY).
    ///
    /// # Errors
    /// The system's error when no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts at this address.
    ///
    /// # Errors
    /// The system's error when the address cannot be bound.
    pub async fn start_at(address: SocketAddr) -> io::Result<Self> {
        let state = Arc::new(Shared::default());
        state.services().push(Service { routing_key: SAMPLE_ROUTING_KEY.to_owned(), ..Service::new("data") });
        let router = admin_api::routes().fallback(serve::serve).with_state(Arc::clone(&state));
        let server = Server::serve(loopback_server::bind(address).await?, router)?;
        Ok(Self { state, server: Arc::new(server) })
    }

    /// The server's URL, such as `http://127.0.0.1:49152`, without a trailing slash: the address of the Events API.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Adds a service with an integration *Events API V2*. Returns its integration key.
    pub fn add_service(&self, name: &str) -> String {
        let service = Service::new(name);
        let key = service.routing_key.clone();
        self.state.services().push(service);
        key
    }

    /// Gives a service another integration. The key of the old one is refused from now on. `None` when there is no such service.
    pub fn replace_integration(&self, name: &str) -> Option<String> {
        let mut services = self.state.services();
        let service = services.iter_mut().find(|service| service.name == name)?;
        service.routing_key = Service::new(name).routing_key;
        Some(service.routing_key.clone())
    }

    /// Disables a service: events are accepted, and nothing comes of them.
    pub fn disable(&self, name: &str) {
        self.set(name, ServiceState::Disabled);
    }

    /// Begins a maintenance window: events are accepted and have no effect, a resolve neither.
    pub fn begin_maintenance(&self, name: &str) {
        self.set(name, ServiceState::Maintenance);
    }

    /// Enables a service, and ends its maintenance window.
    pub fn enable(&self, name: &str) {
        self.set(name, ServiceState::Active);
    }

    fn set(&self, name: &str, state: ServiceState) {
        let mut services = self.state.services();
        services.iter_mut().filter(|service| service.name == name).for_each(|service| service.state = state);
    }

    /// Closes an open alert, as a person does.
    pub fn resolve_by_hand(&self, dedup_key: &str) {
        let mut services = self.state.services();
        let alerts = services.iter_mut().flat_map(|service| &mut service.alerts);
        alerts.filter(|alert| alert.dedup_key == dedup_key).for_each(|alert| alert.is_open = false);
    }

    /// Makes the next `times` requests fail.
    pub fn fail_next(&self, times: u32, fault: PagerDutyFault) {
        self.state.faults().add("*", times, fault);
    }

    /// Clears all faults.
    pub fn recover(&self) {
        self.state.faults().clear(None);
    }

    /// How many requests there were, including failed ones.
    pub fn calls(&self) -> usize {
        self.state.calls.load(Ordering::SeqCst)
    }

    /// The events that were accepted, oldest first.
    pub fn events(&self) -> Vec<PagerDutyEvent> {
        self.state.events.all()
    }

    /// The entries of [`PagerDutySimulator::events`] after the first `n`.
    pub fn events_since(&self, n: usize) -> Vec<PagerDutyEvent> {
        self.state.events.since(n)
    }

    /// The alerts of all services, oldest first in each.
    pub fn alerts(&self) -> Vec<PagerDutyAlert> {
        self.state.services().iter().flat_map(|service| service.alerts.clone()).collect()
    }

    /// The events that were refused.
    pub fn refusals(&self) -> Vec<PagerDutyRefusal> {
        self.state.refusals.all()
    }

    /// Waits until `n` events were accepted, and returns all of them.
    ///
    /// # Errors
    /// [`TimedOut`] when fewer were accepted within `timeout`. A likely cause is in [`PagerDutySimulator::refusals`].
    pub async fn wait_for(&self, n: usize, timeout: Duration) -> Result<Vec<PagerDutyEvent>, TimedOut> {
        self.state.events.wait_for(n, timeout).await
    }
}
