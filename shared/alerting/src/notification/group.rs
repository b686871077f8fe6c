//! Builds notifications about a group: many incidents, or many events of one kind.

use super::duration::duration;
use super::words::{severity, symbol_of, title, title_of_many};
use super::{Item, Kind, List, Notification, Severity, Status, webhook};
use crate::group::{Member, Placement};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use tableau::{Action, Event};

/// The heading above members whose cause is unknown.
const NO_CAUSE: &str = "Cause not available";

/// A heading, and the class of the causes below it. Two classes have two headings, also if those have the same text.
type Cause<'a> = (&'a str, &'a str);

/// An object in a group; it may have several members, one for each incident or event.
struct GroupedObject<'a> {
    /// The object's last member; one that still fails is preferred.
    last: &'a Member,
    /// When the object's first member failed or happened.
    since: Timestamp,
    /// How many members the object has in this group.
    times: usize,
}

/// The objects that the group's own messages list.
fn objects(members: &[(String, Member)]) -> Vec<GroupedObject<'_>> {
    let mut objects: BTreeMap<&str, GroupedObject<'_>> = BTreeMap::new();
    let members = members.iter().map(|(_, member)| member);
    for member in members.filter(|member| member.placement == Placement::Grouped) {
        let key = if member.object.is_empty() { &member.id } else { &member.object };
        let new = || GroupedObject { last: member, since: member.since, times: 0 };
        let object = objects.entry(key.as_str()).or_insert_with(new);
        object.times += 1;
        object.since = object.since.min(member.since);
        if (object.last.is_firing(), object.last.since) < (member.is_firing(), member.since) {
            object.last = member;
        }
    }
    objects.into_values().collect()
}

fn members_of(objects: &[GroupedObject<'_>]) -> Status {
    Status::Members { count: objects.len(), since: objects.iter().map(|object| object.since).min() }
}

fn item(object: &GroupedObject<'_>, times: usize) -> Item {
    let place = object.last.place.clone();
    let id = Some(object.last.id.clone());
    Item { id, what: None, name: object.last.name.clone(), place, cause: None, times, when: None }
}

/// Objects by their cause, the most frequent cause first.
fn by_cause<'a>(
    objects: impl Iterator<Item = &'a GroupedObject<'a>>,
    heading: impl Fn(&str) -> String,
) -> Vec<List> {
    let mut by_cause: BTreeMap<Cause<'_>, Vec<&GroupedObject<'_>>> = BTreeMap::new();
    for object in objects {
        by_cause.entry(object.last.listed_under().unwrap_or((NO_CAUSE, ""))).or_default().push(object);
    }
    let mut by_cause: Vec<(Cause<'_>, Vec<&GroupedObject<'_>>)> = by_cause.into_iter().collect();
    by_cause.sort_by_key(|(_, objects)| Reverse(objects.len()));
    let list = |((cause, _), mut objects): (Cause<'_>, Vec<&GroupedObject<'_>>)| {
        objects.sort_by_key(|object| &object.last.name);
        let items = objects.into_iter().map(|object| item(object, 1)).collect();
        List { heading: Some(heading(cause)), items, more: 0 }
    };
    by_cause.into_iter().map(list).collect()
}

/// Builds a group's message: incidents listed by cause, the most frequent cause first; or events of the same kind as
/// `sample`.
pub fn group_announced(
    sample: &Event,
    members: &[(String, Member)],
    is_first: bool,
    timezone: Option<TimeZone>,
) -> Notification {
    let objects = objects(members);
    let kind = if is_first { Kind::GroupOpened } else { Kind::GroupUpdated };
    if sample.name.action() != Some(Action::RefreshFailed) {
        return events(kind, sample, &objects, timezone);
    }
    let recovered = objects.iter().filter(|object| !object.last.is_firing()).count();
    let firing = objects.len() - recovered;
    let title = match (firing, recovered) {
        (0, all) => format!("All {all} recovered"),
        (1, 0) => "1 extract refresh failed".to_owned(),
        (firing, 0) => format!("{firing} extract refreshes failed"),
        (1, recovered) => format!("1 extract refresh fails, {recovered} recovered"),
        (firing, recovered) => format!("{firing} extract refreshes fail, {recovered} recovered"),
    };
    let (severity, symbol) =
        if firing == 0 { (Severity::Resolved, "✅") } else { (Severity::Error, "🔴") };
    Notification {
        event: Some(Box::new(sample.clone())),
        lists: by_cause(objects.iter().filter(|object| object.last.is_firing()), str::to_owned),
        status: vec![members_of(&objects)],
        timezone,
        ..Notification::new(kind, severity, symbol, title)
    }
}

/// Builds the message of a group of events of the same kind as `sample`: of many objects, or many of one object.
fn events(
    kind: Kind,
    sample: &Event,
    objects: &[GroupedObject<'_>],
    timezone: Option<TimeZone>,
) -> Notification {
    let mut shown = Notification {
        event: Some(Box::new(sample.clone())),
        next_step: webhook::next_step_of_many(sample).map(str::to_owned),
        status: vec![members_of(objects)],
        timezone,
        ..Notification::new(kind, severity(sample), symbol_of(sample), "")
    };
    match objects {
        [object] => {
            shown.title = match object.times {
                1 => title(sample),
                // Each is about another week.
                times if sample.report.is_some() => title_of_many(sample, times),
                times => format!("{} {times} times", title(sample)),
            };
            shown.subject = Some(object.last.name.clone());
        }
        objects => {
            shown.title = title_of_many(sample, objects.len());
            let mut sorted: Vec<&GroupedObject<'_>> = objects.iter().collect();
            sorted.sort_by_key(|object| &object.last.name);
            let items = sorted.into_iter().map(|object| item(object, object.times)).collect();
            shown.lists = vec![List { heading: None, items, more: 0 }];
        }
    }
    shown
}

/// Builds the message that all incidents of a group are over, with what they were.
pub fn group_resolved(members: &[(String, Member)], timezone: Option<TimeZone>) -> Notification {
    let last = members.iter().filter_map(|(_, member)| member.resolved_at).max();
    let objects = objects(members);
    let since = objects.iter().map(|object| object.since).min();
    let lasted = since.zip(last).map(|(began, last)| duration(last.duration_since(began)));
    let after = lasted.map(|lasted| format!(" after {lasted}")).unwrap_or_default();
    Notification {
        lists: by_cause(objects.iter(), |cause| format!("It was: {cause}")),
        status: vec![members_of(&objects)],
        timezone,
        ..Notification::new(
            Kind::GroupResolved,
            Severity::Resolved,
            "✅",
            match objects.len() {
                1 => format!("Recovered{after}"),
                count => format!("All {count} recovered{after}"),
            },
        )
    }
}
