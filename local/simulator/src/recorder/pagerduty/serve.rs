//! Handles the requests of the Events API, and writes its answers.
//!
//! Source: <https://developer.pagerduty.com/docs/events-api-v2-overview#response-codes--retry-logic>

use super::check;
use super::event::{PagerDutyEvent, PagerDutyRefusal};
use super::state::{PagerDutyFault, Shared};
use crate::socket::Connection;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use http::{HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Status and errors of a refusal.
type Refused = (u16, Vec<String>);

pub(super) async fn serve(
    State(state): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 4 << 20).await.unwrap_or_default();
    if parts.uri.path() != "/v2/enqueue" {
        return answer(404, &json!({ "status": "not found", "message": "Not Found" }));
    }
    state.calls.fetch_add(1, Ordering::SeqCst);
    let fault = state.faults().take(&[""]);
    match &fault {
        Some(PagerDutyFault::TooManyRequests) => {
            let message = "Requests for this service are arriving too quickly.";
            return answer(429, &json!({ "status": "throttle exceeded", "message": message }));
        }
        Some(PagerDutyFault::ServerError) => {
            return answer(500, &json!({ "status": "error", "message": "Internal error" }));
        }
        Some(PagerDutyFault::Invalid(error)) => return refuse(&state, (400, vec![(*error).to_owned()])),
        Some(PagerDutyFault::Html(status)) => return page(*status),
        Some(PagerDutyFault::Hang) => std::future::pending().await,
        Some(PagerDutyFault::Reset) => return connection.reset(),
        _ => {}
    }
    let is_post = parts.method == Method::POST;
    let is_lost = matches!(fault, Some(PagerDutyFault::AnswerLost | PagerDutyFault::AcceptThenHang));
    let key = match accept(&state, is_post, &body, !is_lost) {
        Ok(key) => key,
        Err(refused) => return refuse(&state, refused),
    };
    let key = match fault {
        Some(PagerDutyFault::AcceptThenHang) => std::future::pending().await,
        Some(PagerDutyFault::AnswerLost) => return connection.reset(),
        Some(PagerDutyFault::OtherKey) => "another".to_owned(),
        _ => key,
    };
    answer(202, &json!({ "status": "success", "message": "Event processed", "dedup_key": key }))
}

/// Takes an event, or says what is wrong with it. Returns its key, which PagerDuty makes if there is none.
fn accept(state: &Shared, is_post: bool, body: &[u8], answered: bool) -> Result<String, Refused> {
    if !is_post {
        return Err((405, vec!["Method Not Allowed".to_owned()]));
    }
    if body.len() > check::EVENT {
        return Err((413, vec!["The event is larger than 512 KB".to_owned()]));
    }
    let Ok(mut event) = serde_json::from_slice::<Value>(body) else {
        return Err((400, vec!["The body is no JSON".to_owned()]));
    };
    let mut errors = check::key_errors(&event["routing_key"]);
    errors.extend(check::errors(&event));
    if !errors.is_empty() {
        return Err((400, errors));
    }
    let mut services = state.services();
    let routing_key = event["routing_key"].take();
    let service =
        services.iter_mut().find(|service| Some(service.routing_key.as_str()) == routing_key.as_str());
    let Some(service) = service else { return Err((400, vec!["Invalid routing key".to_owned()])) };
    if event["dedup_key"].is_null() {
        event["dedup_key"] = uuid::Uuid::new_v4().simple().to_string().into();
    }
    let effect = service.apply(&event);
    if let Some(fields) = event.as_object_mut() {
        fields.remove("routing_key");
    }
    let key = event["dedup_key"].as_str().unwrap_or_default().to_owned();
    let service = service.name.clone();
    let paged = effect.paged;
    let effective = effect.effective;
    state.events.push(PagerDutyEvent { service, body: event, paged, effective, answered });
    Ok(key)
}

fn refuse(state: &Shared, (status, errors): Refused) -> Response {
    let body = json!({ "status": "invalid event", "message": "Event object is invalid", "errors": errors });
    state.refusals.push(PagerDutyRefusal { status, errors });
    answer(status, &body)
}

fn answer(status: u16, body: &Value) -> Response {
    let mut response = plain(status, &body.to_string());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn plain(status: u16, text: &str) -> Response {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
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
