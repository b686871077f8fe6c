//! What `rules explain` prints. No I/O.

use super::body;
use super::evaluate::{Evaluation, facts_of, settings, when};
use crate::colour::paint;
use crate::out::plain;
use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rules::message::{Message, Variables};
use rules::{Explanation, Fact, Facts, Planned, Rules, Schedule, ShownFact};
use serde_json::{Map, Value, json};
use tableau::{Action, Event, Payload};

/// Stands for what only a function that sends the message knows.
const LATER: [&str; 5] = ["<cause>", "<detail>", "<next_step>", "<since>", "<url>"];

/// What is explained.
#[derive(Debug)]
pub(super) struct About<'a> {
    pub(super) event: &'a Event,
    pub(super) rules: &'a Rules,
    /// What the rules are called.
    pub(super) source: &'a str,
    pub(super) facts: &'a Facts,
    /// When the event is handled.
    pub(super) at: Timestamp,
    /// What Tableau sent, if the bodies that are forwarded are to be shown.
    pub(super) payload: Option<&'a Payload>,
}

/// The lines for a person.
pub(super) fn shown(about: &About<'_>, evaluation: &Evaluation) -> Vec<String> {
    let event = about.event;
    let resource = event.resource_name.as_deref().map(|name| format!(" of \"{name}\"")).unwrap_or_default();
    let mut lines = vec![
        plain(&format!("{}{resource}, event {}, at {}", event.name, event.id.short(), about.time(about.at))),
        plain(&format!("rules: {}", about.source)),
    ];
    if !about.rules.welcomes(about.event) {
        let site = format!("its site {} is not listed under `sites`: the event is ignored", event.site);
        lines.push(paint(AnsiColor::Yellow.on_default(), &plain(&site)));
    }
    lines.push(String::new());
    for (rule, explanation) in &evaluation.explained {
        let colour =
            if explanation.is_match() { AnsiColor::Green.on_default() } else { Style::new().dimmed() };
        lines.push(format!("{}: {}", plain(rule), paint(colour, &plain(&explanation.to_string()))));
        for planned in evaluation.of_rule(rule) {
            lines.push(plain(&format!(
                "  {} {}{}",
                planned.workflow,
                settings(&planned.settings),
                about.sent(planned)
            )));
            if let Some(message) = planned.message.as_ref().filter(|_| planned.schedule.is_some()) {
                lines.extend(about.words(rule, message));
            }
            if let Some(body) = about.payload.and_then(|payload| body::of(about, planned, payload)) {
                lines.extend(body::shown(&body));
            }
        }
    }
    if !evaluation.explained.iter().any(|(_, explanation)| explanation.is_match()) {
        lines.push("\nno rule matches: workflows skip the event".to_owned());
    }
    let facts = about.facts.shown();
    if !facts.is_empty() {
        lines.push("\nknown of the object:".to_owned());
        let width = facts.iter().map(|fact| fact.name.len()).max().unwrap_or_default();
        lines.extend(
            facts
                .iter()
                .map(|ShownFact { name, value }| plain(&format!("  {name:width$}  {}", in_words(value)))),
        );
    }
    lines
}

fn in_words(value: &Fact<String>) -> String {
    match value {
        Fact::Known(text) if !text.is_empty() => text.clone(),
        Fact::Known(_) | Fact::Absent | Fact::NotAsked => "none".to_owned(),
        Fact::Missing(why) => format!("unknown ({why})"),
    }
}

