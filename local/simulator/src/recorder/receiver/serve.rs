//! Answers requests under the receiver's own name.

use super::state::{RECEIVER_NAME, Received, ReceiverFault, Shared};
use super::{Answer, jira, matillion, signed, snowflake};
use crate::socket::Connection;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::request::Parts;
use http::{HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// The largest body that is read, in bytes.
const LIMIT: usize = 4 << 20;

pub(super) async fn serve(
    State(state): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LIMIT).await.unwrap_or_default().to_vec();
    let fault = state.faults().take(&[parts.uri.path()]);
    let (answer, extra) = match &fault {
        Some(ReceiverFault::Answer(status, headers, text)) => {
            ((*status, (*text).to_owned()), headers.to_vec())
        }
        Some(ReceiverFault::Reset) => {
            state.record(&parts, &body, 0);
            return connection.reset();
        }
        Some(ReceiverFault::Hang) => {
            state.record(&parts, &body, 0);
            return std::future::pending().await;
        }
        Some(ReceiverFault::AnswerLost) | None => (of_product(&state, &parts, &body), Vec::new()),
    };
    state.record(&parts, &body, answer.0);
    if fault == Some(ReceiverFault::AnswerLost) {
        return connection.reset();
    }
    let mut response = response(answer);
    for (name, value) in extra {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

fn of_product(state: &Shared, parts: &Parts, body: &[u8]) -> Answer {
    let host = parts.headers.get("host").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if host.split(':').next() != Some(RECEIVER_NAME) {
        return (421, "this server has another name".to_owned());
    }
    if parts.method != http::Method::POST {
        return (405, "POST only".to_owned());
    }
    let path = parts.uri.path();
    let headers = &parts.headers;
    let query = parts.uri.query().unwrap_or_default();
    let keys = state.keys();
    match path {
        "/rest/api/3/issue" => jira::answer(&keys.jira, headers, body, state.next_issue()),
        "/oauth/dpc/token" => matillion::token(&keys.dpc, headers, body),
        "/api/v2/statements" => snowflake::answer(&keys.snowflake, headers, body),
        _ if path.starts_with("/rest/v1/group/") => matillion::run_job(&keys.etl, path, query, headers, body),
        _ if path.starts_with("/dpc/v1/projects/") && path.ends_with("/pipeline-executions") => {
            matillion::run_pipeline(&keys.dpc, headers, body)
        }
        _ if path.strip_prefix("/services/").is_some_and(|token| token == keys.slack) => slack(body),
        _ => match path.strip_prefix("/hooks/").and_then(|name| keys.hooks.get(name)) {
            Some(secrets) => signed::answer(secrets, headers, body, Timestamp::now()),
            None => (404, "no such receiver".to_owned()),
        },
    }
}

/// A URL that takes what Slack's incoming webhooks take.
fn slack(body: &[u8]) -> Answer {
    let text =
        serde_json::from_slice::<Value>(body).ok().and_then(|body| body["text"].as_str().map(str::to_owned));
    match text {
        Some(text) if text.trim().is_empty() => (400, "no_text".to_owned()),
        Some(_) => (200, "ok".to_owned()),
        None => (400, "invalid_payload".to_owned()),
    }
}

fn response((status, body): Answer) -> Response {
    let kind = if body.starts_with(['{', '[']) { "application/json" } else { "text/plain" };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert("content-type", HeaderValue::from_static(kind));
    response
}

impl Shared {
    fn record(&self, parts: &Parts, body: &[u8], status: u16) {
        self.requests.push(Received {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            headers: parts.headers.clone(),
            body: body.to_vec(),
            status,
        });
    }
}
