//! The admin API of the ServiceNow simulator: `/simulator/faults` adds and clears faults, `/simulator/incidents` shows what there is.

use super::render::render_incident;
use super::state::{ServiceNowFault, Shared};
use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds a fault: `?fault=429&times=2`. Without `times`, the fault stays until it is cleared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Planned {
    fault: String,
    times: Option<u32>,
}

const KNOWN: &str = "429, 503, asleep, cancelled, reset";

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/simulator/faults", post(add).delete(clear))
        .route("/simulator/incidents", get(incidents))
}

async fn add(State(state): State<Arc<Shared>>, Query(planned): Query<Planned>) -> (StatusCode, Json<Value>) {
    let fault = match planned.fault.as_str() {
        "429" => ServiceNowFault::TooManyRequests { retry_after: Some(1) },
        "503" => ServiceNowFault::Error(503),
        "asleep" => ServiceNowFault::Html(200),
        "cancelled" => ServiceNowFault::Cancelled,
        "reset" => ServiceNowFault::Reset,
        other => {
            let error = format!("'{other}' is no fault; known: {KNOWN}");
            return (StatusCode::BAD_REQUEST, Json(json!({ "error": error })));
        }
    };
    state.faults().add("*", planned.times, fault);
    (StatusCode::OK, Json(json!({ "fault": planned.fault, "times": planned.times })))
}

async fn clear(State(state): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({ "cleared": state.faults().clear(None) }))
}

async fn incidents(State(state): State<Arc<Shared>>) -> String {
    let instance = state.instance();
    instance.incidents.iter().map(render_incident).collect::<Vec<_>>().join("\n\n") + "\n"
}
