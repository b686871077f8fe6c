//! The alarms and the dashboard that operators use.

use crate::reading::{
    API, PUBLISHER, RECONCILER, REPORTER, dead_letters, of_type, pascal, read, resources_of,
};
use serde_json::{Value, json};

/// An alarm for single events: it returns to OK a moment later, so that the next event triggers it again. Its end
/// notifies no one.
const MOMENTS: [&str; 3] = ["NewDeadLettersAlarm", "UndeliveredAlarm", "IgnoredAlarm"];

/// An alarm that must exist.
struct Wanted {
    namespace: Value,
    metric: &'static str,
    dimensions: Value,
    threshold: u64,
}

/// The alarms on a function's own metrics, by attempt outcome.
const OUTCOMES: [&str; 3] = ["transient", "misconfigured", "ignored"];

fn wanted(template: &Value) -> Vec<Wanted> {
    let all = resources_of(template);
    let dead_letters = dead_letters(&all);
    let own = json!({ "Ref": "AWS::StackName" });
    let mut wanted = Vec::new();
    for (id, _) in of_type(&all, "AWS::Serverless::Function") {
        // Its failure is the deploy's.
        if id == pascal(PUBLISHER) {
            continue;
        }
        let named = json!([{ "Name": "FunctionName", "Value": { "Ref": id } }]);
        let works_on_a_queue = all.contains_key(&format!("{id}Queue"));
        let recursion = works_on_a_queue.then_some("RecursiveInvocationsDropped");
        for metric in ["Errors", "Throttles"].into_iter().chain(recursion) {
            let dimensions = named.clone();
            wanted.push(Wanted { namespace: json!("AWS/Lambda"), metric, dimensions, threshold: 0 });
        }
        let function = all[id]["Metadata"]["BuildProperties"]["Binary"].clone();
        // Callers of an API with wrong keys, and with keys for something else.
        if all.contains_key(&format!("{id}ApiRoute")) {
            for (status, threshold) in [("401", 3), ("403", 10)] {
                let dimensions = json!([
                    { "Name": "function", "Value": function },
                    { "Name": "status", "Value": status },
                ]);
                wanted.push(Wanted { namespace: own.clone(), metric: "ApiAnswers", dimensions, threshold });
            }
        }
        if works_on_a_queue {
            // 15-3
            let dimensions = json!([{ "Name": "function", "Value": function }]);
            let metric = "UnreadableRules";
            wanted.push(Wanted { namespace: own.clone(), metric, dimensions, threshold: 0 });
            // While a destination is down, this metric shows it: SQS's age leaves out what was received often.
            for outcome in OUTCOMES {
                let dimensions = json!([
                    { "Name": "workflow", "Value": function },
                    { "Name": "outcome", "Value": outcome },
                ]);
                wanted.push(Wanted { namespace: own.clone(), metric: "Attempts", dimensions, threshold: 0 });
            }
        } else if id == pascal(RECONCILER) {
            let dimensions = json!([{ "Name": "function", "Value": function }]);
            wanted.push(Wanted {
                namespace: own.clone(),
                metric: "WebhooksMissing",
                dimensions,
                threshold: 0,
            });
        } else if id != pascal(REPORTER) {
            // Four refusals disable a webhook. A caller is refused with 401 if its key is.
            let (metric, status) = if id == pascal(API) { ("ApiAnswers", "401") } else { ("Answers", "403") };
            let dimensions = json!([
                { "Name": "function", "Value": function },
                { "Name": "status", "Value": status },
            ]);
            wanted.push(Wanted { namespace: own.clone(), metric, dimensions, threshold: 3 });
        }
    }
    for (id, _) in of_type(&all, "AWS::SQS::Queue") {
        let dimensions =
            json!([{ "Name": "QueueName", "Value": { "Fn::GetAtt": format!("{id}.QueueName") } }]);
        // The current backlog, and new messages.
        let metrics: &[(&str, u64)] = match dead_letters.contains(id) {
            true => &[("ApproximateNumberOfMessagesVisible", 0), ("NumberOfMessagesSent", 0)],
            false => &[("ApproximateAgeOfOldestMessage", 3600)],
        };
        for &(metric, threshold) in metrics {
            let dimensions = dimensions.clone();
            wanted.push(Wanted { namespace: json!("AWS/SQS"), metric, dimensions, threshold });
        }
    }
    // Metrics of a custom bus have both dimensions. A rule's ARN ends with the bus's name and the rule's name.
    //
    // Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html#eb-metrics>
    for (id, rule) in of_type(&all, "AWS::Events::Rule") {
        let arn = json!({ "Fn::GetAtt": format!("{id}.Arn") });
        let name = json!({ "Fn::Select": [2, { "Fn::Split": ["/", arn] }] });
        let dimensions = json!([
            { "Name": "EventBusName", "Value": rule["EventBusName"] },
            { "Name": "RuleName", "Value": name },
        ]);
        let metric = "InvocationsFailedToBeSentToDlq";
        wanted.push(Wanted { namespace: json!("AWS/Events"), metric, dimensions, threshold: 0 });
    }
    // Schedule metrics have the schedule group as their only dimension.
    //
    // Source: <https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html>
    for (id, _) in of_type(&all, "AWS::Scheduler::ScheduleGroup") {
        let dimensions = json!([{ "Name": "ScheduleGroup", "Value": { "Ref": id } }]);
        let metric = "InvocationsFailedToBeSentToDeadLetterCount";
        wanted.push(Wanted { namespace: json!("AWS/Scheduler"), metric, dimensions, threshold: 0 });
    }
    // The service objective of messages.
    let dimensions = json!([{ "Name": "objective", "Value": "message" }]);
    wanted.push(Wanted { namespace: own, metric: "MessageTime", dimensions, threshold: 60_000 });
    for (id, _) in of_type(&all, "AWS::ApiGatewayV2::Api") {
        let dimensions = json!([{ "Name": "ApiId", "Value": { "Ref": id } }]);
        wanted.push(Wanted { namespace: json!("AWS/ApiGateway"), metric: "5xx", dimensions, threshold: 0 });
    }
    wanted
}

