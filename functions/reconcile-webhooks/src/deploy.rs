//! Answers CloudFormation for the resource `Webhooks`.
//!
//! A deploy fails if a webhook that the rules need cannot be registered, with the reason. A rollback never fails: the stack would be
//! stuck. A webhook that cannot be deleted fails neither a deploy nor the deletion of the stack.

use crate::event::Request;
use crate::{Invocation, ReconcileWebhooks, log};
use custom_resource::{Answer, RequestType};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use webhooks::{Error, Failed, Purpose, Report};
use workflow::{BoxError, chain};

/// The most characters of a reason, so that people see the end of it in the console.
const REASON_LIMIT: usize = 400;
/// Properties that CloudFormation uses itself.
const OF_CLOUDFORMATION: [&str; 2] = ["ServiceToken", "ServiceTimeout"];

/// What the template can read with `GetAtt`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    /// How many webhooks are registered, or why it is not known.
    registered: String,
}

/// What came of a request.
enum Ended {
    Success(String, Option<Data>),
    Failure(String),
}

impl ReconcileWebhooks {
    pub(crate) async fn deploy(
        &self,
        request: &Request,
        invocation: &Invocation<'_>,
    ) -> Result<(), BoxError> {
        let ended = match request.request_type {
            RequestType::Delete => self.removed(request, invocation).await,
            RequestType::Create | RequestType::Update => self.registered(request, invocation).await,
        };
        let wanted = wanted(&request.resource_properties);
        let failed = matches!(ended, Ended::Failure(_)).then_some(wanted.as_str());
        // Noted before the answer: nothing runs after it. Without the note a repeated request runs again, which does no harm.
        let noted = self.reconciler.note_handled(&request.request_id, failed, invocation.now).await;
        if let Err(error) = noted {
            tracing::error!(reason = chain(&error), "the request of CloudFormation is not noted");
        }
        let id = physical_id(request);
        let answer = match ended {
            Ended::Success(reason, data) => {
                tracing::info!(reason, "CloudFormation is answered");
                Answer::success(request, &id, &shortened(&reason), data)
            }
            Ended::Failure(reason) => {
                tracing::error!(reason, "the deploy fails");
                Answer::failure(request, &id, &shortened(&reason))
            }
        };
        answer.send(&self.http, request).await
    }

    async fn registered(&self, request: &Request, invocation: &Invocation<'_>) -> Ended {
        let is_rollback = self.is_rollback(request).await;
        let purpose = Purpose::Deploy {
            request: &request.request_id,
            is_new: request.request_type == RequestType::Create,
        };
        let run = self.reconciler.run(&invocation.run(purpose), &self.events).await;
        let problem = match run {
            Ok(None) => {
                return Ended::Success("this request was handled before".to_owned(), data("unchanged"));
            }
            Ok(Some(report)) => {
                log(&report);
                let Some(problem) = problem(&report) else {
                    return Ended::Success(report.summary(), data(&report.registered().to_string()));
                };
                problem
            }
            Err(error @ Error::Removed) => return Ended::Success(chain(&error), data("none")),
            Err(error) if error.is_not_set_up() => {
                let reason = format!(
                    "no webhooks are registered yet: {}. Fill in the secret TableauSecret; within 15 minutes they are registered",
                    chain(&error)
                );
                return Ended::Success(reason, data("none yet"));
            }
            Err(error) => format!("the webhooks are not registered: {}", chain(&error)),
        };
        match is_rollback {
            true => {
                Ended::Success(format!("the rollback goes on without webhooks: {problem}"), data("unknown"))
            }
            false => Ended::Failure(problem),
        }
    }

    /// Whether a failed deploy is being rolled back: the request goes back from what that deploy wanted.
    async fn is_rollback(&self, request: &Request) -> bool {
        if request.request_type != RequestType::Update {
            return false;
        }
        match self.reconciler.failed_deploy().await {
            Ok(failed) => failed.is_some_and(|failed| failed == wanted(&request.old_resource_properties)),
            Err(error) => {
                tracing::error!(reason = chain(&error), "it is not known whether this is a rollback");
                // A stack that is stuck is worse than a webhook that the schedule registers.
                true
            }
        }
    }

    /// A stack is deleted whatever Tableau says. What is left is named.
    async fn removed(&self, request: &Request, invocation: &Invocation<'_>) -> Ended {
        let purpose = Purpose::Deploy { request: &request.request_id, is_new: false };
        let removed = self.reconciler.remove(&invocation.run(purpose)).await;
        let reason = match removed {
            Ok(None) => "this request was handled before".to_owned(),
            Ok(Some(report)) if report.failed.is_empty() => format!("{} webhooks deleted", report.done.len()),
            Ok(Some(report)) => {
                log(&report);
                let names: Vec<&str> = report.failed.iter().map(|failed| failed.step.name.as_str()).collect();
                let why = report.failed.first().map(|failed| failed.reason.as_str()).unwrap_or_default();
                format!("left at Tableau, to be deleted there: {} ({why})", names.join(", "))
            }
            Err(error) => {
                let mark = self.reconciler.identity.mark();
                format!(
                    "webhooks may be left at Tableau, whose names end with {mark}, to be deleted there: {}",
                    chain(&error)
                )
            }
        };
        Ended::Success(reason, None)
    }
}

fn data(registered: &str) -> Option<Data> {
    Some(Data { registered: registered.to_owned() })
}

/// What fails a deploy.
fn problem(report: &Report) -> Option<String> {
    let first: &Failed = report.vital_failures().next()?;
    let others = report.vital_failures().count() - 1;
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
