//! The Slack simulator as tests and the local stack use it.

use super::admin_api;
use super::message::{SlackCall, SlackMessage, SlackRefusal};
use super::serve;
use super::state::{Shared, SlackFault};
use super::workspace::DEFAULT_CHANNEL;
use crate::recorder::log::TimedOut;
use crate::server::Server;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A Slack workspace on loopback that checks messages as Slack does and records them.
///
/// Clones share one workspace; it stops when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct SlackSimulator {
    state: Arc<Shared>,
    server: Arc<Server>,
    webhook: String,
}

impl SlackSimulator {
    /// Starts a workspace on a free port of 127.0.0.1, with one channel and one incoming webhook.
    ///
    /// # Errors
    /// The system's error when no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts a workspace at this address.
    ///
    /// # Errors
    /// The system's error when the address cannot be bound.
    pub async fn start_at(address: SocketAddr) -> io::Result<Self> {
        let state = Arc::new(Shared::default());
        let webhook = state.workspace().add_webhook(DEFAULT_CHANNEL.1);
        let router = admin_api::routes().fallback(serve::serve).with_state(Arc::clone(&state));
        let server = Server::serve(loopback_server::bind(address).await?, router)?;
        Ok(Self { state, server: Arc::new(server), webhook })
    }

    /// The workspace's URL, such as `http://127.0.0.1:49152`, without a trailing slash.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The base URL of the Web API, such as `http://127.0.0.1:49152/api`.
    pub fn api_url(&self) -> String {
        format!("{}/api", self.url())
    }

    /// The URL of the first incoming webhook.
    pub fn webhook_url(&self) -> String {
        format!("{}{}", self.url(), self.webhook)
    }

    /// Adds an incoming webhook to the channel of this name and returns its URL. A missing channel is added.
    pub fn add_webhook(&self, channel: &str) -> String {
        format!("{}{}", self.url(), self.state.workspace().add_webhook(channel))
    }

    /// Revokes an incoming webhook: it answers `404` and `no_service` from now on.
    pub fn revoke_webhook(&self, url: &str) {
        let path = url.strip_prefix(&self.url()).unwrap_or(url);
        self.state.workspace().revoke_webhook(path);
    }

    /// The workspace's bot token.
    pub fn token(&self) -> String {
        self.state.workspace().token.clone()
    }

    /// Makes a new bot token. The old token is refused with `invalid_auth` from now on.
    pub fn rotate_token(&self) -> String {
        self.state.workspace().rotate_token();
        self.token()
    }

    /// Adds a channel and returns its id. A channel that the app has not joined refuses posts with `not_in_channel`.
    pub fn add_channel(&self, name: &str, joined: bool) -> String {
        self.state.workspace().add_channel(name, joined).id
    }

    /// Lets channels be made while the workspace runs: a message to a channel that is not there goes to it if `names` has
    /// its name by then. Only the first call counts.
    pub fn add_channels_of(&self, names: impl Fn() -> Vec<String> + Send + Sync + 'static) {
        let _ = self.state.new_channels.0.set(Box::new(names));
    }

    /// Adds a person with this e-mail address and name, or changes the one with this address. Returns the person's id. Every
    /// workspace starts with the people of the sample site of Tableau.
    pub fn add_person(&self, email: &str, name: &str) -> String {
        self.state.people().add(email, name)
    }

    /// The id of the person with this e-mail address.
    pub fn person(&self, email: &str) -> Option<String> {
        self.state.people().id(email)
    }

    /// Deactivates the account of the person with this e-mail address: a lookup finds it, with `deleted`.
    pub fn deactivate_person(&self, email: &str) {
        self.state.people().deactivate(email);
    }

    /// Removes a person: a lookup answers `users_not_found`.
    pub fn remove_person(&self, email: &str) {
        self.state.people().remove(email);
    }

    /// Gives the app the scope `users:read.email`, which it has at the start, or takes it away.
    pub fn allow_lookups(&self, allowed: bool) {
        self.state.people().is_allowed = allowed;
    }

    /// The e-mail addresses that were looked up, oldest first, those without an answer left out.
    pub fn lookups(&self) -> Vec<String> {
        self.state.people().lookups.clone()
    }

    /// Deletes a message, as a user can: it cannot be updated or replied to any more. The record keeps it.
    pub fn delete(&self, channel: &str, ts: &str) {
        self.state.deleted().insert((channel.to_owned(), ts.to_owned()));
    }

    /// Makes the next `times` calls fail, of any kind.
    pub fn fail_next(&self, times: u32, fault: SlackFault) {
        self.state.faults().add("*", times, fault);
    }

    /// Clears all faults.
    pub fn recover(&self) {
        self.state.faults().clear(None);
    }

    /// How many calls there were, including failed calls.
    pub fn calls(&self) -> usize {
        self.state.calls.load(Ordering::SeqCst)
    }

    /// Every accepted call with a message, oldest first. An update is an entry of its own.
    pub fn messages(&self) -> Vec<SlackMessage> {
        self.state.messages.all()
    }

    /// How many entries [`SlackSimulator::messages`] has. The cost does not grow with them.
    pub fn message_count(&self) -> usize {
        self.state.messages.len()
    }

    /// The entries of [`SlackSimulator::messages`] after the first `n`. The cost does not grow with the number of
    /// earlier entries.
    pub fn messages_since(&self, n: usize) -> Vec<SlackMessage> {
        self.state.messages.since(n)
    }

    /// What a user sees in the channel with this id or name, oldest first. An update replaces the message it updates.
    pub fn channel(&self, id_or_name: &str) -> Vec<SlackMessage> {
        let id = self.state.workspace().channel(id_or_name).map(|c| c.id.clone());
        let mut seen: Vec<SlackMessage> = Vec::new();
        for message in self.messages().into_iter().filter(|m| Some(&m.channel) == id.as_ref()) {
            match seen.iter_mut().find(|m| m.ts == message.ts && message.call == SlackCall::Update) {
                Some(old) => {
                    *old = SlackMessage { call: old.call, thread_ts: old.thread_ts.clone(), ..message }
                }
                None => seen.push(message),
            }
        }
        seen
    }

    /// Every call that was refused because of its content.
    pub fn refusals(&self) -> Vec<SlackRefusal> {
        self.state.refusals.all()
    }

    /// Waits until there are at least `n` messages, and returns all of them as [`SlackSimulator::messages`] does.
    ///
    /// # Errors
    /// [`TimedOut`] when fewer arrived within `timeout`. A likely cause is a refused message: see
    /// [`SlackSimulator::refusals`].
    pub async fn wait_for(&self, n: usize, timeout: Duration) -> Result<Vec<SlackMessage>, TimedOut> {
        self.state.messages.wait_for(n, timeout).await
    }
}