/// The recipients of an alarm: the operator's topic, the stack's own topic, both or none.
fn recipients() -> Value {
    let optional = |condition: &str, topic: &str| json!({ "Fn::If": [condition, { "Ref": topic }, { "Ref": "AWS::NoValue" }] });
    json!([optional("HasAlarmTopic", "AlarmTopicArn"), optional("HasAlarmEmail", "AlarmTopic")])
}

/// Alarms that are missing, and mistakes in existing alarms.
fn problems(template: &Value) -> Vec<String> {
    let all = resources_of(template);
    let alarms = of_type(&all, "AWS::CloudWatch::Alarm");
    let mut problems = Vec::new();
    for (id, alarm) in &alarms {
        let is_moment = MOMENTS.iter().any(|name| id.ends_with(name));
        let end = if is_moment { Value::Null } else { recipients() };
        for (property, value) in
            [("AlarmActions", recipients()), ("OKActions", end), ("TreatMissingData", json!("notBreaching"))]
        {
            if alarm[property] != value {
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
fn every_function_queue_and_api_has_its_alarms_and_they_tell_the_topics() {
    assert_eq!(problems(&read("template.yaml")), Vec::<String>::new());
}

/// An alarm that stays in state ALARM sends nothing more. This alarm counts what arrives within a minute, then
/// returns to OK.
#[test]
fn every_new_dead_letter_rings() {
    let all = resources_of(&read("template.yaml"));
    let mut seen = 0;
    for (id, alarm) in of_type(&all, "AWS::CloudWatch::Alarm") {
        if id.ends_with("NewDeadLettersAlarm") {
            seen += 1;
            let counted = (&alarm["Statistic"], &alarm["Period"], &alarm["EvaluationPeriods"]);
            assert_eq!(counted, (&json!("Sum"), &json!(60), &json!(1)), "{id}");
            assert_eq!(alarm["TreatMissingData"], "notBreaching", "{id}");
        }
    }
    assert_eq!(seen, dead_letters(&all).len());
}

/// Events that wait for an operator are retried at least hourly: the alarm must not end between two attempts.
#[test]
fn the_alarm_for_a_person_lasts_until_an_hour_has_passed_without_a_failure() {
    let all = resources_of(&read("template.yaml"));
    let mut seen = 0;
    for (id, alarm) in of_type(&all, "AWS::CloudWatch::Alarm") {
        if id.ends_with("MisconfiguredAlarm") {
            seen += 1;
            let period = alarm["Period"].as_u64().unwrap();
            assert!(period * alarm["EvaluationPeriods"].as_u64().unwrap() > 3_600, "{id}");
            assert_eq!(
                (period, &alarm["DatapointsToAlarm"]),
                (300, &json!(1)),
                "{id} rings at the first one"
            );
        }
    }
    assert_eq!(seen, dead_letters(&all).len());
}

/// An e-mail address is enough: the stack creates the topic and subscribes the address.
#[test]
fn a_mail_address_gets_a_topic_of_the_stack() {
    let all = resources_of(&read("template.yaml"));
    for id in ["AlarmTopic", "AlarmSubscription"] {
        assert_eq!(all[id]["Condition"], "HasAlarmEmail", "{id}");
    }
    let expected = json!({
        "TopicArn": { "Ref": "AlarmTopic" }, "Protocol": "email", "Endpoint": { "Ref": "AlarmEmail" },
    });
    assert_eq!(all["AlarmSubscription"]["Properties"], expected);
    // CloudWatch may not use AWS's own key for SNS.
    assert!(all["AlarmTopic"]["Properties"]["KmsMasterKeyId"].is_null());
}

#[test]
fn an_alarm_that_is_missing_or_notifies_no_one_is_found() {
    let template = read("template.yaml");
    let ids = resources_of(&template);
    for (id, _) in of_type(&ids, "AWS::CloudWatch::Alarm") {
        let mut broken = template.clone();
        broken["Resources"].as_object_mut().unwrap().remove(id);
        assert_eq!(problems(&broken).len(), 1, "{id} is gone");
        let mut broken = template.clone();
        broken["Resources"][id]["Properties"]["AlarmActions"].take();
        assert_eq!(problems(&broken).len(), 1, "{id} is sent to no topic");
        let mut broken = template.clone();
        broken["Resources"][id]["Properties"]["Dimensions"][0]["Value"] = json!({ "Ref": "Other" });
        assert_eq!(problems(&broken).len(), 1, "{id} watches something else");
    }
}
