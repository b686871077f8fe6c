//! The admin API of the PagerDuty simulator: `/simulator/faults` adds and clears faults.

use super::state::{PagerDutyFault, Shared};
use axum::extract::{Query, State};
use axum::routing::post;
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

const KNOWN: &str = "400, 429, 500, html, reset";

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/simulator/faults", post(add).delete(clear))
}

async fn add(State(state): State<Arc<Shared>>, Query(planned): Query<Planned>) -> (StatusCode, Json<Value>) {
    let fault = match planned.fault.as_str() {
        "400" => PagerDutyFault::Invalid("'payload.summary' is missing or blank"),
        "429" => PagerDutyFault::TooManyRequests,
        "500" => PagerDutyFault::ServerError,
        "html" => PagerDutyFault::Html(503),
        "reset" => PagerDutyFault::Reset,
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
