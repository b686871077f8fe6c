//! The Teams simulator as tests and the local stack use it.

use super::admin_api;
use super::flow::{Flow, FlowState, signature};
use super::post::{TeamsPost, TeamsRefusal, TeamsRunFailure};
use super::serve;
use super::state::{Shared, TeamsFault};
use crate::recorder::log::TimedOut;
use crate::server::Server;
use serde_json::Value;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Flows of Power Automate on loopback, which check requests as the service does, and record what they post.
///
/// Clones share the flows; they stop when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct TeamsSimulator {
    state: Arc<Shared>,
    server: Arc<Server>,
}

impl TeamsSimulator {
    /// Starts on a free port of 127.0.0.1, with the flow at [`SAMPLE_FLOW`](crate::SAMPLE_FLOW).
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
        state.flows().push(Flow::sample());
        let router = admin_api::routes().fallback(serve::serve).with_state(Arc::clone(&state));
        let server = Server::serve(loopback_server::bind(address).await?, router)?;
        Ok(Self { state, server: Arc::new(server) })
    }

    /// The server's URL, such as `http://127.0.0.1:49152`, without a trailing slash.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Adds a flow with the trigger *When a Teams webhook request is received*, which posts cards to a channel. Returns the URL of
    /// the trigger.
    pub fn add_flow(&self, channel: &str) -> String {
        self.add(Flow::new(channel, None))
    }

    /// Adds a flow with the trigger *When an HTTP request is received* and this JSON schema, which takes fields. Returns the URL of
    /// the trigger.
    pub fn add_http_flow(&self, channel: &str, schema: Value) -> String {
        self.add(Flow::new(channel, Some(schema)))
    }

    fn add(&self, flow: Flow) -> String {
        let url = format!("{}{}", self.url(), flow.path_and_query());
        self.state.flows().push(flow);
        url
    }

    /// Gives the trigger of a channel's flow a new URL. The old one is refused from now on.
    /// `None` when there is no such flow.
    pub fn regenerate(&self, channel: &str) -> Option<String> {
        let mut flows = self.state.flows();
        let flow = flows.iter_mut().find(|flow| flow.channel == channel)?;
        flow.sig = signature();
        Some(format!("{}{}", self.server.url(), flow.path_and_query()))
    }

    /// Turns a channel's flow off, as Power Automate does after 90 days without a run.
    pub fn turn_off(&self, channel: &str) {
        self.set(channel, FlowState::TurnedOff);
    }

    /// Turns a channel's flow on.
    pub fn turn_on(&self, channel: &str) {
        self.set(channel, FlowState::On);
    }

    /// Deletes a channel's flow.
    pub fn delete(&self, channel: &str) {
        self.set(channel, FlowState::Deleted);
    }

    fn set(&self, channel: &str, state: FlowState) {
        self.state
            .flows()
            .iter_mut()
            .filter(|flow| flow.channel == channel)
            .for_each(|flow| flow.state = state);
    }

    /// Makes the next `times` requests fail.
    pub fn fail_next(&self, times: u32, fault: TeamsFault) {
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

    /// What flows have posted, oldest first.
    pub fn posts(&self) -> Vec<TeamsPost> {
        self.state.posts.all()
    }

    /// The entries of [`TeamsSimulator::posts`] after the first `n`.
    pub fn posts_since(&self, n: usize) -> Vec<TeamsPost> {
        self.state.posts.since(n)
    }

    /// The runs that failed although the trigger had answered `202`.
    pub fn run_failures(&self) -> Vec<TeamsRunFailure> {
        self.state.run_failures.all()
    }

    /// The requests that a trigger refused.
    pub fn refusals(&self) -> Vec<TeamsRefusal> {
        self.state.refusals.all()
    }

    /// Waits until flows have posted `n` messages, and returns all of them.
    ///
    /// # Errors
    /// [`TimedOut`] when fewer were posted within `timeout`. A likely cause is in [`TeamsSimulator::run_failures`].
    pub async fn wait_for(&self, n: usize, timeout: Duration) -> Result<Vec<TeamsPost>, TimedOut> {
        self.state.posts.wait_for(n, timeout).await
    }
}
