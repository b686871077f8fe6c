//! Least privilege: what the roles may do.

use crate::reading::{
    API, INGRESS, PUBLISHER, RECONCILER, REPORTER, functions, pascal, read, root, takers, target,
};
use serde_json::{Value, json};
use std::fs;

/// Actions for which IAM has no resources, so their `Resource` must be `*`.
///
/// Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html>
const WITHOUT_RESOURCES: [&str; 2] = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];

/// SES has no resource for the account's suppression list. Source: the service authorization reference of Amazon SES v2.
const SUPPRESSION_LIST: &str = "ses:GetSuppressedDestination";

/// Lambda's own actions in the role of a function in a VPC; they need any resource.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions>
const NETWORK_INTERFACES: [&str; 6] = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
];

/// A schedule's name is generated, so a role names only its prefix.
const OF_SCHEDULES: [&str; 2] = ["scheduler:CreateSchedule", "scheduler:GetSchedule"];

/// Whether the resources are schedules of one workflow.
fn are_schedules_of_one(statement: &Value) -> bool {
    let begins = "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/*/tw-";
    let named = statement["Resource"]["Fn::Sub"].as_str().and_then(|arn| arn.strip_prefix(begins));
    let name = named.and_then(|name| name.strip_suffix("-*")).unwrap_or_default();
    statement["Action"] == json!(OF_SCHEDULES)
        && functions().iter().any(|folder| folder.chars().take(16).collect::<String>() == name)
}

/// Every object in `value` with a key `Effect`, which is every policy statement.
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

/// Whether a statement is about objects of the stack's own bucket, whose keys have days in them.
fn are_objects_of_one_bucket(statement: &Value) -> bool {
    let is_of_objects = ["s3:GetObject", "s3:PutObject"].iter().any(|action| statement["Action"] == *action);
    let resource = statement["Resource"]["Fn::Sub"].as_str().unwrap_or_default();
    is_of_objects
        && resource.strip_prefix("${ReportHistoryBucket.Arn}/").is_some_and(|path| !path.contains(".."))
}

/// What is wrong with a statement. One that denies cannot be too wide.
fn too_wide(statement: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    for part in ["Action", "Resource"] {
        let excused = part == "Resource"
            && ([json!(WITHOUT_RESOURCES), json!(NETWORK_INTERFACES), json!(SUPPRESSION_LIST)]
                .contains(&statement["Action"])
                || are_schedules_of_one(statement)
                || are_objects_of_one_bucket(statement));
        let is_denial = statement["Effect"] == "Deny";
        if statement[part].to_string().contains('*') && !excused && !is_denial {
            problems.push(format!("{part}: {}", statement[part]));
        }
        if statement.get(format!("Not{part}")).is_some() {
            problems.push(format!("Not{part} allows all the rest"));
        }
    }
    problems
}

#[test]
fn no_policy_has_a_wildcard_but_for_what_has_no_resource_and_names_of_schedules() {
    let template = read("template.yaml");
    let mut found = Vec::new();
    statements("", &template["Resources"], &mut found);
    assert!(!found.is_empty());
    for (path, statement) in found {
        assert_eq!(too_wide(statement), Vec::<String>::new(), "{path}");
    }
}

/// What a function's role may do with the table's items: the actions and the partition keys.
fn of_the_table(role: &Value) -> Vec<(Value, Value)> {
    let mut found = Vec::new();
    statements("", role, &mut found);
    let of_the_table = found.into_iter().map(|(_, statement)| statement);
    let of_the_table =
        of_the_table.filter(|statement| target(&statement["Resource"]) == Some("DeliveryTable"));
    let keys =
        |statement: &Value| statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"].clone();
    of_the_table.map(|statement| (statement["Action"].clone(), keys(statement))).collect()
}

