//! Requirements of company accounts: a VPC, a permissions boundary.

use crate::reading::{API, INGRESS, PUBLISHER, of_type, pascal, read, resources};
use serde_json::{Value, json};

fn if_given(condition: &str, value: Value) -> Value {
    json!({ "Fn::If": [condition, value, { "Ref": "AWS::NoValue" }] })
}

/// 11-A4.
#[test]
fn every_role_takes_the_companys_permissions_boundary() {
    let all = resources();
    let expected = if_given("HasPermissionsBoundary", json!({ "Ref": "PermissionsBoundaryArn" }));
    for (id, role) in of_type(&all, "AWS::IAM::Role") {
        assert_eq!(role["PermissionsBoundary"], expected, "{id}");
    }
}

/// 11-A4, 11-A3. Workflows may have to reach a Tableau Server inside a network. receive-webhook talks to AWS alone, and a
/// network without a way out would stop it; the same holds for receive-event and publish-rules.
#[test]
fn workflows_can_stand_in_a_vpc_and_the_ingress_does_not() {
    let all = resources();
    let split = |parameter: &str| json!({ "Fn::Split": [",", { "Ref": parameter }] });
    let inside = json!({ "SubnetIds": split("SubnetIds"), "SecurityGroupIds": split("SecurityGroupIds") });
    let expected = if_given("HasVpc", inside);
    for (id, function) in of_type(&all, "AWS::Serverless::Function") {
        let is_outside = [API, INGRESS, PUBLISHER].iter().any(|name| id == pascal(name));
        let expected = if is_outside { &Value::Null } else { &expected };
        assert_eq!(function["VpcConfig"], *expected, "{id}");
    }
}

/// 11-A4.
#[test]
fn without_a_word_there_is_no_vpc_no_boundary_and_no_topic() {
    let template = read("template.yaml");
    for (condition, parameter) in [
        ("HasVpc", "SubnetIds"),
        ("HasPermissionsBoundary", "PermissionsBoundaryArn"),
        ("HasAlarmEmail", "AlarmEmail"),
        ("HasAlarmTopic", "AlarmTopicArn"),
    ] {
        assert_eq!(template["Parameters"][parameter]["Default"], "", "{parameter}");
        let given = json!({ "Fn::Not": [{ "Fn::Equals": [{ "Ref": parameter }, ""] }] });
        assert_eq!(template["Conditions"][condition], given, "{condition}");
    }
}
