//! What a run has done. No I/O.

use crate::plan::{Plan, Waiting};
use crate::step::Step;
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
}

impl Report {
    /// What will not be done.
    pub(crate) fn of(plan: &Plan) -> Self {
        Self {
            waiting: plan.waiting.clone(),
            foreign: plan.foreign.clone(),
            unchanged: plan.unchanged,
            ..Self::default()
        }
    }

    /// How many webhooks are registered for events that the rules need.
    pub fn registered(&self) -> usize {
        let new = self.done.iter().filter(|step| step.action.is_vital()).count();
        self.unchanged + new
    }

    /// What failed and makes events miss.
    pub fn vital_failures(&self) -> impl Iterator<Item = &Failed> {
        self.failed.iter().filter(|failed| failed.step.action.is_vital())
    }

    /// In one line, for people.
    pub fn summary(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        for (action, past) in [
            (crate::Action::Create, "created"),
            (crate::Action::Update, "updated"),
            (crate::Action::Replace, "replaced"),
            (crate::Action::Enable, "enabled again"),
            (crate::Action::Delete, "deleted"),
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
