//! Test notifications: one for each target that an operator asks for, at once and outside of all incidents and groups.

use super::Engine;
use crate::notification;
use crate::notifier::{Delivery, Notifier, Routing};
use std::collections::BTreeMap;
use workflow::{Failure, Invocation, TestRequest, Tested};

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Sends a test notification to one target, or to each that a rule names, and says what came of it.
    ///
    /// # Errors
    /// If there is no such target, or the rules cannot be used.
    pub async fn on_test(&self, test: &TestRequest, invocation: &Invocation) -> Result<Vec<Tested>, Failure> {
        let shown = notification::test(self.workflow);
        let mut all = Vec::new();
        for (key, target) in self.tested_targets(test)? {
            let delivered = self.notifier.deliver(&target, Delivery::Post, &shown, invocation).await;
            let (outcome, answer) = match delivered {
                Ok(delivered) => ("accepted", self.notifier.receipt(&target, &delivered)),
                Err(undelivered) => (undelivered.failure.kind(), undelivered.failure.reason()),
            };
            all.push(Tested { target: key, outcome, answer });
        }
        Ok(all)
    }

    fn tested_targets(&self, test: &TestRequest) -> Result<BTreeMap<String, N::Target>, Failure> {
        let mut targets = self.routing.all()?;
        let workflow = self.workflow;
        let Some(wanted) = &test.target else {
            return match targets.is_empty() {
                true => Err(Failure::permanent(format!("no rule names a target of {workflow}"))),
                false => Ok(targets),
            };
        };
        match targets.remove_entry(wanted) {
            Some(target) => Ok(BTreeMap::from([target])),
            None => {
                let known: Vec<&str> = targets.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                Err(Failure::permanent(format!(
                    "no rule names this target of {workflow}; rules name: {known}"
                )))
            }
        }
    }
}
