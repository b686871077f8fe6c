//! What a destination (Slack, a ticket system, …) can do.

/// What a destination (Slack, a ticket system, …) can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The destination can replace the text of a message that it has sent.
    pub edit: bool,
    /// The destination can send a message as a reply to an earlier message.
    pub thread: bool,
    /// The destination recognises a message that is sent twice.
    pub idempotency_key: bool,
    /// The destination can announce many incidents in one message. A ticket system cannot: it needs one ticket per
    /// incident.
    pub grouping: bool,
}
