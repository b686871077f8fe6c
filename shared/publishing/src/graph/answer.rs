//! Reads answers of Microsoft Graph and of its upload hosts, and says what a refusal means.
//!
//! Source: <https://learn.microsoft.com/graph/errors>

use crate::{Error, Problem, Refused};
use confidential::Secrets;
use jiff::Timestamp;
use plain_text::{one_line, without_secrets};
use reqwest::{Response, header};
use serde_json::Value;
use std::time::Duration;

/// The service's name in errors and metrics.
pub(super) const NAME: &str = "SharePoint";
/// The longest answer that is read.
const BODY_LIMIT: usize = 256 * 1024;
/// How much of an answer's text goes into an error.
const TEXT_LIMIT: usize = 200;
/// How deep errors inside an error are looked for.
const DEEPEST: usize = 8;
/// The codes of a file that is in use.
const IN_USE: [&str; 3] = ["resourceLocked", "resourceCheckedOut", "lockMismatch"];
/// From so many characters on, a name or a path may be what a 401 without JSON is about.
const LONG: (usize, usize) = (100, 250);
/// How long a file that is in use is left alone.
const IN_USE_WAIT: Duration = Duration::from_secs(5 * 60);

/// An answer whose body has been read.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Duration>,
    /// The body, if it is a JSON object.
    pub(super) json: Option<Value>,
    kind: &'static str,
}

/// There was no answer. The error loses its address: the one of an upload session is a secret.
pub(super) fn unreachable(error: reqwest::Error) -> Error {
    Error::Unreachable { service: NAME, source: error.without_url() }
}

