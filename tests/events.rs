//! `docs/events.md`: a section for each event, with the body that the fixture has, and what the repository's rules do about it.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use rules::Rules;
use rules::settings::WORKFLOWS;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use tableau::{Action, EventName};
use testkit::repository::root;

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The sections of the page by heading.
fn sections() -> BTreeMap<String, String> {
    let page = read("docs/events.md");
    let sections = page.split("\n## ").skip(1);
    let split =
        |section: &str| section.split_once('\n').map(|(name, text)| (name.to_owned(), text.to_owned()));
    sections.map(|section| split(section).unwrap()).collect()
}

/// The workflows that a text names, between backticks.
fn workflows_in(text: &str) -> BTreeSet<String> {
    let named = text.split('`').skip(1).step_by(2);
    let is_workflow = |name: &&str| {
        name.contains('-') && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    named.filter(is_workflow).map(str::to_owned).collect()
}

/// The line of a section that says what happens by default.
fn by_default(section: &str) -> &str {
    let line = section.lines().find_map(|line| line.strip_prefix("- **By default**: "));
    line.unwrap_or_else(|| panic!("no line about the default in {section}"))
}

#[test]
fn each_event_has_a_section_with_the_body_of_its_fixture() {
    let sections = sections();
    let known: BTreeSet<String> = EventName::ALL.iter().map(|name| name.as_str().to_owned()).collect();
    let named: BTreeSet<String> = sections.keys().cloned().collect();
    let others: BTreeSet<String> =
        ["A test", "Any other name", "Events of your own"].map(str::to_owned).into();
    assert_eq!(named, known.union(&others).cloned().collect());
    for name in &known {
        let body = sections[name].split_once("```json\n").unwrap().1.split_once("\n```").unwrap().0;
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(&body["event_type"], name);
        let folders =
            ["events/tableau", "events/derived"].map(|folder| fs::read_dir(root().join(folder)).unwrap());
        let files =
            folders.into_iter().flatten().map(|file| file.unwrap().path()).filter(|path| path.is_file());
        let mut bodies = files.map(|path| serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap());
        let fixture = bodies.find(|fixture| fixture["event_type"] == name.as_str()).unwrap();
        assert_eq!(body, fixture, "{name}");
        assert!(sections[name].contains("- **What to do with it**: "), "{name}");
    }
    assert!(read("README.md").contains("(docs/events.md)"));
}

#[test]
fn each_workflow_that_the_page_names_exists_and_the_defaults_are_those_of_the_rules() {
    let all: BTreeSet<String> = WORKFLOWS.iter().map(|workflow| workflow.name.to_owned()).collect();
    let named = workflows_in(&read("docs/events.md"));
    assert!(named.is_subset(&all) && named.len() >= 3, "{named:?}");
    let rules = Rules::parse(&read("rules.yaml")).unwrap();
    let started: Vec<EventName> = rules.events().into_iter().map(|(name, _)| name).collect();
    for name in EventName::ALL {
        let text = sections()[name.as_str()].clone();
        let line = by_default(&text);
        if started.contains(&name) {
            assert!(line.starts_with("`notify-slack` posts it"), "{name}: {line}");
        } else if name.action() == Some(Action::RefreshSucceeded) {
            assert!(
                line.contains("announces the recovery") && line.contains("no rule is needed"),
                "{name}: {line}"
            );
        } else {
            assert!(line.starts_with("nothing"), "{name}: {line}");
        }
    }
}

#[test]
fn the_default_rules_name_only_workflows_that_a_first_deploy_switches_on() {
    let rules = Rules::parse(&read("rules.yaml")).unwrap();
    let named: BTreeSet<&str> = rules.workflows().map(|(name, _)| name).collect();
    assert!(!named.is_empty());
    for name in named {
        let definition = read(&format!("functions/{name}/workflow.yaml"));
        assert!(definition.contains("enabled_by_default: true"), "{name} is off in a first deploy");
    }
}
