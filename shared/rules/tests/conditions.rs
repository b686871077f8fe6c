//! What each condition of a rule means.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use common::{OTHER_SITE, SITE, event_of, facts, failure, file, matches, noon, rule, rules};
use rules::settings::NotifySlack;
use rules::{Fact, Facts, Rules, Schedule};

// Issue 15, 1
#[test]
fn a_condition_holds_for_what_it_names_and_for_nothing_else() {
    for (conditions, expected) in [
        // Sites, by name or LUID.
        ("site: Marketing", true),
        ("site: marketing", true),
        ("site: Sales", false),
        ("site: [Sales, Marketing]", true),
        ("site: 8B2A95D8-52b9-40a4-8712-cd6da771bd1b", true),
        ("site: 33333333-3333-3333-3333-333333333333", false),
        // Names.
        ("name: weekly*", true),
        ("name: \"Weekly Sales [EU]\"", true),
        ("name: \"*[EU]\"", true),
        ("name: \"*[US]\"", false),
        ("name: Weekly", false),
        ("name: [x, \"*sales*\"]", true),
        // Projects.
        ("project: Finance", false),
        ("project: Finance/Reports", true),
        ("project: finance/**", true),
        ("project: Finance/*", true),
        ("project: \"**/reports\"", true),
        ("project: Reports", false),
        ("project: [HR/**, Finance/**]", true),
        // Tags.
        ("tags: { any: critical }", true),
        ("tags: { any: [gold, CRITICAL] }", true),
        ("tags: { any: [gold] }", false),
        ("tags: { any: [crit*] }", false),
        ("tags: { all: [critical, Weekly] }", true),
        ("tags: { all: [critical, daily] }", false),
        ("tags: { none: [sandbox] }", true),
        ("tags: { none: [sandbox, weekly] }", false),
        ("tags: { any: [critical], all: [weekly], none: [sandbox] }", true),
        ("tags: { any: [critical], none: [critical] }", false),
        // Owners and their groups.
        ("owner: ANA@example.com", true),
        ("owner: ana", true),
        ("owner: Ana García", true),
        ("owner: \"*@example.com\"", true),
        ("owner: \"*@example.org\"", false),
        ("owner_group: finance team", true),
        ("owner_group: \"Finance*\"", true),
        ("owner_group: [HR, Sales]", false),
        // The rest.
        ("certified: true", true),
        ("certified: false", false),
        ("cause: Credentials", true),
        ("cause: [schema, credentials]", true),
        ("cause: [Schema, TimeLimit]", false),
        ("failures_in_a_row: 3", true),
        ("failures_in_a_row: 4", false),
        ("failures_in_a_row: 1", true),
        ("time: { days: [Mon-Fri], from: 08:00, to: 18:00 }", true),
        ("time: { days: weekends }", false),
        ("time: { from: 13:00, to: 18:00 }", false),
        // 11:00 in UTC.
        ("time: { from: 10:30, to: 11:30, timezone: UTC }", true),
        // All conditions must hold.
        ("site: Marketing, name: weekly*, project: Finance/**, certified: true, cause: Credentials", true),
        ("site: Marketing, name: weekly*, project: Finance/**, certified: true, cause: Schema", false),
    ] {
        let rules = rule(&format!("    where: {{ {conditions} }}"));
        assert_eq!(matches(&rules, &failure(), &facts(), noon()), expected, "where: {conditions}");
        let rules = rule(&format!("    unless: {{ {conditions} }}"));
        assert_eq!(matches(&rules, &failure(), &facts(), noon()), !expected, "unless: {conditions}");
    }
}

// Issue 15, 1
#[test]
fn no_condition_holds_for_what_an_object_does_not_have_but_none_and_not_certified_do() {
    let mut absent = Facts::default();
    absent.set_content(Fact::Absent);
    absent.set_project(Fact::Absent);
    absent.set_owner(Fact::Absent);
    absent.set_owner_groups(Fact::Absent);
    absent.set_cause(Fact::Absent);
    absent.set_failures_in_a_row(Fact::Absent);
    for (conditions, expected) in [
        ("tags: { any: [a] }", false),
        ("tags: { all: [a] }", false),
        ("tags: { none: [a] }", true),
        ("certified: true", false),
        ("certified: false", true),
        ("project: \"**\"", false),
        ("owner: \"*\"", false),
        ("owner_group: \"*\"", false),
        ("cause: Other", false),
        ("failures_in_a_row: 1", false),
    ] {
        let rules = rule(&format!("    where: {{ {conditions} }}"));
        assert_eq!(matches(&rules, &failure(), &absent, noon()), expected, "{conditions}");
    }
}

