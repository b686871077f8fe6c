//! Alert groups: many incidents that open at about the same time, or many events of one kind, in one message.
//!
//! The first incident is announced at once. Incidents of the following minute wait ten seconds for each other: one or
//! two of them are then announced alone, three or more in one message. That message is edited while incidents join
//! and recover, and closed when all have recovered. The store keeps each member as an item of its own, so that a
//! storm does not rewrite one growing document.

mod head;
mod member;
mod window;

pub(crate) use head::MANY_WAITING;
pub use head::{GroupHead, GroupStep, Pending};
pub use member::{Member, Placement};
pub use window::{OpenGroup, Window};

/// Whether a text is a possible group id: an event's short id, or a digest's id. Other texts may give a key that
/// DynamoDB refuses.
pub(crate) fn is_group_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests;
