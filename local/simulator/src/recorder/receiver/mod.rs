//! Systems that take forwarded events: a receiver of Standard Webhooks, Jira, Matillion, a Slack-compatible URL, Snowflake's SQL API.
//!
//! Each refuses what the real one refuses. They speak TLS under a name of their own, and answer under no other.
//!
//! Sources: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>,
//! <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/#api-rest-api-3-issue-post>,
//! <https://docs.matillion.com/metl/docs/2475544/>, <https://docs.matillion.com/data-productivity-cloud/api/docs/>,
//! <https://docs.snowflake.com/en/developer-guide/sql-api/submitting-requests>

mod jira;
mod matillion;
mod serve;
mod signed;
mod simulator;
mod snowflake;
mod state;

pub use simulator::ReceiverSimulator;
pub use state::{RECEIVER_NAME, Received, ReceiverFault};

use serde_json::Value;

/// What a system answers: status and body.
type Answer = (u16, String);

/// The token of a header `Authorization: Bearer …`.
fn bearer(headers: &http::HeaderMap) -> Option<&str> {
    headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ")
}

/// The body as JSON, if the header says that it is.
fn json(headers: &http::HeaderMap, body: &[u8]) -> Option<Value> {
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_json = kind.split(';').next().is_some_and(|kind| kind.trim() == "application/json");
    is_json.then(|| serde_json::from_slice(body).ok()).flatten()
}
