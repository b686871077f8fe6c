//! Reads the answers of Tableau: their bodies and their errors.

use super::wait;
use crate::Error;
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;

/// The longest answer that is read, in bytes. A page of 1,000 elements is far shorter.
const ANSWER_LIMIT: usize = 16 * 1024 * 1024;
/// The length of Tableau's error codes: a status and three more digits. A shorter code, as in
/// `{"error":{"code":403}}`, comes from a gateway.
const CODE_LENGTH: usize = 6;
/// How many characters of Tableau's own error text an error repeats.
const TEXT_LIMIT: usize = 300;
/// How many characters of a reason, stored by another process, an error repeats.
const KEPT_LIMIT: usize = 1_000;

#[derive(Deserialize)]
struct ErrorAnswer {
    error: ErrorBody,
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    code: Value,
    #[serde(default)]
    summary: Value,
    #[serde(default)]
    detail: Value,
}

pub(super) async fn read(operation: &'static str, mut response: Response) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let url = response.url().clone();
    while let Some(chunk) = response.chunk().await.map_err(|e| Error::unreachable(operation, &url, e))? {
        if bytes.len() + chunk.len() > ANSWER_LIMIT {
            return Err(Error::TooLarge { operation, limit_bytes: ANSWER_LIMIT });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Parses the answer to a call that succeeded. An answer without anything that was asked for did not come from
/// Tableau.
pub(crate) fn parse<T: DeserializeOwned>(
    operation: &'static str,
    status: u16,
    bytes: &[u8],
) -> Result<T, Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        if bytes.trim_ascii_start().first() != Some(&b'{') || path == "." {
            return foreign(operation, status, None, bytes);
        }
        // serde's error text is left out: it repeats the value, which may be a session token.
        let problem = error.inner().classify();
        Error::Unreadable { operation, source: format!("at `{path}`: {problem:?} error").into() }
    })
}

/// Whether the body of a successful answer can come from Tableau: JSON, XML from a method that supports only XML, or
/// empty.
pub(super) fn may_be_tableaus(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii_start(), [] | [b'{', ..]) || is_xml(bytes.trim_ascii_start())
}

fn is_xml(body: &[u8]) -> bool {
    body.starts_with(b"<?xml") || body.starts_with(b"<tsResponse")
}

/// The error for an answer that did not come from Tableau.
pub(crate) fn foreign(
    operation: &'static str,
    status: u16,
    retry_after: Option<Duration>,
    bytes: &[u8],
) -> Error {
    let body = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes).trim_ascii_start();
    let content = match body.first() {
        None => "an empty body",
        Some(_) if is_xml(body) => "XML",
        Some(b'<') => "HTML",
        Some(b'{' | b'[') => "JSON",
        Some(_) => "text",
    };
    Error::Foreign { operation, status, content, retry_after }
}

/// The error for an answer with an error status. Proxies answer with HTML, and so does Tableau's own gateway: an
/// answer without a code did not come from Tableau's REST API.
pub(super) fn refused(
    operation: &'static str,
    status: StatusCode,
    retry_after: Option<Duration>,
    bytes: &[u8],
) -> Error {
    let status = status.as_u16();
    let (code, summary, detail) = match serde_json::from_slice(bytes) {
        Ok(ErrorAnswer { error }) => {
            let code = match error.code {
                Value::String(code) => code,
                Value::Number(code) => code.to_string(),
                _ => String::new(),
            };
            (code, text(&error.summary), text(&error.detail))
        }
        Err(_) => in_xml(bytes).unwrap_or_default(),
    };
    if code.len() != CODE_LENGTH || !code.bytes().all(|b| b.is_ascii_digit()) {
        return foreign(operation, status, retry_after, bytes);
    }
    let named = || wait::named_in(&detail).or_else(|| wait::named_in(&summary));
    let retry_after = retry_after.or_else(|| named().filter(|_| matches!(status, 429 | 503)));
    Error::Refused { operation, status, code, summary, detail, retry_after }
}

/// The error inside an answer with status 200, if there is one. Its status is the first part of its code.
pub(super) fn refused_within(operation: &'static str, bytes: &[u8]) -> Option<Error> {
    let answer: ErrorAnswer = serde_json::from_slice(bytes).ok()?;
    let status = answer.error.code.as_str()?.get(..3)?.parse().ok()?;
    let error = refused(operation, StatusCode::from_u16(status).ok()?, None, bytes);
    matches!(error, Error::Refused { .. }).then_some(error)
}

/// Code, summary and detail of an error in XML. Tableau may refuse a download in XML, whatever format was requested.
fn in_xml(bytes: &[u8]) -> Option<(String, String, String)> {
    let (_, error) = std::str::from_utf8(bytes).ok()?.split_once("<error")?;
    let between = |start: &str, end: &str| Some(short(error.split_once(start)?.1.split_once(end)?.0));
    let code = between("code=\"", "\"")?;
    let element = |start, end| between(start, end).unwrap_or_default();
    Some((code, element("<summary>", "</summary>"), element("<detail>", "</detail>")))
}

fn text(value: &Value) -> String {
    value.as_str().map(short).unwrap_or_default()
}

fn short(text: &str) -> String {
    cut(text, TEXT_LIMIT)
}

/// The reason of a failure as another process stored it, cleaned and shortened.
pub(super) fn shown(reason: &str) -> String {
    cut(reason, KEPT_LIMIT)
}

/// Shortens a text and puts it on one line. A line break becomes a space, so that the text before and after a removed
/// secret does not join.
fn cut(text: &str, limit: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(status: u16, body: &str) -> Error {
        refused("test", StatusCode::from_u16(status).unwrap(), None, body.as_bytes())
    }

    #[test]
    fn an_error_has_its_code_in_either_form() {
        for body in [
            r#"{"error":{"summary":"Not Found","detail":"gone","code":"404006"}}"#,
            r#"{"error":{"summary":"Not Found","detail":"gone","code":404006,"new":[1]}}"#,
        ] {
            assert_eq!(error(404, body).code(), Some("404006"), "{body}");
        }
        let xml =
            "<?xml version='1.0'?><tsResponse><error code=\"404006\"><summary>Not Found</summary></error>";
        assert_eq!(error(404, xml).to_string(), "test: Tableau refused with 404 (404006, Not Found)");
        for body in [
            "",
            "<html>",
            "<error>",
            "<error code=\"x\">",
            "[]",
            "null",
            r#"{"error":{}}"#,
            r#"{"error":{"code":null,"detail":7}}"#,
            r#"{"error":{"code":403,"message":"Forbidden"}}"#,
            r#"{"error":{"code":"hunter2"}}"#,
        ] {
            assert_eq!(error(503, body).code(), None, "{body}");
        }
    }

    #[test]
    fn the_wait_may_stand_in_the_text() {
        let body = r#"{"error":{"code":"429000","summary":"Too Many Requests","detail":"Too many requests for 'api.rest.refresh_extracts'. Please try again in 12 minutes."}}"#;
        let error = error(429, body);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(720)));
        assert!(error.to_string().ends_with("; wait 720 s"), "{error}");
    }

    proptest! {
        #[test]
        fn no_body_of_an_error_panics(bytes in prop::collection::vec(any::<u8>(), 0..256), status in 400u16..600) {
            let status = StatusCode::from_u16(status).unwrap();
            let _ = refused("test", status, None, &bytes).to_string();
            let xml = [b"<error code=\"404006\"><summary>".as_slice(), &bytes, b"</detail>"].concat();
            let _ = refused("test", status, None, &xml).to_string();
        }
    }
}
