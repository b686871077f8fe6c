//! What ties the settings in a rule to a workflow and to the events that it acts on. No I/O.

use crate::error::Problem;
use crate::file::Position;
pub(crate) use crate::invalid::{Invalid, InvalidTemplate};
use crate::mentions::Mentions;
use crate::problem;
use crate::rule::{Rule, Settings};
use serde::de::DeserializeOwned;
use tableau::EventName;

/// What a rule says to one workflow: `notify-slack: { channel: data-alerts }`.
///
/// Unknown keys must be an error (`#[serde(deny_unknown_fields)]`): a misspelt key would be a setting without effect.
pub trait WorkflowSettings: DeserializeOwned + Described {
    /// The workflow's name, as rules write it.
    const WORKFLOW: &'static str;

    /// The events that the workflow acts on. It skips every other event.
    const EVENTS: &'static [EventName];

    /// Whether it acts on events of callers too: what acts on every event does.
    const ACTS_ON_OWN: bool = Self::EVENTS.len() == EventName::ALL.len();

    /// Further events that the workflow gets, which end what it has begun. No rule has to name them.
    const ENDS: &'static [EventName] = &[];

    /// Whether a notification calls people's attention. What calls no one is not held back: neither in quiet hours, nor because the
    /// object flaps.
    const CALLS_PEOPLE: bool = true;

    /// Checks what types cannot say, such as a text that must not be empty.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }

    /// Tries what templates in the settings make of these events, and of no others.
    ///
    /// # Errors
    /// [`InvalidTemplate`] with the line.
    fn check_templates(&self, _events: &[EventName]) -> Result<(), InvalidTemplate> {
        Ok(())
    }

    /// Where a key belongs that is none of these settings, if that is known.
    fn belongs(_key: &str) -> Option<&'static str> {
        None
    }

    /// Whether these settings add nothing in a rule that says `earlier` to the same workflow.
    fn repeats(&self, earlier: &Self) -> bool;
}

/// What has a JSON Schema, where schemas are made; anything else elsewhere.
#[cfg(feature = "schema")]
pub trait Described: schemars::JsonSchema {}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> Described for T {}

/// What has a JSON Schema, where schemas are made; anything else elsewhere.
#[cfg(not(feature = "schema"))]
pub trait Described {}

#[cfg(not(feature = "schema"))]
impl<T> Described for T {}

/// Settings that name a target of notifications, such as a channel.
pub trait TargetSettings: WorkflowSettings + Clone + Send + Sync + 'static {
    /// What names the target, the same for all rules that mean it.
    fn key(&self) -> &str;

    /// Settings that are enough to end what was sent to a target that no rule names any more. `None` if the key is not
    /// enough.
    fn of_key(key: &str) -> Option<Self>;

    /// Whom a notification calls. No one, unless the settings have something to say about it.
    fn mentions(&self) -> Mentions {
        Mentions::default()
    }
}

/// A workflow of this repository, and how its settings are checked.
#[derive(Clone, Copy, Debug)]
pub struct KnownWorkflow {
    /// The workflow's name.
    pub name: &'static str,
    /// The events that it acts on.
    pub events: &'static [EventName],
    /// Further events that it gets, which end what it has begun.
    pub ends: &'static [EventName],
    /// Whether it sends notifications, and so asks Tableau what to say in them.
    pub notifies: bool,
    /// Whether its notifications call people's attention.
    pub calls_people: bool,
    check: fn(&Rule) -> Vec<Problem>,
    #[cfg(feature = "schema")]
    schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

impl KnownWorkflow {
    /// The workflow with these settings.
    pub(crate) const fn of<S: WorkflowSettings>() -> Self {
        Self {
            name: S::WORKFLOW,
            events: S::EVENTS,
            ends: S::ENDS,
            notifies: false,
            calls_people: S::CALLS_PEOPLE,
            check: check::<S>,
            #[cfg(feature = "schema")]
            schema: <S as schemars::JsonSchema>::json_schema,
        }
    }

    /// The workflow with these settings, which sends notifications.
    pub(crate) const fn notifying<S: TargetSettings>() -> Self {
        Self { notifies: true, ..Self::of::<S>() }
    }

    /// The JSON Schema of its settings.
    #[cfg(feature = "schema")]
    pub(crate) fn schema(&self, generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        (self.schema)(generator)
    }

    /// What is wrong with settings that stand in `defaults`. A rule may have those that are missing.
    pub(crate) fn problems_of_defaults(&self, settings: Settings) -> Vec<Problem> {
        let actions = vec![(self.name.to_owned(), settings)];
        let rule = Rule { actions, ..Rule::default() };
        let mut problems = self.problems(&rule);
        problems.retain(|problem| !problem.text.starts_with("missing field"));
        problems
    }

    /// What is wrong with what a rule says to the workflow.
    pub(crate) fn problems(&self, rule: &Rule) -> Vec<Problem> {
        (self.check)(rule)
    }
}

/// The settings as the workflow's own type.
pub(crate) fn read<S: WorkflowSettings>(rule: &str, settings: &Settings) -> Result<S, Problem> {
    let read: S = serde_path_to_error::deserialize(&settings.value).map_err(|error| {
        let path = error.path().to_string();
        let found = error.into_inner().to_string();
        let key = found.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
        let text = match key.and_then(|key| Some((key, S::belongs(key)?))) {
            Some((key, place)) => format!("unknown field `{key}`: it belongs to {place}"),
            None => problem::of_settings(&path, &found),
        };
        settings.wrong(&path, rule, text)
    })?;
    read.check()
        .map_err(|Invalid { field, problem }| settings.wrong(field, rule, format!("{field}: {problem}")))?;
    Ok(read)
}

fn check<S: WorkflowSettings>(rule: &Rule) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut earlier: Vec<(S, Position)> = Vec::new();
    for settings in rule.settings_of(S::WORKFLOW) {
        let read = match read::<S>(&rule.name, settings) {
            Ok(read) => read,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        // Defaults are for no event: each rule that takes them is checked.
        if let Err(invalid) = read.check_templates(&rule.on)
            && !rule.on.is_empty()
        {
            problems.push(settings.wrong_within(&invalid, &rule.name));
        }
        if let Some((_, at)) = earlier.iter().find(|(earlier, _)| read.repeats(earlier)) {
            let text = format!("this repeats `{}` on line {}: remove one of the two", S::WORKFLOW, at.line);
            problems.push(Problem::of_rule(settings.at, &rule.name, text));
        }
        earlier.push((read, settings.at));
    }
    let is_idle = !rule.on.is_empty()
        && !rule.on.iter().any(|event| match event.is_known() {
            true => S::EVENTS.contains(event),
            false => S::ACTS_ON_OWN,
        });
    if let Some(settings) = rule.settings_of(S::WORKFLOW).next().filter(|_| is_idle) {
        let text = format!(
            "{} never acts on {}; it acts on {}",
            S::WORKFLOW,
            list(&rule.on, "or"),
            list(S::EVENTS, "and")
        );
        problems.push(Problem::of_rule(settings.at, &rule.name, text));
    }
    problems
}

/// Names of events as a sentence has them: `A, B or C`.
pub(crate) fn list(events: &[EventName], conjunction: &str) -> String {
    let names: Vec<&str> = events.iter().map(EventName::as_str).collect();
    match names.as_slice() {
        [] => "no event".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} {conjunction} {last}", first.join(", ")),
    }
}
