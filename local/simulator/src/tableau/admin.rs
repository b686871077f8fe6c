//! The admin page `/simulator`: shows the simulator's content and offers buttons for its actions.

use super::events::About;
use super::notes;
use super::query::{Answer, Parameters, Refusal, not_found, only};
use super::snapshot::inside;
use super::state::State;
use axum::extract::{Path, Query, State as Shared};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use http::{HeaderMap, header};
use serde_json::{Value, json};
use std::sync::Arc;
use tableau::EventName;

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/", get(async || "Tableau, simulated: see /simulator\n"))
        .route("/simulator", get(overview))
        .route("/simulator/", get(overview))
        .route("/simulator/page.js", get(script))
        .route("/simulator/{*rest}", any(nothing))
        .route("/simulator/refresh/{luid}/fail", post(fail))
        .route("/simulator/refresh/{luid}/succeed", post(succeed))
        .route("/simulator/fire/{event}", post(fire))
}

async fn nothing() -> Refusal {
    not_found("there is no such call; the README of the simulator lists them under \"For people\"")
}

/// Fails a refresh. `?notes=` is the error text, or the short name of an entry in [`notes::ALL`].
async fn fail(
    Shared(state): Shared<Arc<State>>,
    Path(luid): Path<String>,
    Query(query): Parameters,
) -> Answer {
    only(&["notes"], &query)?;
    let wanted = query.get("notes").map_or("sql-server-login", String::as_str);
    let notes = notes::ALL.iter().find(|(name, _)| *name == wanted).map_or(wanted, |(_, text)| text);
    let job = state.end_refresh(&luid, Some(notes)).map_err(not_found)?;
    Ok(Json(json!({ "job": job, "notes": notes })))
}

async fn succeed(
    Shared(state): Shared<Arc<State>>,
    Path(luid): Path<String>,
    Query(query): Parameters,
) -> Answer {
    only(&[], &query)?;
    let job = state.end_refresh(&luid, None).map_err(not_found)?;
    Ok(Json(json!({ "job": job })))
}

/// Fires an event about `?luid=`, or about the first suitable object on the default site.
async fn fire(
    Shared(state): Shared<Arc<State>>,
    Path(event): Path<String>,
    Query(query): Parameters,
) -> Answer {
    only(&["luid"], &query)?;
    let event: EventName = event.parse().map_err(|error| {
        let known: Vec<String> = EventName::KNOWN.iter().map(ToString::to_string).collect();
        not_found(format!("{error}; known: {}", known.join(", ")))
    })?;
    let first = || About::first_luid(&state.model(), &event);
    let luid = query.get("luid").cloned().or_else(first).ok_or_else(|| {
        not_found(format!(
            "there is no {} on the default site that {event} could be about",
            About::kind(&event)
        ))
    })?;
    let fired = state.fire(&event, &luid).map_err(not_found)?;
    let payload: Value = serde_json::from_str(&fired.payload).unwrap_or_default();
    Ok(Json(json!({ "webhooks": fired.webhooks, "payload": payload })))
}

/// The script of the admin page.
async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript")], include_str!("admin.js"))
}

/// An HTML page for browsers, JSON for other clients.
async fn overview(Shared(state): Shared<Arc<State>>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        Html(include_str!("admin.html")).into_response()
    } else {
        Json(inside(&state)).into_response()
    }
}
