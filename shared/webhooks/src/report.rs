//! What a run has done. No I/O.

use crate::plan::{Plan, Waiting};
use crate::step::{Action, Step};
use serde::{Deserialize, Serialize};

/// What a run has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What was done.
    pub done: Vec<Step>,
    /// What could not be done.
    pub failed: Vec<Failed>,
    /// Disabled webhooks of the stack that were not enabled.
    pub waiting: Vec<Waiting>,
    /// Webhooks of others that post to this stack's ingress, by name.
    pub foreign: Vec<String>,
    /// How many webhooks were as they should be.
    pub unchanged: usize,
    /// How many webhooks the rules need.
    pub needed: usize,
    /// How many webhooks of the stack are disabled now, without those that a person has disabled.
    pub disabled: usize,
}

/// A step that could not be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// The step.
    pub step: Step,
    /// Why not. From outside: to be escaped.
    pub reason: String,
    /// Whether Tableau may not know the event.
    #[serde(default)]
    pub is_unknown_event: bool,
}

impl Failed {
    pub(crate) fn new(step: Step, reason: String) -> Self {
        Self { step, reason, is_unknown_event: false }
    }
}

impl Report {
    /// What a run of this plan will not do.
    pub(crate) fn of(plan: &Plan, needed: usize) -> Self {
        Self {
            needed,
            waiting: plan.waiting.clone(),
            foreign: plan.foreign.clone(),
            unchanged: plan.unchanged,
            ..Self::default()
        }
    }

    /// How many webhooks are registered for events that the rules need.
    pub fn registered(&self) -> usize {
        let is_missing = |failed: &&Failed| failed.step.action == Action::Create;
        self.needed.saturating_sub(self.failed.iter().filter(is_missing).count())
    }

    /// What failed and makes events miss.
    pub fn vital_failures(&self) -> impl Iterator<Item = &Failed> {
        self.failed.iter().filter(|failed| failed.step.action.is_vital())
    }

    /// How many events that the rules need do not arrive, as far as is known: their webhook is missing, disabled, or posts elsewhere.
    pub fn missing(&self) -> usize {
        self.vital_failures().count() + self.disabled
    }

    /// In one line, for people.
    pub fn summary(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        for (action, past) in [
            (Action::Create, "created"),
            (Action::Update, "updated"),
            (Action::Replace, "replaced"),
            (Action::Enable, "enabled again"),
            (Action::Delete, "deleted"),
        ] {
            let count = self.done.iter().filter(|step| step.action == action).count();
            if count > 0 {
                parts.push(format!("{count} {past}"));
            }
        }
        parts.push(format!("{} unchanged", self.unchanged));
        if self.disabled > 0 {
            parts.push(format!("{} disabled", self.disabled));
        }
        if !self.failed.is_empty() {
            parts.push(format!("{} failed", self.failed.len()));
        }
        parts.join(", ")
    }
}
