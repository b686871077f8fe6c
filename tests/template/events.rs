//! Event names, in the rules of the bus and in `rules.yaml`.

use crate::reading::{functions, of_type, parse, pascal, read, resources, root, target};
use rules::settings::WORKFLOWS;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tableau::EventName;
use testkit::repository::every_rule;

/// What receive-webhook calls a body that cannot be read.
const UNREADABLE: &str = "Unreadable";

/// The rules of the stack's own bus, and no other's.
const RULES_OF_THE_BUS: &str =
    "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:rule/${TableauEventBus}/*";

/// What a resource names, at any depth, with `Ref`, `Fn::GetAtt`, `Fn::Sub` or `DependsOn`.
fn named_by(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    ("Ref", Value::String(name)) => drop(names.insert(name.clone())),
                    ("Fn::GetAtt", Value::String(path)) => {
                        names.insert(path.split('.').next().unwrap().to_owned());
                    }
                    ("DependsOn", Value::Array(ids)) => {
                        names.extend(ids.iter().map(|id| id.as_str().unwrap().to_owned()));
                    }
                    ("Fn::Sub", Value::String(text)) => {
                        let variables = text.split("${").skip(1).filter_map(|rest| rest.split_once('}'));
                        names.extend(variables.map(|(name, _)| name.split('.').next().unwrap().to_owned()));
                    }
                    (_, value) => named_by(value, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| named_by(item, names)),
        _ => {}
    }
}

/// EventBridge drops at once what a missing permission refuses, so a rule that is live before the policies of its
/// queue and of its dead-letter queue loses events. CloudFormation makes first what a resource names.
#[test]
fn a_rule_is_live_only_when_its_queues_let_it_in() {
    let all = resources();
    let first = |id: &str| {
        let mut names = BTreeSet::new();
        named_by(&all[id], &mut names);
        names
    };
    for (id, rule) in of_type(&all, "AWS::Events::Rule") {
        for to in rule["Targets"].as_array().unwrap() {
            for arn in [&to["Arn"], &to["DeadLetterConfig"]["Arn"]] {
                let queue = target(arn).unwrap();
                let policies = of_type(&all, "AWS::SQS::QueuePolicy").into_iter();
                let (policy, _) = policies
                    .into_iter()
                    .find(|(_, policy)| policy["Queues"] == json!([{ "Ref": queue }]))
                    .unwrap();
                assert!(first(id).contains(policy), "{id} does not wait for {policy}");
                assert!(!first(policy).contains(id), "{policy} waits for {id}: neither could be made");
            }
        }
    }
}

#[test]
fn rules_take_known_events_and_only_they_may_fill_their_queues() {
    let mut known: BTreeSet<&str> = EventName::KNOWN.iter().map(EventName::as_str).collect();
    known.insert(UNREADABLE);
    let all = resources();
    let allowed = |queue: &str| -> Vec<Value> {
        let policies = of_type(&all, "AWS::SQS::QueuePolicy").into_iter();
        let policies = policies.filter(|(_, policy)| policy["Queues"] == json!([{ "Ref": queue }]));
        policies
            .flat_map(|(_, policy)| policy["PolicyDocument"]["Statement"].as_array().unwrap().clone())
            .collect()
    };
    let mut takes_everything = false;
    for (id, rule) in of_type(&all, "AWS::Events::Rule") {
        assert_eq!(rule["EventPattern"]["source"], json!(["tableau.webhooks"]), "{id}");
        // A rule without names takes every event.
        let names = rule["EventPattern"]["detail-type"].as_array().cloned().unwrap_or_default();
        let names: Vec<&str> = names.iter().map(|name| name.as_str().unwrap()).collect();
        let unknown: Vec<_> = names.iter().filter(|name| !known.contains(**name)).collect();
        assert!(unknown.is_empty(), "{id}: {unknown:?}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{id} names an event twice");
        assert!(names.is_empty() || names.contains(&UNREADABLE), "{id}: a body that cannot be read vanishes");
        takes_everything |= rule["EventPattern"].get("detail-type").is_none();

        for to in rule["Targets"].as_array().unwrap() {
            assert_eq!(to["InputPath"], "$.detail", "{id}");
            for arn in [&to["Arn"], &to["DeadLetterConfig"]["Arn"]] {
                let queue = target(arn).unwrap_or_else(|| panic!("{id}: !GetAtt of a queue"));
                let statement = json!({
                    "Effect": "Allow",
                    "Principal": { "Service": "events.amazonaws.com" },
                    "Action": "sqs:SendMessage",
                    "Resource": { "Fn::GetAtt": format!("{queue}.Arn") },
                    "Condition": { "ArnLike": { "aws:SourceArn": { "Fn::Sub": RULES_OF_THE_BUS } } },
                });
                assert_eq!(allowed(queue), [statement], "who may send to {queue}");
            }
        }
    }
    assert!(
        takes_everything,
        "an event with an unknown name must reach a workflow, to be recorded as skipped"
    );
}

/// Names of the events that rules are for, and of the workflows that they start.
fn named(rules: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut events = BTreeSet::new();
    let mut workflows = BTreeSet::new();
    for rule in rules["rules"].as_array().unwrap() {
        events.extend(rule["on"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()));
        let actions = rule["do"].as_array().unwrap().iter();
        workflows.extend(actions.flat_map(|action| action.as_object().unwrap().keys().cloned()));
    }
    (events, workflows)
}

#[test]
fn the_sample_of_rules_names_every_event_and_existing_workflows() {
    rules::Rules::check_text(&every_rule()).unwrap();
    let (events, workflows) = named(&parse("rules.yaml, all switched on", &every_rule()));
    assert_eq!(events, EventName::ALL.iter().map(|name| name.as_str().to_owned()).collect());
    let folders: BTreeSet<String> = functions().into_iter().collect();
    let missing: Vec<_> = workflows.difference(&folders).collect();
    assert!(missing.is_empty(), "not in functions/: {missing:?}");
}

/// A storm that passes would be as many messages as there were failures, beside the one that says that it has passed.
#[test]
fn the_sample_of_rules_announces_no_success_but_the_end_of_an_incident() {
    rules::Rules::check_file(&root().join("rules.yaml")).unwrap();
    let (events, _) = named(&read("rules.yaml"));
    let well: Vec<_> =
        events.iter().filter(|name| name.contains("Refresh") && !name.ends_with("Failed")).collect();
    assert!(well.is_empty(), "{well:?}");
}

#[test]
fn every_workflow_has_its_settings_in_shared_rules_and_the_bus_sends_it_the_events_that_it_acts_on() {
    let all = resources();
    let is_workflow = |name: &String| all.contains_key(&format!("{}Queue", pascal(name)));
    let workflows: Vec<String> = functions().into_iter().filter(is_workflow).collect();
    assert_eq!(WORKFLOWS.iter().map(|known| known.name).collect::<Vec<_>>(), workflows);
    for known in WORKFLOWS {
        let pattern = &all[&format!("{}Rule", pascal(known.name))]["Properties"]["EventPattern"];
        assert!(pattern.is_object(), "{}", known.name);
        // A rule without names takes every event.
        let sent: BTreeSet<&str> = match pattern["detail-type"].as_array() {
            Some(names) => {
                names.iter().filter_map(Value::as_str).filter(|name| *name != UNREADABLE).collect()
            }
            None => EventName::ALL.iter().map(EventName::as_str).collect(),
        };
        let acted_on: BTreeSet<&str> = known.events.iter().chain(known.ends).map(EventName::as_str).collect();
        assert_eq!(sent, acted_on, "{}", known.name);
    }
}
