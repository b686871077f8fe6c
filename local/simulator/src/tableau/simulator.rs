//! The running Tableau simulator as tests and the local stack use it.

use super::content::{Content, ModelHandle};
use super::events::About;
use super::model::Model;
use super::sending::{Fired, NotFound};
use super::state::State;
use crate::clock::Clock;
use crate::recorder::TimedOut;
use crate::server::Server;
use jiff::Timestamp;
use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tableau::{DatasourceLuid, EventName, FlowLuid, JobLuid, SiteLuid, UserLuid, ViewLuid, WorkbookLuid};

/// A Tableau server on loopback. Clones share one server; it stops when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct TableauSimulator {
    pub(super) state: Arc<State>,
    server: Arc<Server>,
}

/// Addresses.
impl TableauSimulator {
    pub(super) fn running(state: Arc<State>, server: Server) -> Self {
        Self { state, server: Arc::new(server) }
    }

    /// What REST addresses begin with, such as `http://127.0.0.1:49152`, or `https://…` with
    /// [`TableauBuilder::tls`](super::TableauBuilder::tls); no slash at the end.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The CA certificate of this server as PEM; `None` without [`TableauBuilder::tls`](super::TableauBuilder::tls).
    /// No trust store contains it: give it to a client by a setting such as `REQUESTS_CA_BUNDLE`.
    pub fn authority(&self) -> Option<&str> {
        self.server.identity().map(crate::tls::Identity::authority)
    }

    /// The address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The server's clock.
    pub fn clock(&self) -> &Clock {
        &self.state.settings.clock
    }
}

/// Content.
impl TableauSimulator {
    /// Adds content and returns its LUID.
    pub fn add<C: Content>(&self, content: C) -> C::Luid {
        let now = self.state.settings.clock.now();
        content.add_to(&mut ModelHandle { model: &mut self.state.model(), now })
    }

    /// The default site.
    pub fn site(&self) -> SiteLuid {
        self.state.model().default_site()
    }

    /// The LUID of a site by its `contentUrl`.
    pub fn site_at(&self, content_url: &str) -> Option<SiteLuid> {
        self.find(|m| m.sites.iter().find(|s| s.content_url == content_url).map(|s| s.luid.clone()))
    }

    /// The LUID of the first workbook with this name.
    pub fn workbook(&self, name: &str) -> Option<WorkbookLuid> {
        self.find(|m| m.workbooks.iter().find(|w| w.name == name).map(|w| w.luid.clone()))
    }

    /// The LUID of the first data source with this name.
    pub fn datasource(&self, name: &str) -> Option<DatasourceLuid> {
        self.find(|m| m.datasources.iter().find(|d| d.name == name).map(|d| d.luid.clone()))
    }

    /// The LUID of the first flow with this name.
    pub fn flow(&self, name: &str) -> Option<FlowLuid> {
        self.find(|m| m.flows.iter().find(|f| f.name == name).map(|f| f.luid.clone()))
    }

    /// The LUID of the first view with this name.
    pub fn view(&self, name: &str) -> Option<ViewLuid> {
        self.find(|m| m.views.iter().find(|v| v.name == name).map(|v| v.luid.clone()))
    }

    /// The LUID of a user of the default site, by user name, its part before the `@`, or full name.
    pub fn user(&self, name: &str) -> Option<UserLuid> {
        self.find(|m| m.user_named(&m.default_site(), name))
    }

    fn find<T>(&self, look: impl FnOnce(&Model) -> Option<T>) -> Option<T> {
        look(&self.state.model())
    }

    /// Removes a workbook, data source, view or user and fires its `…Deleted` event.
    ///
    /// # Errors
    /// [`NotFound`] when no workbook, data source, view or user has this LUID.
    pub fn delete(&self, luid: impl Display) -> Result<Fired, NotFound> {
        self.state.delete(&luid.to_string(), None)
    }