// Issue 15, 1
#[test]
fn unless_is_all_conditions_of_one_of_its_entries() {
    for (unless, expected) in [
        ("{ project: Finance/**, tags: { any: [sandbox] } }", true),
        ("{ project: Finance/**, tags: { any: [critical] } }", false),
        ("[{ project: HR/** }, { tags: { any: [sandbox] } }]", true),
        ("[{ project: HR/** }, { tags: { any: [critical] } }]", false),
    ] {
        let rules = rule(&format!("    unless: {unless}"));
        assert_eq!(matches(&rules, &failure(), &facts(), noon()), expected, "{unless}");
    }
    let rules = rule("    unless: [{ project: HR/** }, { tags: { any: [critical] } }]");
    let explained = rules.explain(&failure(), &facts(), noon()).unwrap();
    assert_eq!(explained[0].1.to_string(), "not matched: all conditions of entry 2 of `unless` hold");
}

// Issue 15, 1
#[test]
fn an_explanation_names_the_first_condition_that_fails_and_what_it_saw() {
    for (conditions, expected) in [
        ("site: Sales", "site: 8b2a95d8-52b9-40a4-8712-cd6da771bd1b does not match \"Sales\""),
        ("name: Daily*", "name: \"Weekly Sales [EU]\" does not match \"Daily*\""),
        ("project: [HR, IT/**]", "project: \"Finance/Reports\" does not match \"HR\" or \"IT/**\""),
        ("tags: { any: [gold] }", "tags.any: \"Critical\" or \"weekly\" does not match \"gold\""),
        ("certified: false", "certified: true does not match false"),
        ("cause: Schema", "cause: Credentials does not match \"Schema\""),
        ("failures_in_a_row: 9", "failures_in_a_row: 3 does not match at least 9"),
    ] {
        let rules = rule(&format!("    where: {{ {conditions} }}"));
        let explained = rules.explain(&failure(), &facts(), noon()).unwrap();
        assert_eq!(explained[0].1.to_string(), format!("not matched: where.{expected}"));
    }
    let other = rule("").explain(&event_of("SiteUpdated", "x", SITE), &facts(), noon()).unwrap();
    assert_eq!(other[0].1.to_string(), "not matched: `on` does not name the event");
}

// Issue 15, 1
#[test]
fn a_family_is_its_events_and_no_other() {
    for (family, events) in rules::FAMILIES {
        let text =
            file(&format!("  - {{ name: a, on: [{family}], do: [{{ notify-slack: {{ channel: a }} }}] }}\n"));
        let rules = rules(&text);
        for event in tableau::EventName::ALL {
            let is_match = matches(&rules, &event_of(event.as_str(), "x", SITE), &Facts::default(), noon());
            assert_eq!(is_match, events.contains(&event), "{family} {event:?}");
        }
        let unknown = event_of("SomethingNew", "x", SITE);
        assert!(!matches(&rules, &unknown, &Facts::default(), noon()), "{family}");
    }
}

