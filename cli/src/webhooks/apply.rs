//! `webhooks apply`.

use super::options::ApplyOptions;
use super::plan::{lines, rest_object, step_object};
use super::shown::Safe;
use super::site::at_any;
use super::stack_webhooks::StackWebhooks;
use crate::confirm::agrees;
use crate::out::{self, line, note, plain, problem};
use crate::reconciliation;
use jiff::Timestamp;
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;
use tableau::{DisabledWebhook, SiteLuid};
use uuid::Uuid;
use webhooks::{Action, Announce, Error, Outcome, Plan, Purpose, Ran, Report, Run, Start};
use workflow::BoxError;

/// How long the command line itself may work.
const BUDGET: Duration = Duration::from_secs(45);
const INTERRUPTED: u8 = 130;

/// Shows the plan, asks, and has it carried out.
pub(super) async fn apply(options: &ApplyOptions) -> Result<ExitCode, BoxError> {
    at_any(&options.site, async |site| {
        let webhooks = StackWebhooks::of(site).await?;
        webhooks.check_lives()?;
        let (plan, safe) = webhooks.plan().await?;
        for text in lines(&plan, &safe) {
            // The object on standard output stands alone.
            if options.json { note(text) } else { line!("{text}")? }
        }
        if plan.steps.is_empty() {
            let nothing = Report {
                waiting: plan.waiting.clone(),
                foreign: plan.foreign.clone(),
                unchanged: plan.unchanged,
                disabled: plan.waiting.len(),
                ..Report::default()
            };
            return if options.json {
                print(&nothing, &safe, &webhooks, true)
            } else {
                Ok(ExitCode::SUCCESS)
            };
        }
        let steps = if plan.steps.len() == 1 { "this step" } else { "these steps" };
        let question = format!("Carry out {steps} at {}?", site.place());
        if !agrees(&question, options.yes, "apply the plan").await? {
            note("nothing is changed");
            return Ok(ExitCode::FAILURE);
        }
        match carry_out(&webhooks, &plan).await? {
            Some(report) => print(&report, &safe, &webhooks, options.json),
            None => {
                note("interrupted: what was done stays; run the command again for the rest");
                Ok(ExitCode::from(INTERRUPTED))
            }
        }
    })
    .await
}

/// The function does it, so that two never work at the same time for long; where there is none, the command line. `None`: Ctrl-C.
async fn carry_out(webhooks: &StackWebhooks<'_>, plan: &Plan) -> Result<Option<Report>, BoxError> {
    let digest = plan.digest();
    let Some(function) = webhooks.function() else { return here(webhooks, &digest).await };
    match reconciliation::run(webhooks.stack, function, &Start::Plan { digest }).await? {
        Outcome::Report(report) => Ok(Some(report)),
        Outcome::Nothing(why) => Err(format!("nothing was done: {}", plain(&why)).into()),
        Outcome::Error(why) if why == Error::Changed.to_string() => Err(changed()),
        Outcome::Error(why) => Err(plain(&why).into()),
    }
}

async fn here(webhooks: &StackWebhooks<'_>, digest: &str) -> Result<Option<Report>, BoxError> {
    let id = format!("webhooks apply {}", Uuid::new_v4());
    let purpose = Purpose::ByHand(digest);
    let run = Run { id: &id, purpose, now: Timestamp::now(), budget: BUDGET };
    let ended = tokio::select! {
        ended = webhooks.reconciler.run(&run, &Silent) => Some(ended),
        // If no handler can be installed, Ctrl-C ends the program at once, and the lease ends by itself.
        Ok(()) = tokio::signal::ctrl_c() => None,
    };
    match ended {
        Some(Ok(Ran::Report(report))) => Ok(Some(report)),
        // Only requests of CloudFormation are repeated.
        Some(Ok(Ran::Repeated(_))) => Ok(Some(Report::default())),
        Some(Err(Error::Changed)) => Err(changed()),
        Some(Err(error)) => Err(webhooks.explain(&error)),
        None => {
            webhooks.reconciler.give_back(&id).await.map_err(|error| webhooks.explain(&error))?;
            Ok(None)
        }
    }
}

fn changed() -> BoxError {
    "nothing was done: the webhooks or the rules have changed since the plan was shown; run the command again to see what it would do now"
        .into()
}

/// Announces nothing: a stack without the function has no one who does.
struct Silent;

impl Announce for Silent {
    async fn announce(&self, _: &DisabledWebhook, _: &SiteLuid) -> Result<(), BoxError> {
        Ok(())
    }
}

fn past(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Update => "updated",
        Action::Replace => "replaced",
        Action::Enable => "enabled",
        Action::Delete => "deleted",
    }
}

/// Prints what was done. The exit code says whether all events arrive that the rules need.
fn print(
    report: &Report,
    safe: &Safe,
    webhooks: &StackWebhooks<'_>,
    as_json: bool,
) -> Result<ExitCode, BoxError> {
    for failed in &report.failed {
        let step = &failed.step;
        let why = safe.plain(&failed.reason);
        let name = safe.plain(&step.name);
        problem(format!("cannot {} `{name}` ({}): {why}", step.action, plain(step.event())));
    }
    if as_json {
        line!("{}", out::json(&object(report, safe, webhooks)))?;
    } else {
        for step in &report.done {
            line!("{:<8} {:<26} `{}`", past(step.action), plain(step.event()), safe.plain(&step.name))?;
        }
        line!("{}", report.summary())?;
    }
    let is_complete = report.vital_failures().next().is_none();
    Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn object(report: &Report, safe: &Safe, webhooks: &StackWebhooks<'_>) -> Value {
    let mut object = rest_object(&report.waiting, &report.foreign, report.unchanged, safe, webhooks);
    object["done"] = report.done.iter().map(|step| step_object(step, safe)).collect();
    let failed = report.failed.iter().map(|failed| {
        let mut object = step_object(&failed.step, safe);
        object["error"] = Value::from(safe.text(&failed.reason));
        object
    });
    object["failed"] = failed.collect();
    object["disabled"] = Value::from(report.disabled);
    object
}
