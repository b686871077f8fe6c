//! What one delivery is about.

use super::key::Key;
use super::render::{Rendered, render};
use alerting::notification::{Kind, Notification};
use rules::settings::TrackServicenowIncident;
use workflow::{Failure, Invocation};

/// What one delivery is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task<'a> {
    pub(super) target: &'a TrackServicenowIncident,
    pub(super) shown: &'a Notification,
    pub(super) invocation: &'a Invocation,
}

impl Task<'_> {
    pub(super) fn texts(&self) -> Rendered {
        render(self.shown)
    }

    /// The key of the incident that the notification is about.
    pub(super) fn key(&self) -> Result<Key, Failure> {
        let thread = self.shown.thread.as_deref();
        if self.is_of_group() { Key::of_group(thread, self.target) } else { Key::of_one(thread, self.target) }
    }

    /// Whether it is about many objects.
    pub(super) fn is_of_group(&self) -> bool {
        matches!(self.shown.kind, Kind::GroupOpened | Kind::GroupUpdated | Kind::GroupResolved | Kind::Digest)
    }

    /// Whether this delivery announces something for the first time.
    pub(super) fn is_first(&self) -> bool {
        matches!(self.shown.kind, Kind::Opened | Kind::Event | Kind::GroupOpened | Kind::Digest)
    }

    /// Who claims the key. One event has one attempt at a time, and a group one timer.
    pub(super) fn claimant(&self) -> String {
        let event = self.shown.event.as_ref().map(|event| event.id.short()).unwrap_or_default();
        let thread = self.shown.thread.as_deref().unwrap_or_default();
        if self.is_of_group() { format!("group {thread}") } else { format!("event {event}") }
    }
}
