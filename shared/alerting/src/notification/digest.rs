//! Builds a digest: the notification about the events of quiet hours.

use super::{Item, Kind, List, Notification, Severity};
use crate::digest::{Entry, Meaning, still_failing};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// Builds a digest: first the objects that still fail, then all events, with repeated events of one object in one
/// line. `ended` lists the ids of incidents that are over although the digest has no entry about their end.
pub fn digest(
    entries: &[(String, Entry)],
    ended: &BTreeSet<String>,
    timezone: Option<TimeZone>,
) -> Notification {
    let count = entries.len();
    let events = if count == 1 { "event" } else { "events" };
    let mut lists = Vec::new();
    let mut failing: Vec<&Entry> = still_failing(entries, ended).into_values().collect();
    let severity = if failing.is_empty() { Severity::Info } else { Severity::Error };
    if !failing.is_empty() {
        failing.sort_by_key(|entry| &entry.name);
        let heading = Some(format!("{} still failing", failing.len()));
        let item = |entry: &&Entry| Item {
            id: entry.incident.clone(),
            what: None,
            name: entry.name.clone(),
            place: entry.place.clone(),
            cause: entry.cause.clone(),
            times: 1,
            when: None,
        };
        lists.push(List { heading, items: failing.iter().map(item).collect(), more: 0 });
    }
    let mut sorted: Vec<&(String, Entry)> = entries.iter().collect();
    sorted.sort_by_key(|(_, entry)| entry.at);
    let mut repeated: BTreeMap<(&str, &str), Vec<&(String, Entry)>> = BTreeMap::new();
    for entry in sorted {
        repeated.entry((entry.1.title.as_str(), entry.1.object.as_str())).or_default().push(entry);
    }
    let mut repeated: Vec<Vec<&(String, Entry)>> = repeated.into_values().collect();
    repeated.sort_by_key(|entries| entries.first().map(|(_, entry)| entry.at));
    let item = |entries: Vec<&(String, Entry)>| {
        let (event, first) = entries.first()?;
        let (_, last) = entries.last()?;
        // The end of a group is about no object.
        let is_event = first.meaning == Meaning::None && !first.object.is_empty();
        Some(Item {
            id: is_event.then(|| event.clone()),
            what: Some(last.title.clone()),
            name: last.name.clone(),
            place: last.place.clone(),
            cause: last.cause.clone(),
            times: entries.len(),
            when: Some((first.at, last.at)),
        })
    };
    let heading = (!lists.is_empty()).then(|| "All events in quiet hours".to_owned());
    lists.push(List { heading, items: repeated.into_iter().filter_map(item).collect(), more: 0 });
    Notification {
        lists,
        timezone,
        ..Notification::new(Kind::Digest, severity, "🌅", format!("{count} {events} in quiet hours"))
    }
}
