//! Interprets the answers of the Events API.
//!
//! Source: <https://developer.pagerduty.com/docs/events-api-v2-overview#response-codes--retry-logic>

use super::{DedupKey, Error};
use crate::Refusal;
use crate::http::Answer;
use plain_text::{one_line, without_secrets};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// How much of an answer's text goes into the error.
const TEXT_LIMIT: usize = 300;
/// The wait after `429`, which has no header that says one.
const THROTTLED: Duration = Duration::from_secs(30);

/// The body of an answer.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    status: String,
    #[serde(default)]
    message: String,
    /// A list of texts; by other reports also an object, or nothing.
    #[serde(default)]
    errors: Value,
    #[serde(default)]
    dedup_key: Option<String>,
}

impl Body {
    fn errors(&self) -> String {
        match &self.errors {
            Value::Null => String::new(),
            Value::Array(errors) => {
                let errors: Vec<String> = errors.iter().map(text_of).collect();
                errors.join("; ")
            }
            other => text_of(other),
        }
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether the answer says that PagerDuty has accepted the event with this key.
pub(super) fn read(answer: &Answer, service: &str, key: &DedupKey) -> Result<(), Error> {
    let body = serde_json::from_str::<Body>(&answer.body).ok();
    if (200..300).contains(&answer.status) {
        let is_of_key = |body: &Body| body.dedup_key.as_deref().is_none_or(|named| named == key.as_str());
        let is_accepted = body.as_ref().is_some_and(|body| body.status == "success" && is_of_key(body));
        return if is_accepted { Ok(()) } else { Err(foreign(answer, service)) };
    }
    let is_refusal = body.is_some() || (answer.status == 400 && answer.kind() == "text");
    let names_key = || names_routing_key(&answer.body);
    let (refusal, advice) = match answer.status {
        429 => (Refusal::Throttled, "too many events for this integration"),
        _ if !is_refusal => return Err(foreign(answer, service)),
        400 | 401 | 403 | 404 if names_key() => (
            Refusal::Credential,
            "copy the integration key of the service's integration Events API V2 into the PagerDuty secret",
        ),
        413 => (Refusal::Content, "the event is too large for PagerDuty"),
        408 | 500.. => (Refusal::Unavailable, "it has an internal problem"),
        _ => (
            Refusal::Content,
            "PagerDuty does not take this event, and no one was paged: look at what failed, and report this message to the project",
        ),
    };
    let wait = (refusal == Refusal::Throttled).then_some(THROTTLED);
    Err(Error::Refused {
        service: service.to_owned(),
        status: answer.status,
        reason: text(answer, body.as_ref()),
        refusal,
        advice,
        retry_after: answer.retry_after.or(wait),
    })
}

/// PagerDuty names the field in some of its errors, and says `Invalid routing key` in others.
fn names_routing_key(body: &str) -> bool {
    let body = body.to_lowercase();
    body.contains("routing_key") || body.contains("routing key")
}

/// What PagerDuty says, without anything of the request's secrets.
fn text(answer: &Answer, body: Option<&Body>) -> String {
    let said = match body {
        Some(body) if !body.errors().is_empty() => format!("{}: {}", body.message, body.errors()),
        Some(Body { message, .. }) if !message.trim().is_empty() => message.clone(),
        Some(Body { status, .. }) => status.clone(),
        None if answer.kind() == "text" => answer.body.clone(),
        None => return answer.kind().to_owned(),
    };
    let line = one_line(&without_secrets(&answer.secrets.redact_text(&said)));
    let short: String = line.chars().take(TEXT_LIMIT).collect();
    if short.len() < line.len() { format!("{short}…") } else { short }
}

fn foreign(answer: &Answer, service: &str) -> Error {
    Error::Foreign {
        service: service.to_owned(),
        status: answer.status,
        content: answer.kind(),
        retry_after: answer.retry_after,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use confidential::Secrets;
    use secrecy::SecretString;
    use serde_json::json;

    fn of(status: u16, body: &str) -> Result<(), Error> {
        let secrets = Secrets::new([SecretString::from("hunter2hunter2hunter2hunter2abcd")]);
        let is_html = body.starts_with('<');
        let answer = Answer { secrets, status, retry_after: None, is_html, body: body.to_owned() };
        read(&answer, "finance", &DedupKey::sample())
    }

    fn refused(errors: &[&str]) -> String {
        json!({ "status": "invalid event", "message": "Event object is invalid", "errors": errors })
            .to_string()
    }

    #[test]
    fn accepted_is_what_pagerduty_says_about_our_key_and_nothing_else() {
        let key = DedupKey::sample();
        let accepted =
            json!({ "status": "success", "message": "Event processed", "dedup_key": key.as_str() });
        assert!(of(202, &accepted.to_string()).is_ok());
        for body in [
            r#"{"status":"success","message":"Event processed","dedup_key":"another"}"#,
            r#"{"status":"invalid event","message":"x"}"#,
            "<html>Sign in</html>",
            "",
            "ok",
        ] {
            let error = of(202, body).unwrap_err();
            assert!(matches!(error, Error::Foreign { .. }) && error.is_transient(), "{body}: {error}");
        }
    }

    #[test]
    fn each_answer_has_its_outcome() {
        let summary = refused(&["'summary' is too long"]);
        let length = refused(&["Length of 'routing_key' is incorrect (should be 32 characters)"]);
        let internal = r#"{"status":"error","message":"Internal error"}"#;
        for (status, body, expected) in [
            (400, summary.as_str(), Refusal::Content),
            (400, length.as_str(), Refusal::Credential),
            (400, r#"{"status":"invalid key","message":"Invalid routing key"}"#, Refusal::Credential),
            (400, "Invalid routing key", Refusal::Credential),
            (400, "Bad Request", Refusal::Content),
            (413, r#"{"status":"too large","message":"x"}"#, Refusal::Content),
            (429, "", Refusal::Throttled),
            (429, r#"{"status":"throttle exceeded","message":"x"}"#, Refusal::Throttled),
            (500, internal, Refusal::Unavailable),
            (503, internal, Refusal::Unavailable),
        ] {
            let Err(Error::Refused { refusal, retry_after, .. }) = of(status, body) else { panic!("{body}") };
            assert_eq!(refusal, expected, "{status} {body}");
            assert_eq!(
                retry_after,
                (status == 429).then_some(THROTTLED),
                "PagerDuty has no header that says a wait"
            );
        }
        for (status, body) in
            [(302, ""), (400, "<html>"), (403, "<html>"), (404, "not here"), (502, "<html>"), (500, "")]
        {
            let error = of(status, body).unwrap_err();
            assert!(
                matches!(error, Error::Foreign { .. }) && error.is_transient(),
                "{status} {body}: {error}"
            );
        }
    }

    // D042
    #[test]
    fn the_error_has_pagerdutys_errors_and_no_key() {
        let key = "hunter2hunter2hunter2hunter2abcd";
        let text = of(400, &refused(&["'source' is missing or blank", &format!("bad {key}")])).unwrap_err();
        let text = text.to_string();
        assert!(
            text.starts_with(
                "PagerDuty refused with 400 for `finance` (Event object is invalid: 'source' is missing or blank; bad [redacted])"
            ),
            "{text}"
        );
        assert!(text.contains("no one was paged") && !text.contains("hunter2"), "{text}");
    }
}