/// Items that all workflows with a Tableau sign-in share.
const OF_ALL: &str = "session";
/// Kinds of items that one workflow has, in a statement of its own: the kind, the workflow, and its keys.
const OF_ONE: [(&str, &str, &[&str]); 12] = [
    (
        "certification",
        "request-certification",
        &[
            "certification#request-certification#*",
            "certification-of#request-certification#*",
            "certification-log#request-certification",
        ],
    ),
    ("forward", "forward-event", &["forward#*"]),
    ("history", "report-history", &["history#*"]),
    ("key", "refresh-extract", &["key#all"]),
    ("key-rate", "refresh-extract", &["key-rate#*"]),
    ("pdf-export", "publish-pdf", &["pdf-export#publish-pdf#*"]),
    (
        "refresh",
        "refresh-extract",
        &["refresh#*", "refresh-of#*", "refresh-lane#*", "refresh-log#refresh-extract"],
    ),
    ("refusal", "set-quality-warning", &["refusal#set-quality-warning#*"]),
    ("texts", "send-sms", &["texts#send-sms#*"]),
    ("ticket", "track-servicenow-incident", &["ticket#track-servicenow-incident#*"]),
    ("upload", "publish-pdf", &["upload#publish-pdf#*"]),
    ("webhook", "reconcile-webhooks", &["webhook#stack"]),
];

/// Of those, kinds that are changed together: what transactions change is read in batches and checked.
const TOGETHER: [&str; 1] = ["refresh"];
/// And kinds that functions only read.
const READ_ONLY: [&str; 1] = ["key"];

/// The kinds of items that our code stores for a workflow: the first parts of their keys.
fn kinds() -> Vec<String> {
    let mut kinds = vec!["delivery".to_owned()];
    let mut folders = vec![root().join("shared")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with("tests") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(path).unwrap();
                let named = text.split("const KIND: &'static str = \"").skip(1);
                kinds.extend(named.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
            }
        }
    }
    assert!(kinds.iter().any(|kind| kind == OF_ALL), "{kinds:?}");
    kinds.retain(|kind| kind != OF_ALL && OF_ONE.iter().all(|(of_one, ..)| of_one != kind));
    kinds.sort();
    kinds
}

#[test]
fn a_workflow_reaches_its_own_items_of_the_table_and_where_it_signs_in_the_session_and_the_ingress_none() {
    let template = read("template.yaml");
    let kinds = kinds();
    assert!(["circuit", "delivery"].iter().all(|kind| kinds.iter().any(|found| found == kind)), "{kinds:?}");
    for folder in takers() {
        let id = pascal(&folder);
        let resource = |id: &str| &template["Resources"][id]["Properties"];
        let is_of_one = |(_, keys): &(Value, Value)| {
            OF_ONE.iter().any(|(kind, ..)| keys.to_string().contains(&format!("\"{kind}#")))
        };
        let reached = of_the_table(resource(&format!("{id}Role")));
        let (of_one, reached): (Vec<_>, Vec<_>) = reached.into_iter().partition(is_of_one);
        let only_of = OF_ONE.iter().filter(|(_, workflow, _)| *workflow == folder);
        let actions = json!(["dynamodb:GetItem", "dynamodb:UpdateItem"]);
        let of_transactions = json!(["dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem"]);
        let statements = |(kind, _, keys): &(&str, &str, &[&str])| {
            let together = TOGETHER.contains(kind).then(|| (of_transactions.clone(), json!(keys)));
            let own = match READ_ONLY.contains(kind) {
                true => json!("dynamodb:GetItem"),
                false => actions.clone(),
            };
            std::iter::once((own, json!(keys))).chain(together).collect::<Vec<_>>()
        };
        let expected: Vec<(Value, Value)> = only_of.flat_map(statements).collect();
        assert_eq!(of_one, expected, "{folder}");
        if folder == INGRESS {
            assert_eq!(reached, [], "{folder}");
            continue;
        }
        let signs_in = !resource(&id)["Environment"]["Variables"]["TABLEAU_SECRET"].is_null();
        // The first are those of the rules, and then come alerting's.
        let Some(((actions, keys), before)) = reached.split_last() else { panic!("{folder}: none") };
        let (of_rules, of_alerting) = before.split_at(2);
        let expected = [
            (json!("dynamodb:GetItem"), json!(["rules#current"])),
            (json!("dynamodb:Query"), json!(["rules#history"])),
        ];
        assert_eq!(of_rules, expected, "{folder}: no workflow publishes rules");
        let reads = actions.as_array().unwrap().contains(&json!("dynamodb:GetItem"));
        assert_eq!(reads, signs_in, "{folder}: dynamodb:GetItem on the table");
        let mut keys: Vec<String> = serde_json::from_value(keys.clone()).unwrap();
        keys.sort();
        let mut expected: Vec<String> = kinds.iter().map(|kind| format!("{kind}#{folder}#*")).collect();
        expected.extend(signs_in.then(|| format!("{OF_ALL}#*")));
        expected.sort();
        assert_eq!(keys, expected, "{folder}");
        let all = all_of_alerting(&folder);
        assert_eq!(of_alerting, if uses_alerting(&folder) { &all[..] } else { &[] }, "{folder}");
    }
}

