//! Reads the HTTP answers of destinations.

use confidential::Secrets;
use jiff::Timestamp;
use reqwest::{Response, header};
use std::time::Duration;

/// An HTTP answer whose body has been read.
pub(crate) struct Answer {
    /// The secrets that the request contained.
    pub(crate) secrets: Secrets,
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) is_html: bool,
    pub(crate) body: String,
}

/// The longest answer that is read. Refusals are a word or a small object, but Slack repeats the message that it
/// accepted, with six characters for each non-ASCII character.
const BODY_LIMIT: usize = 1024 * 1024;

impl Answer {
    /// Reads an answer, and removes from it whatever repeats one of `secrets`. Errors lose their URL.
    pub(crate) async fn read(mut response: Response, secrets: Secrets) -> Result<Self, reqwest::Error> {
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| wait(value.to_str().ok()?.trim(), Timestamp::now()));
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let is_html = content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(reqwest::Error::without_url)? {
            body.extend_from_slice(&chunk);
            if body.len() >= BODY_LIMIT {
                body.truncate(BODY_LIMIT);
                break;
            }
        }
        let body = match is_success(status, &body) {
            true => secrets.redact_answer(body),
            false => secrets.redact_refusal(body),
        };
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Self { secrets, status, retry_after, is_html, body })
    }

    /// The kind of an answer that did not come from the destination, for an error text. The answer's own text is
    /// never repeated.
    pub(crate) fn kind(&self) -> &'static str {
        let body = self.body.trim_start_matches('\u{feff}').trim_start();
        match body.chars().next() {
            _ if (300..400).contains(&self.status) => "a redirect",
            None => "an empty body",
            Some('<') => "HTML",
            Some('{' | '[') => "JSON",
            Some(_) if self.is_html => "HTML",
            Some(_) => "text",
        }
    }
}

/// Whether the answer says that the message was accepted. Slack may refuse with status 200 and `"ok": false`, ServiceNow with an
/// `error`.
fn is_success(status: u16, body: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Taken {
        ok: bool,
    }
    #[derive(serde::Deserialize)]
    struct Found {
        #[serde(rename = "result")]
        _result: serde::de::IgnoredAny,
        error: Option<serde::de::IgnoredAny>,
    }
    let is_taken = || serde_json::from_slice::<Taken>(body).is_ok_and(|taken| taken.ok);
    let is_found = || serde_json::from_slice::<Found>(body).is_ok_and(|found| found.error.is_none());
    (200..300).contains(&status) && (body.trim_ascii() == b"ok" || is_taken() || is_found())
}

/// Reads a `Retry-After` header: seconds, or a date.
fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_success_is_searched_as_a_refusal() {
        for (status, body, expected) in [
            (200, "ok", true),
            (200, r#"{"ok":true,"ts":"1.2"}"#, true),
            (200, r#"{"ok":false,"error":"invalid_auth"}"#, false),
            (200, r#"{"result":[]}"#, true),
            (200, r#"{"result":"","error":{"message":"Transaction cancelled"}}"#, false),
            (200, "{}", false),
            (200, "", false),
            (500, "ok", false),
        ] {
            assert_eq!(is_success(status, body.as_bytes()), expected, "{status} {body}");
        }
    }

    #[test]
    fn a_wait_is_named_in_seconds_or_as_a_date() {
        let now: Timestamp = "2015-10-21T07:27:00Z".parse().unwrap();
        for (text, seconds) in [
            ("30", Some(30)),
            ("Wed, 21 Oct 2015 07:28:00 GMT", Some(60)),
            ("Wed, 21 Oct 2015 07:26:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(wait(text, now), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
