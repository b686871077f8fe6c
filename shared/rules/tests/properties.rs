//! What holds for any rules, any event and anything that is known of it.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed")]

mod common;

use common::{OTHER_SITE, SITE, event_of, file, resolve};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use rules::{Error, Explanation, Fact, Facts, Lookup, Matched, Rules, render};
use tableau::Event;

const WORKFLOWS: [&str; 2] = ["notify-slack", "update-broadcast"];

/// One condition with few values, so that many hold.
fn condition() -> impl Strategy<Value = String> {
    select(vec![
        "site: Marketing",
        "site: [Sales]",
        "name: \"Weekly*\"",
        "name: [\"*[EU]\", x]",
        "project: Finance/**",
        "project: [\"*/Reports\", HR]",
        "tags: { any: [critical] }",
        "tags: { all: [critical, weekly] }",
        "tags: { none: [weekly] }",
        "tags: { any: [weekly], none: [gold] }",
        "owner: \"*@example.com\"",
        "owner: [bo]",
        "owner_group: Finance Team",
        "certified: true",
        "certified: false",
        "cause: Credentials",
        "cause: [Schema, Other]",
        "failures_in_a_row: 2",
        "failures_in_a_row: 4",
        "time: { days: [Mon-Fri] }",
        "time: { from: 22:00, to: 06:00 }",
        "time: { days: weekends, timezone: Asia/Tokyo }",
    ])
    .prop_map(ToOwned::to_owned)
}

/// Conditions, each key once.
fn conditions() -> impl Strategy<Value = String> {
    prop::collection::vec(condition(), 1..4).prop_map(|all| {
        let mut kept: Vec<String> = Vec::new();
        for condition in all {
            let key = condition.split(':').next().unwrap().to_owned();
            if !kept.iter().any(|one| one.split(':').next() == Some(&key)) {
                kept.push(condition);
            }
        }
        format!("{{ {} }}", kept.join(", "))
    })
}

/// The lines of a rule without its name.
fn rule() -> impl Strategy<Value = String> {
    let events = subsequence(
        vec!["RefreshFailed", "Published", "WorkbookRefreshFailed", "Deleted", "Any", "SiteUpdated"],
        1..4,
    );
    (
        events,
        prop::option::of(conditions()),
        prop::collection::vec(conditions(), 0..3),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(mut on, conditions, unless, otherwise, broadcasts, critical)| {
            if broadcasts {
                on.push("WorkbookUpdated");
            }
            // Conditions that hold for no event of the rule are a mistake; of this event each can hold.
            if conditions.is_some() || !unless.is_empty() {
                on.push("DatasourceRefreshFailed");
            }
            let mut lines = format!("    on: [{}]\n", on.join(", "));
            if let Some(conditions) = conditions {
                lines += &format!("    where: {conditions}\n");
            }
            match unless.as_slice() {
                [] => {}
                [one] => lines += &format!("    unless: {one}\n"),
                many => lines += &format!("    unless: [{}]\n", many.join(", ")),
            }
            if otherwise {
                lines += "    otherwise: true\n";
            }
            if critical {
                lines += "    critical: true\n    do:\n      - notify-slack: { channel: a }\n";
            } else {
                lines += "    do:\n";
            }
            match (broadcasts, critical) {
                (true, _) => lines + "      - update-broadcast:\n",
                (false, false) => lines + "      - notify-slack: { channel: b }\n",
                (false, true) => lines,
            }
        })
}

/// The rules of a file. `otherwise` has no sense in the first one.
fn some_rules() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(rule(), 1..7).prop_map(|mut rules| {
        rules[0] = rules[0].replace("    otherwise: true\n", "");
        rules
    })
}

fn text(rules: &[String], maintenance: Option<&str>) -> String {
    let rules: String =
        rules.iter().enumerate().map(|(number, lines)| format!("  - name: rule {number}\n{lines}")).collect();
    let maintenance = maintenance.map(|conditions| {
        format!("maintenance:\n  - {{ name: m, where: {conditions}, days: [weekends, 2026-11-25] }}\n")
    });
    format!("{}{}", maintenance.unwrap_or_default(), file(&rules))
}

fn event() -> impl Strategy<Value = Event> {
    let events =
        ["WorkbookRefreshFailed", "DatasourceRefreshFailed", "WorkbookUpdated", "SiteUpdated", "New"];
    (select(events.to_vec()), select(vec!["Weekly Sales [EU]", "x", "財務"]), select(vec![SITE, OTHER_SITE]))
        .prop_map(|(name, resource, site)| event_of(name, resource, site))
}

fn at() -> impl Strategy<Value = Timestamp> {
    // A week from a Monday on.
    (0_i64..7 * 24).prop_map(|hours| {
        let monday: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        monday + jiff::SignedDuration::from_hours(hours)
    })
}

fn fact<T: Clone + std::fmt::Debug + 'static>(known: Vec<T>) -> impl Strategy<Value = Fact<T>> {
    prop_oneof![
        6 => select(known).prop_map(Fact::Known),
        1 => Just(Fact::Absent),
        2 => Just(Fact::Missing("no answer".to_owned())),
    ]
}

