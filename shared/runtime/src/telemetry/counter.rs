//! Turns log events that count something into metrics.
//!
//! Crates without AWS code count with a field `monotonic_counter.<name>`, the convention of `tracing-opentelemetry`:
//! `tracing::info!(monotonic_counter.sign_ins = 1, "signed in")` becomes the metric `SignIns`.
//!
//! Source: <https://docs.rs/tracing-opentelemetry/latest/tracing_opentelemetry/struct.MetricsLayer.html>

use super::metric::Metric;
use jiff::Timestamp;
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

const PREFIX: &str = "monotonic_counter.";

/// The function that receives metrics: [`super::report`], or in tests a function that collects them.
type Report = fn(&[(&str, &str)], &[Metric<'_>], i64);

/// Reports counting events as metrics. The other fields of the event become dimensions, so they must not have many
/// different values. Without other fields, the dimension is the function's name.
pub(super) struct Counters {
    function: &'static str,
    report: Report,
}

impl Counters {
    pub(super) fn new(function: &'static str, report: Report) -> Self {
        Self { function, report }
    }

    /// A layer that receives only counting events, at any log level. The event's declaration shows whether it counts,
    /// so other events cost nothing.
    pub(super) fn only_counting<S>(self) -> impl Layer<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        self.with_filter(filter_fn(counts))
    }
}

fn counts(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && metadata.fields().iter().any(|field| field.name().starts_with(PREFIX))
}

impl<S: Subscriber> Layer<S> for Counters {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut counted = Counted::default();
        event.record(&mut counted);
        if counted.dimensions.is_empty() {
            counted.dimensions.push(("function", self.function.to_owned()));
        }
        let dimensions: Vec<(&str, &str)> =
            counted.dimensions.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let metrics: Vec<Metric<'_>> = counted
            .counts
            .iter()
            .map(|(name, value)| Metric { value: *value, ..Metric::count(name) })
            .collect();
        if !metrics.is_empty() {
            (self.report)(&dimensions, &metrics, Timestamp::now().as_millisecond());
        }
    }
}

/// The counters of an event, and its other fields as dimensions.
#[derive(Default)]
struct Counted {
    counts: Vec<(String, f64)>,
    dimensions: Vec<(&'static str, String)>,
}

impl Counted {
    fn number(&mut self, field: &Field, value: f64) {
        match field.name().strip_prefix(PREFIX) {
            Some(counter) => self.counts.push((pascal(counter), value)),
            None => self.dimensions.push((field.name(), value.to_string())),
        }
    }
}

impl Visit for Counted {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, value as f64);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, value as f64);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.number(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.dimensions.push((field.name(), value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // The field `message` is text for people and not a dimension.
        if field.name() != "message" {
            self.dimensions.push((field.name(), format!("{value:?}")));
        }
    }
}

/// Turns `sign_ins` into `SignIns`, the spelling of all metrics.
fn pascal(snake: &str) -> String {
    let words = snake.split('_').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use tracing::level_filters::LevelFilter;
    use tracing_subscriber::layer::SubscriberExt;

    thread_local! {
        static REPORTED: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }

    fn remember(dimensions: &[(&str, &str)], metrics: &[Metric<'_>], _: i64) {
        let metrics: Vec<String> = metrics.iter().map(|m| format!("{} {}", m.name, m.value)).collect();
        REPORTED.with_borrow_mut(|all| all.push(format!("{} {dimensions:?}", metrics.join(", "))));
    }

    /// The metrics that are reported for the events logged by `happens`.
    fn reported(happens: impl FnOnce()) -> Vec<String> {
        let lines =
            tracing_subscriber::fmt::layer().with_writer(std::io::sink).with_filter(LevelFilter::ERROR);
        let layers = tracing_subscriber::registry()
            .with(lines)
            .with(Counters::new("notify-slack", remember).only_counting());
        tracing::subscriber::with_default(layers, happens);
        REPORTED.take()
    }

    #[test]
    fn a_counting_event_is_a_metric_with_its_other_fields_as_dimensions() {
        let reported = reported(|| {
            tracing::debug!(monotonic_counter.calls_made = 2, to = "Slack", kind = %"good", "{} made", 2);
        });
        assert_eq!(reported, [r#"CallsMade 2 [("to", "Slack"), ("kind", "good")]"#]);
    }

    #[test]
    fn an_event_without_other_fields_is_counted_by_function() {
        let reported = reported(|| tracing::info!(monotonic_counter.sign_ins = 1_u64, "signed in"));
        assert_eq!(reported, [r#"SignIns 1 [("function", "notify-slack")]"#]);
    }

    #[test]
    fn other_events_are_no_metrics_and_a_level_that_logs_less_counts_no_less() {
        let reported = reported(|| {
            tracing::error!(sign_ins = 1, "not a counter");
            tracing::trace!(monotonic_counter.retries = 1.5, "a quiet one");
        });
        assert_eq!(reported, [r#"Retries 1.5 [("function", "notify-slack")]"#]);
    }
}
