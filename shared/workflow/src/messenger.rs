//! The service objective of messages to people: 99 of 100 are sent in time.

use std::time::Duration;

/// The workflows that send messages to people.
const MESSENGERS: [&str; 5] = ["notify-slack", "notify-teams", "page-on-call", "send-email", "send-sms"];

/// How long after its event a message is sent in time. What waits on purpose, such as a group or quiet hours, does not count.
pub const MESSAGE_OBJECTIVE: Duration = Duration::from_secs(60);

/// Whether the objective counts the messages of the workflow of this name.
pub fn is_messenger(workflow: &str) -> bool {
    MESSENGERS.contains(&workflow)
}
