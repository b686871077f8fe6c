//! The admin API: `/simulator/faults` and the other switches of the Tableau simulator.

use super::model::{Feature, Model};
use super::query::{Answer, Parameters, not_found, number, only, wrong};
use super::rest::error::CODES;
use super::state::State;
use crate::fault::{Fault, Planned};
use axum::extract::{Path, Query, State as Shared};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The error codes that `partial:` accepts. `error:` accepts the codes of the REST API.
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

/// Parses a fault from `?fault=`.
fn read(text: &str, retry_after: Option<u64>) -> Option<Fault> {
    let (kind, value) = text.split_once(':').unwrap_or((text, ""));
    let status = |from: u16| value.parse().ok().filter(|status| (from..600).contains(status));
    match kind {
        "429" => Some(Fault::TooManyRequests { retry_after }),
        "status" => status(400).map(Fault::Status),
        // A login page also comes with status 200.
        "html" => status(200).map(Fault::Html),
        "error" => CODES.iter().find(|(code, _)| *code == value).map(|(code, _)| Fault::Error(code)),
        "partial" => PARTIAL.iter().find(|code| **code == value).map(|code| Fault::Partial(code)),
        "delay" => value.parse().ok().map(|ms| Fault::Delay(Duration::from_millis(ms))),
        "done-then" => status(400).map(Fault::DoneThen),
        "late" => value.parse().ok().map(|ms| Fault::Late(Duration::from_millis(ms))),
        "reset" => Some(Fault::Reset),
        "lost" => Some(Fault::Lost),
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
        Fault::DoneThen(status) => format!("done-then:{status}"),
        Fault::Late(delay) => format!("late:{}", delay.as_millis()),
        Fault::Reset => "reset".to_owned(),
        Fault::Lost => "lost".to_owned(),
    }
}

fn shown(planned: &Planned<Fault>) -> Value {
    json!({ "id": planned.id, "on": planned.pattern, "times": planned.times, "fault": written(&planned.fault) })
}

async fn list(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    Json(json!({ "faults": state.faults().planned().map(shown).collect::<Vec<_>>() }))
}

/// The error message for a text that is not a fault.
fn no_fault(text: &str) -> String {
    match text.split_once(':') {
        Some(("error", code)) => {
            let known: Vec<&str> = CODES.iter().map(|(code, _)| *code).collect();
            format!("'{code}' is no code of an error here; known: {}", known.join(", "))
        }
        Some(("partial", code)) => {
            format!("'{code}' is no code of the Metadata API here; known: {}", PARTIAL.join(", "))
        }
        _ => format!("'{text}' is no fault; known: {KINDS}"),
    }
}

/// Adds a fault: `?fault=…&on=GET */jobs&times=2&retry_after=7`. Without `on` it applies to every call; without
/// `times` until it is cleared.
async fn add(Shared(state): Shared<Arc<State>>, Query(query): Parameters) -> Answer {
    only(&["fault", "on", "times", "retry_after"], &query)?;
    let number = |name: &str| query.get(name).map(|text| number(name, text)).transpose();
    let times = number("times")?;
    let retry_after = number("retry_after")?;
    if times == Some(0) {
        return Err(wrong("times is 1 or more; without it, calls go wrong until it is cleared"));
    }
    let text = query.get("fault").map_or("", String::as_str);
    let fault = read(text, retry_after.map(u64::from)).ok_or_else(|| wrong(no_fault(text)))?;
    if retry_after.is_some() && text != "429" {
        return Err(wrong("retry_after goes with fault=429 only"));
    }
    let on = query.get("on").map_or("*", String::as_str);
    let mut faults = state.faults();
    let id = faults.add(on, times, fault);
    Ok(Json(faults.planned().find(|planned| planned.id == id).map(shown).unwrap_or_default()))
}

async fn clear(Shared(state): Shared<Arc<State>>, Query(query): Parameters) -> Answer {
    only(&[], &query)?;
    Ok(Json(json!({ "cleared": state.faults().clear(None) })))
}

async fn clear_one(Shared(state): Shared<Arc<State>>, Path(id): Path<String>) -> Answer {
    let id = number("the fault's id", &id)?;
    match state.faults().clear(Some(id)) {
        0 => Err(not_found(format!("there is no fault {id}"))),
        cleared => Ok(Json(json!({ "cleared": cleared }))),
    }
}

async fn end_sessions(Shared(state): Shared<Arc<State>>) -> Json<Value> {
    let ended = std::mem::take(&mut state.model().sessions).len();
    Json(json!({ "ended": ended }))
}

async fn duplicates(Shared(state): Shared<Arc<State>>, Path(n): Path<String>) -> Answer {
    let n = number("how many more times", &n)?;
    state.duplicates.store(n, Ordering::SeqCst);
    Ok(Json(json!({ "duplicates": n })))
}

/// The features that a site's settings can forbid, and whether each is allowed.
pub(super) fn switches(model: &Model) -> [(&'static str, bool); 7] {
    [
        ("webhooks", model.webhooks_enabled),
        ("broadcasts", model.broadcasts_enabled),
        ("job-lists", model.has(Feature::JobLists)),
        ("run-now", model.has(Feature::RunNow)),
        ("exports", model.has(Feature::Exports)),
        ("metadata-api", model.has(Feature::MetadataApi)),
        ("content-url-filters", model.has(Feature::ContentUrlFilters)),
    ]
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
        "metadata-api" => model.switch(Feature::MetadataApi, on),
        "content-url-filters" => model.switch(Feature::ContentUrlFilters, on),
        other => {
            let known =
                "webhooks, broadcasts, job-lists, run-now, exports, metadata-api, content-url-filters";
            return Err(wrong(format!("there is no switch '{other}'; known: {known}")));
        }
    }
    Ok(Json(json!({ "switch": feature, "on": on })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_written_as_it_is_read() {
        let all = "status:503 html:502 html:200 429 error:409093 partial:RATE_EXCEEDED delay:20 reset";
        for text in all.split(' ') {
            assert_eq!(written(&read(text, None).unwrap()), text);
        }
        for (code, _) in CODES {
            assert_eq!(read(&format!("error:{code}"), None), Some(Fault::Error(code)));
        }
        for text in ["", "status:200", "status:x", "error:1", "partial:x", "delay:x", "fire"] {
            assert_eq!(read(text, None), None, "{text}");
        }
    }
}
