//! Refusals, as Microsoft Graph writes them.

use super::id::id;
use serde_json::{Value, json};

/// A refusal: status and body.
pub(super) type Refused = (u16, Value);

pub(super) fn refused(status: u16, code: &str, message: &str) -> Refused {
    let inner = json!({ "date": "2026-01-01T00:00:00", "request-id": id() });
    (status, json!({ "error": { "code": code, "message": message, "innerError": inner } }))
}
