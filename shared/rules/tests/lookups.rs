//! What is looked up for an event, in which order, and what happens when it cannot be.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use common::{LOOKUPS, facts, failure, file, look_up, noon, resolve, rule, rules};
use rules::{Fact, Facts, Lookup};

/// Each condition that has to be looked up: one that holds for the event, and one that does not.
const ASKING: [(&str, &str, Lookup); 10] = [
    ("failures_in_a_row: 2", "failures_in_a_row: 9", Lookup::FailuresInARow),
    ("tags: { any: [critical] }", "tags: { any: [gold] }", Lookup::Content),
    ("tags: { all: [weekly] }", "tags: { all: [gold] }", Lookup::Content),
    ("tags: { none: [gold] }", "tags: { none: [weekly] }", Lookup::Content),
    ("certified: true", "certified: false", Lookup::Content),
    ("project: Finance/**", "project: HR", Lookup::Project),
    ("owner: ana", "owner: bo", Lookup::Owner),
    ("owner_group: \"*Team\"", "owner_group: HR", Lookup::OwnerGroups),
    ("cause: Credentials", "cause: Schema", Lookup::Cause),
    ("cause: [Other, Credentials]", "cause: [Other, Schema]", Lookup::Cause),
];

// Issue 15, 2
#[test]
fn only_what_a_condition_asks_is_looked_up_once() {
    for (holds, fails, lookup) in ASKING {
        for key in ["where", "unless"] {
            for conditions in [holds, fails] {
                let rules = rule(&format!("    {key}: {{ {conditions} }}"));
                let (_, asked) = resolve(&rules, "notify-slack", &failure(), noon(), look_up);
                assert_eq!(asked, [lookup], "{key}: {conditions}");
                let (_, asked) = resolve(&rules, "update-broadcast", &failure(), noon(), look_up);
                assert_eq!(asked, [], "no rule has an action for update-broadcast");
            }
        }
    }
    for conditions in ["site: Marketing", "name: Weekly*", "time: { days: [Mon-Fri] }"] {
        let rules = rule(&format!("    where: {{ {conditions} }}"));
        let (matched, asked) = resolve(&rules, "notify-slack", &failure(), noon(), look_up);
        assert_eq!((matched.rules.len(), asked.len()), (1, 0), "{conditions}");
    }
    let (_, asked) = resolve(&rule(""), "notify-slack", &failure(), noon(), look_up);
    assert_eq!(asked, []);
}

// Issue 15, 2
#[test]
fn what_costs_least_is_asked_first_and_nothing_more_once_a_condition_fails() {
    let all = "cause: Credentials, owner_group: Finance Team, owner: ana, project: Finance/**, certified: true, \
               tags: { none: [gold], all: [weekly], any: [critical] }, failures_in_a_row: 2, time: { days: [Wed] }, \
               name: Weekly*, site: Marketing";
    let asked = |conditions: &str| {
        resolve(&rule(&format!("    where: {{ {conditions} }}")), "notify-slack", &failure(), noon(), look_up)
            .1
    };
    assert_eq!(asked(all), LOOKUPS);
    for (right, wrong, count) in [
        ("site: Marketing", "site: Sales", 0),
        ("name: Weekly*", "name: Daily*", 0),
        ("days: [Wed]", "days: [Thu]", 0),
        ("failures_in_a_row: 2", "failures_in_a_row: 9", 1),
        ("any: [critical]", "any: [gold]", 2),
        ("all: [weekly]", "all: [gold]", 2),
        ("none: [gold]", "none: [weekly]", 2),
        ("certified: true", "certified: false", 2),
        ("project: Finance/**", "project: HR", 3),
        ("owner: ana", "owner: bo", 4),
        ("owner_group: Finance Team", "owner_group: HR", 5),
        ("cause: Credentials", "cause: Schema", 6),
    ] {
        let conditions = all.replace(right, wrong);
        assert_ne!(conditions, all);
        assert_eq!(asked(&conditions), LOOKUPS[..count], "{wrong}");
    }
}

