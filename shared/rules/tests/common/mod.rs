//! What tests of rules share.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

use jiff::Timestamp;
use rules::{Fact, Facts, Lookup, Matched, Rules};
use tableau::{Event, Payload};

pub(crate) const SITE: &str = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";
pub(crate) const OTHER_SITE: &str = "11111111-1111-1111-1111-111111111111";

/// In the order in which conditions ask.
pub(crate) const LOOKUPS: [Lookup; 6] = [
    Lookup::FailuresInARow,
    Lookup::Content,
    Lookup::Project,
    Lookup::Owner,
    Lookup::OwnerGroups,
    Lookup::Cause,
];

/// A file with two sites and these rules.
pub(crate) fn file(rules: &str) -> String {
    format!(
        "sites:\n  - {{ luid: {SITE}, name: Marketing, timezone: Europe/Berlin }}\n  - {{ luid: {OTHER_SITE}, name: Sales }}\n\
         rules:\n{rules}"
    )
}

pub(crate) fn rules(text: &str) -> Rules {
    Rules::check_text(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// One rule, named `a`, for failed refreshes.
pub(crate) fn rule(lines: &str) -> Rules {
    rules(&file(&format!(
        "  - name: a\n    on: [RefreshFailed]\n{lines}\n    do: [{{ notify-slack: {{ channel: a }} }}]\n"
    )))
}

pub(crate) fn event_of(name: &str, resource: &str, site: &str) -> Event {
    let payload = Payload {
        event_type: Some(name.to_owned()),
        resource_name: Some(resource.to_owned()),
        site_luid: Some(site.to_owned()),
        resource_luid: Some("22222222-2222-2222-2222-222222222222".to_owned()),
        ..Payload::default()
    };
    Event::try_from(&payload).unwrap()
}

pub(crate) fn failure() -> Event {
    event_of("WorkbookRefreshFailed", "Weekly Sales [EU]", SITE)
}

/// A Wednesday at noon in Berlin.
pub(crate) fn noon() -> Timestamp {
    "2026-11-25T11:00:00Z".parse().unwrap()
}

/// Everything about the object of [`failure`].
pub(crate) fn facts() -> Facts {
    let mut facts = Facts::default();
    for lookup in LOOKUPS {
        look_up(&mut facts, lookup);
    }
    facts
}

/// Notes what a lookup finds for the object of [`failure`].
pub(crate) fn look_up(facts: &mut Facts, lookup: Lookup) {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    match lookup {
        Lookup::Content => facts.set_content(Fact::Known((texts(&["Critical", "weekly"]), true))),
        Lookup::Project => facts.set_project(Fact::Known("Finance/Reports".to_owned())),
        Lookup::Owner => facts.set_owner(Fact::Known(texts(&["ana@example.com", "ana", "Ana García"]))),
        Lookup::OwnerGroups => facts.set_owner_groups(Fact::Known(texts(&["Finance Team", "All Users"]))),
        Lookup::Cause => facts.set_cause(Fact::Known("Credentials".to_owned())),
        Lookup::FailuresInARow => facts.set_failures_in_a_row(Fact::Known(3)),
        Lookup::DeletedBy => facts.set_deleted_by(Fact::Known("Bea".to_owned())),
    }
}

/// What matches, and the lookups that were asked for it, in their order.
pub(crate) fn resolve(
    rules: &Rules,
    workflow: &str,
    event: &Event,
    at: Timestamp,
    mut find: impl FnMut(&mut Facts, Lookup),
) -> (Matched, Vec<Lookup>) {
    let mut facts = Facts::default();
    let mut asked = Vec::new();
    loop {
        match rules.matching(workflow, event, &facts, at) {
            Ok(matched) => return (matched, asked),
            Err(lookup) => {
                assert!(!asked.contains(&lookup), "{lookup} is asked twice");
                asked.push(lookup);
                find(&mut facts, lookup);
            }
        }
    }
}

/// Whether rule `a` matches this event.
pub(crate) fn matches(rules: &Rules, event: &Event, facts: &Facts, at: Timestamp) -> bool {
    let matched = rules.matching("notify-slack", event, facts, at).unwrap();
    let explained = rules.explain(event, facts, at).unwrap();
    let of_a = explained.iter().find(|(name, _)| name == "a").map(|(_, explanation)| explanation.is_match());
    let is_match = matched.rules.iter().any(|name| name == "a");
    assert_eq!(of_a, Some(is_match), "explain and the engine disagree: {explained:?}");
    is_match
}
