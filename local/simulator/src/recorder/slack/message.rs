//! The record of a message or a refused call.

use serde_json::Value;

/// The kind of call that posted a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlackCall {
    /// An incoming webhook.
    Webhook,
    /// The Web API method `chat.postMessage`.
    PostMessage,
    /// The Web API method `chat.update`. The entry has the `ts` of the message that it replaces.
    Update,
}

/// A message that Slack would accept.
#[derive(Clone, Debug, PartialEq)]
pub struct SlackMessage {
    /// The kind of call that posted the message.
    pub call: SlackCall,
    /// The path of the request. For an incoming webhook it identifies the webhook.
    pub path: String,
    /// The channel's id.
    pub channel: String,
    /// The channel's name, without `#`.
    pub channel_name: String,
    /// The message's id within its channel. The caller of a webhook does not receive it.
    pub ts: String,
    /// The `ts` of the parent message, when this message is a reply in a thread.
    pub thread_ts: Option<String>,
    /// Whether a reply is also shown in the channel (`reply_broadcast`).
    pub reply_broadcast: bool,
    /// The message's `text`, which Slack shows in notifications; cut at 40,000 characters, as Slack does.
    pub text: String,
    /// The message's blocks.
    pub blocks: Vec<Value>,
    /// Whether the caller received a success answer.
    pub answered: bool,
    /// The request's body.
    pub raw: Value,
}

impl SlackMessage {
    /// All texts of the message, unescaped: `text` first, then each block's texts.
    pub fn all_text(&self) -> String {
        let mut texts = vec![self.text.clone()];
        self.blocks.iter().for_each(|block| collect(block, &mut texts));
        super::mrkdwn::unescape(&texts.join("\n"))
    }

    /// Who the message would mention: `!channel`, `!here`, `!everyone`, `@U…`, `!subteam^S…`.
    pub fn mentions(&self) -> Vec<String> {
        let mut texts = vec![self.text.clone()];
        self.blocks.iter().for_each(|block| collect(block, &mut texts));
        let mut mentions = Vec::new();
        for piece in texts.iter().flat_map(|t| t.split('<').skip(1)) {
            let name = piece.split(['>', '|']).next().unwrap_or_default();
            let calls =
                ["!channel", "!here", "!everyone", "!subteam^", "@"].iter().any(|m| name.starts_with(m));
            if calls && piece.contains('>') {
                mentions.push(name.to_owned());
            }
        }
        mentions
    }
}

/// Collects the `text` of all text objects, at any depth.
fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(text)) = map.get("text") {
                texts.push(text.clone());
            }
            map.values().for_each(|v| collect(v, texts));
        }
        Value::Array(items) => items.iter().for_each(|v| collect(v, texts)),
        _ => {}
    }
}

/// A call that Slack would refuse.
#[derive(Clone, Debug, PartialEq)]
pub struct SlackRefusal {
    /// The path of the request.
    pub path: String,
    /// Slack's error code: `invalid_blocks`, `no_text`, …
    pub error: String,
    /// What else is wrong with the message, although Slack would accept it.
    pub detail: String,
    /// The request's body.
    pub body: String,
}
