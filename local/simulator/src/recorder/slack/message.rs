//! What is remembered of messages.

use serde_json::Value;

/// How a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlackCall {
    /// Through an incoming webhook.
    Webhook,
    /// `chat.postMessage`.
    PostMessage,
    /// `chat.update`: a message with the `ts` of the one it replaces.
    Update,
}

/// A message that Slack would have taken.
#[derive(Clone, Debug, PartialEq)]
pub struct SlackMessage {
    /// How it came.
    pub call: SlackCall,
    /// Path of the request, which for an incoming webhook identifies the webhook.
    pub path: String,
    /// The channel's id.
    pub channel: String,
    /// The channel's name, without `#`.
    pub channel_name: String,
    /// What identifies it within its channel. Callers of a webhook do not get it.
    pub ts: String,
    /// The `ts` of the message it replies to.
    pub thread_ts: Option<String>,
    /// Whether a reply shows in the channel as well.
    pub reply_broadcast: bool,
    /// The notification line, cut at 40,000 characters as Slack cuts it.
    pub text: String,
    /// Its blocks.
    pub blocks: Vec<Value>,
    /// Whether the caller got the answer that it was taken.
    pub answered: bool,
    /// The body of the request.
    pub raw: Value,
}

impl SlackMessage {
    /// All texts of the message, unescaped: the notification line, then each block's.
    pub fn all_text(&self) -> String {
        let mut texts = vec![self.text.clone()];
        self.blocks.iter().for_each(|block| collect(block, &mut texts));
        super::mrkdwn::unescape(&texts.join("\n"))
    }

    /// What the message would call people with: `!channel`, `!here`, `!everyone`, `@U…`, `!subteam^S…`.
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

/// The `text`s of text objects, wherever they stand.
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

/// A request that Slack would have refused.
#[derive(Clone, Debug, PartialEq)]
pub struct SlackRefusal {
    /// Path of the request.
    pub path: String,
    /// What Slack says: `invalid_blocks`, `no_text`, …
    pub error: String,
    /// What is wrong, although Slack would accept it.
    pub detail: String,
    /// The body of the request.
    pub body: String,
}