#[test]
fn reconcile_webhooks_reaches_its_own_record_the_session_and_the_rules_of_the_table() {
    let role = &read("template.yaml")["Resources"][format!("{}Role", pascal(RECONCILER))]["Properties"];
    let expected = [
        (json!("dynamodb:GetItem"), json!(["rules#current"])),
        (json!(["dynamodb:GetItem", "dynamodb:UpdateItem"]), json!(["webhook#stack", "session#*"])),
    ];
    assert_eq!(of_the_table(role), expected);
}

#[test]
fn report_history_reads_deliveries_and_changes_what_it_knows_of_reports_and_the_session_alone() {
    let role = &read("template.yaml")["Resources"][format!("{}Role", pascal(REPORTER))]["Properties"];
    let expected = [
        (json!("dynamodb:BatchGetItem"), json!(["delivery#*"])),
        (json!("dynamodb:GetItem"), json!(["rules#current", "webhook#stack"])),
        (json!(["dynamodb:GetItem", "dynamodb:UpdateItem"]), json!(["history#*", "session#*"])),
    ];
    assert_eq!(of_the_table(role), expected);
    let mut found = Vec::new();
    statements("", &role["Policies"], &mut found);
    let of_the_bucket = found.iter().filter(|(_, one)| one["Action"].to_string().contains("s3:"));
    let of_the_bucket: Vec<_> = of_the_bucket.map(|(_, one)| (&one["Action"], &one["Resource"])).collect();
    let objects = |path: &str| json!({ "Fn::Sub": format!("${{ReportHistoryBucket.Arn}}/{path}") });
    let expected = [
        (&json!("s3:PutObject"), &objects("*")),
        (&json!("s3:GetObject"), &objects("state/*")),
        (&json!("s3:ListBucket"), &json!({ "Fn::GetAtt": "ReportHistoryBucket.Arn" })),
    ];
    assert_eq!(of_the_bucket, expected, "it deletes nothing, and reads no file of the history");
}

#[test]
fn the_bucket_of_the_history_refuses_what_is_not_encrypted_on_its_way() {
    let policy = &read("template.yaml")["Resources"]["ReportHistoryBucketPolicy"]["Properties"];
    let bucket = json!({ "Fn::GetAtt": "ReportHistoryBucket.Arn" });
    let expected = json!([{
        "Sid": "OnlyTls", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
        "Resource": [bucket, { "Fn::Sub": "${ReportHistoryBucket.Arn}/*" }],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    }]);
    assert_eq!(policy["PolicyDocument"]["Statement"], expected);
}

// 15-3
#[test]
fn publish_rules_reaches_the_rules_alone_of_the_table_and_deletes_none() {
    let role = &read("template.yaml")["Resources"][format!("{}Role", pascal(PUBLISHER))]["Properties"];
    let expected = [
        (json!(["dynamodb:GetItem", "dynamodb:UpdateItem"]), json!(["rules#current", "rules#history"])),
        (json!("dynamodb:Query"), json!(["rules#history"])),
    ];
    assert_eq!(of_the_table(role), expected);
    let mut found = Vec::new();
    statements("", &role["Policies"], &mut found);
    let others = found.iter().filter(|(_, one)| target(&one["Resource"]) != Some("DeliveryTable"));
    let others: Vec<String> = others.map(|(_, one)| one["Action"].to_string()).collect();
    assert!(others.iter().all(|action| action.contains("logs:") || action.contains("xray:")), "{others:?}");
}

