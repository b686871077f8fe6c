//! Interprets the answers of the Table API. `error` is looked for before `result`, whatever the status: a search that the instance has
//! cancelled comes with status 200.
//!
//! Source: <https://www.servicenow.com/docs/r/api-reference/rest-api-explorer/r_RESTAPIHTTPResponseCodes.html>

use crate::http::Answer;
use crate::{Refusal, Refused};
use jiff::Timestamp;
use plain_text::{one_line, without_secrets};
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::time::Duration;

/// How much of an answer's text goes into the error.
const TEXT_LIMIT: usize = 240;
/// The longest wait that is read from the time at which a limit is lifted. Limits count by the hour.
const LONGEST_WAIT: i64 = 3_600;

const ASLEEP: &str = "the instance does not answer as an API: a developer instance may be asleep, or a login page stands between. It is \
                      tried again; wake the instance, or check `instance` in the ServiceNow secret";

/// The `result` of an answer: an object or a list.
pub(super) fn result(answer: &Answer, action: &'static str) -> Result<Value, Refused> {
    let json = serde_json::from_str::<Value>(&answer.body).ok().filter(Value::is_object);
    let error = json.as_ref().and_then(|json| json.get("error")).filter(|error| !error.is_null());
    let is_success = (200..300).contains(&answer.status);
    let result = json.as_ref().and_then(|json| json.get("result"));
    if let Some(result) =
        result.filter(|result| is_success && error.is_none() && (result.is_object() || result.is_array()))
    {
        return Ok(result.clone());
    }
    let said = match (&json, error) {
        (_, Some(error)) => said(error),
        (Some(_), None) => "an answer without a result".to_owned(),
        (None, None) => answer.kind().to_owned(),
    };
    let reason = shown(answer, &said);
    let (refusal, advice) = refusal(answer.status, json.is_some(), &said, action);
    Err(Refused { action, status: answer.status, reason, refusal, advice, retry_after: answer.retry_after })
}

/// When a limit is lifted, as the answer of a `429` may say it: seconds since 1970.
pub(super) fn wait_until_reset(status: u16, headers: &HeaderMap) -> Option<Duration> {
    let reset = headers.get("x-ratelimit-reset").filter(|_| status == 429)?;
    let at: i64 = reset.to_str().ok()?.trim().parse().ok()?;
    let wait = at.saturating_sub(Timestamp::now().as_second()).clamp(0, LONGEST_WAIT);
    u64::try_from(wait).ok().map(Duration::from_secs)
}

/// Message and detail of an error, or its code and description.
fn said(error: &Value) -> String {
    let text = |name: &str| error.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let parts: Vec<&str> = [text("message"), text("detail"), error.as_str()].into_iter().flatten().collect();
    if parts.is_empty() { "an error without a text".to_owned() } else { parts.join(": ") }
}

/// The beginning of what the answer says, without anything of the request's secrets.
pub(super) fn shown(answer: &Answer, said: &str) -> String {
    let line = one_line(&without_secrets(&answer.secrets.redact_text(said)));
    let short: String = line.chars().take(TEXT_LIMIT).collect();
    if short.len() < line.len() { format!("{short}…") } else { short }
}

fn refusal(status: u16, is_json: bool, said: &str, action: &str) -> (Refusal, String) {
    let of_record =
        action.starts_with("show") || action.starts_with("change") || action.starts_with("resolve");
    let (refusal, advice) = match status {
        401 => (
            Refusal::Credential,
            "the account is not accepted: put a valid credential into the ServiceNow secret. An OAuth token that is refused twice belongs \
             to an application whose user is locked or was removed",
        ),
        429 => {
            (Refusal::Throttled, "a rate rule of the instance counts the calls of this account by the hour")
        }
        _ if !is_json => (Refusal::Unavailable, ASLEEP),
        403 => return forbidden(said, action),
        404 if of_record => {
            (Refusal::Gone, "the incident was deleted, or the account may not see it any more")
        }
        404 => (
            Refusal::Credential,
            "the table of incidents is not there, or hidden from the account: check `instance` in the ServiceNow secret, and give the \
             account a role that may read and write incidents, such as itil",
        ),
        400 | 405..=407 | 409..=428 => (
            Refusal::Content,
            "the instance does not take the request: compare the names and values of the rule with the instance",
        ),
        200..300 => (Refusal::Unavailable, "the instance did not carry the call out; it is tried again"),
        _ => (Refusal::Unavailable, "it has an internal problem"),
    };
    (refusal, advice.to_owned())
}