fn facts() -> impl Strategy<Value = Facts> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>();
    (
        fact(vec![(texts(&["Critical", "weekly"]), true), (texts(&[]), false), (texts(&["gold"]), false)]),
        fact(texts(&["Finance", "Finance/Reports", "HR"])),
        fact(vec![texts(&["ana@example.com", "ana"]), texts(&["bo"])]),
        fact(vec![texts(&["Finance Team"]), texts(&[])]),
        fact(texts(&["Credentials", "Schema", "SomethingNew"])),
        fact(vec![1, 3, 9]),
    )
        .prop_map(|(content, project, owner, groups, cause, failures)| {
            let mut facts = Facts::default();
            facts.set_content(content);
            facts.set_project(project);
            facts.set_owner(owner);
            facts.set_owner_groups(groups);
            facts.set_cause(cause);
            facts.set_failures_in_a_row(failures);
            facts
        })
}

fn matching(rules: &Rules, workflow: &str, event: &Event, facts: &Facts, at: Timestamp) -> Matched {
    rules.matching(workflow, event, facts, at).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    // Issue 15
    #[test]
    fn explain_and_the_engine_agree_for_every_workflow_and_so_do_text_and_json(
        parts in some_rules(), maintenance in prop::option::of(conditions()), event in event(), facts in facts(), at in at()
    ) {
        let text = text(&parts, maintenance.as_deref());
        let rules = Rules::check_text(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let of_json = Rules::of_json(&Rules::to_json(&text).unwrap()).unwrap();
        let explained = rules.explain(&event, &facts, at).unwrap();
        prop_assert_eq!(&explained, &of_json.explain(&event, &facts, at).unwrap());
        prop_assert_eq!(explained.len(), parts.len());
        for workflow in WORKFLOWS {
            let matched = matching(&rules, workflow, &event, &facts, at);
            prop_assert_eq!(&matched, &matching(&of_json, workflow, &event, &facts, at));
            let expected: Vec<&String> = explained
                .iter()
                .zip(&parts)
                .filter(|((_, explanation), lines)| explanation.is_match() && lines.contains(workflow))
                .map(|((name, _), _)| name)
                .collect();
            prop_assert_eq!(matched.rules.iter().collect::<Vec<_>>(), expected, "{}", text);
            // Both say the same of what could not be looked up.
            let of_rules = matched.missing.iter().filter(|missing| missing.maintenance.is_empty());
            let said: Vec<_> =
                of_rules.map(|one| (one.rule.clone(), one.lookup.clone(), one.why.clone())).collect();
            let missing = explained.iter().zip(&parts).filter(|(_, lines)| lines.contains(workflow)).flat_map(
                |((name, explanation), _)| match explanation {
                    Explanation::Matched(missing) => missing.iter().map(|one| (name, one)).collect(),
                    _ => Vec::new(),
                },
            );
            let expected: Vec<_> =
                missing.map(|(name, one)| (name.clone(), one.lookup.to_string(), one.why.clone())).collect();
            prop_assert_eq!(said, expected, "{}", text);
        }
    }

    // Issue 15, 2
    #[test]
    fn what_is_looked_up_one_by_one_matches_as_what_is_known_from_the_start(
        parts in some_rules(), maintenance in prop::option::of(conditions()), event in event(), known in facts(), at in at()
    ) {
        let text = text(&parts, maintenance.as_deref());
        let rules = Rules::check_text(&text).unwrap();
        for workflow in WORKFLOWS {
            let (matched, asked) = resolve(&rules, workflow, &event, at, |facts, lookup| facts.take(lookup, &known));
            prop_assert_eq!(matched, matching(&rules, workflow, &event, &known, at));
            for lookup in asked {
                prop_assert!(asks(&text, lookup), "{lookup} is asked by no rule of\n{text}");
            }
        }
    }

    // Issue 15
    #[test]
    fn a_rule_that_is_added_takes_no_match_from_a_rule_without_otherwise(
        parts in some_rules(), added in rule(), place in any::<prop::sample::Index>(), event in event(), facts in facts(), at in at()
    ) {
        let before = Rules::check_text(&text(&parts, None)).unwrap();
        let place = 1 + place.index(parts.len());
        let mut more: Vec<String> = parts.clone();
        more.insert(place, added);
        let after = Rules::check_text(&text(&more, None)).unwrap();
        for workflow in WORKFLOWS {
            let names = |matched: Matched| -> Vec<usize> {
                matched.rules.iter().map(|name| name.strip_prefix("rule ").unwrap().parse().unwrap()).collect()
            };
            let matched = names(matching(&before, workflow, &event, &facts, at));
            let now = names(matching(&after, workflow, &event, &facts, at));
            for rule in matched.into_iter().filter(|rule| !parts[*rule].contains("otherwise")) {
                let moved = if rule >= place { rule + 1 } else { rule };
                prop_assert!(now.contains(&moved), "rule {rule} of\n{}", text(&more, None));
            }
        }
    }

    // Issue 15
    #[test]
    fn a_file_that_was_changed_at_random_is_refused_with_places_or_can_be_read_by_a_function(
        parts in some_rules(), maintenance in prop::option::of(conditions()), changes in prop::collection::vec(change(), 1..4),
        event in event(), facts in facts(), at in at()
    ) {
        let mut text = text(&parts, maintenance.as_deref());
        for change in changes {
            change.apply(&mut text);
        }
        match Rules::check_text(&text) {
            Ok(rules) => {
                let of_json = Rules::of_json(&Rules::to_json(&text).unwrap());
                let of_json = of_json.unwrap_or_else(|error| panic!("{error}\n{text}"));
                for workflow in WORKFLOWS {
                    prop_assert_eq!(
                        matching(&rules, workflow, &event, &facts, at), matching(&of_json, workflow, &event, &facts, at)
                    );
                }
            }
            Err(Error::Wrong(problems)) => {
                prop_assert!(!problems.is_empty());
                prop_assert!(problems.windows(2).all(|two| two[0].at <= two[1].at), "{problems:?}");
                for problem in problems {
                    prop_assert!(problem.at.line > 0 && problem.at.column > 0, "{problem:?}\n{text}");
                    prop_assert!(render(&problem, &text).lines().count() <= 4, "{}", render(&problem, &text));
                }
            }
            Err(error) => panic!("{error}"),
        }
    }

    // Issue 15, 3
    #[test]
    fn a_json_form_that_was_changed_at_random_is_read_or_refused_without_a_panic(
        parts in some_rules(), changes in prop::collection::vec(change(), 1..4)
    ) {
        let mut json = Rules::to_json(&text(&parts, None)).unwrap();
        for change in changes {
            change.apply(&mut json);
        }
        let _ = Rules::of_json(&json);
    }
}

/// Whether a rule or window has a condition that asks this.
fn asks(text: &str, lookup: Lookup) -> bool {
    let keys: &[&str] = match lookup {
        Lookup::Content => &["tags:", "certified:"],
        Lookup::Project => &["project:"],
        Lookup::Owner => &["owner:"],
        Lookup::OwnerGroups => &["owner_group:"],
        Lookup::Cause => &["cause:"],
        Lookup::FailuresInARow => &["failures_in_a_row:"],
        Lookup::DeletedBy => &[],
    };
    keys.iter().any(|key| text.contains(key))
}

/// A change of a text, as a slip of the keyboard makes it.
#[derive(Clone, Debug)]
enum Change {
    Insert(prop::sample::Index, String),
    Remove(prop::sample::Index, usize),
    RepeatLine(prop::sample::Index),
    RemoveLine(prop::sample::Index),
    Indent(prop::sample::Index),
}

fn change() -> impl Strategy<Value = Change> {
    let pieces = vec![
        "#",
        "*",
        "&a",
        "@",
        "`",
        "%",
        "\t",
        ":",
        ": ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        "\"",
        "'",
        "\n",
        "\n    ",
        "!",
        "|",
        ">",
        "?",
        "{{ name }}",
        "null",
        "~",
        "true",
        "5",
        "\u{feff}",
        "\u{a0}",
        "\u{200b}",
        "財",
        "\r",
        "---\n",
        "...",
        "<<: *a",
        "x: y\n",
        ",",
        "\\",
        "\0",
        "on: ",
        "where: {",
        "2026-12-24",
        "24:00",
        "''",
    ];
    let piece = prop_oneof![select(pieces).prop_map(ToOwned::to_owned), any::<char>().prop_map(String::from)];
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => (index(), piece).prop_map(|(at, piece)| Change::Insert(at, piece)),
        2 => (index(), 1_usize..8).prop_map(|(at, count)| Change::Remove(at, count)),
        1 => index().prop_map(Change::RepeatLine),
        1 => index().prop_map(Change::RemoveLine),
        1 => index().prop_map(Change::Indent),
    ]
}

impl Change {
    fn apply(&self, text: &mut String) {
        let chars: Vec<char> = text.chars().collect();
        let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
        if chars.is_empty() || lines.is_empty() {
            return;
        }
        match self {
            Self::Insert(at, piece) => {
                let (before, after) = chars.split_at(at.index(chars.len()));
                *text = before.iter().copied().chain(piece.chars()).chain(after.iter().copied()).collect();
            }
            Self::Remove(at, count) => {
                let at = at.index(chars.len());
                *text = chars[..at].iter().chain(chars.iter().skip(at + count)).collect();
            }
            Self::RepeatLine(at) => {
                let at = at.index(lines.len());
                lines.insert(at, lines[at].clone());
                *text = lines.join("\n");
            }
            Self::RemoveLine(at) => {
                lines.remove(at.index(lines.len()));
                *text = lines.join("\n");
            }
            Self::Indent(at) => {
                lines[at.index(text.lines().count())].insert_str(0, "  ");
                *text = lines.join("\n");
            }
        }
    }
}
