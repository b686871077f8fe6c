//! Renders an event as plain text for terminals and tests. No colour.

use super::event::PagerDutyEvent;
use serde_json::Value;

/// The lines of an event: what it does and to which alert, and below it what a person sees of the alert.
pub fn render_page(event: &PagerDutyEvent) -> String {
    let effect = match (event.action(), event.paged, event.effective) {
        ("trigger", true, _) => "pages",
        ("trigger", false, true) => "added to the open alert, pages no one",
        ("resolve", _, true) => "closes the alert",
        _ => "has no effect",
    };
    let mut lines = vec![
        format!("{} ({effect})", event.action()),
        format!("alert     {}", event.dedup_key()),
        event.summary().to_owned(),
    ];
    for name in ["severity", "source", "component", "group", "class", "timestamp"] {
        let value = event.field(name);
        lines.extend((!value.is_empty()).then(|| format!("{name:<10}{value}")));
    }
    let client =
        [&event.body["client"], &event.body["client_url"]].map(|value| value.as_str().unwrap_or_default());
    lines.push(format!("client    {} ({})", client[0], client[1]));
    for link in event.body["links"].as_array().into_iter().flatten() {
        let text = |name: &str| link[name].as_str().unwrap_or_default();
        lines.push(format!("[{}] ({})", text("text"), text("href")));
    }
    for (name, value) in event.body["payload"]["custom_details"].as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| Value::to_string(value), str::to_owned);
        lines.push(format!("  {name}: {}", value.replace('\n', "\n    ")));
    }
    lines.join("\n")
}