impl Answer {
    /// Reads an answer, and takes `secrets` out of it if it is a refusal.
    pub(super) async fn read(mut response: Response, secrets: &Secrets) -> Result<Self, Error> {
        let status = response.status().as_u16();
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| wait(value.to_str().ok()?.trim(), Timestamp::now()));
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() >= BODY_LIMIT {
                body.truncate(BODY_LIMIT);
                break;
            }
        }
        // Answers to sessions hold the address that is a secret itself, so only refusals are searched.
        let body = if (200..300).contains(&status) { body } else { secrets.redact_refusal(body) };
        let kind = match body.trim_ascii().first() {
            _ if (300..400).contains(&status) => "a redirect",
            None => "an empty body",
            Some(b'<') => "HTML",
            Some(b'{' | b'[') => "JSON",
            Some(_) => "text",
        };
        let json = serde_json::from_slice::<Value>(&body).ok().filter(Value::is_object);
        Ok(Self { status, retry_after, json, kind })
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A text of the answer.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.json.as_ref()?.get(name)?.as_str()
    }

    /// The codes of the error and of all errors inside it: the outer one may hide what is the matter.
    fn codes(&self) -> Vec<String> {
        let mut at = self.json.as_ref().and_then(|json| json.get("error"));
        let mut codes = Vec::new();
        for _ in 0..DEEPEST {
            let Some(error) = at else { break };
            let is_code = |code: &&str| {
                !code.is_empty() && code.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            };
            codes.extend(
                error
                    .get("code")
                    .and_then(Value::as_str)
                    .filter(is_code)
                    .map(|code| code.chars().take(60).collect()),
            );
            at = error.get("innerError").or_else(|| error.get("innererror"));
        }
        // The form of the token host.
        let flat = self.json.as_ref().and_then(|json| json.get("error")).and_then(Value::as_str);
        codes.extend(flat.filter(|code| code.len() <= 60).map(one_line));
        codes
    }

    /// Whether the answer says, in any of its codes, that the file is in use.
    pub(super) fn is_in_use(&self) -> bool {
        self.status == 423
            || self.codes().iter().any(|code| IN_USE.iter().any(|known| code.eq_ignore_ascii_case(known)))
    }

    /// The refusal that this answer is.
    pub(super) fn refused(&self, action: &'static str) -> Error {
        let codes = self.codes();
        let (problem, advice) = self.meaning(&codes, action);
        let said = self.json.as_ref().and_then(|json| json.pointer("/error/message")).and_then(Value::as_str);
        let said = said.map(|text| one_line(&without_secrets(text))).filter(|text| !text.is_empty());
        let said: Option<String> = said.map(|text| text.chars().take(TEXT_LIMIT).collect());
        let codes = if codes.is_empty() { self.kind.to_owned() } else { codes.join(", ") };
        let reason = said.map_or_else(|| codes.clone(), |said| format!("{codes}: {said}"));
        let retry_after = match problem {
            Problem::InUse => Some(self.retry_after.unwrap_or(IN_USE_WAIT)),
            _ => self.retry_after,
        };
        let delayed =
            retry_after.filter(|_| problem == Problem::Throttled).map(delayed_until).unwrap_or_default();
        let advice = format!("{advice}{delayed}");
        Refused { service: NAME, action, status: self.status, reason, problem, advice, retry_after }.into()
    }

    fn meaning(&self, codes: &[String], action: &str) -> (Problem, &'static str) {
        let has =
            |wanted: &[&str]| codes.iter().any(|code| wanted.iter().any(|w| code.eq_ignore_ascii_case(w)));
        let begins = action == BEGIN;
        if self.status == 507 || has(&["quotaLimitReached", "insufficientStorage"]) {
            return (
                Problem::NoRoom,
                "the site has no room left. Each version of a file counts in full: limit the versions of the library, delete old files, \
                 or put a date into the name and let files expire",
            );
        }
        if self.status == 423 || has(&IN_USE) {
            return (Problem::InUse, "a person has the file open or checked out. It is tried again");
        }
        if self.status == 409 {
            return (
                Problem::InUse,
                "the file is open, or another upload of it has not ended. It is tried again",
            );
        }
        if self.status == 429 || has(&["activityLimitReached", "throttledRequest", "tooManyRequests"]) {
            return (Problem::Throttled, "there are too many requests for now");
        }
        match self.status {
            408 | 500..=599 => {
                (Problem::Unavailable, "the service has a problem of its own. It is tried again")
            }
            300..=399 => (
                Problem::Unavailable,
                "what answers is not Microsoft Graph: check whether a proxy or a login page is in between. It is tried again",
            ),
            401 => (
                Problem::Credential,
                "the token is refused: check `tenant`, `client_id` and `client_secret` in the SharePoint secret, and that the secret of \
                 the application has not expired",
            ),
            403 => (
                Problem::Credential,
                "the application may not do this: consent to the application permission Sites.Selected, and grant it `write` on the site",
            ),
            // An id that SharePoint cannot read is no wrong call, but a wrong id.
            404 if begins || action == FIND_LIBRARY => NO_PLACE,
            400 if action == FIND_LIBRARY => NO_PLACE,
            200..=299 => (
                Problem::Unavailable,
                "what answers is not Microsoft Graph: check whether a proxy or a login page is in between. It is tried again",
            ),
            414 => (Problem::Name, "the path is too long: use fewer folders, or shorter names"),
            400 if has(&["invalidRequest", "malformedEntityTags", "nameInvalid"]) && begins => (
                Problem::Name,
                "the name or the folder is refused: use other characters in `name` and `folder`",
            ),
            _ => (Problem::Other, "this is not expected: see the codes"),
        }
    }

    /// The refusal of a token that was new a moment ago, for a file of this path. SharePoint also says this, as plain text, of names that
    /// are too long.
    ///
    /// Source: `OneDrive/onedrive-api-docs#420`
    pub(super) fn refused_new_token(&self, action: &'static str, path: &[String]) -> Error {
        let length = |name: &String| name.encode_utf16().count();
        let is_long = path.last().is_some_and(|name| length(name) > LONG.0)
            || path.iter().map(length).sum::<usize>() > LONG.1;
        if self.json.is_some() || !is_long {
            return self.refused(action);
        }
        Refused {
            service: NAME,
            action,
            status: self.status,
            reason: self.kind.to_owned(),
            problem: Problem::Name,
            advice: "a new token is refused without an error of Graph's own, as for a name or path that is too long: use fewer folders, or \
                     shorter names"
                .to_owned(),
            retry_after: None,
        }
        .into()
    }
}