// Issue 15, 2
#[test]
fn a_rule_for_other_events_or_below_a_match_asks_nothing() {
    let text = file(
        "
  - { name: other, on: [Published], where: { owner_group: Sales }, do: [{ notify-slack: { channel: a } }] }
  - { name: first, on: [RefreshFailed], where: { project: Finance/** }, do: [{ notify-slack: { channel: b } }] }
  - { name: rest, on: [RefreshFailed], otherwise: true, where: { owner: ana }, do: [{ notify-slack: { channel: c } }] }
",
    );
    let (matched, asked) = resolve(&rules(&text), "notify-slack", &failure(), noon(), look_up);
    assert_eq!(
        (matched.rules.join(", ").as_str(), asked.as_slice()),
        ("first", [Lookup::Project].as_slice())
    );
    // Maintenance asks only if a rule matches.
    let window = "maintenance:\n  - { name: m, where: { owner: ana }, days: Wed }\n";
    for (project, expected) in
        [("Finance/**", [Lookup::Project, Lookup::Owner].as_slice()), ("HR", [Lookup::Project].as_slice())]
    {
        let rule = format!(
            "  - {{ name: a, on: [RefreshFailed], where: {{ project: {project} }}, do: [{{ notify-slack: {{ channel: a }} }}] }}\n"
        );
        let rules = rules(&format!("{window}{}", file(&rule)));
        let (_, asked) = resolve(&rules, "notify-slack", &failure(), noon(), look_up);
        assert_eq!(asked, expected, "{project}");
    }
}

// Issue 15, 2
#[test]
fn a_lookup_that_fails_never_suppresses_an_alert() {
    for (holds, fails, lookup) in ASKING {
        let missing = |facts: &mut Facts, asked: Lookup| match asked == lookup {
            true => facts.set_missing(asked, "Tableau did not answer"),
            false => look_up(facts, asked),
        };
        for conditions in [holds, fails] {
            // The condition of `where` counts as matched, and the message says what is missing.
            let (matched, _) = resolve(
                &rule(&format!("    where: {{ {conditions} }}")),
                "notify-slack",
                &failure(),
                noon(),
                missing,
            );
            assert_eq!(matched.rules, ["a"], "where: {conditions}");
            let [of_a] = matched.missing.as_slice() else { panic!("{:?}", matched.missing) };
            assert_eq!(
                (of_a.rule.as_str(), of_a.lookup.as_str(), of_a.why.as_str()),
                ("a", lookup.to_string().as_str(), "Tableau did not answer")
            );
            let words = format!(
                "rule \"a\" counts as matched, because the {lookup} could not be looked up: Tableau did not answer"
            );
            assert_eq!(of_a.to_string(), words);
            // `unless` does not apply, alone and beside a condition that holds.
            for unless in [conditions.to_owned(), format!("{conditions}, name: Weekly*")] {
                let rules = rule(&format!("    unless: {{ {unless} }}"));
                let (matched, _) = resolve(&rules, "notify-slack", &failure(), noon(), missing);
                assert_eq!(matched.rules, ["a"], "unless: {unless}");
                let said: Vec<String> = matched.missing.iter().map(ToString::to_string).collect();
                assert_eq!(said, [words.as_str()], "unless: {unless}");
            }
            // A rule that only counts as matched keeps no alert from a rule below it.
            let above = format!(
                "  - {{ name: above, on: [RefreshFailed, WorkbookUpdated], where: {{ {conditions} }}, do: [{{ ACTION }}] }}
  - {{ name: a, on: [RefreshFailed], otherwise: true, do: [{{ notify-slack: {{ channel: a }} }}] }}\n"
            );
            for above in [above.clone(), above.replace("where:", "unless:")] {
                for action in ["update-broadcast: {}", "notify-slack: { channel: b }"] {
                    let rules = rules(&file(&above.replace("ACTION", action)));
                    let (matched, _) = resolve(&rules, "notify-slack", &failure(), noon(), missing);
                    assert!(matched.rules.contains(&"a".to_owned()), "otherwise below {above}: {matched:?}");
                }
            }
            // Maintenance for what is not known is none.
            let window = format!("maintenance:\n  - {{ name: m, where: {{ {conditions} }}, days: Wed }}\n");
            let rule = "  - { name: a, on: [RefreshFailed], do: [{ notify-slack: { channel: a } }] }\n";
            let (matched, _) = resolve(
                &rules(&format!("{window}{}", file(rule))),
                "notify-slack",
                &failure(),
                noon(),
                missing,
            );
            assert_eq!((matched.rules.len(), matched.maintenance.len()), (1, 0), "maintenance: {conditions}");
            let words = format!(
                "the maintenance \"m\" does not count, because the {lookup} could not be looked up: Tableau did not answer"
            );
            assert_eq!(matched.missing.iter().map(ToString::to_string).collect::<Vec<_>>(), [words]);
        }
    }
}

// Issue 15, 2
#[test]
fn a_condition_that_fails_for_certain_still_decides_when_another_lookup_fails() {
    let rules = rule("    where: { tags: { any: [critical] }, project: HR }");
    let mut known = facts();
    known.set_missing(Lookup::Content, "x");
    let matched = rules.matching("notify-slack", &failure(), &known, noon()).unwrap();
    assert_eq!(matched.rules, [""; 0]);
    // One lookup that two conditions ask is missing once.
    let rules = rule("    where: { tags: { any: [gold], none: [weekly] }, certified: false }");
    let matched = rules.matching("notify-slack", &failure(), &known, noon()).unwrap();
    assert_eq!((matched.rules.len(), matched.missing.len()), (1, 1));
    let mut absent = Facts::default();
    absent.set_content(Fact::Absent);
    let explained = rules.explain(&failure(), &absent, noon()).unwrap();
    assert_eq!(explained[0].1.to_string(), "not matched: where.tags.any: none does not match \"gold\"");
}
