//! Which permissions a call of a function to DynamoDB needs: an action on the table or an index, and the partition keys
//! that a role can restrict with `dynamodb:LeadingKeys`.
//!
//! Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>

use local_aws::TableSpec;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The permission that IAM checks for a call, or for one item of a transaction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Access {
    /// The IAM action, such as `dynamodb:GetItem`.
    pub(crate) action: String,
    /// The resource: the table, or `{table}/index/{index}`.
    pub(crate) resource: String,
    /// The partition keys. Empty for a request without a key, such as a scan, or with unreadable keys.
    pub(crate) keys: BTreeSet<String>,
}

/// The permissions that a call needs; empty for a call to another service. An unknown operation needs the action of
/// its own name without a key, which no role with conditions allows.
pub(crate) fn accesses(operation: &str, body: &Value, tables: &[TableSpec]) -> Vec<Access> {
    let Some(operation) = operation.strip_prefix("DynamoDB_20120810.") else { return Vec::new() };
    let listed = |list: &str| body[list].as_array().map(Vec::as_slice).unwrap_or_default();
    let by_table = |read: fn(&Value) -> Vec<&Value>| {
        let named = body["RequestItems"].as_object().into_iter().flatten();
        let of_table = named.map(|(table, asked)| {
            let keys = read(asked).into_iter().filter_map(|item| key_of(item, table, tables)).collect();
            access(operation, table, None, keys)
        });
        of_table.collect()
    };
    match operation {
        "BatchGetItem" => by_table(|asked| asked["Keys"].as_array().into_iter().flatten().collect()),
        "BatchWriteItem" => {
            by_table(|asked| asked.as_array().into_iter().flatten().filter_map(item).collect())
        }
        "TransactWriteItems" | "TransactGetItems" => {
            let parts = listed("TransactItems").iter().filter_map(Value::as_object).flatten();
            parts.map(|(kind, part)| of_one_item(action_of(kind), part, tables)).collect()
        }
        "Query" => vec![of_query(body, tables)],
        // Operations on a whole table or account have no key.
        _ => vec![of_one_item(operation, body, tables)],
    }
}

/// The IAM action for one item of a transaction.
///
/// Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>
fn action_of(kind: &str) -> &str {
    match kind {
        "ConditionCheck" => "ConditionCheckItem",
        "Delete" => "DeleteItem",
        "Get" => "GetItem",
        "Put" => "PutItem",
        "Update" => "UpdateItem",
        other => other,
    }
}

fn access(action: &str, table: &str, index: Option<&str>, keys: BTreeSet<String>) -> Access {
    let table = name_of(table);
    let resource = index.map_or(table.to_owned(), |index| format!("{table}/index/{index}"));
    Access { action: format!("dynamodb:{action}"), resource, keys }
}

/// The name of a table, from a name or an ARN.
fn name_of(table: &str) -> &str {
    table.rsplit('/').next().unwrap_or_default()
}

/// The key or the whole item in a request or a part of a request.
fn item(asked: &Value) -> Option<&Value> {
    let parts = [asked, &asked["PutRequest"], &asked["DeleteRequest"]];
    let found = parts.into_iter().flat_map(|part| [&part["Key"], &part["Item"]]);
    found.into_iter().find(|item| item.is_object())
}

fn of_one_item(action: &str, asked: &Value, tables: &[TableSpec]) -> Access {
    let table = asked["TableName"].as_str().unwrap_or_default();
    let key = item(asked).and_then(|item| key_of(item, table, tables));
    access(action, table, asked["IndexName"].as_str(), key.into_iter().collect())
}

/// The partition key in an item.
fn key_of(item: &Value, table: &str, tables: &[TableSpec]) -> Option<String> {
    let partition = partition(table, None, tables)?;
    text(&item[partition])
}

/// The name of the partition key of a table, or of one of its indexes.
fn partition<'a>(table: &str, index: Option<&str>, tables: &'a [TableSpec]) -> Option<&'a str> {
    let table = tables.iter().find(|spec| spec.name == name_of(table))?;
    let key = match index {
        Some(index) => &table.indexes.get(index)?.key,
        None => &table.key,
    };
    Some(&key.partition.name)
}

fn text(value: &Value) -> Option<String> {
    let texts = ["S", "N", "B"].into_iter().filter_map(|kind| value[kind].as_str());
    texts.map(str::to_owned).next()
}

fn of_query(body: &Value, tables: &[TableSpec]) -> Access {
    let table = body["TableName"].as_str().unwrap_or_default();
    let index = body["IndexName"].as_str();
    let partition = partition(table, index, tables);
    let key = partition.and_then(|partition| key_in_condition(body, partition));
    access("Query", table, index, key.into_iter().collect())
}

/// The partition key in a query's condition: `#pk = :pk AND #sk > :sk`.
fn key_in_condition(body: &Value, partition: &str) -> Option<String> {
    let empty = Map::new();
    let names = body["ExpressionAttributeNames"].as_object().unwrap_or(&empty);
    let condition = body["KeyConditionExpression"].as_str()?.replace(['(', ')'], " ");
    let words: Vec<&str> = condition.split_whitespace().collect();
    let condition = words.join(" ");
    let mut equalities = condition.split(" AND ").filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim(), value.trim()))
    });
    let is_partition = |name: &str| names.get(name).and_then(Value::as_str).unwrap_or(name) == partition;
    let (_, value) = equalities.find(|(name, _)| is_partition(name))?;
    text(&body["ExpressionAttributeValues"][value])
}

