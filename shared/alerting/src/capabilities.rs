//! What a destination can do.

/// What a destination can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// A message that was sent can be replaced by another text.
    pub edit: bool,
    /// A message can be sent as an answer to another.
    pub thread: bool,
    /// The destination recognises a message that is sent twice.
    pub idempotency_key: bool,
    /// Many incidents may be one message. A ticket system wants one ticket an incident.
    pub grouping: bool,
}
