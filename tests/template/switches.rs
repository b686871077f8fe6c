//! A parameter disables a workflow with all of its resources.

use crate::reading::{API, INGRESS, RECONCILER, REPORTER, pascal, read, takers};
use serde_json::{Value, json};

/// Resources that look shared but that one workflow uses: without the workflow they would only cost money.
const OF_ONE_WORKFLOW: [(&str, &str); 16] = [
    ("ForwardSecret", "ForwardEvent"),
    ("ForwardSecretArn", "ForwardEvent"),
    ("PagerDutySecret", "PageOnCall"),
    ("PagerDutySecretArn", "PageOnCall"),
    ("ServiceNowSecret", "TrackServicenowIncident"),
    ("ServiceNowSecretArn", "TrackServicenowIncident"),
    ("SharePointSecret", "PublishPdf"),
    ("SharePointSecretArn", "PublishPdf"),
    ("SlackSecret", "NotifySlack"),
    ("SlackSecretArn", "NotifySlack"),
    ("TeamsSecret", "NotifyTeams"),
    ("TeamsSecretArn", "NotifyTeams"),
    ("TwilioSecret", "SendSms"),
    ("TwilioSecretArn", "SendSms"),
    ("CertificationLinkSecret", "RequestCertification"),
    ("CertificationLinkSecretArn", "RequestCertification"),
];

/// What is enabled by default: the workflow of a first deployment, what registers its webhooks, and what reports its week.
const ON_BY_THEMSELVES: [&str; 3] = ["NotifySlack", "ReconcileWebhooks", "ReportHistory"];

/// What a further switch of a function enables: how the ids begin, and the condition. Only while the function is on.
const FURTHER: [(&str, &str); 1] = [("ReportHistoryBucket", "HistoryExportOn")];

/// The workflow that a resource or output belongs to.
fn owner(id: &str, workflows: &[String]) -> Option<String> {
    if let Some((_, workflow)) = OF_ONE_WORKFLOW.iter().find(|(other, _)| *other == id) {
        return Some((*workflow).to_owned());
    }
    // The longest match, in case one workflow's name begins with another's.
    let names = workflows.iter().map(|name| pascal(name)).filter(|name| id.starts_with(name));
    names.max_by_key(String::len)
}

/// Resources that a switch does not disable, or that it wrongly disables.
fn problems(template: &Value, workflows: &[String]) -> Vec<String> {
    let mut problems = Vec::new();
    for section in ["Resources", "Outputs"] {
        for (id, body) in template[section].as_object().unwrap() {
            let condition = body["Condition"].as_str();
            match owner(id, workflows) {
                Some(workflow) => {
                    let further = FURTHER.iter().find(|(begin, _)| id.starts_with(begin));
                    let wanted =
                        further.map_or_else(|| format!("{workflow}On"), |(_, name)| (*name).to_owned());
                    if condition != Some(&wanted) {
                        problems.push(format!("{section}.{id}: {condition:?}, not {wanted}"));
                    }
                }
                None if condition.is_some_and(|name| name.ends_with("On")) => {
                    problems.push(format!("{section}.{id}: {condition:?}, and belongs to no workflow"));
                }
                _ => {}
            }
        }
    }
    for workflow in workflows.iter().map(|name| pascal(name)) {
        let parameter = format!("{workflow}Enabled");
        let switch = json!({ "Fn::Equals": [{ "Ref": parameter }, "true"] });
        if template["Conditions"][format!("{workflow}On")] != switch {
            problems.push(format!("Conditions.{workflow}On is not {switch}"));
        }
        let body = &template["Parameters"][&parameter];
        // A workflow that a new version adds must not enable itself.
        let default = if ON_BY_THEMSELVES.contains(&workflow.as_str()) { "true" } else { "false" };
        if body["Default"] != default || body["AllowedValues"] != json!(["true", "false"]) {
            problems.push(format!("Parameters.{parameter}: {body}"));
        }
        let groups = &template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"];
        let named = groups
            .as_array()
            .unwrap()
            .iter()
            .filter(|group| group["Parameters"].as_array().unwrap().contains(&json!(parameter)));
        if named.count() != 1 {
            problems.push(format!("Metadata: {parameter} is in no group, or in several"));
        }
    }
    problems
}

fn workflows() -> Vec<String> {
    let workflows = takers().into_iter().filter(|name| name != INGRESS);
    // These have a switch too.
    workflows.chain([API, RECONCILER, REPORTER].map(str::to_owned)).collect()
}

#[test]
fn everything_of_a_workflow_and_nothing_else_has_its_switch() {
    assert_eq!(problems(&read("template.yaml"), &workflows()), Vec::<String>::new());
}

#[test]
fn a_further_switch_works_only_while_its_function_is_on() {
    let expected = json!({
        "Fn::And": [{ "Condition": "ReportHistoryOn" }, { "Fn::Equals": [{ "Ref": "HistoryExportEnabled" }, "true"] }],
    });
    assert_eq!(read("template.yaml")["Conditions"]["HistoryExportOn"], expected);
}

#[test]
fn what_has_no_switch_or_a_wrong_one_is_found() {
    let template = read("template.yaml");
    for (pointer, value) in [
        ("/Resources/NotifySlackQueue/Condition", json!(null)),
        ("/Resources/NotifySlackAgeAlarm/Condition", json!("UpdateBroadcastOn")),
        ("/Resources/SlackSecret/Condition", json!("HasAlarmTopic")),
        ("/Resources/DeliveryTable/Condition", json!("NotifySlackOn")),
        ("/Outputs/UpdateBroadcastUrl/Condition", json!(null)),
        ("/Resources/ReportHistoryBucket/Condition", json!("ReportHistoryOn")),
        ("/Conditions/NotifySlackOn/Fn::Equals/1", json!("false")),
        ("/Parameters/UpdateBroadcastEnabled/Default", json!("true")),
        ("/Parameters/NotifySlackEnabled/Default", json!("false")),
    ] {
        let mut broken = template.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        match broken.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
            parent => parent[key] = value,
        }
        assert_eq!(problems(&broken, &workflows()).len(), 1, "{pointer}");
    }
}
