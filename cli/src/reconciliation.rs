//! The function of a stack that registers its webhooks.

use crate::invocation;
use crate::out::{line, note};
use crate::stack::Stack;
use serde_json::Value;
use std::time::Duration;
use webhooks::{Outcome, Start};
use workflow::BoxError;

/// The function's name.
const NAME: &str = "reconcile-webhooks";
/// Longer than its timeout in the template.
const LONGEST_RUN: Duration = Duration::from_secs(195);

/// The physical name of the function; `None` if it is switched off.
pub(crate) fn function(stack: &Stack) -> Option<&str> {
    stack.function(NAME)
}

/// Runs the function, and waits for what it has done.
pub(crate) async fn run(stack: &Stack, function: &str, start: &Start) -> Result<Outcome, BoxError> {
    let event = serde_json::to_value(start)?;
    let Some(answer) = invocation::invoke(stack, function, &event, LONGEST_RUN).await? else {
        return Err(format!("{NAME} failed before it could do anything: see its log").into());
    };
    serde_json::from_slice(&answer).map_err(|_| {
        format!("{NAME} gave no answer that this program knows: its version may be another than that of this program")
            .into()
    })
}

/// Lets the function register what rules that were published just now need. A failure is no error: its schedule does the same.
pub(crate) async fn after_publication(stack: &Stack) -> Result<(), BoxError> {
    let Some(function) = function(stack) else { return Ok(()) };
    let event: Value = serde_json::to_value(Start::Rules)?;
    match invocation::start(stack, function, &event).await {
        Ok(()) => line!(
            "{NAME} registers the webhooks that the rules need now, and deletes those that they need no more"
        )?,
        Err(error) => {
            note(format!(
                "note: {NAME} was not started, and registers missing webhooks within 15 minutes: {error}"
            ));
        }
    }
    Ok(())
}
