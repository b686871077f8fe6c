//! The ServiceNow simulator as tests and the local stack use it.

use super::incident::{JournalEntry, ServiceNowIncident};
use super::state::{ServiceNowCall, ServiceNowFault, Shared};
use super::write::derive;
use super::{SAMPLE_SERVICENOW_USER, admin_api, serve};
use crate::recorder::log::TimedOut;
use crate::server::Server;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An instance of ServiceNow on loopback, which checks calls as the service does, and keeps incidents.
///
/// Clones share the instance; it stops when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct ServiceNowSimulator {
    state: Arc<Shared>,
    server: Arc<Server>,
}

impl ServiceNowSimulator {
    /// Starts on a free port of 127.0.0.1, with the account [`SAMPLE_SERVICENOW_USER`], the groups *Service Desk* and *BI Platform*, and
    /// the users *Tableau Service* and *Beth Anglin*.
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
        let state = Arc::new(Shared::new(SAMPLE_SERVICENOW_USER));
        let router = admin_api::routes().fallback(serve::serve).with_state(Arc::clone(&state));
        let server = Server::serve(loopback_server::bind(address).await?, router)?;
        Ok(Self { state, server: Arc::new(server) })
    }

    /// The server's URL, such as `http://127.0.0.1:49152`, without a trailing slash.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Id and secret of the OAuth application.
    pub fn application(&self) -> (String, String) {
        self.state.tokens().application.clone()
    }

    /// Gives the account another password. The old one is refused from now on.
    pub fn set_password(&self, password: &str) {
        password.clone_into(&mut self.state.user().1);
    }

    /// How long tokens live that are given from now on.
    pub fn set_token_life(&self, life: Duration) {
        self.state.tokens().life = life;
    }

    /// Allows or forbids the grant type client credentials.
    pub fn allow_client_credentials(&self, allows: bool) {
        self.state.tokens().allows = allows;
    }

    /// Ends all tokens.
    pub fn revoke_tokens(&self) {
        self.state.tokens().revoke();
    }

    /// How many tokens were given.
    pub fn tokens_given(&self) -> usize {
        self.state.tokens().given
    }

    /// Adds a column to the table, and demands it of new incidents by a data policy if `is_demanded`.
    pub fn add_column(&self, name: &str, is_demanded: bool) {
        let mut instance = self.state.instance();
        instance.added.insert(name.to_owned());
        instance.demanded.extend(is_demanded.then(|| name.to_owned()));
    }

    /// Demands a field of new incidents by a data policy.
    pub fn demand(&self, name: &str) {
        self.state.instance().demanded.push(name.to_owned());
    }

    /// Takes away the right to read a field. A search by it ignores the condition then.
    pub fn hide(&self, field: &str) {
        self.state.instance().hidden.insert(field.to_owned());
    }

    /// Takes away the right to write journals. A call answers as before.
    pub fn deny_journals(&self) {
        self.state.instance().takes_journals = false;
    }

    /// Refuses every change of an incident that is not active.
    pub fn lock_closed(&self) {
        self.state.instance().locks_closed = true;
    }

    /// Makes another number the state Resolved.
    pub fn set_resolved_state(&self, number: u32) {
        self.state.instance().resolved = number.to_string();
    }

    /// The id of a group or user.
    pub fn id_of(&self, name: &str) -> Option<String> {
        self.state.instance().id_of(name).map(str::to_owned)
    }

    /// The name of a group or user.
    pub fn name_of(&self, id: &str) -> Option<String> {
        self.state.instance().name_of(id).map(str::to_owned)
    }

    /// An incident of a person's. Returns its number.
    pub fn add_incident(&self, short_description: &str) -> String {
        let mut instance = self.state.instance();
        let mut incident = instance.blank();
        incident.fields.insert("short_description".to_owned(), short_description.to_owned());
        let number = incident.number().to_owned();
        instance.incidents.push(incident);
        number
    }

    /// A person changes a field of an incident, by its number.
    pub fn set(&self, number: &str, field: &str, value: &str) {
        if let Some(incident) = self.state.instance().find(number) {
            incident.fields.insert(field.to_owned(), value.to_owned());
            if field == "state" {
                derive(incident);
            }
        }
    }

    /// A person closes an incident, by its number.
    pub fn close(&self, number: &str) {
        self.set(number, "close_code", "Resolved by caller");
        self.set(number, "close_notes", "Repaired by hand");
        self.set(number, "state", "7");
        if let Some(incident) = self.state.instance().find(number) {
            let text = "Repaired by hand".to_owned();
            incident.journal.push(JournalEntry {
                field: "comments".to_owned(),
                text,
                by: "Beth Anglin".to_owned(),
            });
        }
    }

    /// An administrator deletes an incident, by its number.
    pub fn delete(&self, number: &str) {
        self.state.instance().incidents.retain(|incident| incident.number() != number);
    }

    /// Makes the next `times` calls of a kind fail: `token`, `search`, `read`, `create`, `update`, or `*`.
    pub fn fail_next(&self, kind: &str, times: u32, fault: ServiceNowFault) {
        self.state.faults().add(kind, times, fault);
    }

    /// Clears all faults.
    pub fn recover(&self) {
        self.state.faults().clear(None);
    }

    /// All calls, oldest first.
    pub fn calls(&self) -> Vec<ServiceNowCall> {
        self.state.calls.all()
    }

    /// The entries of [`ServiceNowSimulator::calls`] after the first `n`.
    pub fn calls_since(&self, n: usize) -> Vec<ServiceNowCall> {
        self.state.calls.since(n)
    }

    /// The kinds of all calls, oldest first.
    pub fn kinds(&self) -> Vec<String> {
        self.calls().into_iter().map(|call| call.kind).collect()
    }

    /// The calls that were refused, faults left out.
    pub fn refusals(&self) -> Vec<ServiceNowCall> {
        let mut calls = self.calls();
        calls.retain(|call| !call.refused.is_empty() && call.refused != "fault");
        calls
    }

    /// All incidents, oldest first.
    pub fn incidents(&self) -> Vec<ServiceNowIncident> {
        self.state.instance().incidents.clone()
    }

    /// Waits until there are `n` incidents, and returns all of them.
    ///
    /// # Errors
    /// [`TimedOut`] when there were fewer within `timeout`. A likely cause is in [`ServiceNowSimulator::refusals`].
    pub async fn wait_for(&self, n: usize, timeout: Duration) -> Result<Vec<ServiceNowIncident>, TimedOut> {
        let began = Instant::now();
        loop {
            let incidents = self.incidents();
            if incidents.len() >= n {
                return Ok(incidents);
            }
            if began.elapsed() > timeout {
                return Err(TimedOut(format!("{n} incidents, found {}", incidents.len())));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
