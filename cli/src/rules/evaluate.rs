//! What rules say about an event: rule by rule, and what they ask workflows to do. No I/O.

use jiff::Timestamp;
use rules::{Explanation, Facts, Lookup, Planned, Rules, Schedule};
use serde_json::{Value, json};
use tableau::Event;

/// What rules say about an event.
#[derive(Clone, Debug)]
pub(super) struct Evaluation {
    /// Each rule with what it has to do with the event, in the file's order.
    pub(super) explained: Vec<(String, Explanation)>,
    /// What the rules that match ask workflows to do.
    pub(super) planned: Vec<Planned>,
}

/// What rules say about an event that happened `at` that time and is handled then.
///
/// # Errors
/// The [`Lookup`] that has to be made first.
pub(super) fn evaluate(
    rules: &Rules,
    event: &Event,
    facts: &Facts,
    at: Timestamp,
) -> Result<Evaluation, Lookup> {
    let explained = rules.explain(event, facts, at)?;
    let mut workflows: Vec<&str> = Vec::new();
    for (name, _) in rules.workflows() {
        if !workflows.contains(&name) {
            workflows.push(name);
        }
    }
    let mut planned = Vec::new();
    // The engine's own answer for each workflow, so that what is shown is what happens.
    for workflow in workflows {
        let matched = rules.matching(workflow, event, facts, at)?;
        planned.extend(rules.planned(workflow, &matched, &event.site, at));
    }
    Ok(Evaluation { explained, planned })
}

impl Evaluation {
    /// What a rule asks workflows to do.
    pub(super) fn of_rule<'e>(&'e self, rule: &'e str) -> impl Iterator<Item = &'e Planned> {
        self.planned.iter().filter(move |planned| planned.rule == rule)
    }
}

/// When an alert is sent, in the words of `rules test`.
pub(super) fn when(schedule: Option<Schedule>) -> &'static str {
    match schedule {
        None | Some(Schedule::Critical | Schedule::Now) => "now",
        Some(Schedule::DeferUntil(_)) => "deferred",
        Some(Schedule::Maintenance(_)) => "maintenance",
        Some(Schedule::Muted(_)) => "muted",
    }
}

/// Until when an alert waits, or is not sent.
pub(super) fn until(schedule: Option<Schedule>) -> Option<Timestamp> {
    match schedule {
        Some(Schedule::DeferUntil(at) | Schedule::Maintenance(at) | Schedule::Muted(at)) => Some(at),
        None | Some(Schedule::Critical | Schedule::Now) => None,
    }
}

/// What a rule asks a workflow to do, for programs.
pub(super) fn facts_of(planned: &Planned) -> Value {
    json!({
        "rule": planned.rule,
        "workflow": planned.workflow,
        "settings": planned.settings,
        "when": when(planned.schedule),
        "until": until(planned.schedule).map(|at| format!("{at:.3}")),
    })
}

/// Settings in short, as one line of YAML: `{ channel: data-alerts }`.
pub(super) fn settings(value: &Value) -> String {
    let Value::Object(map) = value else { return value.to_string() };
    if map.is_empty() {
        return "{}".to_owned();
    }
    let shown = map.iter().map(|(key, value)| match value {
        Value::String(text) => format!("{key}: {text}"),
        other => format!("{key}: {other}"),
    });
    format!("{{ {} }}", shown.collect::<Vec<_>>().join(", "))
}
