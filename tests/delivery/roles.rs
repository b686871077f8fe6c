//! Checks that each function's role allows the function's DynamoDB requests, since the emulator ignores
//! `dynamodb:LeadingKeys`.

use crate::accesses::Access;
use crate::reading::{pascal, target};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The permissions that each function needed.
pub(crate) type Requested = BTreeMap<String, BTreeSet<Access>>;

/// The partition keys that a statement allows.
#[derive(Debug)]
enum Keys {
    All,
    /// Keys equal to one of these.
    Equal(Vec<String>),
    /// Keys that match one of these patterns.
    Like(Vec<String>),
    /// The statement has a condition that this check does not know.
    Unknown,
}

/// A role's statement about DynamoDB.
#[derive(Debug)]
struct Statement {
    denies: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    keys: Keys,
}

impl Statement {
    /// `None` for a statement without DynamoDB actions.
    fn read(statement: &Value) -> Option<Self> {
        let actions = listed(&statement["Action"], |action| action.as_str().map(str::to_owned));
        let of_dynamodb = |action: &String| action == "*" || action.starts_with("dynamodb:");
        let denies = statement["Effect"] == "Deny";
        actions.iter().any(of_dynamodb).then(|| Self {
            denies,
            resources: listed(&statement["Resource"], resource),
            keys: keys(&statement["Condition"]),
            actions,
        })
    }

    fn names(&self, access: &Access) -> bool {
        let fits = |patterns: &[String], text: &str| patterns.iter().any(|pattern| is_like(pattern, text));
        fits(&self.actions, &access.action) && fits(&self.resources, &access.resource)
    }

    /// `ForAllValues` also holds for a request without a key, which no template should allow.
    fn allows(&self, access: &Access) -> bool {
        let all =
            |fits: &dyn Fn(&str) -> bool| !access.keys.is_empty() && access.keys.iter().all(|key| fits(key));
        !self.denies
            && self.names(access)
            && match &self.keys {
                Keys::All => true,
                Keys::Equal(values) => all(&|key| values.iter().any(|value| value == key)),
                Keys::Like(patterns) => all(&|key| patterns.iter().any(|pattern| is_like(pattern, key))),
                Keys::Unknown => false,
            }
    }
}

/// One value or a list of values.
fn listed(value: &Value, read: impl Fn(&Value) -> Option<String>) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().filter_map(read).collect(),
        value => read(value).into_iter().collect(),
    }
}

/// A resource, in the form of [`Access`]. On the emulator a table's name is its logical id.
fn resource(value: &Value) -> Option<String> {
    let of_table = value["Fn::GetAtt"].as_str().and_then(|name| name.strip_suffix(".Arn"));
    let of_index = || Some(value["Fn::Sub"].as_str()?.strip_prefix("${")?.replacen(".Arn}", "", 1));
    of_table.or(value.as_str()).map(str::to_owned).or_else(of_index)
}

fn keys(condition: &Value) -> Keys {
    if condition.is_null() {
        return Keys::All;
    }
    let operators = condition.as_object().into_iter().flatten();
    let mut known = operators.flat_map(|(operator, tests)| {
        let tests = tests.as_object().into_iter().flatten();
        tests.map(move |(key, values)| (operator.as_str(), key.as_str(), values))
    });
    let texts = |values: &Value| listed(values, |value| value.as_str().map(str::to_owned));
    match (known.next(), known.next()) {
        (Some(("ForAllValues:StringEquals", "dynamodb:LeadingKeys", values)), None) => {
            Keys::Equal(texts(values))
        }
        (Some(("ForAllValues:StringLike", "dynamodb:LeadingKeys", values)), None) => {
            Keys::Like(texts(values))
        }
        _ => Keys::Unknown,
    }
}

/// Whether a text matches an IAM pattern: `*` stands for any characters, `?` for one.
fn is_like(pattern: &str, text: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return text.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    let mut letters = text.chars();
    match first {
        '*' => text.char_indices().any(|(at, _)| is_like(rest, &text[at..])) || is_like(rest, ""),
        '?' => letters.next().is_some() && is_like(rest, letters.as_str()),
        letter => letters.next() == Some(letter) && is_like(rest, letters.as_str()),
    }
}

