//! CloudWatch's embedded metric format.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::io::Write;
use std::sync::OnceLock;

/// The metric namespace of a function whose settings name none.
const NAMESPACE: &str = "TableauWebhooks";

/// The metric namespace of this process, set once at start.
static OF_PROCESS: OnceLock<String> = OnceLock::new();

/// Sets the namespace in which metrics are reported. Only the first call has an effect.
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

/// A log line from which CloudWatch extracts metrics.
struct Line<'a> {
    namespace: &'a str,
    dimensions: &'a [(&'a str, &'a str)],
    metrics: &'a [Metric<'a>],
    timestamp_ms: i64,
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        line.serialize_entry(
            "_aws",
            &Metadata {
                timestamp: self.timestamp_ms,
                cloud_watch_metrics: [Directive {
                    namespace: self.namespace,
                    dimensions: [self.dimensions.iter().map(|(name, _)| *name).collect()],
                    metrics: self.metrics.iter().map(|m| Definition { name: m.name, unit: m.unit }).collect(),
                }],
            },
        )?;
        for (name, value) in self.dimensions {
            line.serialize_entry(name, value)?;
        }
        for metric in self.metrics {
            line.serialize_entry(metric.name, &metric.value)?;
        }
        line.end()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    timestamp: i64,
    cloud_watch_metrics: [Directive<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'a str,
    dimensions: [Vec<&'a str>; 1],
    metrics: Vec<Definition<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition<'a> {
    name: &'a str,
    unit: &'a str,
}

/// Reports metrics with the given dimensions. Reports nothing before a namespace is set, as in unit tests.
///
/// Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
pub(crate) fn report(dimensions: &[(&str, &str)], metrics: &[Metric<'_>], timestamp_ms: i64) {
    let Some(namespace) = OF_PROCESS.get() else { return };
    let Ok(mut line) = serde_json::to_vec(&Line { namespace, dimensions, metrics, timestamp_ms }) else {
        return;
    };
    line.push(b'\n');
    // If standard output is closed, the error cannot be reported anywhere, so it is ignored.
    let _ = std::io::stdout().lock().write_all(&line);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_metric_line_has_the_documented_shape() {
        let dimensions = [("workflow", "notify-slack"), ("outcome", "done")];
        let metrics = [Metric::count("Attempts")];
        let line =
            Line { namespace: "my-stack", dimensions: &dimensions, metrics: &metrics, timestamp_ms: 7 };
        assert_eq!(
            serde_json::to_value(line).unwrap(),
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
