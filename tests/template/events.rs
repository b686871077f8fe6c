//! Event names, in the rules of the bus and in `rules.yaml`.

use crate::reading::{functions, of_type, read, resources, root, target};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tableau::EventName;

#[test]
fn rules_take_known_events_and_only_they_may_fill_their_queues() {
    let known: BTreeSet<&str> = EventName::KNOWN.iter().map(EventName::as_str).collect();
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
                    "Condition": { "ArnEquals": { "aws:SourceArn": { "Fn::GetAtt": format!("{id}.Arn") } } },
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

#[test]
fn the_sample_of_rules_names_every_event_and_existing_workflows() {
    rules::Rules::read(&root().join("rules.yaml")).unwrap();
    let rules = read("rules.yaml");
    let (mut named, mut started) = (BTreeSet::new(), BTreeSet::new());
    for rule in rules["rules"].as_array().unwrap() {
        named.extend(rule["on"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()));
        let actions = rule["do"].as_array().unwrap().iter();
        started.extend(actions.flat_map(|action| action.as_object().unwrap().keys().cloned()));
    }
    assert_eq!(named, EventName::KNOWN.iter().map(EventName::as_str).collect());
    let folders: BTreeSet<String> = functions().into_iter().collect();
    let missing: Vec<_> = started.difference(&folders).collect();
    assert!(missing.is_empty(), "not in functions/: {missing:?}");
}