/// The DynamoDB statements in a function's role. Statements under a template condition are left out: a function must
/// not need what only some stacks grant.
fn statements(template: &Value, function: &str) -> Vec<Statement> {
    let resource = |id: &str| &template["Resources"][id]["Properties"];
    let role = target(&resource(&pascal(function))["Role"]).expect("the function's role");
    let policies = resource(role)["Policies"].as_array().into_iter().flatten();
    let all =
        policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().into_iter().flatten());
    all.filter_map(Statement::read).collect()
}

/// The requests that roles do not allow: for each request one statement must allow the action on that table or index
/// with all its keys.
pub(crate) fn beyond(template: &Value, requested: &Requested) -> Vec<String> {
    let mut beyond = Vec::new();
    for (function, accesses) in requested.iter().filter(|(_, accesses)| !accesses.is_empty()) {
        let statements = statements(template, function);
        for access in accesses {
            let is_denied = statements.iter().any(|statement| statement.denies && statement.names(access));
            if is_denied || !statements.iter().any(|statement| statement.allows(access)) {
                let Access { action, resource, keys } = access;
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                let keys = if keys.is_empty() { "no key".to_owned() } else { keys.join(", ") };
                beyond.push(format!(
                    "{function}: {action} on {resource}, {keys}: its role does not allow that"
                ));
            }
        }
    }
    beyond
}

