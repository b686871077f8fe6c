//! What an operator is told without asking.

use crate::reading::{dead_letters, of_type, read, resources_of};
use serde_json::{Value, json};

/// An alarm that there must be.
struct Wanted {
    namespace: Value,
    metric: &'static str,
    dimensions: Value,
    threshold: u64,
}

fn wanted(template: &Value) -> Vec<Wanted> {
    let all = resources_of(template);
    let dead_letters = dead_letters(&all);
    let mut wanted = Vec::new();
    for (id, _) in of_type(&all, "AWS::Serverless::Function") {
        for metric in ["Errors", "Throttles"] {
            let dimensions = json!([{ "Name": "FunctionName", "Value": { "Ref": id } }]);
            wanted.push(Wanted { namespace: json!("AWS/Lambda"), metric, dimensions, threshold: 0 });
        }
        let function = all[id]["Metadata"]["BuildProperties"]["Binary"].clone();
        if all.contains_key(&format!("{id}Queue")) {
            // While a destination is down, this tells: SQS's age leaves out what was received often.
            let dimensions = json!([
                { "Name": "workflow", "Value": function },
                { "Name": "outcome", "Value": "transient" },
            ]);
            let namespace = json!({ "Ref": "AWS::StackName" });
            wanted.push(Wanted { namespace, metric: "Attempts", dimensions, threshold: 0 });
        }
    }
    for (id, _) in of_type(&all, "AWS::SQS::Queue") {
        let dimensions =
            json!([{ "Name": "QueueName", "Value": { "Fn::GetAtt": format!("{id}.QueueName") } }]);
        let (metric, threshold) = match dead_letters.contains(id) {
            true => ("ApproximateNumberOfMessagesVisible", 0),
            false => ("ApproximateAgeOfOldestMessage", 3600),
        };
        wanted.push(Wanted { namespace: json!("AWS/SQS"), metric, dimensions, threshold });
    }
    for (id, _) in of_type(&all, "AWS::ApiGatewayV2::Api") {
        let dimensions = json!([{ "Name": "ApiId", "Value": { "Ref": id } }]);
        wanted.push(Wanted { namespace: json!("AWS/ApiGateway"), metric: "5xx", dimensions, threshold: 0 });
    }
    wanted
}

/// Alarms that are missing, and what is wrong with those that are there.
fn problems(template: &Value) -> Vec<String> {
    let all = resources_of(template);
    let alarms = of_type(&all, "AWS::CloudWatch::Alarm");
    let topic =
        json!({ "Fn::If": ["HasAlarmTopic", [{ "Ref": "AlarmTopicArn" }], { "Ref": "AWS::NoValue" }] });
    let mut problems = Vec::new();
    for (id, alarm) in &alarms {
        for (property, value) in
            [("AlarmActions", &topic), ("OKActions", &topic), ("TreatMissingData", &json!("notBreaching"))]
        {
            if alarm[property] != *value {
                problems.push(format!("{id}.{property}: {}", alarm[property]));
            }
        }
        if alarm["AlarmDescription"].as_str().is_none_or(|text| text.len() < 40) {
            problems.push(format!("{id} does not tell what happened"));
        }
        if !alarm["Metrics"].is_null() {
            problems.push(format!("{id}: the local emulator knows no metric math"));
        }
    }
    for Wanted { namespace, metric, dimensions, threshold } in wanted(template) {
        let there = alarms.iter().any(|(_, alarm)| {
            alarm["Namespace"] == namespace
                && alarm["MetricName"] == metric
                && alarm["Dimensions"] == dimensions
                && alarm["Threshold"] == threshold
                && alarm["ComparisonOperator"] == "GreaterThanThreshold"
        });
        if !there {
            problems.push(format!("no alarm when {metric} of {dimensions} is over {threshold}"));
        }
    }
    problems
}

#[test]
fn every_function_queue_and_api_has_its_alarms_and_they_tell_the_topic() {
    assert_eq!(problems(&read("template.yaml")), Vec::<String>::new());
}

#[test]
fn an_alarm_that_is_missing_or_tells_nobody_is_found() {
    let template = read("template.yaml");
    let ids = resources_of(&template);
    for (id, _) in of_type(&ids, "AWS::CloudWatch::Alarm") {
        let mut broken = template.clone();
        broken["Resources"].as_object_mut().unwrap().remove(id);
        assert_eq!(problems(&broken).len(), 1, "{id} is gone");
        let mut broken = template.clone();
        broken["Resources"][id]["Properties"]["OKActions"].take();
        assert_eq!(problems(&broken).len(), 1, "{id} does not say when it is over");
        let mut broken = template.clone();
        broken["Resources"][id]["Properties"]["Dimensions"][0]["Value"] = json!({ "Ref": "Other" });
        assert_eq!(problems(&broken).len(), 1, "{id} watches something else");
    }
}
