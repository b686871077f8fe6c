//! The template as JSON, and the folders that it must match.

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
pub(crate) use testkit::repository::{functions, pascal, root};

pub(crate) fn read(file: &str) -> Value {
    parse(file, &fs::read_to_string(root().join(file)).unwrap())
}

pub(crate) fn parse(file: &str, text: &str) -> Value {
    let documents = Yaml::load_from_str(text).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(documents.len(), 1, "{file}");
    to_json(&documents[0])
}

/// Converts YAML to JSON, and CloudFormation's short forms (`!Ref X`) to long forms (`{"Ref": "X"}`).
fn to_json(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => json!(value),
        Yaml::Value(Scalar::Integer(value)) => json!(value),
        Yaml::Value(Scalar::FloatingPoint(value)) => json!(value.into_inner()),
        Yaml::Value(Scalar::String(value)) => json!(value),
        Yaml::Sequence(items) => items.iter().map(to_json).collect(),
        Yaml::Mapping(pairs) => {
            Value::Object(pairs.iter().map(|(k, v)| (key(k), to_json(v))).collect::<Map<_, _>>())
        }
        Yaml::Tagged(tag, node) => {
            let name = if ["Ref", "Condition"].contains(&tag.suffix.as_str()) { "" } else { "Fn::" };
            json!({ format!("{name}{}", tag.suffix): to_json(node) })
        }
        other => panic!("unexpected in a template: {other:?}"),
    }
}

fn key(yaml: &Yaml<'_>) -> String {
    match to_json(yaml) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// The template's resources by logical id.
pub(crate) fn resources() -> BTreeMap<String, Value> {
    resources_of(&read("template.yaml"))
}

/// A template's resources by logical id.
pub(crate) fn resources_of(template: &Value) -> BTreeMap<String, Value> {
    template["Resources"].as_object().unwrap().clone().into_iter().collect()
}

pub(crate) fn of_type<'a>(all: &'a BTreeMap<String, Value>, kind: &str) -> Vec<(&'a str, &'a Value)> {
    all.iter().filter(|(_, r)| r["Type"] == kind).map(|(id, r)| (id.as_str(), &r["Properties"])).collect()
}

/// The common ingress, which no parameter disables. All other functions are workflows.
pub(crate) const INGRESS: &str = "receive-webhook";

/// Publishes the rules of a deploy. CloudFormation alone invokes it: it has no queue, no route and no switch.
pub(crate) const PUBLISHER: &str = "publish-rules";

/// Takes events of callers with a key. It has a switch and a route, but no queue, no rules and no webhooks' token.
pub(crate) const API: &str = "receive-event";

/// Registers webhooks at Tableau. It has a switch and a schedule, but no queue and no route.
pub(crate) const RECONCILER: &str = "reconcile-webhooks";

/// Exports the history and makes reports. It has a switch and a schedule, but no queue and no route.
pub(crate) const REPORTER: &str = "report-history";

/// The functions that take webhooks.
pub(crate) fn takers() -> Vec<String> {
    let others = [PUBLISHER, API, RECONCILER, REPORTER];
    functions().into_iter().filter(|name| !others.contains(&name.as_str())).collect()
}

/// The X of `!GetAtt X.…`.
pub(crate) fn target(value: &Value) -> Option<&str> {
    value["Fn::GetAtt"].as_str()?.split('.').next()
}

/// The dead-letter queues.
pub(crate) fn dead_letters(all: &BTreeMap<String, Value>) -> BTreeSet<&str> {
    let queues = of_type(all, "AWS::SQS::Queue").into_iter();
    queues.filter_map(|(_, queue)| target(&queue["RedrivePolicy"]["deadLetterTargetArn"])).collect()
}
