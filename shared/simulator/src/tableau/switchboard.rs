//! `/simulator/faults` and other switches, for people: what goes wrong, how often, until when.

use super::model::Feature;
use super::state::State;
use crate::fault::{Fault, Planned};
use axum::extract::{Path, Query, State as Shared};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

type Answer = Result<Json<Value>, (StatusCode, Json<Value>)>;
type Parameters = Query<HashMap<String, String>>;

/// What `error:` and `partial:` take.
const CODES: [&str; 34] = [
    "400000", "400113", "400118", "400127", "401000", "401001", "401002", "401003", "403000", "403004",
    "403010", "403014", "403072", "403076", "403077", "403079", "403104", "403105", "403109", "403128",
    "403151", "404000", "404002", "404004", "404005", "404006", "404011", "404018", "404034", "409082",
    "409093", "429000", "500000", "500001",
];
const PARTIAL: [&str; 6] = [
    "NODE_LIMIT_EXCEEDED",
    "TIME_LIMIT_EXCEEDED",
    "FILTER_REQUIRED",
    "RATE_EXCEEDED",
    "BACKFILL_RUNNING",
    "ACCESS_DENIED",
];
const KINDS: &str =
    "status:503, html:503, 429, error:409093, partial:TIME_LIMIT_EXCEEDED, delay:1500 (ms), reset";

pub(super) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/simulator/faults", get(list).post(add).delete(clear))
        .route("/simulator/faults/{id}", delete(clear_one))
        .route("/simulator/sessions/end", post(end_sessions))
        .route("/simulator/duplicates/{n}", post(duplicates))
        .route("/simulator/switch/{feature}/{position}", post(switch))
}

fn wrong(error: impl std::fmt::Display) -> (StatusCode, Json<Value>) {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error.to_string() })))
}

/// A fault as it is written in `?fault=`.
fn read(text: &str, retry_after: Option<u64>) -> Option<Fault> {
    let (kind, value) = text.split_once(':').unwrap_or((text, ""));
    let status = || value.parse().ok().filter(|status| (400..600).contains(status));
    match kind {
        "429" => Some(Fault::TooManyRequests { retry_after }),
        "status" => status().map(Fault::Status),
        "html" => status().map(Fault::Html),
        "error" => CODES.iter().find(|code| **code == value).map(|code| Fault::Error(code)),
        "partial" => PARTIAL.iter().find(|code| **code == value).map(|code| Fault::Partial(code)),
        "delay" => value.parse().ok().map(|ms| Fault::Delay(Duration::from_millis(ms))),
        "reset" => Some(Fault::Reset),
        _ => None,
    }
}

fn written(fault: &Fault) -> String {
    match fault {
        Fault::Status(status) => format!("status:{status}"),
        Fault::Html(status) => format!("html:{status}"),
        Fault::TooManyRequests { retry_after: None } => "429".to_owned(),
        Fault::TooManyRequests { retry_after: Some(seconds) } => format!("429 with Retry-After {seconds}"),
        Fault::Error(code) => format!("error:{code}"),
        Fault::Partial(code) => format!("partial:{code}"),
        Fault::Delay(delay) => format!("delay:{}", delay.as_millis()),
        Fault::Reset => "reset".to_owned(),
    }
}

fn shown(planned: &Planned<Fault>) -> Value {
    json!({ "id": planned.id, "on": planned.pattern, "times": planned.times, "fault": written(&planned.fault) })
}

async fn list(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    Json(json!({ "faults": state.faults().planned().map(shown).collect::<Vec<_>>() }))
}

/// `?fault=…&on=GET */jobs&times=2&retry_after=7`; of every call unless `on` names some, until cleared unless `times`
/// says how often.
async fn add(Shared(state): Shared<Arc<State>>, Query(query): Parameters) -> Answer {
    let number = |name: &str| query.get(name).map(|text| text.parse::<u64>()).transpose().map_err(wrong);
    let (times, retry_after) = (number("times")?, number("retry_after")?);
    let text = query.get("fault").map_or("", String::as_str);
    let fault = read(text, retry_after).ok_or_else(|| wrong(format!("'{text}' is no fault: {KINDS}")))?;
    let times = times.map(u32::try_from).transpose().map_err(wrong)?;
    let on = query.get("on").map_or("*", String::as_str);
    let mut faults = state.faults();
    let id = faults.add(on, times, fault);
    Ok(Json(faults.planned().find(|planned| planned.id == id).map(shown).unwrap_or_default()))
}

async fn clear(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    Json(json!({ "cleared": state.faults().clear(None) }))
}

async fn clear_one(Shared(state): Shared<Arc<State>>, Path(id): Path<u32>) -> Answer {
    match state.faults().clear(Some(id)) {
        0 => Err((StatusCode::NOT_FOUND, Json(json!({ "error": format!("there is no fault {id}") })))),
        cleared => Ok(Json(json!({ "cleared": cleared }))),
    }
}

async fn end_sessions(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    let ended = std::mem::take(&mut state.model().sessions).len();
    Json(json!({ "ended": ended }))
}

async fn duplicates(Shared(state): Shared<Arc<State>>, Path(n): Path<u32>) -> Json<Value> {
    state.duplicates.store(n, Ordering::SeqCst);
    Json(json!({ "duplicates": n }))
}

async fn switch(
    Shared(state): Shared<Arc<State>>,
    Path((feature, position)): Path<(String, String)>,
) -> Answer {
    let on = match position.as_str() {
        "on" => true,
        "off" => false,
        other => return Err(wrong(format!("'{other}' is neither on nor off"))),
    };
    let mut model = state.model();
    match feature.as_str() {
        "webhooks" => model.webhooks_enabled = on,
        "broadcasts" => model.broadcasts_enabled = on,
        "job-lists" => model.switch(Feature::JobLists, on),
        "run-now" => model.switch(Feature::RunNow, on),
        "exports" => model.switch(Feature::Exports, on),
        other => {
            let known = "webhooks, broadcasts, job-lists, run-now, exports";
            return Err(wrong(format!("there is no switch '{other}': {known}")));
        }
    }
    Ok(Json(json!({ "switch": feature, "on": on })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_written_as_it_is_read() {
        let all = "status:503 html:502 429 error:409093 partial:RATE_EXCEEDED delay:20 reset";
        for text in all.split(' ') {
            assert_eq!(written(&read(text, None).unwrap()), text);
        }
        for text in ["", "status:200", "status:x", "error:1", "partial:x", "delay:x", "fire"] {
            assert_eq!(read(text, None), None, "{text}");
        }
    }
}
