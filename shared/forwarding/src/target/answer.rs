//! What an answer of a target means. No I/O.

use confidential::Secrets;
use jiff::Timestamp;
use plain_text::one_line;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use std::time::Duration;
use url::Url;

/// How much of a refusal an error repeats, in characters.
const LONGEST: usize = 200;
/// The longest wait that a target may ask for: queue and circuit keep no longer one.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// What an answer means for the event and for its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The target has taken the event.
    Delivered,
    /// The target has taken the event, and wants no more.
    DeliveredLast,
    /// The target takes the event later.
    Later {
        /// How long it asks to wait.
        retry_after: Option<Duration>,
        /// Whether it has a problem of its own, and does not only ask for a pause.
        is_down: bool,
    },
    /// The target does not accept the credential.
    Credential,
    /// The target does not take this event, now or later.
    Refused,
    /// The target wants no more events.
    Stopped,
}

/// An answer, as far as it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// What it means.
    pub meaning: Meaning,
    /// What the target says, for people: the place that a redirect leads to, or the beginning of the body, without secrets.
    pub said: String,
}

/// The values of Atlassian's header that say that a request was not signed in.
///
/// Source: <https://developer.atlassian.com/server/jira/platform/form-token-handling/>
const NOT_SIGNED_IN: [&str; 3] = ["AUTHENTICATED_FAILED", "AUTHENTICATION_DENIED", "AUTHORISATION_FAILED"];

/// Reads an answer.
///
/// `webhook-delivery: disable` and `abort-message` are proposed for Standard Webhooks:
/// <https://github.com/standard-webhooks/standard-webhooks/issues/291>
pub(crate) fn read(
    status: u16,
    headers: &HeaderMap,
    body: &[u8],
    secrets: &Secrets,
    now: Timestamp,
) -> Answer {
    let asks = |what: &str| {
        let values = headers.get_all("webhook-delivery").iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(what))
    };
    let is_taken = (200..300).contains(&status);
    let is_not_signed_in = headers
        .get_all("x-seraph-loginreason")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| NOT_SIGNED_IN.iter().any(|reason| value.contains(reason)));
    let retry_after = headers.get(RETRY_AFTER).and_then(|value| wait(value.to_str().ok()?, now));
    let meaning = match status {
        // Created, although not signed in: another call would create another one.
        201 if is_not_signed_in => Meaning::Delivered,
        _ if is_not_signed_in => Meaning::Credential,
        _ if asks("disable") && is_taken => Meaning::DeliveredLast,
        _ if asks("disable") => Meaning::Stopped,
        _ if is_taken => Meaning::Delivered,
        410 => Meaning::Stopped,
        _ if asks("abort-message") || headers.contains_key("abort-message") => Meaning::Refused,
        401 | 403 | 407 => Meaning::Credential,
        429 => Meaning::Later { retry_after, is_down: false },
        408 | 425 | 500.. => Meaning::Later { retry_after, is_down: true },
        _ => Meaning::Refused,
    };
    Answer { status, meaning, said: said(status, headers, body, secrets) }
}

fn said(status: u16, headers: &HeaderMap, body: &[u8], secrets: &Secrets) -> String {
    if (300..400).contains(&status) {
        let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let place = match location.map(Url::parse) {
            Some(Ok(url)) => format!(" to {}", secrets.redact_text(url.host_str().unwrap_or("no host"))),
            Some(Err(_)) => " to another path".to_owned(),
            None => String::new(),
        };
        return format!(
            "a redirect{place}, which is not followed: write the address that it leads to as the target's `url`"
        );
    }
    let body = secrets.redact_refusal(body.to_vec());
    let text = String::from_utf8_lossy(&body);
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('<') {
        return "HTML; a proxy or a login page may stand between".to_owned();
    }
    one_line(text).chars().take(LONGEST).collect()
}

/// Reads `Retry-After`: seconds, or a date.
fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    let wait = match text.trim().parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
            Duration::try_from(until.duration_since(now)).unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

/// The id of what the target has made: of an issue, a run or a statement.
pub(crate) fn made(body: &[u8]) -> Option<String> {
    let json: serde_json::Value = serde_json::from_slice(body).ok()?;
    let id = ["key", "id", "number"].iter().find_map(|name| match json.get(name)? {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    })?;
    let is_id =
        (1..=40).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    is_id.then_some(id)
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
