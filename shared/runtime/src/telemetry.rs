//! Logs as JSON, metrics in CloudWatch's embedded metric format: both are lines on standard output.

use serde_json::{Map, Value, json};
use std::io::Write;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const NAMESPACE: &str = "TableauWebhooks";

/// Starts logging at `level`. Of the libraries below us only warnings are logged, whatever the level: their
/// details hold headers and addresses, and so tokens.
pub(crate) fn start(function: &str, level: Option<&str>) {
    let level = level.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let function = function.replace('-', "_");
    let ours = ["runtime", "secrets", "tableau_client", "destinations", "workflow", function.as_str()];
    let mut targets = Targets::new().with_default(level.min(LevelFilter::WARN));
    for target in ours {
        targets = targets.with_target(target, level);
    }
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false);
    // A second start, in a process that has one already, changes nothing.
    let _ = tracing_subscriber::registry().with(targets).with(lines).try_init();
}

/// A metric's value.
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) value: f64,
}

impl Metric {
    pub(crate) fn count(name: &'static str) -> Self {
        Self { name, unit: "Count", value: 1.0 }
    }

    pub(crate) fn milliseconds(name: &'static str, value: f64) -> Self {
        Self { name, unit: "Milliseconds", value }
    }
}

/// Reports metrics under the given dimensions.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
pub(crate) fn report(dimensions: &[(&'static str, &str)], metrics: &[Metric], timestamp_ms: i64) {
    let line = embedded(dimensions, metrics, timestamp_ms);
    let mut out = std::io::stdout().lock();
    // Nobody can be told that standard output is gone.
    let _ = writeln!(out, "{line}");
}

fn embedded(dimensions: &[(&'static str, &str)], metrics: &[Metric], timestamp_ms: i64) -> Value {
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let defined: Vec<Value> = metrics.iter().map(|m| json!({ "Name": m.name, "Unit": m.unit })).collect();
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": timestamp_ms,
            "CloudWatchMetrics": [{ "Namespace": NAMESPACE, "Dimensions": [names], "Metrics": defined }],
        }),
    );
    for (name, value) in dimensions {
        line.insert((*name).to_owned(), json!(value));
    }
    for metric in metrics {
        line.insert(metric.name.to_owned(), json!(metric.value));
    }
    Value::Object(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_line_has_the_documented_shape() {
        let line =
            embedded(&[("workflow", "notify-slack"), ("outcome", "done")], &[Metric::count("Attempts")], 7);
        assert_eq!(
            line,
            json!({
                "_aws": {
                    "Timestamp": 7,
                    "CloudWatchMetrics": [{
                        "Namespace": "TableauWebhooks",
                        "Dimensions": [["workflow", "outcome"]],
                        "Metrics": [{"Name": "Attempts", "Unit": "Count"}],
                    }],
                },
                "workflow": "notify-slack", "outcome": "done", "Attempts": 1.0,
            })
        );
    }
}
