//! CloudWatch's embedded metric format.

use serde_json::{Map, Value, json};
use std::io::Write;
use std::sync::OnceLock;

/// The namespace of a function that was given none.
const NAMESPACE: &str = "TableauWebhooks";

/// The namespace of this process, set once at its start.
static OF_PROCESS: OnceLock<String> = OnceLock::new();

/// Sets the namespace that metrics are reported in; the first call counts.
pub(super) fn set_namespace(namespace: Option<&str>) {
    let _ = OF_PROCESS.set(namespace.unwrap_or(NAMESPACE).to_owned());
}

/// A metric's value.
pub(crate) struct Metric<'a> {
    pub(crate) name: &'a str,
    pub(crate) unit: &'static str,
    pub(crate) value: f64,
}

impl<'a> Metric<'a> {
    pub(crate) fn count(name: &'a str) -> Self {
        Self { name, unit: "Count", value: 1.0 }
    }

    pub(crate) fn milliseconds(name: &'a str, value: f64) -> Self {
        Self { name, unit: "Milliseconds", value }
    }
}

/// Reports metrics under the given dimensions. Nothing before the process has a namespace, as in tests of parts.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
pub(crate) fn report(dimensions: &[(&str, &str)], metrics: &[Metric<'_>], timestamp_ms: i64) {
    let Some(namespace) = OF_PROCESS.get() else { return };
    let line = embedded(namespace, dimensions, metrics, timestamp_ms);
    let mut out = std::io::stdout().lock();
    // Nobody can be told that standard output is gone.
    let _ = writeln!(out, "{line}");
}

fn embedded(
    namespace: &str,
    dimensions: &[(&str, &str)],
    metrics: &[Metric<'_>],
    timestamp_ms: i64,
) -> Value {
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let defined: Vec<Value> = metrics.iter().map(|m| json!({ "Name": m.name, "Unit": m.unit })).collect();
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": timestamp_ms,
            "CloudWatchMetrics": [{ "Namespace": namespace, "Dimensions": [names], "Metrics": defined }],
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
        let dimensions = [("workflow", "notify-slack"), ("outcome", "done")];
        let line = embedded("my-stack", &dimensions, &[Metric::count("Attempts")], 7);
        assert_eq!(
            line,
            json!({
                "_aws": {
                    "Timestamp": 7,
                    "CloudWatchMetrics": [{
                        "Namespace": "my-stack",
                        "Dimensions": [["workflow", "outcome"]],
                        "Metrics": [{"Name": "Attempts", "Unit": "Count"}],
                    }],
                },
                "workflow": "notify-slack", "outcome": "done", "Attempts": 1.0,
            })
        );
    }
}
