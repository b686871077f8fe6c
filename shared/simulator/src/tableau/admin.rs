//! `/simulator`: what is inside, and buttons to press, for people.

use super::delivery::{DeliveryState, NotFound};
use super::events::About;
use super::notes;
use super::state::State;
use axum::extract::{Path, Query, State as Shared};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use tableau::EventName;

type Answer = Result<Json<Value>, (StatusCode, Json<Value>)>;

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/simulator", get(overview))
        .route("/simulator/refresh/{luid}/fail", post(fail))
        .route("/simulator/refresh/{luid}/succeed", post(succeed))
        .route("/simulator/fire/{event}", post(fire))
}

fn not_found(error: &NotFound) -> (StatusCode, Json<Value>) {
    (StatusCode::NOT_FOUND, Json(json!({ "error": error.to_string() })))
}

/// `?notes=` takes the text of the error, or the short name of one of [`notes::ALL`].
async fn fail(
    Shared(state): Shared<Arc<State>>,
    Path(luid): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answer {
    let wanted = query.get("notes").map_or("sql-server-login", String::as_str);
    let notes = notes::ALL.iter().find(|(name, _)| *name == wanted).map_or(wanted, |(_, text)| text);
    let job = state.end_refresh(&luid, Some(notes)).map_err(|e| not_found(&e))?;
    Ok(Json(json!({ "job": job, "notes": notes })))
}

async fn succeed(Shared(state): Shared<Arc<State>>, Path(luid): Path<String>) -> Answer {
    let job = state.end_refresh(&luid, None).map_err(|e| not_found(&e))?;
    Ok(Json(json!({ "job": job })))
}

/// About `?luid=`, or the first fitting thing on the default site.
async fn fire(
    Shared(state): Shared<Arc<State>>,
    Path(event): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Answer {
    let event = EventName::from(event);
    let first = About::first_luid(&state.model(), &event);
    let luid = query.get("luid").cloned().or(first).unwrap_or_default();
    let fired = state.fire(&event, &luid).map_err(|e| not_found(&e))?;
    let payload: Value = serde_json::from_str(&fired.payload).unwrap_or_default();
    Ok(Json(json!({ "webhooks": fired.webhooks, "payload": payload })))
}

/// A page for browsers, JSON for everybody else.
async fn overview(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        Html(include_str!("admin.html")).into_response()
    } else {
        inside(&state).into_response()
    }
}

fn inside(state: &State) -> Json<Value> {
    let model = state.model();
    let named = |luid: &str, name: &str| json!({ "luid": luid, "name": name });
    let all = |rows: &mut dyn Iterator<Item = Value>| Value::Array(rows.collect());
    let site = model.default_site();
    let deliveries = state.deliveries();
    Json(json!({
        "sites": all(&mut model.sites.iter().map(|s| named(s.luid.as_str(), &s.name))),
        "users": all(&mut model.users.iter().filter(|u| u.site == site).map(|u| named(u.luid.as_str(), &u.name))),
        "workbooks": all(&mut model.workbooks.iter().map(|w| named(w.luid.as_str(), &w.name))),
        "datasources": all(&mut model.datasources.iter().map(|d| named(d.luid.as_str(), &d.name))),
        "views": all(&mut model.views.iter().map(|v| named(v.luid.as_str(), &v.name))),
        "jobs": model.jobs.len(),
        "sessions": model.sessions.len(),
        "sign_ins": model.pats.iter().map(|p| (p.name.clone(), json!(p.sign_ins))).collect::<serde_json::Map<_, _>>(),
        "calls": state.calls().iter().map(|(r, c)| (r.clone(), json!(c.all))).collect::<serde_json::Map<_, _>>(),
        "webhooks": all(&mut model.webhooks.iter().map(|w| json!({
            "luid": w.luid, "name": w.name, "event": w.event, "enabled": w.enabled,
            "status_change_reason": w.status_change_reason,
        }))),
        "deliveries": all(&mut deliveries.iter().map(|d| json!({
            "webhook": d.webhook, "event": d.event, "copy": d.copy, "state": state_name(d.state),
            "attempts": d.attempts.iter().map(|a| match &a.status {
                Ok(status) => json!(status),
                Err(reason) => json!(reason),
            }).collect::<Value>(),
        }))),
    }))
}

fn state_name(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Pending => "pending",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Failed => "failed",
        DeliveryState::Dropped => "dropped",
    }
}