const OTHERWISE: &str = "
  - name: finance
    on: [RefreshFailed]
    where: { project: Finance/** }
    do: [{ notify-slack: { channel: finance } }]
  - name: broadcasts
    on: [WorkbookUpdated]
    where: { project: Broadcasts }
    do: [{ update-broadcast: {} }]
  - name: everything else
    on: [Any]
    otherwise: true
    do: [{ notify-slack: { channel: alerts } }]
  - name: also
    on: [Published]
    do: [{ notify-slack: { channel: news } }]
";

// Issue 15, 1
#[test]
fn otherwise_is_for_events_that_no_rule_above_matches_also_one_of_another_workflow() {
    let rules = rules(&file(OTHERWISE));
    let matched = |event: &str, project: &str, workflow: &str| {
        let mut facts = Facts::default();
        facts.set_project(Fact::Known(project.to_owned()));
        let event = event_of(event, "x", SITE);
        rules.matching(workflow, &event, &facts, noon()).unwrap().rules.join(", ")
    };
    assert_eq!(matched("WorkbookRefreshFailed", "Finance", "notify-slack"), "finance");
    assert_eq!(matched("WorkbookRefreshFailed", "HR", "notify-slack"), "everything else");
    assert_eq!(matched("WorkbookUpdated", "HR", "notify-slack"), "everything else, also");
    assert_eq!(matched("WorkbookUpdated", "Broadcasts", "notify-slack"), "also");
    assert_eq!(matched("WorkbookUpdated", "Broadcasts", "update-broadcast"), "broadcasts");
    assert_eq!(matched("SiteUpdated", "", "notify-slack"), "everything else");
}

// Issue 15, 1
#[test]
fn a_rule_has_several_actions_and_takes_what_it_leaves_out_from_the_defaults() {
    let text = format!(
        "defaults:\n  notify-slack: {{ channel: data-alerts }}\n{}",
        file(
            "  - name: a\n    on: [RefreshFailed]\n    do:\n      - notify-slack:\n      - notify-slack: { channel: oncall }\n"
        )
    );
    let rules = rules(&text);
    let matched = rules.matching("notify-slack", &failure(), &Facts::default(), noon()).unwrap();
    let channels = |rules: &Rules| -> Vec<String> {
        let actions = rules.actions::<NotifySlack>(&matched, &failure().site).unwrap();
        actions.into_iter().map(|action| action.settings.channel).collect()
    };
    assert_eq!(channels(&rules), ["data-alerts", "oncall"]);
    let of_json = Rules::of_json(&Rules::to_json(&text).unwrap()).unwrap();
    assert_eq!(channels(&of_json), ["data-alerts", "oncall"]);
}

// Issue 15, 1
#[test]
fn maintenance_is_for_what_its_conditions_hold_for_and_lets_recoveries_through() {
    let text = format!(
        "maintenance:
  - {{ name: server update, days: Sun, from: 06:00, to: 12:00 }}
  - {{ name: finance close, where: {{ project: Finance/** }}, days: [2026-11-25] }}
{}",
        file("  - name: a\n    on: [RefreshFailed]\n    do: [{ notify-slack: { channel: a } }]\n")
    );
    let rules = rules(&text);
    let scheduled = |project: Fact<String>, at: &str| {
        let mut facts = Facts::default();
        facts.set_project(project);
        let at = at.parse().unwrap();
        let matched = rules.matching("notify-slack", &failure(), &facts, at).unwrap();
        let actions = rules.actions::<NotifySlack>(&matched, &failure().site).unwrap();
        actions[0].schedule(at)
    };
    let finance = || Fact::Known("Finance".to_owned());
    let until = |at: &str| Schedule::Maintenance(at.parse().unwrap());
    assert_eq!(scheduled(finance(), "2026-11-25T11:00:00Z"), until("2026-11-25T23:00:00Z"));
    assert_eq!(scheduled(Fact::Known("HR".to_owned()), "2026-11-25T11:00:00Z"), Schedule::Now);
    // 06:00 in Berlin is 05:00 in UTC.
    assert_eq!(
        scheduled(Fact::Known("HR".to_owned()), "2026-11-29T05:00:00Z"),
        until("2026-11-29T11:00:00Z")
    );
    assert_eq!(scheduled(Fact::Known("HR".to_owned()), "2026-11-29T04:59:59Z"), Schedule::Now);
    // Of which it is not known whether it is for this object, a window suppresses nothing.
    assert_eq!(scheduled(Fact::Missing("x".to_owned()), "2026-11-25T11:00:00Z"), Schedule::Now);
    assert_eq!(scheduled(Fact::Absent, "2026-11-25T11:00:00Z"), Schedule::Now);
}

// Issue 15, 1
#[test]
fn days_and_hours_are_those_of_the_site_over_midnight_and_when_clocks_change() {
    let holds = |time: &str, site: &str, at: &str| {
        let rules = rule(&format!("    where: {{ time: {{ {time} }} }}"));
        let event = event_of("WorkbookRefreshFailed", "x", site);
        matches(&rules, &event, &Facts::default(), at.parse().unwrap())
    };
    for (time, site, at, expected) in [
        // Friday 22:00 to Saturday 06:00 in Berlin.
        ("days: Fri, from: 22:00, to: 06:00", SITE, "2026-11-27T21:00:00Z", true),
        ("days: Fri, from: 22:00, to: 06:00", SITE, "2026-11-28T04:59:59Z", true),
        ("days: Fri, from: 22:00, to: 06:00", SITE, "2026-11-28T05:00:00Z", false),
        ("days: Fri, from: 22:00, to: 06:00", SITE, "2026-11-27T04:00:00Z", false),
        // The other site has no time zone, so UTC.
        ("days: Fri, from: 22:00, to: 06:00", OTHER_SITE, "2026-11-27T21:30:00Z", false),
        ("days: Fri, from: 22:00, to: 06:00", OTHER_SITE, "2026-11-27T22:00:00Z", true),
        ("from: 22:00, to: 06:00, timezone: America/New_York", SITE, "2026-11-28T03:00:00Z", true),
        ("from: 22:00, to: 06:00, timezone: America/New_York", SITE, "2026-11-28T02:59:59Z", false),
        // Monday begins at midnight in Berlin.
        ("days: Mon", SITE, "2026-11-29T23:00:00Z", true),
        ("days: Mon", OTHER_SITE, "2026-11-29T23:00:00Z", false),
        ("days: Fri-Mon", SITE, "2026-11-29T12:00:00Z", true),
        ("days: Fri-Mon", SITE, "2026-12-01T12:00:00Z", false),
        // 29 March 2026: 02:00 to 03:00 does not exist in Berlin.
        ("from: 01:00, to: 04:00", SITE, "2026-03-29T00:30:00Z", true),
        ("from: 01:00, to: 04:00", SITE, "2026-03-29T01:30:00Z", true),
        ("from: 01:00, to: 04:00", SITE, "2026-03-29T02:00:00Z", false),
        ("from: 02:00, to: 02:30", SITE, "2026-03-29T01:00:00Z", false),
        // 25 October 2026: 02:00 to 03:00 is there twice.
        ("from: 01:00, to: 04:00", SITE, "2026-10-25T00:30:00Z", true),
        ("from: 01:00, to: 04:00", SITE, "2026-10-25T02:59:59Z", true),
        ("from: 01:00, to: 04:00", SITE, "2026-10-25T03:00:00Z", false),
    ] {
        assert_eq!(holds(time, site, at), expected, "{time} at {at} for {site}");
    }
}