const NO_PLACE: (Problem, &str) = (
    Problem::NoPlace,
    "there is no such document library, or the application may not see it: check `drive` in the rule and in the SharePoint secret. The \
     library that a site opens with is only one of its libraries",
);

/// What the calls are to do, for errors.
pub(super) const BEGIN: &str = "begin an upload";
pub(super) const FIND_LIBRARY: &str = "show the document library";

/// Until when nothing is sent, for people.
fn delayed_until(wait: Duration) -> String {
    let until = Timestamp::now().checked_add(wait).unwrap_or(Timestamp::MAX);
    format!(". It is delayed until {}", until.strftime("%Y-%m-%d %H:%M UTC"))
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
    use serde_json::json;

    fn answer(status: u16, json: Option<Value>) -> Answer {
        let kind = if json.is_some() { "JSON" } else { "text" };
        Answer { status, retry_after: None, json, kind }
    }

    fn problem(status: u16, error: Value) -> Problem {
        answer(status, Some(json!({ "error": error }))).refused(BEGIN).problem().unwrap()
    }

    // G02, G10, G16, G17
    #[test]
    fn a_refusal_is_classed_by_all_of_its_codes() {
        let hidden = json!({ "code": "notAllowed", "message": "x", "innerError": { "code": "resourceLocked", "innererror": { "code": "deeper" } } });
        assert_eq!(problem(403, hidden.clone()), Problem::InUse);
        assert!(
            answer(403, Some(json!({ "error": hidden })))
                .refused(BEGIN)
                .to_string()
                .contains("notAllowed, resourceLocked, deeper: x")
        );
        for (status, code, expected) in [
            (423, "resourceLocked", Problem::InUse),
            (409, "nameAlreadyExists", Problem::InUse),
            (409, "conflict", Problem::InUse),
            (403, "accessDenied", Problem::Credential),
            (404, "itemNotFound", Problem::NoPlace),
            (429, "activityLimitReached", Problem::Throttled),
            (503, "serviceNotAvailable", Problem::Unavailable),
            (507, "quotaLimitReached", Problem::NoRoom),
            (400, "invalidRequest", Problem::Name),
            (418, "other", Problem::Other),
        ] {
            assert_eq!(problem(status, json!({ "code": code })), expected, "{status} {code}");
        }
    }

    // G19, G25
    #[test]
    fn an_hour_is_said_and_a_401_without_json_is_about_the_name() {
        let mut throttled = answer(429, None);
        throttled.retry_after = Some(Duration::from_secs(3_600));
        let error = throttled.refused(BEGIN);
        assert!(error.to_string().contains("It is delayed until 2"), "{error}");
        let (long, short) = ([format!("{}.pdf", "x".repeat(120))], ["Sales.pdf".to_owned()]);
        assert_eq!(answer(401, None).refused_new_token(BEGIN, &long).problem(), Some(Problem::Name));
        assert_eq!(answer(401, None).refused_new_token(BEGIN, &short).problem(), Some(Problem::Credential));
        assert_eq!(
            answer(401, None).refused_new_token(FIND_LIBRARY, &[]).problem(),
            Some(Problem::Credential)
        );
        let malformed = answer(400, Some(json!({ "error": { "code": "invalidRequest" } })));
        assert_eq!(malformed.refused(FIND_LIBRARY).problem(), Some(Problem::NoPlace));
        assert_eq!(answer(200, None).refused(FIND_LIBRARY).problem(), Some(Problem::Unavailable));
        let json = Some(json!({ "error": { "code": "InvalidAuthenticationToken" } }));
        assert_eq!(answer(401, json).refused_new_token(BEGIN, &long).problem(), Some(Problem::Credential));
    }

    #[test]
    fn an_error_repeats_no_code_that_is_a_text() {
        let error = answer(
            400,
            Some(
                json!({ "error": { "code": "see https://x/?a=hunter2", "message": "see https://u:hunter2@x/?sig=hunter2" } }),
            ),
        );
        assert!(!error.refused(BEGIN).to_string().contains("hunter2"), "{}", error.refused(BEGIN));
    }
}
