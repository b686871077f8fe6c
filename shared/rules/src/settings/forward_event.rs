//! What rules say to `forward-event`.

mod destination;

pub use destination::Destination;

pub use crate::body::{Preset, Scalar};

use crate::body::{self, Mistake, Template};
use crate::workflow::{Invalid, InvalidTemplate, WorkflowSettings};
use serde::Deserialize;
use std::collections::BTreeMap;
use tableau::EventName;

/// `forward-event: { target: jira, preset: jira-issue, values: { project: BI } }`, or with `bus` or `topic` in place of `target`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ForwardEvent {
    /// Where the event goes: a key of `targets` in the forward secret. One of `target`, `bus` and `topic` is required.
    pub target: Option<String>,
    /// Where the event goes: the ARN of an event bus of Amazon EventBridge.
    pub bus: Option<String>,
    /// Where the event goes: the ARN of a topic of Amazon SNS.
    pub topic: Option<String>,
    /// What is sent: `raw` (what Tableau sent), `enriched` (one JSON object with event, object, project, owner and cause) or
    /// `template` (what `template` or `preset` makes). Default: template if there is one, else enriched.
    pub body: Option<Body>,
    /// A template of your own, which makes a JSON text.
    pub template: Option<String>,
    /// A template that comes with forward-event.
    pub preset: Option<Preset>,
    /// Values for the template, which has them as `values.NAME`.
    pub values: BTreeMap<String, Scalar>,
    /// `event` (default): each event is sent. `incident`: of the failures of one object, only the first until a refresh succeeds.
    pub once_per: OncePer,
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum Body {
    /// What Tableau sent.
    Raw,
    /// One JSON object with event, object, project, owner and cause.
    Enriched,
    /// What a template makes.
    Template,
}

/// How often events of one object are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum OncePer {
    /// Each event.
    #[default]
    Event,
    /// The first failure of an object, until one of its refreshes succeeds.
    Incident,
}

/// The keys of a target in the forward secret.
const OF_TARGETS: [&str; 5] = ["basic", "headers", "oauth", "secrets", "url"];

impl ForwardEvent {
    /// Where the event goes. `None` only before [`WorkflowSettings::check`].
    pub fn destination(&self) -> Option<Destination<'_>> {
        match (&self.target, &self.bus, &self.topic) {
            (Some(target), None, None) => Some(Destination::Target(target)),
            (None, Some(bus), None) => Some(Destination::Bus(bus)),
            (None, None, Some(topic)) => Some(Destination::Topic(topic)),
            _ => None,
        }
    }

    /// What is sent.
    pub fn body(&self) -> Body {
        let has_template = self.template.is_some() || self.preset.is_some();
        self.body.unwrap_or(if has_template { Body::Template } else { Body::Enriched })
    }

    /// The template, if the body is made by one.
    pub fn template(&self) -> Option<Template<'_>> {
        let text = match (self.body(), &self.template, self.preset) {
            (Body::Template, Some(text), _) => text,
            (Body::Template, None, Some(preset)) => preset.text(),
            _ => return None,
        };
        Some(Template { text, values: &self.values })
    }

    fn check_body(&self) -> Result<(), Invalid> {
        let invalid = |field, problem: &str| Err(Invalid { field, problem: problem.to_owned() });
        let has_template = self.template.is_some() || self.preset.is_some();
        if self.template.is_some() && self.preset.is_some() {
            return invalid("preset", "there is a `template` too: write one of the two");
        }
        match self.body() {
            Body::Template if !has_template => {
                return invalid(
                    "body",
                    "`template` needs a template: write one as `template`, or name one as `preset`",
                );
            }
            Body::Raw | Body::Enriched if has_template => {
                return invalid("body", "there is a template: write `body: template`, or leave `body` out");
            }
            Body::Raw | Body::Enriched if !self.values.is_empty() => {
                return invalid("values", "they are for a template, and there is none: remove them");
            }
            Body::Raw | Body::Enriched | Body::Template => {}
        }
        Ok(())
    }
}

impl WorkflowSettings for ForwardEvent {
    const WORKFLOW: &'static str = "forward-event";
    const EVENTS: &'static [EventName] = &EventName::ALL;

    /// Refuses what can be no destination, and a body that contradicts its template. No problem repeats a value, which may be a
    /// secret in the wrong place.
    fn check(&self) -> Result<(), Invalid> {
        let Some(destination) = self.destination() else {
            let named = self.target.iter().chain(&self.bus).chain(&self.topic).count();
            let problem = if named == 0 {
                "say where the event goes: `target`, a key of `targets` in the forward secret, or the ARN of a `bus` or a `topic`"
            } else {
                "an event goes to one place: write `target`, `bus` or `topic`, and an entry of `do` for each other one"
            };
            return Err(Invalid { field: "target", problem: problem.to_owned() });
        };
        destination.check()?;
        self.check_body()
    }

