//! Snowflake's SQL API: one statement with bound values.

use super::{Answer, bearer, json};
use http::HeaderMap;
use serde_json::{Value, json};

/// Carries a statement out, in words.
pub(super) fn answer(token: &str, headers: &HeaderMap, body: &[u8]) -> Answer {
    let refused = |status: u16, code: &str, message: &str| {
        (status, json!({ "code": code, "message": message }).to_string())
    };
    let kind = headers.get("x-snowflake-authorization-token-type").and_then(|value| value.to_str().ok());
    let is_kind = matches!(kind, Some("PROGRAMMATIC_ACCESS_TOKEN" | "OAUTH" | "KEYPAIR_JWT"));
    if bearer(headers) != Some(token) || !is_kind {
        return refused(401, "390303", "Invalid OAuth access token.");
    }
    if headers.get("user-agent").is_none() {
        return refused(400, "391903", "User-Agent header is missing.");
    }
    let Some(body) = json(headers, body) else { return refused(400, "391911", "Request body is not JSON.") };
    let known = ["statement", "timeout", "database", "schema", "warehouse", "role", "bindings", "parameters"];
    let has_unknown =
        body.as_object().is_none_or(|body| body.keys().any(|key| !known.contains(&key.as_str())));
    let statement = body["statement"].as_str().unwrap_or_default();
    if has_unknown || statement.is_empty() {
        return refused(400, "391902", "The request body cannot be read.");
    }
    let places = statement.matches('?').count();
    let is_bound = |at: usize| {
        let binding = &body["bindings"][at.to_string()];
        let value = &binding["value"];
        binding["type"] == "TEXT" && (value.is_string() || value.is_null())
    };
    let bindings = body["bindings"].as_object().map_or(0, serde_json::Map::len);
    if bindings != places || !(1..=places).all(is_bound) {
        return refused(422, "002049", "SQL compilation error: a bind variable is not set.");
    }
    // The first value is the table.
    if !statement.contains("identifier(?)")
        || body["bindings"]["1"]["value"].as_str().is_none_or(str::is_empty)
    {
        return refused(422, "002003", "SQL compilation error: object does not exist or not authorized.");
    }
    let handle = "01b3d3a5-0000-4000-8000-000000000001";
    let done = json!({ "code": "090001", "message": "Statement executed successfully.", "statementHandle": handle, "data": [["1"]] });
    (200, Value::to_string(&done))
}
