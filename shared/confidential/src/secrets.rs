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

/// The text that replaces a secret.
pub const REDACTED: &str = "[redacted]";

/// The longest refusal that is searched. Those of vendors are below 1 KiB.
const LONGEST_REFUSAL_BYTES: usize = 64 * 1024;

/// Path segments that are part of an API and no secrets: those of this project, of Slack's incoming webhooks and of
/// compatible services.
const PATH_WORDS: [&str; 6] = ["hooks", "services", "triggers", "webhook", "webhooks", "workflows"];

/// The secrets that a request contains and that its answer must not bring into an error, a log line, a record or a
/// message.
///
/// Clones share the data that is prepared for the search.
#[derive(Clone, Default)]
pub struct Secrets(Arc<Inner>);

#[derive(Default)]
struct Inner {
    secrets: Vec<SecretString>,
    hints: OnceLock<Hints>,
}

impl Secrets {
    /// Creates the collection from these secrets.
    pub fn new(secrets: impl IntoIterator<Item = SecretString>) -> Self {
        Self(Arc::new(Inner { secrets: secrets.into_iter().collect(), hints: OnceLock::new() }))
    }

    /// The secret parts of a webhook's URL: its path except the API's own segments, and the values of its query. If
    /// that is nothing, the last path segment.
    pub fn of_url(url: &Url) -> Self {
        let segments: Vec<&str> =
            url.path_segments().into_iter().flatten().filter(|segment| !segment.is_empty()).collect();
        let is_word = |at: usize| {
            // The segment after `webhooks` is the name of a function.
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

    /// Adds more secrets.
    #[must_use]
    pub fn and(self, others: impl IntoIterator<Item = SecretString>) -> Self {
        Self::new(self.0.secrets.iter().cloned().chain(others))
    }

    /// Replaces every piece of these secrets in the bytes by [`REDACTED`].
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

    /// Replaces every piece of these secrets in the text by [`REDACTED`].
    pub fn redact_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.redact_pieces_of_text(text, Pieces::Short)
    }

    fn redact_pieces_of_text<'a>(&self, text: &'a str, pieces: Pieces) -> Cow<'a, str> {
        match self.redact_pieces(text.as_bytes(), pieces) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// Whether a text contains a piece of these secrets.
    pub fn are_in(&self, text: &str) -> bool {
        matches!(self.redact_text(text), Cow::Owned(_))
    }

    /// The body of a refusal without these secrets. In JSON, texts and numbers are searched but keys are not: a
    /// password may equal a key, and the answer must stay readable. A body over 64 KiB is cut: it does not come from
    /// a vendor.
    pub fn redact_refusal(&self, mut body: Vec<u8>) -> Vec<u8> {
        // If the cut goes through a secret, too little of it is left to matter.
        body.truncate(LONGEST_REFUSAL_BYTES);
        self.redact_body(body, Pieces::Short)
    }

    /// The body of a successful answer without these secrets. Names and ids in it are needed, so only whole secrets
    /// and pieces of 16 characters or more are replaced.
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

/// The start of the UTF-8 character at `at`, including a backslash that escapes it.
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