    fn check_templates(&self, events: &[EventName]) -> Result<(), InvalidTemplate> {
        let Some(template) = self.template() else { return Ok(()) };
        body::check(template, events).map_err(|Mistake { line, text }| match self.preset {
            // The author of the rule has not written its lines.
            Some(_) => InvalidTemplate { field: "preset", line: None, problem: text },
            None => InvalidTemplate { field: "template", line, problem: text },
        })
    }

    fn belongs(key: &str) -> Option<&'static str> {
        OF_TARGETS.contains(&key).then_some("the target in the forward secret: `target` names it here")
    }

    /// One event goes to one destination once.
    fn repeats(&self, earlier: &Self) -> bool {
        self.destination() == earlier.destination()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(target: &str) -> ForwardEvent {
        ForwardEvent { target: Some(target.to_owned()), ..ForwardEvent::default() }
    }

    fn problem(settings: &ForwardEvent) -> String {
        settings
            .check()
            .err()
            .map(|invalid| format!("{}: {}", invalid.field, invalid.problem))
            .unwrap_or_default()
    }

    #[test]
    fn what_is_sent_follows_from_what_is_there() {
        assert_eq!(to("a").body(), Body::Enriched);
        assert_eq!(ForwardEvent { body: Some(Body::Raw), ..to("a") }.body(), Body::Raw);
        assert_eq!(ForwardEvent { template: Some("{}".to_owned()), ..to("a") }.body(), Body::Template);
        assert_eq!(ForwardEvent { preset: Some(Preset::SlackMessage), ..to("a") }.body(), Body::Template);
    }

    #[test]
    fn an_event_goes_to_one_place() {
        assert!(problem(&ForwardEvent::default()).starts_with("target: say where the event goes"));
        let both =
            ForwardEvent { topic: Some("arn:aws:sns:eu-central-1:123456789012:a".to_owned()), ..to("a") };
        assert!(problem(&both).starts_with("target: an event goes to one place"));
        assert_eq!(problem(&to("a")), "");
    }

    #[test]
    fn a_body_and_a_template_that_contradict_each_other_are_refused() {
        let values = BTreeMap::from([("a".to_owned(), Scalar::Number(1))]);
        let template = Some("{}".to_owned());
        for (settings, expected) in [
            (ForwardEvent { body: Some(Body::Template), ..to("a") }, "body: `template` needs a template"),
            (
                ForwardEvent { body: Some(Body::Raw), template: template.clone(), ..to("a") },
                "body: there is a template",
            ),
            (
                ForwardEvent { preset: Some(Preset::SlackMessage), template, ..to("a") },
                "preset: there is a `template` too",
            ),
            (ForwardEvent { values, ..to("a") }, "values: they are for a template"),
        ] {
            assert!(problem(&settings).starts_with(expected), "{}", problem(&settings));
        }
    }

    fn problem_of_template(settings: &ForwardEvent, events: &[EventName]) -> String {
        settings
            .check_templates(events)
            .err()
            .map(|invalid| format!("{}: {}", invalid.field, invalid.problem))
            .unwrap_or_default()
    }

    #[test]
    fn a_preset_says_which_value_is_missing() {
        let jira = ForwardEvent { preset: Some(Preset::JiraIssue), ..to("jira") };
        let missing = "preset: there is no `values.project`: add `project` to `values`";
        assert_eq!(problem_of_template(&jira, &EventName::ALL), missing);
        let values = BTreeMap::from([("project".to_owned(), Scalar::Text("BI".to_owned()))]);
        assert_eq!(problem_of_template(&ForwardEvent { values, ..jira }, &EventName::ALL), "");
    }

    #[test]
    fn a_template_is_tried_with_the_events_of_its_rule_only() {
        let text = r#"{"owner": {{ object.tags | first }}}"#;
        let settings = ForwardEvent { template: Some(text.to_owned()), ..to("a") };
        let problem = problem_of_template(&settings, &[EventName::AdminDemoted]);
        let end = "(tried with a sample of `AdminDemoted` of which everything is known)";
        assert!(problem.ends_with(end), "{problem}");
        let problem = problem_of_template(&settings, &[EventName::DatasourceRefreshFailed]);
        let end = "(tried with a sample of `DatasourceRefreshFailed` of which nothing is known)";
        assert!(problem.ends_with(end), "{problem}");
        let text = r#"{"cause": {% if event.name == "AdminDemoted" %}{% else %}1{% endif %}}"#;
        let settings = ForwardEvent { template: Some(text.to_owned()), ..to("a") };
        assert_eq!(problem_of_template(&settings, &[EventName::DatasourceRefreshFailed]), "");
    }
}