#[test]
fn receive_event_reads_keys_counts_their_use_and_sends_events_and_no_more() {
    let role = &read("template.yaml")["Resources"][format!("{}Role", pascal(API))]["Properties"];
    let expected = [
        (json!("dynamodb:GetItem"), json!(["key#all"])),
        (json!(["dynamodb:GetItem", "dynamodb:UpdateItem"]), json!(["key-rate#*"])),
    ];
    assert_eq!(of_the_table(role), expected);
    let mut found = Vec::new();
    statements("", &role["Policies"], &mut found);
    let others = found.iter().filter(|(_, one)| target(&one["Resource"]) != Some("DeliveryTable"));
    let others: Vec<&Value> = others.map(|(_, one)| &one["Action"]).collect();
    let logs = json!(["logs:CreateLogStream", "logs:PutLogEvents"]);
    assert_eq!(others, [&logs, &json!(WITHOUT_RESOURCES), &json!("events:PutEvents")]);
}

// 15-3
#[test]
fn cloudformation_asks_for_the_rules_again_when_the_file_has_changed_or_is_another() {
    let template = read("template.yaml");
    let rules = &template["Resources"]["Rules"];
    assert_eq!(rules["Type"], "Custom::Rules");
    let properties = &rules["Properties"];
    assert_eq!(properties["ServiceToken"], json!({ "Fn::GetAtt": "PublishRules.Arn" }));
    // SAM puts the content's hash into the layer's name, so that its ARN changes with the file.
    assert_eq!(properties["Layer"], json!({ "Ref": "RulesLayer" }));
    assert_eq!(properties["File"], json!({ "Ref": "RulesFile" }));
    // Longer than the function may run, and far from the hour that CloudFormation waits by itself.
    let timeout = template["Resources"]["PublishRules"]["Properties"]["Timeout"].as_u64().unwrap();
    let waits = properties["ServiceTimeout"].as_u64().unwrap();
    assert!(timeout < waits && waits <= 300, "{timeout} {waits}");
}

/// Whether the function of a folder announces with `shared/alerting`.
fn uses_alerting(folder: &str) -> bool {
    says(folder, "alerting: true")
}

/// Whether the file of a function's workflow has this line.
fn says(folder: &str, wanted: &str) -> bool {
    let file = root().join("functions").join(folder).join("workflow.yaml");
    fs::read_to_string(file).is_ok_and(|text| text.lines().any(|line| line == wanted))
}

/// The actions and keys that alerting needs on the table. `shared/alerting/tests/over_time/dynamodb.rs` proves that
/// these are the kinds of its keys, and that only groups and digests are listed. Sites and contents are in no
/// transaction.
fn all_of_alerting(folder: &str) -> Vec<(Value, Value)> {
    let of = |kinds: &[&str]| kinds.iter().map(|kind| format!("{kind}#{folder}#*")).collect::<Vec<_>>();
    let in_transactions = of(&["incident", "window", "group", "digest"]);
    let all = [in_transactions.clone(), of(&["site"]), vec!["content#*".to_owned()]].concat();
    vec![
        (json!(["dynamodb:GetItem", "dynamodb:UpdateItem"]), json!(all)),
        (json!("dynamodb:Query"), json!(of(&["group", "digest"]))),
        (json!(["dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem"]), json!(in_transactions)),
    ]
}

#[test]
fn a_workflow_with_timers_finds_in_the_index_what_is_due_of_its_own_and_no_other_queries_an_index() {
    let template = read("template.yaml");
    for folder in functions() {
        let role = &template["Resources"][format!("{}Role", pascal(&folder))];
        let mut found = Vec::new();
        statements("", role, &mut found);
        let of_indexes = found.into_iter().map(|(_, statement)| statement);
        let of_indexes: Vec<&Value> =
            of_indexes.filter(|statement| statement["Resource"].to_string().contains("/index/")).collect();
        let expected = json!({
            "Effect": "Allow",
            "Action": "dynamodb:Query",
            "Resource": { "Fn::Sub": "${DeliveryTable.Arn}/index/by_due" },
            // The index's partition key is the workflow's name: a pattern would also match workflows whose names begin
            // alike.
            "Condition": { "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": [folder] } },
        });
        // By day, for the export. The partition keys are days.
        let by_day = json!({
            "Effect": "Allow",
            "Action": "dynamodb:Query",
            "Resource": { "Fn::Sub": "${DeliveryTable.Arn}/index/by_day" },
        });
        let expected = if folder == REPORTER {
            vec![&by_day]
        } else if says(&folder, "alerting: true") || says(&folder, "timers: true") {
            vec![&expected]
        } else {
            Vec::new()
        };
        assert_eq!(of_indexes, expected, "{folder}");
    }
}

