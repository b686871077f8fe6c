//! Test notifications: one for each target that an operator asks for, at once and outside of all incidents and groups.

use super::Engine;
use crate::notification;
use crate::notifier::{Delivered, Delivery, Notifier, Routing};
use std::collections::BTreeMap;
use std::time::Duration;
use workflow::{Failure, Invocation, TestRequest, Tested};

/// How long one target may take.
const LONGEST: Duration = Duration::from_secs(20);
/// What an invocation needs for its answer.
const RESERVE: Duration = Duration::from_secs(5);
/// How many targets an answer names.
const NAMED: usize = 20;

/// Whether a person means the target with this key: `finance (plain)` may be called `Finance`.
fn is_meant(key: &str, wanted: &str) -> bool {
    let (key, wanted) = (key.to_lowercase(), wanted.to_lowercase());
    key == wanted || key.strip_prefix(&wanted).is_some_and(|rest| rest.starts_with(" ("))
}

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Sends a test notification to one target, or to each that a rule names, and says what came of it.
    ///
    /// # Errors
    /// If there is no such target, or the rules cannot be used.
    pub async fn on_test(&self, test: &TestRequest, invocation: &Invocation) -> Result<Vec<Tested>, Failure> {
        let shown = notification::test(self.workflow);
        let mut all = Vec::new();
        for (key, target) in self.tested_targets(test)? {
            // Without an answer in time, those of the targets before it would be lost too.
            let time = invocation.remaining().saturating_sub(RESERVE).min(LONGEST);
            if time.is_zero() {
                let answer = "the function had no time left: name the target".to_owned();
                all.push(Tested { target: key, outcome: "not tried", answer });
                continue;
            }
            let deliver = self.notifier.deliver(&target, Delivery::Post, &shown, invocation);
            let (outcome, answer) = match tokio::time::timeout(time, deliver).await {
                Ok(Ok(delivered)) => self.accepted(&target, &delivered).await,
                Ok(Err(undelivered)) => (undelivered.failure.kind(), undelivered.failure.reason()),
                Err(_) => ("transient", "no answer in time".to_owned()),
            };
            all.push(Tested { target: key, outcome, answer });
        }
        Ok(all)
    }

    async fn accepted(&self, target: &N::Target, delivered: &Delivered) -> (&'static str, String) {
        if let Some(why) = &delivered.skipped {
            return ("not tried", why.clone());
        }
        let receipt = self.notifier.receipt(target, delivered).await;
        match &delivered.note {
            Some(note) => ("accepted in part", format!("{note}; {receipt}")),
            None => ("accepted", receipt),
        }
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
        let known: Vec<&str> = targets.keys().map(String::as_str).take(NAMED).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let unknown = format!("no rule names this target of {workflow}; rules name: {known}");
        targets.retain(|key, _| is_meant(key, wanted));
        if targets.is_empty() { Err(Failure::permanent(unknown)) } else { Ok(targets) }
    }
}
