//! Metrics: what the code reports reaches CloudWatch, and the dashboard shows it, of this stack alone.

use crate::reading::{read, root};
use crate::scan::{reported_metrics, sources};
use serde_json::{Value, json};

#[test]
fn lambda_drops_no_metric_however_little_is_logged() {
    // Lambda takes a line without a level, as ours with metrics are, for INFO.
    //
    // Source: <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>
    let logging = &read("template.yaml")["Globals"]["Function"]["LoggingConfig"];
    assert_eq!(*logging, json!({ "LogFormat": "JSON", "ApplicationLogLevel": "TRACE" }));
}

#[test]
fn every_graph_searches_this_stack_and_shows_metrics_that_are_reported() {
    let template = read("template.yaml");
    let body = template["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"].as_str().unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    let reported = reported_metrics(&sources(&root().join("shared")));
    let mut ours = Vec::new();
    for widget in body["widgets"].as_array().unwrap().iter().filter(|widget| widget["type"] == "metric") {
        let properties = &widget["properties"];
        let title = &properties["title"];
        assert_eq!(properties["region"], "${AWS::Region}", "{title}");
        let expressions = properties["metrics"].as_array().unwrap().iter();
        for search in expressions.filter_map(|metric| metric[0]["expression"].as_str()) {
            assert!(
                search.starts_with("SEARCH('{") && search.contains("${AWS::StackName}"),
                "{title}: {search}"
            );
            let metric = search.split("MetricName=\"").nth(1).unwrap().split('"').next().unwrap();
            if !search.starts_with("SEARCH('{AWS/") {
                assert!(reported.contains(metric), "{title}: {metric} is none of {reported:?}");
                ours.push(metric.to_owned());
            }
        }
    }
    assert_eq!(ours, ["Accepted", "Attempts", "DestinationFailures", "SignIns", "Answers"]);
}
