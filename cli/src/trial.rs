//! The command `test`: sends a test notification through a deployed function, and prints what the destination answers.

use crate::invocation;
use crate::options::TestOptions;
use crate::out::{self, line, plain};
use crate::stack::Stack;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::process::ExitCode;
use std::time::Duration;
use workflow::BoxError;

/// Longer than the timeout of each function in the template.
const LONGEST_RUN: Duration = Duration::from_secs(75);

/// What the function answers: a list of targets, or why there is none.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Tested { targets: Vec<Target> },
    Nothing { reason: String },
}

#[derive(Deserialize, Serialize)]
struct Target {
    target: String,
    outcome: String,
    answer: String,
}

/// Sends the notifications and prints the answers. The exit code says whether every target has accepted its own.
pub(crate) async fn test(options: TestOptions) -> Result<ExitCode, BoxError> {
    let stack = Stack::find(&options.target).await?;
    let workflow = &options.workflow;
    let function = stack.function_of(workflow)?;
    // With `#` or without, it is the same channel.
    let target = options.to.as_deref().map(|target| target.trim_start_matches('#'));
    let test = match target {
        Some(target) => json!({ "test": { "target": target } }),
        None => json!({ "test": {} }),
    };
    let Some(payload) = invocation::invoke(&stack, function, &test, LONGEST_RUN).await? else {
        return Err(format!("{workflow} failed before it could send anything: see its log").into());
    };
    let answer = serde_json::from_slice(&payload).map_err(|_| {
        format!("{workflow} gave no answer that this program knows: its version may be older than that of this program")
    })?;
    let targets = match answer {
        Answer::Tested { targets } => targets,
        Answer::Nothing { reason } => {
            return Err(format!("{workflow} sent nothing: {}", plain(&reason)).into());
        }
    };
    let width = targets.iter().map(|target| plain(&target.target).chars().count()).max().unwrap_or_default();
    for target in &targets {
        if options.json {
            line!("{}", out::json(target))?;
            continue;
        }
        let (name, answer) = (plain(&target.target), plain(&target.answer));
        match target.outcome.as_str() {
            "accepted" => line!("{name:width$}  {answer}")?,
            outcome => line!("{name:width$}  {}: {answer}", plain(outcome))?,
        }
    }
    let is_accepted = |target: &Target| target.outcome == "accepted";
    Ok(if targets.iter().all(is_accepted) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
