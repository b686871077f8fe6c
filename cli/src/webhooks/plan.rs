//! `webhooks plan`, and how a plan is shown.

use super::options::PlanOptions;
use super::shown::Safe;
use super::site::at_any;
use super::stack_webhooks::StackWebhooks;
use crate::out::{self, line, plain};
use serde_json::{Value, json};
use std::process::ExitCode;
use webhooks::{Action, Plan, Step, Waiting};
use workflow::BoxError;

/// The most names in a line.
const NAMED: usize = 10;

/// Shows what `apply` would do. Changes nothing.
pub(super) async fn plan(options: &PlanOptions) -> Result<ExitCode, BoxError> {
    at_any(&options.site, async |site| {
        let webhooks = StackWebhooks::of(site).await?;
        let (plan, safe) = webhooks.plan().await?;
        if options.json {
            line!("{}", out::json(&object(&plan, &safe, &webhooks)))?;
            return Ok(ExitCode::SUCCESS);
        }
        lines(&plan, &safe).iter().try_for_each(|text| line!("{text}"))?;
        Ok(ExitCode::SUCCESS)
    })
    .await
}

/// The plan for people.
pub(super) fn lines(plan: &Plan, safe: &Safe) -> Vec<String> {
    let mut lines: Vec<String> = plan.steps.iter().map(|step| step_line(step, safe)).collect();
    lines.extend(plan.waiting.iter().map(|waiting| {
        let Waiting { name, event, reason, .. } = waiting;
        format!("{:<8} {:<26} `{}`: {}", "waits", plain(event.as_str()), safe.plain(name), safe.plain(reason))
    }));
    if !plan.foreign.is_empty() {
        let named: Vec<String> =
            plan.foreign.iter().take(NAMED).map(|name| format!("`{}`", safe.plain(name))).collect();
        let more = if plan.foreign.len() > NAMED { ", …" } else { "" };
        lines.push(format!(
            "left alone, because others have made them for this stack: {}{more}",
            named.join(", ")
        ));
    }
    lines.push(summary(plan));
    lines
}

fn step_line(step: &Step, safe: &Safe) -> String {
    let what = match step.action {
        Action::Create => safe.plain(&step.reason),
        _ => format!("`{}`: {}", safe.plain(&step.name), safe.plain(&step.reason)),
    };
    format!("{:<8} {:<26} {what}", step.action.to_string(), plain(step.event()))
}

fn summary(plan: &Plan) -> String {
    let unchanged = match plan.unchanged {
        1 => "1 webhook is as the rules need it".to_owned(),
        count => format!("{count} webhooks are as the rules need them"),
    };
    match plan.steps.len() {
        0 => format!("nothing to do: {unchanged}"),
        1 => format!("1 step; {unchanged}"),
        count => format!("{count} steps; {unchanged}"),
    }
}

/// A step as JSON.
pub(super) fn step_object(step: &Step, safe: &Safe) -> Value {
    json!({
        "action": step.action, "event": step.event, "name": safe.text(&step.name), "luid": step.luid,
        "reason": safe.text(&step.reason),
    })
}

/// What is not done, as JSON.
pub(super) fn rest_object(
    waiting: &[Waiting],
    foreign: &[String],
    unchanged: usize,
    safe: &Safe,
    webhooks: &StackWebhooks<'_>,
) -> Value {
    let waiting = waiting.iter().map(|waiting| {
        json!({
            "luid": waiting.luid, "name": safe.text(&waiting.name), "event": waiting.event,
            "reason": safe.text(&waiting.reason),
        })
    });
    let mut object = webhooks.site.json();
    object["stack"] = Value::from(webhooks.stack.name.as_str());
    object["waiting"] = waiting.collect();
    object["foreign"] = foreign.iter().map(|name| safe.text(name)).collect();
    object["unchanged"] = Value::from(unchanged);
    object
}

fn object(plan: &Plan, safe: &Safe, webhooks: &StackWebhooks<'_>) -> Value {
    let mut object = rest_object(&plan.waiting, &plan.foreign, plan.unchanged, safe, webhooks);
    object["steps"] = plan.steps.iter().map(|step| step_object(step, safe)).collect();
    object["digest"] = Value::from(plan.digest());
    object
}