impl About<'_> {
    fn timezone(&self) -> TimeZone {
        self.rules.site(&self.event.site).map_or(TimeZone::UTC, |site| site.timezone.clone())
    }

    /// A time as a clock at the site shows it.
    fn time(&self, at: Timestamp) -> String {
        let zoned = at.to_zoned(self.timezone());
        let zone = zoned.time_zone().iana_name().unwrap_or("UTC").to_owned();
        format!("{} {zone}", zoned.strftime("%a %Y-%m-%d %H:%M"))
    }

    /// When the alert is sent, as the end of a line.
    fn sent(&self, planned: &Planned) -> String {
        match planned.schedule {
            None => String::new(),
            Some(Schedule::Critical) => ": at once, since the rule is critical".to_owned(),
            Some(Schedule::Now) => ": at once".to_owned(),
            Some(Schedule::DeferUntil(at)) => format!(": when the quiet hours end, {}", self.time(at)),
            Some(Schedule::Muted(at)) => format!(": not sent, the rule is muted until {}", self.time(at)),
            Some(Schedule::Maintenance(at)) => {
                format!(": not sent, maintenance until {}; a recovery is sent at once", self.time(at))
            }
        }
    }

    /// What the templates of a rule make.
    fn words(&self, rule: &str, message: &Message) -> Vec<String> {
        let (title, text, problems) = message.render(&self.variables(rule));
        let mut lines = Vec::new();
        lines.extend(title.map(|title| plain(&format!("    title: {title}"))));
        let text = text.unwrap_or_default();
        let mut label = "text: ";
        for part in text.lines() {
            lines.push(plain(&format!("    {label}{part}")).trim_end().to_owned());
            label = "      ";
        }
        lines.extend(problems.iter().map(|problem| plain(&format!("    the template fails: {problem}"))));
        lines
    }

    fn variables(&self, rule: &str) -> Variables {
        let event = self.event;
        let facts: Vec<ShownFact> = self.facts.shown();
        let fact = |name: &str| {
            let found = facts.iter().find(|fact| fact.name == name);
            match found.map(|fact| &fact.value) {
                Some(Fact::Known(text)) => text.clone(),
                _ => String::new(),
            }
        };
        let owners = fact("owner");
        let names: Vec<&str> = owners.split(", ").collect();
        let is_failure = event.name.action() == Some(Action::RefreshFailed);
        let [cause, detail, next_step, since, url] = LATER.map(str::to_owned);
        let of_failure = |text: String| if is_failure { text } else { String::new() };
        let site = self.rules.site(&event.site).map(|site| site.name.clone());
        Variables {
            event: event.name.to_string(),
            kind: event.subject.kind().to_owned(),
            name: event.resource_name.clone().unwrap_or_default(),
            project: fact("project"),
            owner: names.last().copied().unwrap_or_default().to_owned(),
            owner_email: names.iter().find(|name| name.contains('@')).copied().unwrap_or_default().to_owned(),
            deleted_by: fact("deleted_by"),
            tags: fact("tags"),
            site: site.unwrap_or_else(|| event.site.to_string()),
            url,
            rule: rule.to_owned(),
            cause: of_failure(cause),
            cause_class: fact("cause"),
            detail: of_failure(detail),
            next_step: of_failure(next_step),
            failures: fact("failures_in_a_row"),
            since: of_failure(since),
            happened_at: self.time(event.created_at.unwrap_or(self.at)),
            event_id: event.id.short().to_owned(),
            resource_luid: event.subject.luid().to_owned(),
        }
    }

    /// An object for each rule, for programs.
    pub(super) fn objects(&self, evaluation: &Evaluation) -> Vec<Value> {
        let known: Map<String, Value> =
            self.facts.shown().into_iter().map(|fact| (fact.name.to_owned(), value(fact.value))).collect();
        let of_rule = |(rule, explanation): &(String, Explanation)| {
            let actions: Vec<Value> = evaluation.of_rule(rule).map(|planned| self.action(planned)).collect();
            let mismatch = match explanation {
                Explanation::Where(mismatch) => Some(mismatch),
                _ => None,
            };
            let missing: Vec<Value> = match explanation {
                Explanation::Matched(missing) => missing
                    .iter()
                    .map(|missing| json!({ "what": missing.lookup.to_string(), "why": missing.why }))
                    .collect(),
                _ => Vec::new(),
            };
            json!({
                "event_id": self.event.id.as_str(),
                "event_name": self.event.name,
                "at": format!("{:.3}", self.at),
                "rules": self.source,
                "site_is_accepted": self.rules.welcomes(self.event),
                "rule": rule,
                "matched": explanation.is_match(),
                "reason": explanation.to_string(),
                "condition": mismatch.map(|mismatch| mismatch.condition),
                "expected": mismatch.map(|mismatch| &mismatch.expected),
                "found": mismatch.map(|mismatch| &mismatch.found),
                "missing": missing,
                "actions": actions,
                "facts": known,
            })
        };
        evaluation.explained.iter().map(of_rule).collect()
    }

    fn action(&self, planned: &Planned) -> Value {
        let mut action = facts_of(planned);
        action["when"] = json!(planned.schedule.map(|schedule| when(Some(schedule))));
        if let Some(message) = planned.message.as_ref().filter(|_| planned.schedule.is_some()) {
            let (title, text, problems) = message.render(&self.variables(&planned.rule));
            action["title"] = json!(title);
            action["text"] = json!(text);
            action["template_problems"] = json!(problems);
        }
        if let Some(body) = self.payload.and_then(|payload| body::of(self, planned, payload)) {
            let (body, problem) = match body {
                Ok(body) => (Some(body), None),
                Err(problem) => (None, Some(problem)),
            };
            action["body"] = json!(body);
            action["body_problem"] = json!(problem);
        }
        action
    }
}

fn value(fact: Fact<String>) -> Value {
    match fact {
        Fact::Known(text) => json!({ "value": text }),
        Fact::Missing(why) => json!({ "unknown": why }),
        Fact::Absent | Fact::NotAsked => Value::Null,
    }
}
