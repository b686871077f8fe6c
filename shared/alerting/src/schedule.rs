//! When a rule lets a notification out, and what its destination can do.

use jiff::Timestamp;

/// When a rule lets a notification out. Of several rules for one target the smallest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Schedule {
    /// At once, in quiet and muted hours too, and also for an object that flaps.
    Critical,
    /// At once.
    Now,
    /// With everything else of the quiet hours, when they end.
    DeferUntil(Timestamp),
    /// Not at all: the rule is muted until then.
    Muted(Timestamp),
}

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
