//! Resources that cannot be recreated: the table, the token in the webhook URLs. And resources that must be optional.

use crate::reading::read;
use serde_json::{Value, json};

/// An edit of `GenerateSecretString` makes CloudFormation generate a new token. Then every webhook at Tableau,
/// whose URL has the old token, gets 403 and is disabled after four of them. A changed setting belongs in a second
/// secret.
///
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-secretsmanager-secret-generatesecretstring.html>
#[test]
fn the_webhook_token_is_generated_once_and_its_form_never_changes() {
    let template = read("template.yaml");
    let secret = &template["Resources"]["WebhookSecret"];
    let links = &template["Resources"]["CertificationLinkSecret"];
    let expected = json!({
        "SecretStringTemplate": "{\"previous\":\"\"}",
        "GenerateStringKey": "current",
        "PasswordLength": 43,
        "ExcludePunctuation": true,
        "ExcludeCharacters": "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    });
    for secret in [secret, links] {
        assert_eq!(secret["Properties"]["GenerateSecretString"], expected);
        assert!(secret["Properties"]["Name"].is_null(), "another name would be another secret");
    }
}

/// DynamoDB cannot change the attributes of an index: a deployment that tries fails, or deletes the index and
/// breaks `events list` until it is rebuilt. Another set of attributes needs an index with another name.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateGlobalSecondaryIndexAction.html>
#[test]
fn the_index_by_day_carries_what_it_has_always_carried() {
    let template = read("template.yaml");
    let indexes = &template["Resources"]["DeliveryTable"]["Properties"]["GlobalSecondaryIndexes"];
    let expected = json!({
        "IndexName": "by_day",
        "KeySchema": [
            { "AttributeName": "day", "KeyType": "HASH" },
            { "AttributeName": "first_seen_at", "KeyType": "RANGE" },
        ],
        "Projection": {
            "ProjectionType": "INCLUDE",
            "NonKeyAttributes": [
                "workflow", "event_id", "event_name", "site", "resource", "resource_name", "created_at", "state",
                "deadline_ms", "reason", "attempts", "updated_at",
            ],
        },
    });
    let index = &indexes[0];
    assert_eq!(*index, expected);
    assert_eq!(index["IndexName"], deliveries::INDEX);
    assert_eq!(index["Projection"]["NonKeyAttributes"], json!(deliveries::INDEX_CARRIES));
    let keys: Vec<&Value> =
        index["KeySchema"].as_array().unwrap().iter().map(|key| &key["AttributeName"]).collect();
    assert_eq!(keys, deliveries::INDEX_KEYS);
}

/// Items that are listed together share a partition, and each has a sort key. DynamoDB cannot change a table's key: a
/// deployment that tries creates an empty table.
///
/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html>
#[test]
fn the_table_has_a_partition_key_and_a_sort_key() {
    let template = read("template.yaml");
    let table = &template["Resources"]["DeliveryTable"]["Properties"];
    let expected = json!([
        { "AttributeName": "pk", "KeyType": "HASH" },
        { "AttributeName": "sk", "KeyType": "RANGE" },
    ]);
    assert_eq!(table["KeySchema"], expected);
    let kinds = table["AttributeDefinitions"].as_array().unwrap();
    for name in ["pk", "sk"] {
        assert!(kinds.contains(&json!({ "AttributeName": name, "AttributeType": "S" })), "{kinds:?}");
    }
}

/// 13. A sweep queries this index for due items; an index with whole documents would be written with each document.
#[test]
fn the_index_of_what_is_due_has_keys_alone() {
    let template = read("template.yaml");
    let table = &template["Resources"]["DeliveryTable"]["Properties"];
    let expected = json!({
        "IndexName": "by_due",
        "KeySchema": [
            { "AttributeName": "due_scope", "KeyType": "HASH" },
            { "AttributeName": "due_at", "KeyType": "RANGE" },
        ],
        "Projection": { "ProjectionType": "KEYS_ONLY" },
    });
    assert_eq!(table["GlobalSecondaryIndexes"][1], expected);
    let kinds = table["AttributeDefinitions"].as_array().unwrap();
    assert!(kinds.contains(&json!({ "AttributeName": "due_at", "AttributeType": "N" })), "{kinds:?}");
}

/// 11-A8.
#[test]
fn the_table_stays_when_the_stack_goes() {
    let template = read("template.yaml");
    let table = &template["Resources"]["DeliveryTable"];
    assert_eq!(table["DeletionPolicy"], "Retain");
    assert_eq!(table["UpdateReplacePolicy"], "Retain");
    let recovery = &table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"];
    assert_eq!(*recovery, true);
    assert!(
        table["Properties"]["TableName"].is_null(),
        "a new stack could not make a table of the same name"
    );
}

/// X-Ray costs five to ten dollars per million events, and says little that the logs do not say.
#[test]
fn nothing_is_traced_unless_asked_for() {
    let template = read("template.yaml");
    assert_eq!(template["Parameters"]["Tracing"]["Default"], "PassThrough");
    assert_eq!(template["Globals"]["Function"]["Tracing"], json!({ "Ref": "Tracing" }));
    let active = json!({ "Fn::Equals": [{ "Ref": "Tracing" }, "Active"] });
    assert_eq!(template["Conditions"]["IsTraced"], active);
}
