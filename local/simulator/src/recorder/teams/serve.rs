//! Handles the requests to triggers, and writes their answers.
//!
//! Sources: <https://learn.microsoft.com/troubleshoot/power-platform/power-automate/flow-run-issues/triggers-troubleshoot>,
//! <https://learn.microsoft.com/power-automate/oauth-authentication>

use super::card;
use super::flow::{Flow, FlowState};
use super::post::{TeamsPost, TeamsRefusal, TeamsRunFailure};
use super::schema::difference;
use super::state::{Shared, TeamsFault};
use crate::socket::Connection;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Status, code and message of a refusal.
type Refused = (u16, &'static str, String);

pub(super) async fn serve(
    State(state): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap_or_default();
    state.calls.fetch_add(1, Ordering::SeqCst);
    let fault = state.faults().take(&[""]);
    let answered = fault != Some(TeamsFault::AnswerLost);
    let answers = match fault {
        Some(TeamsFault::TooManyRequests { retry_after }) => {
            let mut response = error(429, "TooManyRequests", "Rate limit is exceeded.");
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            return response;
        }
        Some(TeamsFault::Forbidden) => {
            return error(403, "Forbidden", "The caller may not run this workflow.");
        }
        Some(TeamsFault::TooLarge) => return error(413, "RequestEntityTooLarge", "Request Entity Too Large"),
        Some(TeamsFault::ServerError) => {
            return error(
                502,
                "NoResponse",
                "The server did not receive a response from an upstream server.",
            );
        }
        Some(TeamsFault::Html(status)) => return page(status),
        Some(TeamsFault::Hang) => std::future::pending().await,
        Some(TeamsFault::Reset) => return connection.reset(),
        Some(TeamsFault::Answers(status, body)) => Some((status, body)),
        Some(TeamsFault::AnswerLost) | None => None,
    };
    match accept(&state, &parts, &body) {
        Ok(flow) => run(&state, &flow, &parts, &body, answered),
        Err((status, code, message)) => {
            state.refusals.push(TeamsRefusal { status, code: code.to_owned() });
            return error(status, code, &message);
        }
    }
    match answers {
        _ if !answered => connection.reset(),
        Some((status, body)) => plain(status, body),
        // Accepted: the flow has not run yet, as far as the caller knows.
        None => plain(202, ""),
    }
}

/// What a trigger checks before it answers.
fn accept(state: &Shared, parts: &Parts, body: &[u8]) -> Result<Flow, Refused> {
    let flow = state.flows().iter().find(|flow| flow.path == parts.uri.path()).cloned();
    let Some(flow) = flow else {
        return Err((404, "WorkflowNotFound", "The workflow could not be found.".to_owned()));
    };
    let query = parts.uri.query().unwrap_or_default();
    let sig = query.split('&').find_map(|pair| pair.strip_prefix("sig="));
    let has_authorization = parts.headers.contains_key(header::AUTHORIZATION);
    match sig {
        Some(_) if has_authorization => {
            let message = "The request has both SAS authentication scheme and 'Bearer' authorization scheme.";
            return Err((401, "DirectApiRequestHasMoreThanOneAuthorization", message.to_owned()));
        }
        Some(sig) if sig == flow.sig => {}
        Some(_) => return Err((401, "AuthorizationFailed", "The signature is not valid.".to_owned())),
        None => {
            let message = "The request must be authenticated only by Shared Access scheme.";
            return Err((401, "DirectApiAuthorizationRequired", message.to_owned()));
        }
    }
    let state = match flow.state {
        FlowState::On => None,
        FlowState::TurnedOff => Some("Suspended"),
        FlowState::Deleted => Some("Deleted"),
    };
    if let Some(state) = state {
        let message = format!("Could not execute workflow trigger 'manual' with state '{state}'.");
        return Err((400, "WorkflowTriggerIsNotEnabled", message));
    }
    if parts.method != Method::POST {
        return Err((400, "TriggerRequestMethodNotValid", "The trigger takes POST.".to_owned()));
    }
    // Only JSON is parsed; anything else reaches the flow as one text.
    let parsed = serde_json::from_slice::<Value>(body);
    if is_json(parts) && parsed.is_err() {
        return Err((400, "InvalidRequestContent", "The request content is not valid JSON.".to_owned()));
    }
    if let (Some(schema), true, Ok(body)) = (&flow.schema, is_json(parts), parsed)
        && let Some(difference) = difference(schema, &body, "body")
    {
        return Err((
            400,
            "TriggerInputSchemaMismatch",
            format!("The input body does not match the schema: {difference}"),
        ));
    }
    Ok(flow)
}

fn is_json(parts: &Parts) -> bool {
    let kind =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json")
}

/// The run of the flow, which the caller does not see.
fn run(state: &Shared, flow: &Flow, parts: &Parts, body: &[u8], answered: bool) {
    let value = serde_json::from_slice::<Value>(body).unwrap_or_default();
    let outcome = match &flow.schema {
        _ if !is_json(parts) => {
            Err("the body arrived as one text: its content type is not application/json".to_owned())
        }
        Some(_) => Ok(()),
        None => card::check(&value, body.len()),
    };
    let channel = flow.channel.clone();
    match outcome {
        Ok(()) => state.posts.push(TeamsPost { channel, body: value, answered }),
        Err(reason) => {
            let body = String::from_utf8_lossy(body).into_owned();
            state.run_failures.push(TeamsRunFailure { channel, reason, body });
        }
    }
}

fn plain(status: u16, text: &str) -> Response {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

fn error(status: u16, code: &str, message: &str) -> Response {
    let mut response = plain(status, &json!({ "error": { "code": code, "message": message } }).to_string());
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// The answer of a proxy or a login page. A redirect leads to a sign-in page.
fn page(status: u16) -> Response {
    let mut response = plain(status, "<!DOCTYPE html><title>Sign in to the network</title>");
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    if response.status().is_redirection() {
        let to = HeaderValue::from_static("https://login.corp.example.com/");
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}
