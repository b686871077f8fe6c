//! Errors of the API, as RFC 9457 says. No I/O.

use plain_text::visible;
use serde_json::{Value, json};
use tableau::ContentKind;
use workflow::ApiAnswer;

/// What is wrong, for a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    Malformed,
    Unauthorized,
    NotAllowed,
    TableauRefused,
    NotFound,
    OtherSite,
    MethodNotAllowed,
    Ambiguous,
    WouldStartItself,
    TooLarge,
    UnsupportedMediaType,
    IdempotencyKeyReused,
    LiveConnection,
    NoIncremental,
    AddressRefused,
    UnresolvableUrl,
    NotRefreshable,
    RateLimited,
    Unavailable,
}

impl Code {
    /// As answers have it, with its status.
    pub(crate) fn of(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::Malformed => ("malformed", 400, "Bad Request"),
            Self::Unauthorized => ("unauthorized", 401, "Unauthorized"),
            Self::NotAllowed => ("not_allowed", 403, "Forbidden"),
            Self::TableauRefused => ("tableau_refused", 403, "Forbidden"),
            Self::NotFound => ("not_found", 404, "Not Found"),
            Self::OtherSite => ("other_site", 404, "Not Found"),
            Self::MethodNotAllowed => ("method_not_allowed", 405, "Method Not Allowed"),
            Self::Ambiguous => ("ambiguous", 409, "Conflict"),
            Self::WouldStartItself => ("would_start_itself", 409, "Conflict"),
            Self::TooLarge => ("too_large", 413, "Content Too Large"),
            Self::UnsupportedMediaType => ("unsupported_media_type", 415, "Unsupported Media Type"),
            Self::IdempotencyKeyReused => ("idempotency_key_reused", 422, "Unprocessable Content"),
            Self::LiveConnection => ("live_connection", 422, "Unprocessable Content"),
            Self::NoIncremental => ("no_incremental", 422, "Unprocessable Content"),
            Self::AddressRefused => ("address_refused", 422, "Unprocessable Content"),
            Self::UnresolvableUrl => ("unresolvable_url", 422, "Unprocessable Content"),
            Self::NotRefreshable => ("not_refreshable", 422, "Unprocessable Content"),
            Self::RateLimited => ("rate_limited", 429, "Too Many Requests"),
            Self::Unavailable => ("unavailable", 503, "Service Unavailable"),
        }
    }
}

/// An object that may be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) kind: ContentKind,
    pub(crate) name: String,
    pub(crate) project: Vec<String>,
    pub(crate) luid: String,
}

/// An error of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    /// What is wrong, and what to do.
    pub(crate) detail: String,
    pub(crate) candidates: Vec<Candidate>,
    /// The member or parameter that is wrong.
    pub(crate) field: Option<String>,
    headers: Vec<(&'static str, String)>,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        let detail = visible(&detail.into()).into_owned();
        Self { code, detail, candidates: Vec::new(), field: None, headers: Vec::new() }
    }

    pub(crate) fn of_field(mut self, field: &str) -> Self {
        self.field = Some(field.to_owned());
        self
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The answer.
    pub(crate) fn answer(&self) -> ApiAnswer {
        let (code, status, title) = self.code.of();
        let mut body = json!({
            "type": "about:blank", "title": title, "status": status, "detail": self.detail, "code": code,
        });
        if !self.candidates.is_empty() {
            let candidate = |one: &Candidate| json!({ "kind": one.kind, "name": one.name, "project": one.project, "luid": one.luid });
            body["candidates"] = Value::Array(self.candidates.iter().map(candidate).collect());
        }
        if let Some(field) = &self.field {
            body["field"] = json!(field);
        }
        let mut answer = ApiAnswer::problem(status, body.to_string());
        for (name, value) in &self.headers {
            answer = answer.with_header(name, value.clone());
        }
        answer
    }
}
