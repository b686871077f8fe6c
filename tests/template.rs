//! What the blocks of `template.yaml` have in common, and whether they fit `functions/` and `rules.yaml`.

#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use tableau::EventName;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(file: &str) -> Value {
    let text = fs::read_to_string(root().join(file)).unwrap();
    let documents = Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    assert_eq!(documents.len(), 1, "{file}");
    to_json(&documents[0])
}

/// YAML as JSON, CloudFormation's short forms (`!Ref X`) as its long ones (`{"Ref": "X"}`).
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
fn resources() -> BTreeMap<String, Value> {
    read("template.yaml")["Resources"].as_object().unwrap().clone().into_iter().collect()
}

fn of_type<'a>(all: &'a BTreeMap<String, Value>, kind: &str) -> Vec<(&'a str, &'a Value)> {
    all.iter().filter(|(_, r)| r["Type"] == kind).map(|(id, r)| (id.as_str(), &r["Properties"])).collect()
}

/// Names of the folders in `functions/`, in alphabetical order.
fn functions() -> Vec<String> {
    let entries = fs::read_dir(root().join("functions")).unwrap().map(|entry| entry.unwrap());
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// `notify-slack` → `NotifySlack`.
fn pascal(name: &str) -> String {
    name.split('-').map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}

/// The X of `!GetAtt X.…`.
fn target(value: &Value) -> Option<&str> {
    value["Fn::GetAtt"].as_str()?.split('.').next()
}

/// Queues that messages fall into from other queues.
fn dead_letters(all: &BTreeMap<String, Value>) -> BTreeSet<&str> {
    let queues = of_type(all, "AWS::SQS::Queue").into_iter();
    queues.filter_map(|(_, queue)| target(&queue["RedrivePolicy"]["deadLetterTargetArn"])).collect()
}

#[test]
fn every_folder_has_its_function_and_every_function_its_folder() {
    let all = resources();
    let ids: BTreeSet<&str> =
        of_type(&all, "AWS::Serverless::Function").into_iter().map(|(id, _)| id).collect();
    let folders: BTreeMap<String, String> =
        functions().into_iter().map(|name| (pascal(&name), name)).collect();
    assert_eq!(ids, folders.keys().map(String::as_str).collect());
    for (id, folder) in folders {
        assert_eq!(all[&id]["Metadata"]["BuildMethod"], "rust-cargolambda", "{id}");
        assert_eq!(all[&id]["Metadata"]["BuildProperties"]["Binary"], folder, "{id}");
    }
}

#[test]
fn blocks_stand_in_alphabetical_order_and_name_their_resources_after_their_folder() {
    let text = fs::read_to_string(root().join("template.yaml")).unwrap();
    let lines = text.lines().skip_while(|line| *line != "Resources:");
    let mut blocks: Vec<(String, Vec<&str>)> = Vec::new();
    for line in lines {
        if let Some(heading) = line.strip_prefix("  # --- ") {
            blocks.push((heading.trim_end_matches('-').trim().to_owned(), Vec::new()));
        } else if let Some(id) =
            line.strip_prefix("  ").filter(|l| l.starts_with(|c: char| c.is_ascii_uppercase()))
        {
            blocks
                .last_mut()
                .expect("a resource stands before the first heading")
                .1
                .push(id.trim_end_matches(':'));
        }
    }
    let shared = blocks.iter().take_while(|(heading, _)| heading.starts_with("shared: ")).count();
    let own = &blocks[shared..];
    assert_eq!(own.iter().map(|(heading, _)| heading.clone()).collect::<Vec<_>>(), functions());
    for (folder, ids) in own {
        let name = pascal(folder);
        assert_eq!(ids.first(), Some(&name.as_str()), "a block begins with its function");
        let strays: Vec<_> = ids.iter().filter(|id| !id.starts_with(&name)).collect();
        assert!(strays.is_empty(), "in the block of {folder}: {strays:?}");
    }
    let named: usize = blocks.iter().map(|(_, ids)| ids.len()).sum();
    assert_eq!(named, resources().len(), "this test has not seen every resource");
}

#[test]
fn every_queue_has_one_function_that_reports_partial_batches() {
    let all = resources();
    let mut sources: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (id, function) in of_type(&all, "AWS::Serverless::Function") {
        for (name, event) in
            function["Events"].as_object().into_iter().flatten().filter(|(_, e)| e["Type"] == "SQS")
        {
            let event = &event["Properties"];
            assert_eq!(event["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{id}.{name}");
            let concurrency = event["ScalingConfig"]["MaximumConcurrency"].as_u64();
            assert!(
                concurrency.is_some_and(|n| n >= 2),
                "{id}.{name}: MaximumConcurrency of 2 or more, as a number"
            );
            let queue = target(&event["Queue"]).unwrap_or_else(|| panic!("{id}.{name}: !GetAtt of a queue"));
            sources.entry(queue).or_default().push(id);
            assert_eq!(
                function["Environment"]["Variables"]["QUEUE_URL"],
                json!({ "Ref": queue }),
                "{id}.{name}"
            );
        }
    }
    let dead_letters = dead_letters(&all);
    for (id, _) in of_type(&all, "AWS::SQS::Queue").into_iter().filter(|(id, _)| !dead_letters.contains(id)) {
        let readers = sources.get(id).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(readers.len(), 1, "functions that read {id}: {readers:?}");
    }
}

#[test]
fn a_message_stays_invisible_for_six_times_the_functions_timeout() {
    let (template, all) = (read("template.yaml"), resources());
    for (id, function) in of_type(&all, "AWS::Serverless::Function") {
        let timeout =
            function["Timeout"].as_u64().or_else(|| template["Globals"]["Function"]["Timeout"].as_u64());
        let timeout = timeout.unwrap_or_else(|| panic!("{id} has no Timeout"));
        for event in function["Events"].as_object().into_iter().flatten().map(|(_, event)| event) {
            let Some(queue) = target(&event["Properties"]["Queue"]) else { continue };
            let visibility = all[queue]["Properties"]["VisibilityTimeout"].as_u64().unwrap_or(30);
            assert!(visibility >= 6 * timeout, "{queue}: {visibility} s, {id}: {timeout} s");
        }
    }
}

#[test]
fn every_queue_is_encrypted_and_has_dead_letters_that_raise_an_alarm() {
    let all = resources();
    let dead_letters = dead_letters(&all);
    let watched: BTreeSet<&str> = of_type(&all, "AWS::CloudWatch::Alarm")
        .into_iter()
        .filter(|(_, alarm)| {
            alarm["MetricName"] == "ApproximateNumberOfMessagesVisible" && alarm["Threshold"] == 0
        })
        .filter_map(|(_, alarm)| target(&alarm["Dimensions"][0]["Value"]))
        .collect();
    for (id, queue) in of_type(&all, "AWS::SQS::Queue") {
        assert_eq!(queue["SqsManagedSseEnabled"], true, "{id}");
        if dead_letters.contains(id) {
            assert_eq!(queue["MessageRetentionPeriod"], 14 * 24 * 3600, "{id}");
            assert!(watched.contains(id), "no alarm watches {id}");
        } else {
            let retention = queue["MessageRetentionPeriod"].as_u64();
            assert!(
                retention.is_some_and(|seconds| seconds < 14 * 24 * 3600),
                "{id}: shorter than its dead letters'"
            );
            assert!(
                queue["RedrivePolicy"]["maxReceiveCount"].as_u64().is_some(),
                "{id} has no RedrivePolicy"
            );
        }
    }
}

#[test]
fn rules_take_known_events_and_only_they_may_fill_their_queues() {
    let known: BTreeSet<&str> = EventName::KNOWN.iter().map(EventName::as_str).collect();
    let all = resources();
    let allowed = |queue: &str| -> Vec<Value> {
        let policies = of_type(&all, "AWS::SQS::QueuePolicy").into_iter();
        let policies = policies.filter(|(_, policy)| policy["Queues"] == json!([{ "Ref": queue }]));
        policies
            .flat_map(|(_, policy)| policy["PolicyDocument"]["Statement"].as_array().unwrap().clone())
            .collect()
    };
    let mut takes_everything = false;
    for (id, rule) in of_type(&all, "AWS::Events::Rule") {
        assert_eq!(rule["EventPattern"]["source"], json!(["tableau.webhooks"]), "{id}");
        // A rule without names takes every event.
        let names = rule["EventPattern"]["detail-type"].as_array().cloned().unwrap_or_default();
        let names: Vec<&str> = names.iter().map(|name| name.as_str().unwrap()).collect();
        let unknown: Vec<_> = names.iter().filter(|name| !known.contains(**name)).collect();
        assert!(unknown.is_empty(), "{id}: {unknown:?}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{id} names an event twice");
        takes_everything |= rule["EventPattern"].get("detail-type").is_none();

        for to in rule["Targets"].as_array().unwrap() {
            assert_eq!(to["InputPath"], "$.detail", "{id}");
            for arn in [&to["Arn"], &to["DeadLetterConfig"]["Arn"]] {
                let queue = target(arn).unwrap_or_else(|| panic!("{id}: !GetAtt of a queue"));
                let statement = json!({
                    "Effect": "Allow",
                    "Principal": { "Service": "events.amazonaws.com" },
                    "Action": "sqs:SendMessage",
                    "Resource": { "Fn::GetAtt": format!("{queue}.Arn") },
                    "Condition": { "ArnEquals": { "aws:SourceArn": { "Fn::GetAtt": format!("{id}.Arn") } } },
                });
                assert_eq!(allowed(queue), [statement], "who may send to {queue}");
            }
        }
    }
    assert!(
        takes_everything,
        "an event with an unknown name must reach a workflow, to be recorded as skipped"
    );
}

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

#[test]
fn no_policy_has_a_wildcard() {
    let template = read("template.yaml");
    let mut found = Vec::new();
    statements("", &template["Resources"], &mut found);
    assert!(!found.is_empty());
    for (path, statement) in found {
        for part in ["Action", "Resource"] {
            assert!(!statement[part].to_string().contains('*'), "{path}.{part}: {}", statement[part]);
            assert!(statement.get(format!("Not{part}")).is_none(), "{path}.Not{part} allows all the rest");
        }
    }
}

#[test]
fn every_function_has_a_role_of_its_own() {
    // Without one SAM makes it, and adds managed policies that allow reading any queue and writing any log.
    let all = resources();
    for (id, function) in of_type(&all, "AWS::Serverless::Function") {
        assert_eq!(function["Role"], json!({ "Fn::GetAtt": format!("{id}Role.Arn") }), "{id}");
        let role = &all[&format!("{id}Role")]["Properties"];
        assert!(
            role["ManagedPolicyArns"].is_null() && function["Policies"].is_null(),
            "{id}: policies are the role's"
        );
        assert_eq!(function["LoggingConfig"]["LogGroup"], json!({ "Ref": format!("{id}Logs") }), "{id}");
    }
    for (id, group) in of_type(&all, "AWS::Logs::LogGroup") {
        assert!(!group["RetentionInDays"].is_null(), "{id} keeps its lines for ever");
    }
}

#[test]
fn a_function_has_its_url_with_and_without_a_token() {
    let all = resources();
    let permissions: BTreeSet<(String, String)> = of_type(&all, "AWS::Lambda::Permission")
        .into_iter()
        .map(|(id, permission)| {
            let arn =
                permission["SourceArn"]["Fn::Sub"].as_str().unwrap_or_else(|| panic!("{id}: SourceArn"));
            let path = arn.split_once(":${HttpApi}/*/*").unwrap_or_else(|| panic!("{id}: {arn}")).1;
            (permission["FunctionName"]["Ref"].as_str().unwrap().to_owned(), path.to_owned())
        })
        .collect();
    let mut routes = BTreeSet::new();
    for (id, route) in of_type(&all, "AWS::ApiGatewayV2::Route") {
        let path = route["RouteKey"].as_str().and_then(|key| key.strip_prefix("ANY "));
        let path = path.unwrap_or_else(|| panic!("{id}: ANY, so that the function answers a wrong method"));
        let integration = route["Target"]["Fn::Sub"].as_str().unwrap();
        let integration = integration.trim_start_matches("integrations/${").trim_end_matches('}');
        let function = target(&all[integration]["Properties"]["IntegrationUri"]).unwrap();
        routes.insert((function.to_owned(), path.replace("{token}", "*")));
    }
    assert_eq!(routes, permissions, "every route has its permission, and no other has one");
    for folder in functions() {
        let path = match folder.as_str() {
            "receive-webhook" => "/webhook".to_owned(),
            workflow => format!("/webhooks/{workflow}"),
        };
        for path in [path.clone(), format!("{path}/*")] {
            assert!(routes.contains(&(pascal(&folder), path.clone())), "{folder} has no route {path}");
        }
    }
}

#[test]
fn access_logs_leave_out_what_may_hold_the_token() {
    let all = resources();
    let stages = of_type(&all, "AWS::ApiGatewayV2::Stage");
    assert!(!stages.is_empty());
    for (id, stage) in stages {
        let format = stage["AccessLogSettings"]["Format"].as_str().unwrap();
        let fields: BTreeMap<String, String> = serde_json::from_str(format).unwrap();
        for variable in fields.values() {
            let lower = variable.to_lowercase();
            assert!(
                !["path", "query", "header", "body"].iter().any(|w| lower.contains(w)),
                "{id}: {variable}"
            );
        }
    }
}

#[test]
fn the_sample_of_rules_names_every_event_and_existing_workflows() {
    rules::Rules::read(&root().join("rules.yaml")).unwrap();
    let rules = read("rules.yaml");
    let (mut named, mut started) = (BTreeSet::new(), BTreeSet::new());
    for rule in rules["rules"].as_array().unwrap() {
        named.extend(rule["on"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()));
        let actions = rule["do"].as_array().unwrap().iter();
        started.extend(actions.flat_map(|action| action.as_object().unwrap().keys().cloned()));
    }
    assert_eq!(named, EventName::KNOWN.iter().map(EventName::as_str).collect());
    let folders: BTreeSet<String> = functions().into_iter().collect();
    let missing: Vec<_> = started.difference(&folders).collect();
    assert!(missing.is_empty(), "not in functions/: {missing:?}");
}
