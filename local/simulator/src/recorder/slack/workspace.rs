//! A Slack workspace: channels, incoming webhooks and the bot token.

use std::collections::BTreeMap;

/// Id and name of the channel that every workspace starts with. The first webhook posts to it.
pub const DEFAULT_CHANNEL: (&str, &str) = ("C0SIMULATED", "data-alerts");

#[derive(Clone, Debug)]
pub(super) struct Channel {
    pub(super) id: String,
    pub(super) name: String,
    /// Whether the app has joined the channel.
    pub(super) joined: bool,
}

/// The bot token of a new workspace. It is only valid at simulators on loopback.
pub const SAMPLE_BOT_TOKEN: &str = "xoxb-simulated-not-a-secret";

#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) token: String,
    channels: Vec<Channel>,
    /// The channel id of each incoming webhook, by the webhook's path.
    webhooks: BTreeMap<String, String>,
    last: u32,
}

impl Default for Workspace {
    fn default() -> Self {
        Self::new()
    }
}

impl Workspace {
    pub(super) fn new() -> Self {
        let (id, name) = DEFAULT_CHANNEL;
        let token = SAMPLE_BOT_TOKEN.to_owned();
        let mut new = Self { token, channels: Vec::new(), webhooks: BTreeMap::new(), last: 0 };
        new.channels.push(Channel { id: id.to_owned(), name: name.to_owned(), joined: true });
        new
    }

    pub(super) fn next(&mut self) -> u32 {
        self.last += 1;
        self.last
    }

    pub(super) fn rotate_token(&mut self) {
        self.token = format!("xoxb-simulated-{}", uuid::Uuid::new_v4().simple());
    }

    /// The channel with this id, or with this name (with or without `#`).
    pub(super) fn channel(&self, id_or_name: &str) -> Option<&Channel> {
        let name = id_or_name.trim_start_matches('#');
        self.channels.iter().find(|c| c.id == id_or_name || c.name == name)
    }

    /// The channel with this name; a missing channel is added.
    pub(super) fn add_channel(&mut self, name: &str, joined: bool) -> Channel {
        if let Some(channel) = self.channels.iter_mut().find(|c| c.name == name) {
            channel.joined = joined;
            return channel.clone();
        }
        let id = format!("C{:010}", self.next());
        let channel = Channel { id, name: name.to_owned(), joined };
        self.channels.push(channel.clone());
        channel
    }

    /// Creates an incoming webhook and returns its path.
    pub(super) fn add_webhook(&mut self, channel: &str) -> String {
        let channel = self.add_channel(channel, true);
        let secret = uuid::Uuid::new_v4().simple().to_string();
        let path = format!("/services/T0SIMULATED/B{:010}/{secret}", self.next());
        self.webhooks.insert(path.clone(), channel.id);
        path
    }

    pub(super) fn webhook_channel(&self, path: &str) -> Option<&Channel> {
        self.channel(self.webhooks.get(path)?)
    }

    pub(super) fn revoke_webhook(&mut self, path: &str) {
        self.webhooks.remove(path);
    }
}
