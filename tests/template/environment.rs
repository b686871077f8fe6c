//! Variables: what the code reads is what the template sets.

use crate::reading::{API, INGRESS, PUBLISHER, RECONCILER, REPORTER, functions, pascal, read, root};
use crate::scan::{Read, reads, sources};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Read, and rightly not set.
const NOT_SET: [&str; 8] = [
    // Lambda sets them for every function.
    "AWS_ACCESS_KEY_ID",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    // Where AWS is not: on the local stack and on an emulator, which set it.
    "AWS_ENDPOINT_URL",
    // The local stack's own site, which it passes to functions.
    "SAMPLE_SITE",
    // Names that lead to this machine, in tests and on the local stack: a debug build alone reads it.
    "FORWARD_LOCAL_NAMES",
    // Secrets in a file, for work on one machine.
    "SECRETS_FILE",
];

/// Read by the host for every function, and never set for the common ingress: a file that is missing or broken stops a
/// workflow, whose events wait, but must not stop the taking of events (11-A3). publish-rules calls AWS alone.
const FOR_WORKFLOWS_ALONE: [&str; 3] = ["EXTRA_CA_FILE", "QUEUE_URL", "RULES"];

/// These handle no events, but call Tableau.
const FOR_THOSE_WITH_EVENTS: [&str; 2] = ["QUEUE_URL", "RULES"];

/// What the host reads depends on what it serves: these `fn`s of `runtime` read for one kind alone.
const FOR_WORKFLOWS: [&str; 2] = ["schedules_of", "workflow_function"];
/// This one reads for the common ingress, and for workflows with events of their own.
const FOR_SENDERS_OF_EVENTS: [&str; 1] = ["event_bus"];
/// These read for those that call them.
const ON_REQUEST: [&str; 2] = ["table", "timer"];
/// Read for every workflow, and set where timers of more than 15 minutes are armed: all of them or none.
const OF_SCHEDULES: [&str; 4] =
    ["TIMER_DEAD_LETTERS_ARN", "TIMER_GROUP_NAME", "TIMER_QUEUE_ARN", "TIMER_ROLE_ARN"];

/// Where `Settings::of_variables` reads for the functions that call it.
const TABLEAU_SETTINGS: &str = "shared/tableau-client/src/settings.rs";

/// The variables that a function with these sources reads.
fn read_by(function: &str, runtime: &BTreeSet<Read>) -> BTreeSet<String> {
    let mut other_kind = Vec::new();
    if !function.contains(".serve(") {
        other_kind.extend(FOR_WORKFLOWS);
    }
    if !["serve_common_ingress(", ".derived_events()"].iter().any(|call| function.contains(call)) {
        other_kind.extend(FOR_SENDERS_OF_EVENTS);
    }
    let not_asked = ON_REQUEST.iter().filter(|name| !function.contains(&format!(".{name}()")));
    let of_tableau = match function.contains("Settings::of_variables(") {
        true => reads(&std::fs::read_to_string(root().join(TABLEAU_SETTINGS)).unwrap()),
        false => BTreeSet::new(),
    };
    let left_out: Vec<&str> = other_kind.iter().chain(not_asked).copied().collect();
    let of_host = runtime.iter().filter(|read| !left_out.contains(&read.within.as_str())).cloned();
    of_host.chain(of_tableau).chain(reads(function)).map(|read| read.variable).collect()
}

/// The variables that the template sets for a function.
fn set_for(template: &Value, id: &str) -> BTreeSet<String> {
    let own = &template["Resources"][id]["Properties"]["Environment"]["Variables"];
    let shared = &template["Globals"]["Function"]["Environment"]["Variables"];
    let all = [own, shared].into_iter().filter_map(Value::as_object).flatten();
    all.map(|(name, _)| name.clone()).collect()
}

fn problems(template: &Value) -> Vec<String> {
    let runtime = reads(&sources(&root().join("shared/runtime/src")));
    let mut problems = Vec::new();
    for folder in functions() {
        let read = read_by(&sources(&root().join("functions").join(&folder).join("src")), &runtime);
        let set = set_for(template, &pascal(&folder));
        let has_no_files = [API, INGRESS, PUBLISHER].contains(&folder.as_str());
        let kept_away: &[&str] = match folder.as_str() {
            _ if has_no_files => &FOR_WORKFLOWS_ALONE,
            RECONCILER | REPORTER => &FOR_THOSE_WITH_EVENTS,
            _ => &[],
        };
        let has_no_schedules = set.iter().all(|name| !OF_SCHEDULES.contains(&name.as_str()));
        let missing = read.difference(&set).filter(|name| !NOT_SET.contains(&name.as_str()));
        let missing = missing.filter(|name| !has_no_schedules || !OF_SCHEDULES.contains(&name.as_str()));
        let missing = missing.filter(|name| !kept_away.contains(&name.as_str()));
        problems.extend(missing.map(|name| format!("{folder} reads {name}, which is not set")));
        problems.extend(set.difference(&read).map(|name| format!("{folder} does not read {name}")));
        let forbidden =
            set.iter().filter(|name| NOT_SET.contains(&name.as_str()) || kept_away.contains(&name.as_str()));
        problems.extend(forbidden.map(|name| format!("{folder}: {name} is not the template's to set")));
    }
    problems
}

