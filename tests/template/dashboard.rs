//! Metrics that the code reports reach CloudWatch, and the dashboard shows those of this stack only.

use crate::reading::{functions, of_type, pascal, read, resources_of, root};
use crate::scan::{reported_metrics, sources};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

#[test]
fn lambda_drops_no_metric_however_little_is_logged() {
    // Lambda treats a log line without a level, such as our metrics, as INFO.
    //
    // Source: <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>
    let logging = &read("template.yaml")["Globals"]["Function"]["LoggingConfig"];
    assert_eq!(*logging, json!({ "LogFormat": "JSON", "ApplicationLogLevel": "TRACE" }));
}

/// The text of a part of the dashboard body, with its workflow enabled or disabled.
fn text(part: &Value, on: bool) -> String {
    match (&part["Fn::If"], &part["Fn::Sub"]) {
        (Value::Array(branches), _) => text(&branches[if on { 1 } else { 2 }], on),
        (_, Value::String(text)) => text.clone(),
        _ => part.as_str().unwrap_or_else(|| panic!("not a text: {part}")).to_owned(),
    }
}

/// The widgets, with all workflows enabled or disabled.
fn widgets(template: &Value, on: bool) -> Vec<Value> {
    let body = &template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Join"];
    assert_eq!(body[0], "");
    let body: String = body[1].as_array().unwrap().iter().map(|part| text(part, on)).collect();
    let body: Value = serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error} in {body}"));
    body["widgets"].as_array().unwrap().clone()
}

fn metrics(template: &Value) -> Vec<Value> {
    widgets(template, true).into_iter().filter(|widget| widget["type"] == "metric").collect()
}

#[test]
fn every_graph_searches_this_stack_and_shows_metrics_that_are_reported() {
    let template = read("template.yaml");
    let reported = reported_metrics(&sources(&root().join("shared")));
    let mut ours = BTreeSet::new();
    for widget in metrics(&template) {
        let properties = &widget["properties"];
        let title = &properties["title"];
        assert_eq!(properties["region"], "${AWS::Region}", "{title}");
        let expressions = properties["metrics"].as_array().unwrap().iter();
        for expression in expressions.filter_map(|metric| metric[0]["expression"].as_str()) {
            let search = expression.strip_prefix("SUM(").unwrap_or(expression);
            assert!(
                search.starts_with("SEARCH('{") && search.contains("${AWS::StackName}"),
                "{title}: {search}"
            );
            let metric = search.split("MetricName=\"").nth(1).unwrap().split('"').next().unwrap();
            if !search.starts_with("SEARCH('{AWS/") {
                assert!(reported.contains(metric), "{title}: {metric} is none of {reported:?}");
                ours.insert(metric.to_owned());
            }
        }
    }
    let expected = [
        "Accepted",
        "Answers",
        "Attempts",
        "Causes",
        "DeadLetters",
        "DestinationFailures",
        "SignIns",
        "Unreadable",
        "UnreadableRules",
    ];
    assert_eq!(ours, expected.map(str::to_owned).into());
}

/// Dashboard names are unique per account, across all regions.
#[test]
fn a_stack_of_one_name_has_a_dashboard_in_each_region() {
    let dashboard = &read("template.yaml")["Resources"]["Dashboard"]["Properties"]["DashboardName"];
    assert_eq!(*dashboard, json!({ "Fn::Sub": "${AWS::StackName}-${AWS::Region}" }));
}

/// 11-A5.
///
/// Sources: <https://docs.amazonaws.cn/en_us/aws/latest/userguide/endpoints-Beijing.html>,
/// <https://docs.aws.amazon.com/govcloud-us/latest/UserGuide/using-govcloud-endpoints.html>,
/// <https://docs.aws.eu/esc/latest/userguide/introduction.html>
#[test]
fn the_dashboards_address_is_right_in_every_partition() {
    let template = read("template.yaml");
    let url = &template["Outputs"]["DashboardUrl"]["Value"]["Fn::Sub"];
    let host = |partition: &str| {
        let mut part = &url[1]["Console"];
        while let Some(branches) = part["Fn::If"].as_array() {
            let condition = &template["Conditions"][branches[0].as_str().unwrap()]["Fn::Equals"];
            assert_eq!(condition[0], json!({ "Ref": "AWS::Partition" }));
            part = if condition[1] == partition { &branches[1] } else { &branches[2] };
        }
        part.as_str().unwrap().to_owned()
    };
    for (partition, expected) in [
        ("aws", "console.aws.amazon.com"),
        ("aws-cn", "console.amazonaws.cn"),
        ("aws-us-gov", "console.amazonaws-us-gov.com"),
        ("aws-eusc", "console.amazonaws-eusc.eu"),
    ] {
        assert_eq!(host(partition), expected, "{partition}");
    }
    let pattern = "https://${AWS::Region}.${Console}/cloudwatch/home?region=${AWS::Region}#dashboards/dashboard/${Dashboard}";
    assert_eq!(url[0], pattern);
}

