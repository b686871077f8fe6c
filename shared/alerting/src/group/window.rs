//! Which group a target's next incident belongs to.

use super::is_group_id;
use crate::time::is_credible;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// An incident that opens so soon after another belongs to the same group.
const TOGETHER: SignedDuration = SignedDuration::from_secs(60);
/// A group takes no incident for longer than this: what fails later is news.
const LONGEST: SignedDuration = SignedDuration::from_mins(10);

/// How many groups before the one that is open are remembered. An event is retried for hours, mostly within minutes.
const EARLIER_LIMIT: usize = 4;

/// The group that is open for a target, if one is: one document a target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Window {
    /// The group that takes new members.
    pub open: Option<OpenGroup>,
    /// The ids of the groups before it, newest last. An event whose attempt failed may be in one of them.
    pub earlier: Vec<String>,
}

/// A group that takes new members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenGroup {
    /// The short id of the event that came first. Names the group.
    pub id: String,
    /// The key of what came first: an object's LUID. It was announced alone.
    pub first: String,
    /// When that was.
    pub opened_at: Timestamp,
    /// When the last member joined, to a quarter of a minute.
    pub last_join: Timestamp,
}

impl Window {
    /// The group that takes a member at `now`, if one is open.
    pub fn current(&self, now: Timestamp) -> Option<&OpenGroup> {
        let within = |at: Timestamp, longest| is_credible(at, now) && now.duration_since(at) <= longest;
        self.open.as_ref().filter(|group| {
            is_group_id(&group.id) && within(group.last_join, TOGETHER) && within(group.opened_at, LONGEST)
        })
    }

    /// Opens a group whose first member is `first`.
    pub fn open(&mut self, id: &str, first: &str, now: Timestamp) {
        if let Some(earlier) = self.open.take() {
            self.earlier.push(earlier.id);
            self.earlier.drain(..self.earlier.len().saturating_sub(EARLIER_LIMIT));
        }
        let group = OpenGroup { id: id.to_owned(), first: first.to_owned(), opened_at: now, last_join: now };
        self.open = Some(group);
    }

    /// The groups of which members may be retried, newest first.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        let open = self.open.iter().map(|group| group.id.as_str());
        let groups = open.chain(self.earlier.iter().rev().map(String::as_str));
        groups.filter(|id| is_group_id(id)).take(EARLIER_LIMIT + 1)
    }

    /// Notes that a member joined. Not at each one: all workers would wait for each other's write.
    pub fn joined(&mut self, now: Timestamp) {
        if let Some(group) = &mut self.open
            && now.duration_since(group.last_join) > TOGETHER / 4
        {
            group.last_join = now;
        }
    }
}