/// A `403`: a data policy, a business rule, or a right that the account lacks.
fn forbidden(said: &str, action: &str) -> (Refusal, String) {
    let lower = said.to_lowercase();
    if lower.contains("data policy") || lower.contains("mandatory") {
        let fields = said.rsplit_once("mandatory:").map(|(_, fields)| one_line(fields)).unwrap_or_default();
        let fields = if fields.is_empty() { String::new() } else { format!(" ({fields})") };
        let advice = if action.starts_with("resolve") {
            format!(
                "a data policy of the instance demands fields{fields}. `close_code` and `close_notes` were sent: check that `close_code` of \
                 the rule is one of the instance's resolution codes; where it demands others, give them a default there, or write \
                 `on_recovery: note`"
            )
        } else {
            format!(
                "a data policy of the instance demands fields{fields}: write them into the rule, those without a key of their own into \
                 `fields`, and replay the event"
            )
        };
        return (Refusal::Content, advice);
    }
    if lower.contains("business rule") {
        return (
            Refusal::Content,
            "a business rule of the instance refuses it: ask its administrator, change the rule, and replay the event".to_owned(),
        );
    }
    (
        Refusal::Credential,
        "the account lacks a right: give it a role that may read and write incidents, such as itil"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use confidential::Secrets;
    use secrecy::SecretString;
    use serde_json::json;

    fn of(status: u16, body: &str, action: &'static str) -> Result<Value, Refused> {
        let secrets = Secrets::new([SecretString::from("hunter2hunter2")]);
        let is_html = body.starts_with('<');
        result(&Answer { secrets, status, retry_after: None, is_html, body: body.to_owned() }, action)
    }

    fn error(message: &str, detail: &str) -> String {
        json!({ "error": { "message": message, "detail": detail }, "status": "failure" }).to_string()
    }

    const SEARCH: &str = "search for an incident";
    const CREATE: &str = "create an incident";
    const CHANGE: &str = "change an incident";
    const RESOLVE: &str = "resolve an incident";

    #[test]
    fn a_result_is_an_object_or_a_list() {
        assert_eq!(of(200, r#"{"result":[]}"#, SEARCH).unwrap(), json!([]));
        assert_eq!(
            of(201, r#"{"result":{"number":"INC1"},"error":null}"#, CREATE).unwrap(),
            json!({ "number": "INC1" })
        );
    }

    // D046
    #[test]
    fn an_error_counts_before_a_result_at_any_status_and_comes_again() {
        for (status, body) in [
            (
                200,
                r#"{"result":"","error":{"message":"Transaction cancelled: maximum execution time exceeded","detail":null}}"#,
            ),
            (200, r#"{"result":[],"error":{"message":"Transaction cancelled"},"status":"failure"}"#),
            (200, r#"{"error":{"message":"Transaction cancelled"}}"#),
            (200, r#"{"result":"Transaction cancelled"}"#),
            (200, "{}"),
            (201, r#"{"result":null}"#),
            (200, ""),
            (200, "[]"),
        ] {
            let refused = of(status, body, SEARCH).unwrap_err();
            assert_eq!(refused.refusal, Refusal::Unavailable, "{body}");
        }
    }

    // D045
    #[test]
    fn a_page_is_no_answer_of_the_api() {
        for status in [200, 302, 403, 404, 503] {
            let refused =
                of(status, "<html><title>Instance Hibernating page</title></html>", SEARCH).unwrap_err();
            assert_eq!(refused.refusal, Refusal::Unavailable, "{status}");
            let text = refused.to_string();
            assert!(text.contains("does not answer as an API: a developer instance may be asleep"), "{text}");
            assert!(!text.contains("Hibernating"), "{text}");
        }
    }

    #[test]
    fn each_refusal_has_its_outcome_and_says_what_to_do() {
        for (status, message, action, refusal, advice) in [
            (400, "Exception while reading request", CREATE, Refusal::Content, "does not take the request"),
            (401, "User Not Authenticated", SEARCH, Refusal::Credential, "the account is not accepted"),
            (
                403,
                "Operation Failed: Data Policy Exception: The following fields are mandatory: Service, Caller",
                CREATE,
                Refusal::Content,
                "a data policy of the instance demands fields (Service, Caller): write them into the rule",
            ),
            (
                403,
                "Data Policy Exception: The following fields are mandatory: Resolution code",
                RESOLVE,
                Refusal::Content,
                "demands fields (Resolution code). `close_code` and `close_notes` were sent",
            ),
            (
                403,
                "Operation against file 'incident' was aborted by Business Rule 'Abort^1'",
                CHANGE,
                Refusal::Content,
                "a business rule of the instance refuses it",
            ),
            (403, "User Not Authorized", CREATE, Refusal::Credential, "the account lacks a right"),
            (404, "No Record found", CHANGE, Refusal::Gone, "the incident was deleted"),
            (404, "No Record found", SEARCH, Refusal::Credential, "the table of incidents is not there"),
            (415, "Unsupported Media Type", CREATE, Refusal::Content, "does not take the request"),
            (429, "Rate limit exceeded", SEARCH, Refusal::Throttled, "a rate rule of the instance"),
            (500, "Internal Server Error", CREATE, Refusal::Unavailable, "it has an internal problem"),
            (503, "Unavailable", CREATE, Refusal::Unavailable, "it has an internal problem"),
        ] {
            let refused = of(status, &error(message, ""), action).unwrap_err();
            assert_eq!(refused.refusal, refusal, "{status} {message}");
            assert!(refused.advice.contains(advice), "{status} {message}: {}", refused.advice);
            assert!(refused.to_string().contains(message), "{refused}");
        }
    }

    #[test]
    fn the_error_has_the_beginning_of_the_answer_and_no_secret() {
        let text =
            of(500, &error("Failed", &format!("with hunter2hunter2 {}", "because ".repeat(90))), CREATE);
        let text = text.unwrap_err().to_string();
        assert!(
            text.starts_with(
                "ServiceNow did not create an incident, with status 500 (Failed: with [redacted] because"
            ),
            "{text}"
        );
        assert!(text.len() < 600 && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn the_time_of_a_reset_is_a_wait_of_at_most_an_hour() {
        let now = Timestamp::now().as_second();
        let wait = |status: u16, value: String| {
            let mut headers = HeaderMap::new();
            headers.insert("x-ratelimit-reset", value.parse().unwrap());
            wait_until_reset(status, &headers).map(|wait| wait.as_secs())
        };
        assert!(wait(429, (now + 600).to_string()).is_some_and(|wait| (595..=600).contains(&wait)));
        assert_eq!(wait(429, (now + 90_000).to_string()), Some(3_600));
        assert_eq!(wait(429, (now - 5).to_string()), Some(0));
        assert_eq!(wait(429, "soon".to_owned()), None);
        assert_eq!(wait(500, (now + 600).to_string()), None);
    }
}
