//! Queues, their dead-letter queues, and who works on them.

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
            let concurrency = event["ScalingConfig"]["MaximumConcurrency"].as_u64();
            assert!(
                concurrency.is_some_and(|n| n >= 2),
                "{id}.{name}: MaximumConcurrency of 2 or more, as a number"
            );
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
    let (template, all) = (read("template.yaml"), resources());
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

#[test]
fn reserved_concurrency_is_more_than_what_works_on_a_queue() {
    // A function that may not run often enough for its queue would never answer its own URL.
    let (template, all) = (read("template.yaml"), resources());
    let pattern = &template["Parameters"]["WorkflowReservedConcurrency"]["AllowedPattern"];
    for (id, function) in of_type(&all, "AWS::Serverless::Function") {
        for event in function["Events"].as_object().into_iter().flatten().map(|(_, event)| event) {
            let concurrency = event["Properties"]["ScalingConfig"]["MaximumConcurrency"].as_u64().unwrap();
            assert_eq!(*pattern, format!("^(0|[{}-9]|[1-9][0-9]+)$", concurrency + 1), "{id}");
        }
    }
}