/// A widget has at most 100 alarms, and must not name alarms of disabled workflows.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html>
#[test]
fn every_alarm_shows_its_state() {
    let template = read("template.yaml");
    let all = resources_of(&template);
    let shown = |on: bool| -> BTreeSet<String> {
        let widgets = widgets(&template, on).into_iter().filter(|widget| widget["type"] == "alarm");
        let arns = widgets.flat_map(|widget| {
            let alarms = widget["properties"]["alarms"].as_array().unwrap().clone();
            assert!(alarms.len() <= 100);
            alarms
        });
        arns.map(|arn| {
            let id = arn.as_str().and_then(|arn| arn.strip_prefix("${")?.strip_suffix(".Arn}"));
            id.unwrap_or_else(|| panic!("not an ARN: {arn}")).to_owned()
        })
        .collect()
    };
    let alarms: BTreeMap<&str, &Value> = of_type(&all, "AWS::CloudWatch::Alarm").into_iter().collect();
    let every: BTreeSet<String> = alarms.keys().map(|id| (*id).to_owned()).collect();
    assert_eq!(shown(true), every);
    let without_switch: BTreeSet<String> =
        every.into_iter().filter(|id| all[id]["Condition"].is_null()).collect();
    assert_eq!(shown(false), without_switch);
}

/// 11-A5.
#[test]
fn numbers_are_shown_and_an_outcome_has_one_colour_everywhere() {
    let template = read("template.yaml");
    let is_number = |widget: &&Value| widget["properties"]["view"] == "singleValue";
    assert!(metrics(&template).iter().filter(is_number).count() >= 4);
    let mut colours: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for widget in metrics(&template) {
        for metric in widget["properties"]["metrics"].as_array().unwrap() {
            let Some((_, outcome)) =
                metric[0]["expression"].as_str().and_then(|e| e.split_once("outcome=\""))
            else {
                continue;
            };
            let outcome = outcome.split('"').next().unwrap().to_owned();
            let colour = metric[0]["color"].as_str().unwrap_or_else(|| panic!("{outcome} has no colour"));
            colours.entry(outcome).or_default().insert(colour.to_owned());
        }
    }
    let outcomes: Vec<&str> = colours.keys().map(String::as_str).collect();
    let expected = [
        "busy",
        "deferred",
        "done",
        "duplicate",
        "exhausted",
        "ignored",
        "misconfigured",
        "permanent",
        "skipped",
        "transient",
    ];
    assert_eq!(outcomes, expected);
    assert!(colours.values().all(|colours| colours.len() == 1), "{colours:?}");
    let different: BTreeSet<&String> = colours.values().flatten().collect();
    assert_eq!(different.len(), colours.len(), "{colours:?}");
}

/// The section names in quotes or between asterisks.
fn sections_named(text: &str) -> Vec<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let quote = if text.contains('"') { '"' } else { '*' };
    text.split(quote).skip(1).step_by(2).map(str::to_owned).collect()
}

/// The dashboard and the alarms name sections of the documentation, which exist.
#[test]
fn what_to_do_stands_where_the_dashboard_and_the_alarms_say() {
    let template = read("template.yaml");
    let page = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let headings: BTreeSet<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let all = resources_of(&template);
    let alarms = of_type(&all, "AWS::CloudWatch::Alarm").into_iter();
    let mut texts: Vec<String> =
        alarms.map(|(_, alarm)| alarm["AlarmDescription"].as_str().unwrap().to_owned()).collect();
    let widgets = widgets(&template, true).into_iter().filter(|widget| widget["type"] == "text");
    texts.extend(widgets.map(|widget| widget["properties"]["markdown"].as_str().unwrap().to_owned()));
    let mut found = 0;
    for text in texts.iter().filter(|text| text.contains("docs/operations.md")) {
        let (_, behind) = text.split_once("docs/operations.md").unwrap();
        let named = sections_named(behind);
        assert!(!named.is_empty(), "{text}");
        for name in named {
            found += 1;
            assert!(headings.contains(name.as_str()), "there is no section `{name}`: {headings:?}");
        }
    }
    assert!(found > 10, "{found}");
}

// 15, item 3
#[test]
fn the_page_says_what_each_alarm_means() {
    let page = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let (_, table) = page.split_once("\n## What each alarm means\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let names: BTreeSet<&str> = table.split('`').skip(1).step_by(2).collect();
    let all = resources_of(&read("template.yaml"));
    let has_row = |alarm: &str| {
        let of_workflow = |function: &String| {
            let kind = alarm.strip_prefix(&pascal(function));
            kind.is_some_and(|kind| names.contains(format!("<Workflow>{kind}").as_str()))
        };
        names.contains(alarm) || functions().iter().any(of_workflow)
    };
    let alarms = of_type(&all, "AWS::CloudWatch::Alarm");
    assert!(alarms.len() > 10, "{}", alarms.len());
    let missing: Vec<&str> = alarms.iter().map(|(id, _)| *id).filter(|alarm| !has_row(alarm)).collect();
    assert_eq!(missing, Vec::<&str>::new(), "docs/operations.md does not say what these alarms mean");
}
