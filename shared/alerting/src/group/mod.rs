//! Alert groups: many incidents that open at about the same time, or many events of one kind, in one message.
//!
//! The first is announced at once. Those that follow within a minute wait ten seconds for each other: one or two are then
//! announced with messages of their own, more with one message for all, which is edited while incidents join and are
//! resolved, and closed when all are. Each member is an item of its own, so that no storm rewrites a growing document.

mod head;
mod member;
mod window;

pub(crate) use head::MANY_WAITING;
pub use head::{GroupHead, GroupStep, Pending};
pub use member::{Member, Placement};
pub use window::{OpenGroup, Window};

/// Whether a text can name a group: the short id of an event, or a digest's. Anything else may make a key that no table
/// takes.
pub(crate) fn is_group_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests;