/// The permissions that no request used: function, action, table or index, pattern.
pub(crate) fn unused(template: &Value, requested: &Requested) -> Vec<String> {
    let mut unused = Vec::new();
    for (function, accesses) in requested.iter().filter(|(_, accesses)| !accesses.is_empty()) {
        for statement in statements(template, function).into_iter().filter(|statement| !statement.denies) {
            let (Keys::Equal(patterns) | Keys::Like(patterns)) = &statement.keys else { continue };
            for action in &statement.actions {
                for pattern in patterns {
                    let uses = |access: &Access| {
                        access.action == *action
                            && statement.names(access)
                            && access.keys.iter().any(|key| is_like(pattern, key))
                    };
                    if !accesses.iter().any(uses) {
                        let resources = statement.resources.join(", ");
                        unused.push(format!("{function}: {action} on {resources}, {pattern}"));
                    }
                }
            }
        }
    }
    unused
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::{parse, read};

    fn requested(function: &str, action: &str, resource: &str, keys: &[&str]) -> Requested {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        let access = Access { action: format!("dynamodb:{action}"), resource: resource.to_owned(), keys };
        BTreeMap::from([(function.to_owned(), BTreeSet::from([access]))])
    }

    const TABLE: &str = "DeliveryTable";
    const BY_DUE: &str = "DeliveryTable/index/by_due";

    // The emulator ignores `dynamodb:LeadingKeys`, so every captured key is checked.
    #[test]
    fn a_role_allows_an_action_only_on_the_keys_of_the_statement_that_names_it() {
        let template = read("template.yaml");
        let slack = "notify-slack";
        for (function, action, resource, keys) in [
            (slack, "GetItem", TABLE, &["delivery#notify-slack#e"][..]),
            (slack, "UpdateItem", TABLE, &["incident#notify-slack#l"]),
            (slack, "ConditionCheckItem", TABLE, &["window#notify-slack#c#k"]),
            (slack, "BatchGetItem", TABLE, &["incident#notify-slack#l", "group#notify-slack#c#e"]),
            (slack, "Query", TABLE, &["group#notify-slack#c#e"]),
            (slack, "Query", BY_DUE, &["notify-slack"]),
            ("update-broadcast", "GetItem", TABLE, &["session#a#b"]),
        ] {
            assert_eq!(
                beyond(&template, &requested(function, action, resource, keys)),
                Vec::<String>::new(),
                "{keys:?}"
            );
        }
        for (function, action, resource, keys) in [
            // Keys of another function.
            (slack, "GetItem", TABLE, &["delivery#update-broadcast#e"][..]),
            (slack, "UpdateItem", TABLE, &["incident#other#l"]),
            ("update-broadcast", "GetItem", TABLE, &["incident#notify-slack#l"]),
            ("update-broadcast", "UpdateItem", TABLE, &["rules#current"]),
            (slack, "UpdateItem", TABLE, &["rules#history"]),
            ("update-broadcast", "GetItem", TABLE, &["rules#other"]),
            // Actions that the role allows for other keys only.
            (slack, "ConditionCheckItem", TABLE, &["delivery#notify-slack#e"]),
            (slack, "BatchGetItem", TABLE, &["session#a#b"]),
            (slack, "ConditionCheckItem", TABLE, &["content#e"]),
            (slack, "Query", TABLE, &["incident#notify-slack#l"]),
            (slack, "Query", TABLE, &["delivery#notify-slack#e"]),
            // A request with several keys, one of which is not allowed.
            (slack, "BatchGetItem", TABLE, &["incident#notify-slack#l", "delivery#notify-slack#e"]),
            // Actions that no statement names.
            (slack, "PutItem", TABLE, &["incident#notify-slack#l"]),
            (slack, "DeleteItem", TABLE, &["delivery#notify-slack#e"]),
            // Indexes: another index, another workflow's key, and a function without permission.
            (slack, "Query", "DeliveryTable/index/by_day", &["2026-03-02"]),
            (slack, "Query", BY_DUE, &["notify-slack-too"]),
            (slack, "Query", BY_DUE, &["update-broadcast"]),
            ("update-broadcast", "Query", BY_DUE, &["update-broadcast"]),
            (slack, "GetItem", "OtherTable", &["delivery#notify-slack#e"]),
            // Requests without a key.
            (slack, "Query", TABLE, &[]),
            (slack, "Query", BY_DUE, &[]),
            (slack, "Scan", TABLE, &[]),
            ("receive-webhook", "GetItem", TABLE, &["delivery#receive-webhook#e"]),
        ] {
            let found = beyond(&template, &requested(function, action, resource, keys));
            assert_eq!(found.len(), 1, "{function}: {action} on {resource} {keys:?}");
            assert!(
                found[0].starts_with(&format!("{function}: dynamodb:{action} on {resource}")),
                "{found:?}"
            );
        }
    }

    /// A template with one function whose role has this statement.
    fn with(statements: &str) -> Value {
        let text = format!(
            "Resources:\n  Probe:\n    Properties: {{ Role: !GetAtt ProbeRole.Arn }}\n  ProbeRole:\n    Properties:\n      \
             Policies:\n        - PolicyDocument:\n            Statement: [{statements}]\n"
        );
        parse("a planted template", &text)
    }

    #[test]
    fn a_statement_counts_only_if_all_of_it_is_known_and_nothing_denies() {
        let wide = "{ Effect: Allow, Action: 'dynamodb:Get*', Resource: !GetAtt DeliveryTable.Arn }";
        let other = "{ Effect: Allow, Action: 'dynamodb:GetItem', Resource: !GetAtt OtherTable.Arn }";
        let not = "{ Effect: Allow, NotAction: 'dynamodb:Scan', Resource: !GetAtt DeliveryTable.Arn }";
        let if_else = format!("!If [Some, {wide}, !Ref AWS::NoValue]");
        let on_condition = "{ Effect: Allow, Action: 'dynamodb:GetItem', Resource: !GetAtt DeliveryTable.Arn, \
             Condition: { StringEquals: { 'dynamodb:Select': COUNT } } }";
        let denied = format!("{wide}, {{ Effect: Deny, Action: '*', Resource: '*' }}");
        for (statements, is_allowed) in [
            (wide, true),
            (other, false),
            (not, false),
            (if_else.as_str(), false),
            (on_condition, false),
            (denied.as_str(), false),
        ] {
            let found = beyond(&with(statements), &requested("probe", "GetItem", TABLE, &["a#1"]));
            assert_eq!(found.is_empty(), is_allowed, "{statements}: {found:?}");
        }
    }

    #[test]
    fn a_pattern_is_as_iam_reads_it() {
        for (pattern, text, fits) in [
            ("group#a#*", "group#a#", true),
            ("group#a#*", "group#a#b#c", true),
            ("group#a#*", "group#ab#c", false),
            ("group#a", "group#a#b", false),
            ("*#a#*", "group#a#b", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
            ("A*", "abc", false),
        ] {
            assert_eq!(is_like(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn what_no_request_used_is_named() {
        let statement = "{ Effect: Allow, Action: ['dynamodb:GetItem', 'dynamodb:UpdateItem'], \
             Resource: !GetAtt DeliveryTable.Arn, \
             Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['a#*'] } } }";
        let found = unused(&with(statement), &requested("probe", "GetItem", TABLE, &["a#1"]));
        assert_eq!(found, ["probe: dynamodb:UpdateItem on DeliveryTable, a#*"]);
    }
}
