//! Answers CloudFormation for the resource `ReconcileWebhooksAtTableau`.
//!
//! A deploy fails if a webhook that the rules need cannot be registered, with the reason. A rollback never fails: the stack would be
//! stuck. A webhook that cannot be deleted fails neither a deploy nor the deletion of the stack.

use crate::event::Request;
use crate::{Function, Invocation, ReconcileWebhooks, log};
use custom_resource::{Answer, RequestType};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use webhooks::{Answered, Error, Purpose, Ran, Report};
use workflow::{BoxError, chain};

/// The most characters of a reason, so that people see the end of it in the console.
const REASON_LIMIT: usize = 400;
/// Properties that CloudFormation uses itself.
const OF_CLOUDFORMATION: [&str; 2] = ["ServiceToken", "ServiceTimeout"];
/// What the template reads where it is not known how many webhooks there are.
const UNKNOWN: &str = "unknown";

/// What the template can read with `GetAtt`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Data<'d> {
    /// How many webhooks are registered, or why it is not known.
    registered: &'d str,
    /// What the names of the stack's webhooks end with.
    mark: &'d str,
}

impl Function {
    pub(crate) async fn deploy(
        &self,
        request: &Request,
        invocation: &Invocation<'_>,
    ) -> Result<(), BoxError> {
        let answered = match &self.reconcile {
            Ok(reconcile) => reconcile.answered(request, invocation).await,
            Err(reason) if request.request_type == RequestType::Delete => {
                success(format!("webhooks may be left at Tableau, to be deleted there: {reason}"), None)
            }
            Err(reason) => failure(format!("the settings cannot be used: {reason}")),
        };
        let id = physical_id(request);
        let reason = shortened(&answered.reason);
        let answer = if answered.is_success {
            tracing::info!(reason = answered.reason, "CloudFormation is answered");
            let mark = self.reconcile.as_ref().map_or("", |reconcile| reconcile.reconciler.identity.mark());
            let registered = answered.registered.as_deref();
            Answer::success(request, &id, &reason, registered.map(|registered| Data { registered, mark }))
        } else {
            tracing::error!(reason = answered.reason, "the deploy fails");
            Answer::failure(request, &id, &reason)
        };
        // Nothing runs after the answer.
        answer.send(&self.http, request).await
    }
}

impl ReconcileWebhooks {
    /// Does what is requested, and notes the answer: the same request may come again, and must be answered so again.
    async fn answered(&self, request: &Request, invocation: &Invocation<'_>) -> Answered {
        let answered = match request.request_type {
            RequestType::Delete => self.removed(request, invocation).await,
            RequestType::Create | RequestType::Update => self.registered(request, invocation).await,
        };
        let noted = self.reconciler.note_answer(&request.request_id, answered.clone(), invocation.now).await;
        if let Err(error) = noted {
            tracing::error!(reason = chain(&error), "the answer to CloudFormation is not noted");
        }
        answered
    }

    async fn registered(&self, request: &Request, invocation: &Invocation<'_>) -> Answered {
        let is_rollback = self.is_rollback(request, invocation).await;
        let is_new = request.request_type == RequestType::Create;
        let purpose = Purpose::Deploy { request: &request.request_id, is_new };
        let problem = match self.reconciler.run(&invocation.run(purpose), &self.events).await {
            Ok(Ran::Repeated(answered)) => return answered,
            Ok(Ran::Report(report)) => {
                log(&report);
                match problem(&report) {
                    None => return success(report.summary(), Some(&report.registered().to_string())),
                    Some(problem) => problem,
                }
            }
            Err(error @ Error::Removed) => return success(chain(&error), Some("none")),
            Err(error) if error.is_not_set_up() => {
                let reason = format!(
                    "no webhooks are registered yet: {}. Fill in the secret TableauSecret; within 15 minutes they are registered",
                    chain(&error)
                );
                return success(reason, Some("none yet"));
            }
            Err(error) => format!("the webhooks are not registered: {}", chain(&error)),
        };
        match is_rollback {
            true => success(format!("the rollback goes on without webhooks: {problem}"), Some(UNKNOWN)),
            false => failure(problem),
        }
    }

    /// Whether a deploy is being rolled back.
    async fn is_rollback(&self, request: &Request, invocation: &Invocation<'_>) -> bool {
        if request.request_type != RequestType::Update {
            return false;
        }
        let from = wanted(&request.old_resource_properties);
        let to = wanted(&request.resource_properties);
        let noted = self.reconciler.note_deploy(&from, &to, invocation.now).await;
        noted.unwrap_or_else(|error| {
            tracing::error!(reason = chain(&error), "it is not known whether this is a rollback");
            // A stack that is stuck is worse than a webhook that the schedule registers.
            true
        })
    }

    /// A stack is deleted whatever Tableau says. What is left is named.
    async fn removed(&self, request: &Request, invocation: &Invocation<'_>) -> Answered {
        let purpose = Purpose::Deploy { request: &request.request_id, is_new: false };
        let removed = self.reconciler.remove(&request.request_id, &invocation.run(purpose)).await;
        let mark = self.reconciler.identity.mark();
        let reason = match removed {
            Ok(Ran::Repeated(answered)) => return answered,
            Ok(Ran::Report(report)) if report.failed.is_empty() => {
                format!("{} webhooks deleted", report.done.len())
            }
            Ok(Ran::Report(report)) => {
                log(&report);
                let names: Vec<&str> = report.failed.iter().map(|failed| failed.step.name.as_str()).collect();
                let why = report.failed.first().map(|failed| failed.reason.as_str()).unwrap_or_default();
                let names = names.join(", ");
                format!("{why}. Left at Tableau, to be deleted there (names end with {mark}): {names}")
            }
            Err(error) => format!(
                "{}. Webhooks whose names end with {mark} may be left at Tableau: delete them there",
                chain(&error)
            ),
        };
        success(reason, None)
    }
}

fn success(reason: String, registered: Option<&str>) -> Answered {
    Answered { is_success: true, reason, registered: registered.map(str::to_owned) }
}

fn failure(reason: String) -> Answered {
    Answered { is_success: false, reason, registered: None }
}

/// What fails a deploy. An event that this Tableau does not know does not: the shipped rules name events that older versions lack.
fn problem(report: &Report) -> Option<String> {
    let failures = || report.vital_failures().filter(|failed| !failed.is_unknown_event);
    let first = failures().next()?;
    let others = failures().count() - 1;
    let more = if others > 0 { format!("; and {others} more") } else { String::new() };
    let step = &first.step;
    Some(format!("cannot {} the webhook for {}: {}{more}", step.action, step.event(), first.reason))
}

/// What a request wants, for comparison.
fn wanted(properties: &Value) -> String {
    let mut properties = properties.clone();
    if let Some(properties) = properties.as_object_mut() {
        properties.retain(|name, _| !OF_CLOUDFORMATION.contains(&name.as_str()));
    }
    Sha256::digest(properties.to_string().as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same for the same stack, so that no update replaces the resource.
fn physical_id(request: &Request) -> String {
    let stack = request.stack_id.rsplit('/').next().unwrap_or_default();
    format!("webhooks-{stack}")
}

fn shortened(reason: &str) -> String {
    match reason.char_indices().nth(REASON_LIMIT) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason.to_owned(),
    }
}
