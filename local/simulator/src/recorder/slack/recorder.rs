//! The recorder, as tests and the local stack hold it.

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

/// A Slack workspace on loopback that checks messages as Slack does, and remembers them.
///
/// Clones are the same workspace; it stops when the last one is dropped.
#[derive(Clone, Debug)]
pub struct SlackSimulator {
    state: Arc<Shared>,
    server: Arc<Server>,
    webhook: String,
}

impl SlackSimulator {
    /// A workspace on a free port of 127.0.0.1 with one channel and one incoming webhook to it.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// The same at a given address.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start_at(address: SocketAddr) -> io::Result<Self> {
        let state = Arc::new(Shared::default());
        let webhook = state.workspace().add_webhook(DEFAULT_CHANNEL.1);
        let router = admin_api::routes().fallback(serve::serve).with_state(Arc::clone(&state));
        let server = Server::serve(loopback_server::bind(address).await?, router)?;
        Ok(Self { state, server: Arc::new(server), webhook })
    }

    /// Where it is, such as `http://127.0.0.1:49152`; no slash at the end.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// What Web API methods are appended to, such as `http://127.0.0.1:49152/api`.
    pub fn api_url(&self) -> String {
        format!("{}/api", self.url())
    }

    /// The URL of the first incoming webhook.
    pub fn webhook_url(&self) -> String {
        format!("{}{}", self.url(), self.webhook)
    }

    /// The URL of a new incoming webhook to the channel of this name, which is added if it is missing.
    pub fn add_webhook(&self, channel: &str) -> String {
        format!("{}{}", self.url(), self.state.workspace().add_webhook(channel))
    }

    /// Revokes an incoming webhook: `404` and `no_service` from now on.
    pub fn revoke_webhook(&self, url: &str) {
        let path = url.strip_prefix(&self.url()).unwrap_or(url);
        self.state.workspace().revoke_webhook(path);
    }

    /// The bot token.
    pub fn token(&self) -> String {
        self.state.workspace().token.clone()
    }

    /// Makes a new bot token; the old one is refused with `invalid_auth` from now on.
    pub fn rotate_token(&self) -> String {
        self.state.workspace().rotate_token();
        self.token()
    }

    /// Adds a channel and gives its id. Not joined, it refuses posts with `not_in_channel`.
    pub fn add_channel(&self, name: &str, joined: bool) -> String {
        self.state.workspace().add_channel(name, joined).id
    }

    /// Deletes a message, as a person may: it can be neither changed nor replied to any more, and stays in the record.
    pub fn delete(&self, channel: &str, ts: &str) {
        self.state.deleted().insert((channel.to_owned(), ts.to_owned()));
    }

    /// Lets the next `times` calls go wrong, whatever they are.
    pub fn fail_next(&self, times: u32, fault: SlackFault) {
        self.state.faults().add("*", times, fault);
    }

    /// Lets nothing go wrong any more.
    pub fn recover(&self) {
        self.state.faults().clear(None);
    }

    /// How many calls there were, those that went wrong included.
    pub fn calls(&self) -> usize {
        self.state.calls.load(Ordering::SeqCst)
    }

    /// Every call with a message that was taken, oldest first; updates are entries of their own.
    pub fn messages(&self) -> Vec<SlackMessage> {
        self.state.messages.all()
    }

    /// [`SlackSimulator::messages`] behind the first `n`, for those who have seen these: costs no more when there are many.
    pub fn messages_since(&self, n: usize) -> Vec<SlackMessage> {
        self.state.messages.since(n)
    }

    /// What a person sees in the channel of this id or name, oldest first: updates have replaced what they update.
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

    /// Every call that was refused for what it said.
    pub fn refusals(&self) -> Vec<SlackRefusal> {
        self.state.refusals.all()
    }

    /// [`SlackSimulator::messages`], as soon as there are at least `n`.
    ///
    /// # Errors
    /// [`TimedOut`] when there are fewer after `timeout`. A refused message is a likely reason:
    /// [`SlackSimulator::refusals`].
    pub async fn wait_for(&self, n: usize, timeout: Duration) -> Result<Vec<SlackMessage>, TimedOut> {
        self.state.messages.wait_for(n, timeout).await
    }
}
