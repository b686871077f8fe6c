//! The secrets of a request.

use crate::hint::Hints;
use crate::pattern::{Patterns, Pieces};
use crate::search::ranges;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};
use url::Url;

/// What stands in a text where a secret was.
pub const REDACTED: &str = "[redacted]";

/// The longest refusal that is looked at. Those of vendors are below 1 KiB.
const LONGEST_REFUSAL_BYTES: usize = 64 * 1024;

/// Beginnings of paths that are words of an API, and no secrets: of ours, of Slack's incoming webhooks and of those that are
/// compatible with them.
const PATH_WORDS: [&str; 6] = ["hooks", "services", "triggers", "webhook", "webhooks", "workflows"];

/// What a request carries that its answer must not bring back into an error, a log line, a record or a message.
///
/// Clones share what is made of the secrets to look for them.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Inner>);

#[derive(Default)]
struct Inner {
    secrets: Vec<SecretString>,
    hints: OnceLock<Hints>,
}

impl Secrets {
    /// These.
    pub fn new(secrets: impl IntoIterator<Item = SecretString>) -> Self {
        Self(Arc::new(Inner { secrets: secrets.into_iter().collect(), hints: OnceLock::new() }))
    }

    /// What is secret in the address of an incoming webhook, or of an ingress: its path but for the words of the API in it, and the
    /// values of its query. Where that is nothing, the last part of the path.
    pub fn of_url(url: &Url) -> Self {
        let segments: Vec<&str> =
            url.path_segments().into_iter().flatten().filter(|segment| !segment.is_empty()).collect();
        let is_word = |at: usize| {
            // Behind `webhooks` comes the name of a function.
            PATH_WORDS.contains(&segments[at])
                || (at > 0 && segments[at - 1] == "webhooks" && at + 1 < segments.len())
        };
        let words = (0..segments.len()).take_while(|at| is_word(*at)).count();
        let mut secrets = vec![segments[words..].join("/")];
        secrets.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
        secrets.extend(url.fragment().map(str::to_owned));
        secrets.retain(|secret| !secret.is_empty());
        if secrets.is_empty() {
            secrets.extend(segments.last().map(|segment| (*segment).to_owned()));
        }
        Self::new(secrets.into_iter().map(SecretString::from))
    }

    fn exposed(&self) -> impl Iterator<Item = &str> {
        self.0.secrets.iter().map(ExposeSecret::expose_secret)
    }

    /// These and others.
    #[must_use]
    pub fn and(self, others: impl IntoIterator<Item = SecretString>) -> Self {
        Self::new(self.0.secrets.iter().cloned().chain(others))
    }

    /// The bytes without anything of these secrets. [`REDACTED`] stands in its place.
    pub fn redact<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        self.redact_pieces(bytes, Pieces::Short)
    }

    fn redact_pieces<'a>(&self, bytes: &'a [u8], pieces: Pieces) -> Cow<'a, [u8]> {
        let patterns = Patterns::new(self.exposed(), pieces);
        let ranges = ranges(bytes, &patterns);
        if ranges.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let mut redacted = Vec::with_capacity(bytes.len());
        let mut end = 0;
        for range in ranges {
            let start = start_of_character(bytes, range.start).max(end);
            redacted.extend_from_slice(&bytes[end..start]);
            redacted.extend_from_slice(REDACTED.as_bytes());
            end = end_of_character(bytes, range.end);
        }
        redacted.extend_from_slice(&bytes[end..]);
        Cow::Owned(redacted)
    }

    /// The text without anything of these secrets.
    pub fn redact_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redact_pieces_of_text(text, Pieces::Short)
    }

    fn redact_pieces_of_text<'a>(&self, text: &'a str, pieces: Pieces) -> Cow<'a, str> {
        match self.redact_pieces(text.as_bytes(), pieces) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// Whether there is anything of these secrets in a text.
    pub fn are_in(&self, text: &str) -> bool {
        matches!(self.redact_text(text), Cow::Owned(_))
    }

    /// The body of a refusal without anything of these secrets. Of JSON, texts and numbers lose them and keys do not: a
    /// password may be a word that is a key as well, and the answer has to stay readable. What is over 64 KiB is cut: it is
    /// no vendor's.
    pub fn redact_refusal(&self, mut body: Vec<u8>) -> Vec<u8> {
        // Of a secret that is cut here too little is left to be one.
        body.truncate(LONGEST_REFUSAL_BYTES);
        self.redact_body(body, Pieces::Short)
    }

    /// The same of an answer to what succeeded. Names and ids in it are needed, so that only whole secrets, and pieces of 16
    /// characters or more, are taken out.
    pub fn redact_answer(&self, body: Vec<u8>) -> Vec<u8> {
        let hints = self.0.hints.get_or_init(|| Hints::of(self.exposed()));
        if hints.may_be_in(&body) { self.redact_body(body, Pieces::Long) } else { body }
    }

    fn redact_body(&self, body: Vec<u8>, pieces: Pieces) -> Vec<u8> {
        let redacted = match self.redact_pieces(&body, pieces) {
            Cow::Borrowed(_) => return body,
            Cow::Owned(redacted) => redacted,
        };
        let Ok(mut json) = serde_json::from_slice::<Value>(&body) else { return redacted };
        self.redact_values(&mut json, pieces);
        serde_json::to_vec(&json).unwrap_or(redacted)
    }

    fn redact_values(&self, value: &mut Value, pieces: Pieces) {
        let text = match value {
            Value::String(text) => Cow::Borrowed(text.as_str()),
            Value::Number(number) => Cow::Owned(number.to_string()),
            Value::Array(values) => {
                return values.iter_mut().for_each(|value| self.redact_values(value, pieces));
            }
            Value::Object(object) => {
                return object.values_mut().for_each(|value| self.redact_values(value, pieces));
            }
            Value::Null | Value::Bool(_) => return,
        };
        if let Cow::Owned(redacted) = self.redact_pieces_of_text(&text, pieces) {
            *value = Value::String(redacted);
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets([redacted])")
    }
}

/// Where the UTF-8 character at `at` begins. A backslash that escapes it belongs to it.
fn start_of_character(bytes: &[u8], mut at: usize) -> usize {
    while at > 0 && bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80) {
        at -= 1;
    }
    let backslashes = bytes[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
    at - backslashes % 2
}

fn end_of_character(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80) {
        at += 1;
    }
    at
}