#[cfg(test)]
mod tests {
    use super::*;
    use local_aws::{IndexSpec, KeyAttribute, KeySchema};
    use serde_json::json;
    use std::collections::BTreeMap;

    fn tables() -> Vec<TableSpec> {
        let schema = |partition: &str, sort: &str| KeySchema {
            partition: KeyAttribute::string(partition),
            sort: Some(KeyAttribute::string(sort)),
        };
        let by_due = IndexSpec { key: schema("due_scope", "due_at"), carries: None };
        let indexes = BTreeMap::from([("by_due".to_owned(), by_due)]);
        vec![TableSpec { name: "table".to_owned(), key: schema("pk", "sk"), indexes }]
    }

    fn needed(operation: &str, body: &Value) -> Vec<(String, String, Vec<String>)> {
        let needed = accesses(&format!("DynamoDB_20120810.{operation}"), body, &tables()).into_iter();
        needed.map(|one| (one.action, one.resource, one.keys.into_iter().collect())).collect()
    }

    fn one(action: &str, resource: &str, keys: &[&str]) -> (String, String, Vec<String>) {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        (format!("dynamodb:{action}"), resource.to_owned(), keys)
    }

    #[test]
    fn a_request_for_one_item_needs_its_own_action_on_the_items_key() {
        let key = json!({ "pk": { "S": "a#1" }, "sk": { "S": "-" } });
        let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/table";
        for operation in ["GetItem", "UpdateItem", "DeleteItem"] {
            for table in ["table", arn] {
                let body = json!({ "TableName": table, "Key": key });
                assert_eq!(needed(operation, &body), [one(operation, "table", &["a#1"])]);
            }
        }
        let put = json!({ "TableName": "table", "Item": { "pk": { "S": "a#1" }, "pk2": { "S": "b" } } });
        assert_eq!(needed("PutItem", &put), [one("PutItem", "table", &["a#1"])]);
        assert_eq!(accesses("AmazonSQS.SendMessage", &json!({ "Key": key }), &tables()), []);
    }

    #[test]
    fn each_item_of_a_transaction_needs_the_action_of_its_own_kind() {
        let part = |kind: &str, at: &str| json!({ kind: { "TableName": "table", "Key": { "pk": { "S": at }, "sk": { "S": "-" } } } });
        let put = json!({ "Put": { "TableName": "table", "Item": { "pk": { "S": "d#1" } } } });
        let parts = [part("ConditionCheck", "a#1"), part("Update", "b#1"), part("Delete", "c#1"), put];
        let expected = [
            one("ConditionCheckItem", "table", &["a#1"]),
            one("UpdateItem", "table", &["b#1"]),
            one("DeleteItem", "table", &["c#1"]),
            one("PutItem", "table", &["d#1"]),
        ];
        assert_eq!(needed("TransactWriteItems", &json!({ "TransactItems": parts })), expected);
        let parts = [part("Get", "a#1")];
        assert_eq!(
            needed("TransactGetItems", &json!({ "TransactItems": parts })),
            [one("GetItem", "table", &["a#1"])]
        );
    }

    #[test]
    fn a_batch_needs_its_own_action_on_all_keys_at_once() {
        let key = |at: &str| json!({ "pk": { "S": at }, "sk": { "S": "-" } });
        let read = json!({ "RequestItems": { "table": { "Keys": [key("a#1"), key("b#1")] } } });
        assert_eq!(needed("BatchGetItem", &read), [one("BatchGetItem", "table", &["a#1", "b#1"])]);
        let write = json!({ "RequestItems": { "table": [
            { "PutRequest": { "Item": key("a#1") } }, { "DeleteRequest": { "Key": key("b#1") } },
        ] } });
        assert_eq!(needed("BatchWriteItem", &write), [one("BatchWriteItem", "table", &["a#1", "b#1"])]);
    }

    #[test]
    fn a_query_asks_for_the_partition_key_of_the_table_or_of_its_index() {
        let query = |index: Option<&str>, condition: &str| {
            let mut body = json!({
                "TableName": "table", "KeyConditionExpression": condition,
                "ExpressionAttributeNames": { "#pk": "pk", "#sk": "sk", "#scope": "due_scope", "#at": "due_at" },
                "ExpressionAttributeValues": { ":a": { "S": "a#1" }, ":b": { "S": "b" }, ":n": { "N": "7" } },
            });
            if let Some(index) = index {
                body["IndexName"] = json!(index);
            }
            needed("Query", &body)
        };
        let by_due = "table/index/by_due";
        for (index, condition, resource, keys) in [
            (None, "#pk = :a", "table", &["a#1"][..]),
            (None, "(#sk = :b)\n AND (pk=:a)", "table", &["a#1"]),
            (None, "#pk = :a AND begins_with(#sk, :b)", "table", &["a#1"]),
            (Some("by_due"), "#scope = :b AND #at < :n", by_due, &["b"]),
            // The table's partition key is not the index's key.
            (Some("by_due"), "#pk = :a", by_due, &[]),
            (Some("other"), "#pk = :a", "table/index/other", &[]),
            (None, "#pk <= :a", "table", &[]),
        ] {
            assert_eq!(query(index, condition), [one("Query", resource, keys)], "{condition}");
        }
    }

    #[test]
    fn a_request_that_is_not_known_here_has_no_key() {
        for operation in ["Scan", "ExecuteStatement", "DescribeTable"] {
            let body = json!({ "TableName": "table", "Statement": "SELECT * FROM table" });
            assert_eq!(needed(operation, &body), [one(operation, "table", &[])]);
        }
    }
}