/// The statements of a function's role that exist only if a condition holds.
fn conditional(role: &Value, condition: &str) -> Vec<Value> {
    let statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
    let branches = statements.iter().map(|statement| &statement["Fn::If"]);
    let chosen =
        branches.filter(|branch| branch[0] == condition && branch[2] == json!({ "Ref": "AWS::NoValue" }));
    chosen.map(|branch| branch[1].clone()).collect()
}

/// X-Ray and VPC permissions exist only when these are used. In a VPC, Lambda may use them and the
/// function's code may not: calls of the code have the key `lambda:SourceFunctionArn`.
///
/// Source: <https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-best-practice-security>
#[test]
fn permissions_for_tracing_and_a_vpc_come_and_go_with_them() {
    let template = read("template.yaml");
    let allow = |actions: Value| json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
    for folder in functions() {
        let role = &template["Resources"][format!("{}Role", pascal(&folder))];
        assert_eq!(conditional(role, "IsTraced"), [allow(json!(WITHOUT_RESOURCES))], "{folder}");
        let mut always = Vec::new();
        let statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
        always.extend(statements.iter().filter(|statement| statement["Fn::If"].is_null()));
        let text = json!(always).to_string();
        assert!(!text.contains("xray:") && !text.contains("ec2:"), "{folder}: {text}");
        let mut deny = allow(json!(NETWORK_INTERFACES));
        deny["Effect"] = json!("Deny");
        deny["Condition"] = json!({ "Null": { "lambda:SourceFunctionArn": "false" } });
        let in_vpc = match [API, INGRESS, PUBLISHER].contains(&folder.as_str()) {
            true => Vec::new(),
            false => vec![allow(json!(NETWORK_INTERFACES)), deny],
        };
        assert_eq!(conditional(role, "HasVpc"), in_vpc, "{folder}");
    }
}

#[test]
fn a_wildcard_is_excused_for_xray_a_vpc_and_names_of_schedules_alone() {
    let statement = |action: Value| json!({ "Effect": "Allow", "Action": action, "Resource": "*" });
    assert!(too_wide(&statement(json!(WITHOUT_RESOURCES))).is_empty());
    assert!(too_wide(&statement(json!(NETWORK_INTERFACES))).is_empty());
    for action in [
        json!("sqs:SendMessage"),
        json!([WITHOUT_RESOURCES[0], WITHOUT_RESOURCES[1], "sqs:SendMessage"]),
        json!("xray:*"),
        json!([NETWORK_INTERFACES[1], "ec2:RunInstances"]),
    ] {
        assert!(!too_wide(&statement(action.clone())).is_empty(), "{action}");
    }
    let schedules = |actions: Value, named: &str| {
        let arn = "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule";
        json!({ "Effect": "Allow", "Action": actions, "Resource": { "Fn::Sub": format!("{arn}/{named}") } })
    };
    assert!(too_wide(&schedules(json!(OF_SCHEDULES), "*/tw-notify-slack-*")).is_empty());
    for (actions, named) in [
        (json!(OF_SCHEDULES), "*"),
        (json!(OF_SCHEDULES), "*/tw-*"),
        (json!(OF_SCHEDULES), "*/tw-another-*"),
        (json!(["scheduler:*"]), "*/tw-notify-slack-*"),
        (json!(["scheduler:DeleteSchedule"]), "*/tw-notify-slack-*"),
    ] {
        assert!(!too_wide(&schedules(actions, named)).is_empty(), "{named}");
    }
    assert!(!too_wide(&json!({ "Action": "sqs:SendMessage", "NotResource": "arn:aws:sqs:::q" })).is_empty());
}
