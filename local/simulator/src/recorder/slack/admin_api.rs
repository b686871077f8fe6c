//! The admin API of the Slack simulator: `/simulator/faults` adds and clears faults, `/simulator/people` adds and deactivates people.

use super::state::{Shared, SlackFault};
use axum::extract::{Query, State};
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds a fault: `?fault=archived&times=2`. Without `times`, the fault stays until it is cleared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Planned {
    fault: String,
    times: Option<u32>,
}

const KNOWN: &str = "archived, revoked, blocks, html, 429, 500, reset";

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/simulator/faults", post(add).delete(clear))
        .route("/simulator/people", post(add_person).delete(deactivate))
}

async fn add(State(state): State<Arc<Shared>>, Query(planned): Query<Planned>) -> (StatusCode, Json<Value>) {
    let fault = match planned.fault.as_str() {
        "archived" => SlackFault::Archived,
        "revoked" => SlackFault::Revoked,
        "blocks" => SlackFault::Blocks("invalid_blocks"),
        "html" => SlackFault::Html(200),
        "429" => SlackFault::RateLimited { retry_after: 1 },
        "500" => SlackFault::ServerError,
        "reset" => SlackFault::Reset,
        other => {
            let error = format!("'{other}' is no fault; known: {KNOWN}");
            return (StatusCode::BAD_REQUEST, Json(json!({ "error": error })));
        }
    };
    state.faults().add("*", planned.times, fault);
    (StatusCode::OK, Json(json!({ "fault": planned.fault, "times": planned.times })))
}

/// A person: `?email=ana@example.com&name=Ana`. The name may be left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    email: String,
    #[serde(default)]
    name: String,
}

async fn add_person(
    State(state): State<Arc<Shared>>,
    Query(Named { email, name }): Query<Named>,
) -> (StatusCode, Json<Value>) {
    if !email.contains('@') {
        let error = format!("'{email}' is no e-mail address");
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": error })));
    }
    let name = if name.is_empty() { email.split('@').next().unwrap_or_default() } else { &name };
    let id = state.people().add(&email, name);
    (StatusCode::OK, Json(json!({ "id": id, "email": email, "name": name })))
}

async fn deactivate(
    State(state): State<Arc<Shared>>,
    Query(named): Query<Named>,
) -> (StatusCode, Json<Value>) {
    if state.people().deactivate(&named.email) {
        (StatusCode::OK, Json(json!({ "deactivated": named.email })))
    } else {
        (StatusCode::NOT_FOUND, Json(json!({ "error": format!("no one has the address '{}'", named.email) })))
    }
}

async fn clear(State(state): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({ "cleared": state.faults().clear(None) }))
}
