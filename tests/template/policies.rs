//! Least privilege.

use crate::reading::{functions, pascal, read, target};
use serde_json::{Value, json};

/// AWS has no resources for them, so their `Resource` can only be `*`.
///
/// Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html>
const WITHOUT_RESOURCES: [&str; 2] = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];

/// Every object in `value` with a key `Effect`, that is, every statement of a policy.
fn statements<'a>(path: &str, value: &'a Value, found: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(map) => {
            if map.contains_key("Effect") {
                found.push((path.to_owned(), value));
            }
            map.iter().for_each(|(key, value)| statements(&format!("{path}.{key}"), value, found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, item)| statements(&format!("{path}[{i}]"), item, found));
        }
        _ => {}
    }
}

/// What is wrong with a statement.
fn too_wide(statement: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for part in ["Action", "Resource"] {
        let excused = part == "Resource" && statement["Action"] == json!(WITHOUT_RESOURCES);
        if statement[part].to_string().contains('*') && !excused {
            problems.push(format!("{part}: {}", statement[part]));
        }
        if statement.get(format!("Not{part}")).is_some() {
            problems.push(format!("Not{part} allows all the rest"));
        }
    }
    problems
}

#[test]
fn no_policy_has_a_wildcard_but_for_xray() {
    let template = read("template.yaml");
    let mut found = Vec::new();
    statements("", &template["Resources"], &mut found);
    assert!(!found.is_empty());
    for (path, statement) in found {
        assert_eq!(too_wide(statement), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn who_signs_in_to_tableau_may_read_the_table_that_has_the_session_and_nobody_else() {
    let template = read("template.yaml");
    for folder in functions() {
        let id = pascal(&folder);
        let resource = |id: &str| &template["Resources"][id]["Properties"];
        let signs_in = !resource(&id)["Environment"]["Variables"]["TABLEAU_SECRET"].is_null();
        let mut found = Vec::new();
        statements("", resource(&format!("{id}Role")), &mut found);
        let reads = found.iter().any(|(_, statement)| {
            statement["Action"] == "dynamodb:GetItem"
                && target(&statement["Resource"]) == Some("DeliveryTable")
        });
        assert_eq!(reads, signs_in, "{folder}: dynamodb:GetItem on the table");
    }
}

#[test]
fn a_wildcard_is_excused_for_xray_alone() {
    let statement = |action: Value| json!({ "Effect": "Allow", "Action": action, "Resource": "*" });
    assert!(too_wide(&statement(json!(WITHOUT_RESOURCES))).is_empty());
    for action in [
        json!("sqs:SendMessage"),
        json!([WITHOUT_RESOURCES[0], WITHOUT_RESOURCES[1], "sqs:SendMessage"]),
        json!("xray:*"),
    ] {
        assert!(!too_wide(&statement(action.clone())).is_empty(), "{action}");
    }
    assert!(!too_wide(&json!({ "Action": "sqs:SendMessage", "NotResource": "arn:aws:sqs:::q" })).is_empty());
}
