//! The records of requests: what a flow posted, what it failed at, and what its trigger refused.

use serde_json::Value;

/// A message that a flow posted to its channel, or the fields that it took.
#[derive(Clone, Debug, PartialEq)]
pub struct TeamsPost {
    /// The flow's channel.
    pub channel: String,
    /// The body of the request.
    pub body: Value,
    /// Whether the caller received the answer.
    pub answered: bool,
}

impl TeamsPost {
    /// The Adaptive Card; `None` for plain fields.
    pub fn card(&self) -> Option<&Value> {
        self.body.pointer("/attachments/0/content")
    }

    /// A plain field; empty if there is none.
    pub fn field(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    /// The title: of a card its first text, of plain fields their `title`. Without escapes.
    pub fn title(&self) -> String {
        match self.card() {
            Some(card) => super::shown::texts(card).into_iter().next().unwrap_or_default(),
            None => self.field("title").to_owned(),
        }
    }

    /// The ids of those whom the card mentions.
    pub fn mentions(&self) -> Vec<String> {
        let entities = self.card().and_then(|card| card["msteams"]["entities"].as_array());
        let id = |entity: &Value| entity["mentioned"]["id"].as_str().unwrap_or_default().to_owned();
        entities.map(|entities| entities.iter().map(id).collect()).unwrap_or_default()
    }
}

/// A run of a flow that failed after its trigger had answered `202`.
#[derive(Clone, Debug, PartialEq)]
pub struct TeamsRunFailure {
    /// The flow's channel.
    pub channel: String,
    /// What the run history says.
    pub reason: String,
    /// The body of the request.
    pub body: String,
}

/// A request that a trigger refused.
#[derive(Clone, Debug, PartialEq)]
pub struct TeamsRefusal {
    /// HTTP status.
    pub status: u16,
    /// The trigger's error code.
    pub code: String,
}
