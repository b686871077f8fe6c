//! Digests: one message about the events of quiet hours, sent when the quiet hours end. The store keeps each event of
//! a digest as an item of its own.

use crate::group::{MANY_WAITING, Member};
use crate::notification::{Person, Place};
use crate::time::is_credible;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One event in a digest. The store keeps each entry as an item of its own, under the event's id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What happened, in a few words, such as "Extract refresh failed".
    pub title: String,
    /// The object's LUID, which is its key.
    pub object: String,
    /// The object's name.
    pub name: String,
    /// When the event happened.
    pub at: Timestamp,
    /// The cause of the failure, if the event is a failure and the cause is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The name of the cause's class. `None` where `cause` is, and in entries of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The id of the incident that the event belongs to, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// What the event means for its incident.
    pub meaning: Meaning,
    /// The generation (number) of the timer that sends this entry.
    #[serde(default)]
    pub generation: u64,
    /// The object's owner, if later messages of the incident's group call the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Person>,
    /// Where the object is and whose it is.
    #[serde(default, skip_serializing_if = "Place::is_empty")]
    pub place: Place,
}

/// What an event in a digest means for its incident.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// The object failed, and no message but the digest announces the failure.
    Failed,
    /// The object failed again, and another message has already announced the incident.
    FailedAgain,
    /// The event ended the incident.
    Resolved,
    /// The event belongs to no incident.
    #[default]
    None,
}

impl Entry {
    /// Clears timestamps in the future, which only a machine with a wrong clock can have written.
    pub fn sanitize(&mut self, now: Timestamp) {
        self.at = if is_credible(self.at, now) { self.at } else { now };
        self.owner.iter_mut().for_each(Person::sanitize);
    }
}

/// The objects whose last entry in the digest is a failure: that entry, by the object's key. `ended` lists incidents
/// that are known to be over although the digest has no entry about their end.
pub fn still_failing<'a>(
    entries: &'a [(String, Entry)],
    ended: &BTreeSet<String>,
) -> BTreeMap<&'a str, &'a Entry> {
    // Timestamps are whole seconds, so an end in the same second as a failure counts as later than the failure.
    let over: BTreeSet<&str> = entries
        .iter()
        .filter(|(_, entry)| entry.meaning == Meaning::Resolved)
        .filter_map(|(_, entry)| entry.incident.as_deref())
        .collect();
    let is_over = |entry: &Entry| {
        let is_over = |id: &str| over.contains(id) || ended.contains(id);
        entry.meaning != Meaning::Resolved && entry.incident.as_deref().is_some_and(is_over)
    };
    let mut last: BTreeMap<&str, &Entry> = BTreeMap::new();
    let counted = entries.iter().map(|(_, entry)| entry);
    for entry in counted.filter(|entry| entry.meaning != Meaning::None && !is_over(entry)) {
        let newest = last.entry(entry.object.as_str()).or_insert(entry);
        // If a failure and a recovery share one second, their order is unknown: an alert too many is better than one
        // too few.
        let is_failure = |entry: &Entry| entry.meaning != Meaning::Resolved;
        if (newest.at, is_failure(newest)) < (entry.at, is_failure(entry)) {
            *newest = entry;
        }
    }
    last.retain(|_, entry| entry.meaning != Meaning::Resolved);
    last
}

/// The members of the group that will announce recoveries after a digest: the objects that the digest named as
/// failing and that no other message announces. Empty if they are only a few; each of those announces its recovery
/// alone.
pub fn members(entries: &[(String, Entry)], ended: &BTreeSet<String>) -> Vec<(String, Member)> {
    let failing =
        still_failing(entries, ended).into_iter().filter(|(_, entry)| entry.meaning == Meaning::Failed);
    let member = |(object, entry): (&str, &Entry)| {
        let id = entry.incident.as_deref().unwrap_or_default();
        let member = Member::new(id, &entry.name, entry.cause.as_deref(), entry.at);
        let class = entry.class.clone();
        (
            object.to_owned(),
            Member { owner: entry.owner.clone(), place: entry.place.clone(), class, ..member },
        )
    };
    let members: Vec<_> = failing.map(member).collect();
    if members.len() < MANY_WAITING { Vec::new() } else { members }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(object: &str, minute: i64, meaning: Meaning) -> (String, Entry) {
        let at = Timestamp::from_second(1_764_000_000 + minute * 60).unwrap();
        let entry = Entry {
            title: "Extract refresh failed".to_owned(),
            object: object.to_owned(),
            name: object.to_owned(),
            at,
            cause: None,
            class: None,
            incident: Some(format!("{object}-1")),
            meaning,
            generation: 1,
            owner: None,
            place: Place::default(),
        };
        (format!("{object}-{minute}"), entry)
    }

    fn of(incident: &str, (key, entry): (String, Entry)) -> (String, Entry) {
        (key, Entry { incident: Some(incident.to_owned()), ..entry })
    }

    #[test]
    fn what_failed_last_still_fails() {
        let entries = [
            entry("recovered", 0, Meaning::Failed),
            entry("recovered", 5, Meaning::Resolved),
            entry("again", 0, Meaning::Failed),
            entry("again", 5, Meaning::Resolved),
            of("again-2", entry("again", 10, Meaning::Failed)),
            entry("same-second", 5, Meaning::Resolved),
            of("another-incident", entry("same-second", 5, Meaning::Failed)),
            entry("over-in-a-second", 5, Meaning::Failed),
            entry("over-in-a-second", 5, Meaning::Resolved),
            entry("published", 1, Meaning::None),
        ];
        assert_eq!(
            still_failing(&entries, &BTreeSet::new()).into_keys().collect::<Vec<_>>(),
            ["again", "same-second"]
        );
    }

    #[test]
    fn three_that_still_fail_recover_together_and_those_announced_elsewhere_do_not_count() {
        let mut entries = vec![
            entry("a", 0, Meaning::Failed),
            entry("b", 0, Meaning::Failed),
            entry("elsewhere", 0, Meaning::FailedAgain),
        ];
        assert_eq!(members(&entries, &BTreeSet::new()), []);
        entries.push(entry("c", 0, Meaning::Failed));
        let keys: Vec<String> = members(&entries, &BTreeSet::new()).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["a", "b", "c"]);
    }
}
