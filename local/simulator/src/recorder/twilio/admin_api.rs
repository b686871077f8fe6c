//! The admin API of the Twilio simulator: `/simulator/faults` adds and clears faults.

use super::state::{Shared, TwilioFault};
use axum::extract::{Query, State};
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds a fault: `?fault=21610&times=2`. Without `times`, the fault stays until it is cleared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Planned {
    fault: String,
    times: Option<u32>,
}

const KNOWN: &str = "503, html, reset, or a code of Twilio such as 20429, 21610 or 63038";

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/simulator/faults", post(add).delete(clear))
}

async fn add(State(state): State<Arc<Shared>>, Query(planned): Query<Planned>) -> (StatusCode, Json<Value>) {
    let fault = match (planned.fault.as_str(), planned.fault.parse::<u32>()) {
        ("503", _) => TwilioFault::ServerError,
        ("html", _) => TwilioFault::Html(503),
        ("reset", _) => TwilioFault::Reset,
        (_, Ok(20_003)) => TwilioFault::Code(401, 20_003),
        (_, Ok(20_429)) => TwilioFault::TooManyRequests { retry_after: Some(1) },
        (_, Ok(code @ (21_611 | 63_038))) => TwilioFault::Code(429, code),
        (_, Ok(code @ 21_000..=21_999)) => TwilioFault::Code(400, code),
        (other, _) => {
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
