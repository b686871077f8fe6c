//! Query parameters of `/simulator` calls, and answers that say what is wrong with them.

use axum::Json;
use axum::extract::Query;
use http::StatusCode;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Display;

pub(super) type Refusal = (StatusCode, Json<Value>);
pub(super) type Answer = Result<Json<Value>, Refusal>;
pub(super) type Parameters = Query<HashMap<String, String>>;

pub(super) fn wrong(error: impl Display) -> Refusal {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error.to_string() })))
}

pub(super) fn not_found(error: impl Display) -> Refusal {
    (StatusCode::NOT_FOUND, Json(json!({ "error": error.to_string() })))
}

/// Refuses unknown parameters: a misspelt parameter would otherwise be ignored silently.
pub(super) fn only(known: &[&str], query: &HashMap<String, String>) -> Result<(), Refusal> {
    match query.keys().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) if known.is_empty() => Err(wrong(format!("there is no parameter '{name}' here, nor any"))),
        Some(name) => Err(wrong(format!("there is no parameter '{name}' here; known: {}", known.join(", ")))),
    }
}

/// Parses a whole number from a parameter or path.
pub(super) fn number(name: &str, text: &str) -> Result<u32, Refusal> {
    text.parse().map_err(|_| wrong(format!("{name} is a whole number, and '{text}' is none")))
}