#[test]
fn the_code_reads_what_the_template_sets_and_the_other_way_round() {
    assert_eq!(problems(&read("template.yaml")), Vec::<String>::new());
}

#[test]
fn a_variable_that_is_missing_or_that_no_code_reads_is_found() {
    let template = read("template.yaml");
    let variables = |id: &str| format!("/Resources/{id}/Properties/Environment/Variables");
    for (pointer, name, expected) in [
        (variables("NotifySlack"), "SLACK_SECRET", "notify-slack reads SLACK_SECRET, which is not set"),
        (variables("NotifySlack"), "TABLEAU_SITE", "notify-slack reads TABLEAU_SITE, which is not set"),
        (variables("UpdateBroadcast"), "QUEUE_URL", "update-broadcast reads QUEUE_URL, which is not set"),
        (variables("UpdateBroadcast"), "SLACK_SECRET", "update-broadcast does not read SLACK_SECRET"),
        (
            variables("ReceiveWebhook"),
            "EVENT_BUS_NAME",
            "receive-webhook reads EVENT_BUS_NAME, which is not set",
        ),
        (variables("PublishPdf"), "EVENT_BUS_NAME", "publish-pdf reads EVENT_BUS_NAME, which is not set"),
        (variables("NotifySlack"), "EVENT_BUS_NAME", "notify-slack does not read EVENT_BUS_NAME"),
        (variables("ReceiveWebhook"), "TABLE_NAME", "receive-webhook does not read TABLE_NAME"),
        (
            "/Globals/Function/Environment/Variables".to_owned(),
            "LOG_LEVEL",
            "receive-webhook reads LOG_LEVEL, which is not set",
        ),
        (variables("NotifySlack"), "TIMER_ROLE_ARN", "notify-slack reads TIMER_ROLE_ARN, which is not set"),
        (
            variables("UpdateBroadcast"),
            "TIMER_GROUP_NAME",
            "update-broadcast reads TIMER_QUEUE_ARN, which is not set",
        ),
        (variables("ReceiveWebhook"), "TIMER_GROUP_NAME", "receive-webhook does not read TIMER_GROUP_NAME"),
        (variables("NotifySlack"), "SECRETS_FILE", "notify-slack: SECRETS_FILE is not the template's to set"),
        // 15-3: the rules are in the table.
        (variables("NotifySlack"), "RULES_FILE", "notify-slack does not read RULES_FILE"),
        (variables("PublishRules"), "RULES_FILE", "publish-rules reads RULES_FILE, which is not set"),
        (
            variables("ReceiveWebhook"),
            "EXTRA_CA_FILE",
            "receive-webhook: EXTRA_CA_FILE is not the template's to set",
        ),
        (
            "/Globals/Function/Environment/Variables".to_owned(),
            "RULES_FILE",
            "receive-webhook does not read RULES_FILE",
        ),
    ] {
        let mut broken = template.clone();
        let all = broken.pointer_mut(&pointer).unwrap().as_object_mut().unwrap();
        if all.remove(name).is_none() {
            all.insert(name.to_owned(), json!("x"));
        }
        let problems = problems(&broken);
        assert!(problems.iter().any(|problem| problem == expected), "{expected}: {problems:?}");
    }
}

/// Of what a person sets by hand, the common ingress gets what CloudFormation checks: a choice from a list, and names
/// of resources that the stack makes. It has no layer, no file and no network of its own.
#[test]
fn the_ingress_has_no_setting_whose_mistake_could_stop_it() {
    let template = read("template.yaml");
    let id = pascal(INGRESS);
    let function = &template["Resources"][&id]["Properties"];
    let globals = &template["Globals"]["Function"];
    for property in ["Layers", "VpcConfig", "FileSystemConfigs"] {
        assert!(function[property].is_null() && globals[property].is_null(), "{property}");
    }
    let own = function["Environment"]["Variables"].as_object().unwrap();
    let shared = globals["Environment"]["Variables"].as_object().unwrap();
    for (name, value) in own.iter().chain(shared) {
        let Some(parameter) = value["Ref"].as_str().and_then(|name| template["Parameters"].get(name)) else {
            continue;
        };
        assert!(parameter["AllowedValues"].is_array(), "{name} is a text that a person may mistype");
    }
}

#[test]
fn every_exception_is_still_read() {
    let runtime = reads(&sources(&root().join("shared/runtime/src")));
    let of_functions = reads(&sources(&root().join("functions")));
    for name in NOT_SET.into_iter().chain(FOR_WORKFLOWS_ALONE).chain(OF_SCHEDULES) {
        let is_read = runtime.iter().chain(&of_functions).any(|read| read.variable == name);
        assert!(is_read, "nothing reads {name} any more");
    }
    for kind in FOR_WORKFLOWS.into_iter().chain(FOR_SENDERS_OF_EVENTS).chain(ON_REQUEST) {
        assert!(runtime.iter().any(|read| read.within == kind), "runtime has no fn {kind} that reads");
    }
}
