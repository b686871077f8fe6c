//! Logs as JSON, and metrics in CloudWatch's embedded metric format. Both are lines on standard output.

mod counter;
mod metric;

pub(crate) use metric::{Metric, report};

use counter::Counters;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging at `level`, and reporting metrics in `namespace`. Libraries log only warnings, at any level: their
/// details contain headers and URLs, and so tokens.
pub(crate) fn start(function: &'static str, level: Option<&str>, namespace: Option<&str>) {
    metric::set_namespace(namespace);
    let level = level.and_then(|level| level.parse().ok()).unwrap_or(LevelFilter::INFO);
    let own = function.replace('-', "_");
    let ours = [
        "circuit",
        "destinations",
        "email",
        "publishing",
        "runtime",
        "secrets",
        "tableau_client",
        "workflow",
        own.as_str(),
    ];
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
    // Metrics are counted at every log level.
    let layers = tracing_subscriber::registry()
        .with(lines.with_filter(targets))
        .with(Counters::new(function, metric::report).only_counting());
    // If logging was already started in this process, the second start has no effect.
    let _ = layers.try_init();
}