    /// As [`TableauSimulator::delete`], by this user: the Recycle Bin says who it was. Otherwise it is the site's administrator.
    ///
    /// # Errors
    /// [`NotFound`] when no workbook, data source, view or user has this LUID.
    pub fn delete_as(&self, deleter: &UserLuid, luid: impl Display) -> Result<Fired, NotFound> {
        self.state.delete(&luid.to_string(), Some(deleter.clone()))
    }
}

/// Events and refreshes.
impl TableauSimulator {
    /// Fires an event about the object with this LUID: each enabled webhook for the event gets a delivery.
    ///
    /// # Errors
    /// [`NotFound`] when no object of the kind that the event is about has this LUID.
    pub fn fire(&self, event: &EventName, luid: impl Display) -> Result<Fired, NotFound> {
        self.state.fire(event, &luid.to_string())
    }

    /// Starts a refresh of a workbook or data source: its job runs, and `…RefreshStarted` is fired. A flow runs without an
    /// event.
    ///
    /// # Errors
    /// [`NotFound`] when there is no such workbook, data source or flow.
    pub fn start_refresh(&self, luid: impl Display) -> Result<JobLuid, NotFound> {
        self.state.start_refresh(&luid.to_string())
    }

    /// Fails a refresh: its job ends with these notes, then `…RefreshFailed` is fired. Uses the queued or running job
    /// if there is one. A flow fires no event.
    ///
    /// # Errors
    /// [`NotFound`] when there is no such workbook, data source or flow.
    pub fn fail_refresh(&self, luid: impl Display, notes: &str) -> Result<JobLuid, NotFound> {
        self.state.end_refresh(&luid.to_string(), Some(notes))
    }

    /// Ends a refresh successfully and fires `…RefreshSucceeded`; otherwise as [`TableauSimulator::fail_refresh`].
    ///
    /// # Errors
    /// [`NotFound`] when there is no such workbook, data source or flow.
    pub fn succeed_refresh(&self, luid: impl Display) -> Result<JobLuid, NotFound> {
        self.state.end_refresh(&luid.to_string(), None)
    }

    /// Makes refreshes, and runs of a flow, that end by themselves fail with these notes from now on; `None` lets them succeed again.
    pub fn break_refreshes(&self, luid: impl Display, notes: Option<&str>) {
        let luid = luid.to_string();
        let notes = notes.map(str::to_owned);
        let mut model = self.state.model();
        if let Some(workbook) = model.workbooks.iter_mut().find(|w| w.luid.as_str() == luid) {
            workbook.broken.clone_from(&notes);
        }
        if let Some(datasource) = model.datasources.iter_mut().find(|d| d.luid.as_str() == luid) {
            datasource.broken.clone_from(&notes);
        }
        if let Some(flow) = model.flows.iter_mut().find(|f| f.luid.as_str() == luid) {
            flow.broken = notes;
        }
    }

    /// The body of a delivery of this event at `at`, about the first suitable object on the default site. `None` when
    /// there is no such object, or the event name is unknown.
    pub fn payload_for(&self, event: &EventName, at: Timestamp) -> Option<String> {
        let model = self.state.model();
        let luid = About::first_luid(&model, event)?;
        Some(About::find(&model, event, &luid)?.body(event, at))
    }

    /// Repeats each delivery from now on `n` times with identical bytes (duplicates).
    pub fn duplicates(&self, n: u32) {
        self.state.duplicates.store(n, Ordering::SeqCst);
    }

    /// Waits until no delivery is in progress.
    ///
    /// # Errors
    /// [`TimedOut`] when deliveries are still in progress after `timeout`.
    pub async fn settled(&self, timeout: Duration) -> Result<(), TimedOut> {
        let mut in_flight = self.state.in_flight.subscribe();
        let settled = tokio::time::timeout(timeout, in_flight.wait_for(|n| *n == 0)).await.is_ok();
        let left = *self.state.in_flight.borrow();
        if settled { Ok(()) } else { Err(TimedOut(format!("{left} deliveries to end"))) }
    }
}
