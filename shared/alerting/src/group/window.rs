//! The window of a target: says which group the target's next incident joins.

use super::is_group_id;
use crate::time::is_credible;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// An incident that opens within this time after the previous one joins the same group.
const TOGETHER: SignedDuration = SignedDuration::from_secs(60);
/// The longest time that a group takes new incidents; a later failure is announced on its own.
const LONGEST: SignedDuration = SignedDuration::from_mins(10);

/// How many earlier groups a window remembers. An event that is retried may be a member of one of them.
const EARLIER_LIMIT: usize = 4;

/// The window of a target: the group that takes new members, if one is open. One document per target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Window {
    /// The group that takes new members.
    pub open: Option<OpenGroup>,
    /// The ids of earlier groups, newest last. An event that is retried may be a member of one of them.
    pub earlier: Vec<String>,
}

/// A group that takes new members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenGroup {
    /// The group's id: the short id of the event that came first.
    pub id: String,
    /// The LUID of the first event's object. That event was announced alone.
    pub first: String,
    /// When the first event came.
    pub opened_at: Timestamp,
    /// When the last member joined, rounded to 15 seconds.
    pub last_join: Timestamp,
}

impl Window {
    /// The open group, if it takes a new member at `now`.
    pub fn current(&self, now: Timestamp) -> Option<&OpenGroup> {
        let within = |at: Timestamp, longest| is_credible(at, now) && now.duration_since(at) <= longest;
        self.open.as_ref().filter(|group| {
            is_group_id(&group.id) && within(group.last_join, TOGETHER) && within(group.opened_at, LONGEST)
        })
    }

    /// Opens a group for the first event `id` of the object `first`.
    pub fn open(&mut self, id: &str, first: &str, now: Timestamp) {
        if let Some(earlier) = self.open.take() {
            self.earlier.push(earlier.id);
            self.earlier.drain(..self.earlier.len().saturating_sub(EARLIER_LIMIT));
        }
        let group = OpenGroup { id: id.to_owned(), first: first.to_owned(), opened_at: now, last_join: now };
        self.open = Some(group);
    }

    /// The ids of all groups that may contain a retried event, newest first.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        let open = self.open.iter().map(|group| group.id.as_str());
        let groups = open.chain(self.earlier.iter().rev().map(String::as_str));
        groups.filter(|id| is_group_id(id)).take(EARLIER_LIMIT + 1)
    }

    /// Records that a member joined, but at most every 15 seconds: with a write for each member, workers would block
    /// each other.
    pub fn joined(&mut self, now: Timestamp) {
        if let Some(group) = &mut self.open
            && now.duration_since(group.last_join) > TOGETHER / 4
        {
            group.last_join = now;
        }
    }
}
