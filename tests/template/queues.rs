//! Queues, their dead-letter queues, and the functions that process them.

use crate::reading::{dead_letters, of_type, read, resources, target};
use serde_json::json;
use std::collections::BTreeMap;

#[test]
fn every_queue_has_one_function_that_reports_partial_batches() {
    let all = resources();
    let mut sources: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, function) in of_type(&all, "AWS::Serverless::Function") {
        for (name, event) in
            function["Events"].as_object().into_iter().flatten().filter(|(_, e)| e["Type"] == "SQS")
        {
            let event = &event["Properties"];
            assert_eq!(event["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{id}.{name}");
            let concurrency = &event["ScalingConfig"]["MaximumConcurrency"];
            let mapping = json!({ "Fn::FindInMap": ["MaximumConcurrency", { "Ref": "WorkflowMaximumConcurrency" }, "Number"] });
            assert_eq!(*concurrency, mapping, "{id}.{name}");
            let queue = target(&event["Queue"]).unwrap_or_else(|| panic!("{id}.{name}: !GetAtt of a queue"));
            sources.entry(queue).or_default().push(id);
            assert_eq!(
                function["Environment"]["Variables"]["QUEUE_URL"],
                json!({ "Ref": queue }),
                "{id}.{name}"
            );
        }
    }
    let dead_letters = dead_letters(&all);
    for (id, _) in of_type(&all, "AWS::SQS::Queue").into_iter().filter(|(id, _)| !dead_letters.contains(id)) {
        let readers = sources.get(id).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(readers.len(), 1, "functions that read {id}: {readers:?}");
    }
}

#[test]
fn a_message_stays_invisible_for_six_times_the_functions_timeout() {
    let template = read("template.yaml");
    let all = resources();
    for (id, function) in of_type(&all, "AWS::Serverless::Function") {
        let timeout =
            function["Timeout"].as_u64().or_else(|| template["Globals"]["Function"]["Timeout"].as_u64());
        let timeout = timeout.unwrap_or_else(|| panic!("{id} has no Timeout"));
        for event in function["Events"].as_object().into_iter().flatten().map(|(_, event)| event) {
            let Some(queue) = target(&event["Properties"]["Queue"]) else { continue };
            let visibility = all[queue]["Properties"]["VisibilityTimeout"].as_u64().unwrap_or(30);
            assert!(visibility >= 6 * timeout, "{queue}: {visibility} s, {id}: {timeout} s");
        }
    }
}

#[test]
fn every_queue_is_encrypted_and_has_dead_letters_that_keep_longer() {
    let all = resources();
    let dead_letters = dead_letters(&all);
    for (id, queue) in of_type(&all, "AWS::SQS::Queue") {
        assert_eq!(queue["SqsManagedSseEnabled"], true, "{id}");
        if dead_letters.contains(id) {
            assert_eq!(queue["MessageRetentionPeriod"], 14 * 24 * 3600, "{id}");
        } else {
            let retention = queue["MessageRetentionPeriod"].as_u64();
            assert!(
                retention.is_some_and(|seconds| seconds < 14 * 24 * 3600),
                "{id}: shorter than its dead letters'"
            );
            assert!(
                queue["RedrivePolicy"]["maxReceiveCount"].as_u64().is_some(),
                "{id} has no RedrivePolicy"
            );
        }
    }
}

/// Lambda requires at least 2. The emulator accepts only a number, and a parameter is a text.
#[test]
fn two_instances_work_on_a_queue_unless_a_parameter_says_more() {
    let template = read("template.yaml");
    let parameter = &template["Parameters"]["WorkflowMaximumConcurrency"];
    assert_eq!(parameter["Default"], "2");
    let mapping = template["Mappings"]["MaximumConcurrency"].as_object().unwrap();
    let allowed = parameter["AllowedValues"].as_array().unwrap();
    assert_eq!(mapping.len(), allowed.len());
    for value in allowed.iter().map(|value| value.as_str().unwrap()) {
        let number = mapping[value]["Number"].as_u64();
        assert!(
            number.is_some_and(|number| number >= 2 && number.to_string() == value),
            "{value}: {number:?}"
        );
    }
}

/// Lambda stops a chain of about 16 invocations of one function, however far apart: about four hours of quiet
/// hours.
#[test]
fn a_function_that_sends_to_its_own_queue_may_be_invoked_again_and_again() {
    let all = resources();
    let mut senders = 0;
    for (id, function) in of_type(&all, "AWS::Serverless::Function") {
        let reads: Vec<&str> = function["Events"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(_, event)| target(&event["Properties"]["Queue"]))
            .collect();
        let statements =
            all[&format!("{id}Role")]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
                .as_array()
                .unwrap()
                .clone();
        let sends_to_itself = statements.iter().any(|statement| {
            statement["Action"].to_string().contains("sqs:SendMessage")
                && target(&statement["Resource"]).is_some_and(|queue| reads.contains(&queue))
        });
        senders += usize::from(sends_to_itself);
        let expected = if sends_to_itself { json!("Allow") } else { serde_json::Value::Null };
        assert_eq!(function["RecursiveLoop"], expected, "{id}");
    }
    assert!(senders > 0);
}

/// The function gives up with a reason long before SQS does: after 50 failed attempts, or after three days of a
/// mistake that an operator must fix, with waits of up to an hour.
#[test]
fn sqs_gives_up_only_on_what_kills_the_function_each_time() {
    let all = resources();
    for (id, queue) in of_type(&all, "AWS::SQS::Queue") {
        let redrive = &queue["RedrivePolicy"];
        if !redrive.is_null() {
            assert_eq!(redrive["maxReceiveCount"], 150, "{id}");
        }
    }
}
