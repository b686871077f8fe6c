//! Notifications about many incidents, or many events of one kind.

use super::words::{duration, severity, symbol, title_of_many};
use super::{Item, Kind, List, Notification, Severity, Status};
use crate::group::{Member, Placement};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use tableau::{Action, Event};

/// What members without a known cause are listed under.
const NO_CAUSE: &str = "Cause not available";

fn grouped(members: &[(String, Member)]) -> Vec<&Member> {
    let members = members.iter().map(|(_, member)| member);
    members.filter(|member| member.placement == Placement::Grouped).collect()
}

fn since(members: &[&Member]) -> Option<Timestamp> {
    members.iter().map(|member| member.since).min()
}

fn item(member: &Member) -> Item {
    Item { what: None, name: member.name.clone(), cause: None, times: 1, when: None }
}

/// Many incidents, or many events of the kind of `sample`: those that fail by cause, the most frequent cause first.
pub fn group_announced(
    sample: &Event,
    members: &[(String, Member)],
    is_first: bool,
    timezone: Option<TimeZone>,
) -> Notification {
    let members = grouped(members);
    let kind = if is_first { Kind::GroupOpened } else { Kind::GroupUpdated };
    let recovered = members.iter().filter(|member| !member.is_firing()).count();
    let firing = members.len() - recovered;
    let (severity, symbol, title) = if sample.name.action() != Some(Action::RefreshFailed) {
        (severity(&sample.name), symbol(&sample.name), title_of_many(sample, members.len()))
    } else {
        let title = match (firing, recovered) {
            (0, all) => format!("All {all} recovered"),
            (1, 0) => "1 extract refresh failed".to_owned(),
            (firing, 0) => format!("{firing} extract refreshes failed"),
            (1, recovered) => format!("1 extract refresh fails, {recovered} recovered"),
            (firing, recovered) => format!("{firing} extract refreshes fail, {recovered} recovered"),
        };
        if firing == 0 { (Severity::Resolved, "✅", title) } else { (Severity::Error, "🔴", title) }
    };
    let is_failure = sample.name.action() == Some(Action::RefreshFailed);
    let mut by_cause: BTreeMap<&str, Vec<&Member>> = BTreeMap::new();
    for member in members.iter().copied().filter(|member| member.is_firing()) {
        by_cause.entry(member.cause.as_deref().unwrap_or(NO_CAUSE)).or_default().push(member);
    }
    let mut by_cause: Vec<(&str, Vec<&Member>)> = by_cause.into_iter().collect();
    by_cause.sort_by_key(|(_, members)| Reverse(members.len()));
    let list = |(cause, mut members): (&str, Vec<&Member>)| {
        members.sort_by_key(|member| &member.name);
        let heading = is_failure.then(|| cause.to_owned());
        List { heading, items: members.into_iter().map(item).collect(), more: 0 }
    };
    Notification {
        lists: by_cause.into_iter().map(list).collect(),
        status: vec![Status::Members { count: members.len(), since: since(&members) }],
        timezone,
        ..Notification::new(kind, severity, symbol, title)
    }
}

/// All incidents of a group are over.
pub fn group_resolved(members: &[(String, Member)], timezone: Option<TimeZone>) -> Notification {
    let members = grouped(members);
    let last = members.iter().filter_map(|member| member.resolved_at).max();
    let lasted = since(&members).zip(last).map(|(began, last)| duration(last.duration_since(began)));
    let after = lasted.map(|lasted| format!(" after {lasted}")).unwrap_or_default();
    let title = format!("All {} recovered{after}", members.len());
    Notification {
        status: vec![Status::Members { count: members.len(), since: since(&members) }],
        timezone,
        ..Notification::new(Kind::GroupResolved, Severity::Resolved, "✅", title)
    }
}
