//! Why a request is refused, in the form of RFC 9457. No I/O.

use plain_text::visible;
use serde_json::json;
use workflow::ApiAnswer;

/// Why a request is refused. No detail repeats a value of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Status, title and code.
    kind: &'static (u16, &'static str, &'static str),
    detail: String,
    field: Option<String>,
    header: Option<(&'static str, String)>,
}

impl Problem {
    fn new(kind: &'static (u16, &'static str, &'static str), detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), field: None, header: None }
    }

    /// A member or header that is not as the document says.
    pub(crate) fn malformed(field: &str, what: &str) -> Self {
        let field: String = visible(field).chars().take(60).collect();
        let problem = Self::new(&(400, "Bad Request", "malformed"), format!("{field}: {what}"));
        Self { field: Some(field), ..problem }
    }

    /// A body that is no JSON object.
    pub(crate) fn no_object(what: String) -> Self {
        Self::new(&(400, "Bad Request", "malformed"), what)
    }

    pub(crate) fn unauthorized() -> Self {
        let problem = Self::new(
            &(401, "Unauthorized", "unauthorized"),
            "Send a valid key as Authorization: Bearer twk_…",
        );
        problem.with_header("www-authenticate", "Bearer")
    }

    pub(crate) fn not_allowed() -> Self {
        Self::new(&(403, "Forbidden", "not_allowed"), "This key may not send events.")
    }

    pub(crate) fn not_found() -> Self {
        Self::new(&(404, "Not Found", "not_found"), "There is nothing at this address.")
    }

    pub(crate) fn method_not_allowed() -> Self {
        let kind = &(405, "Method Not Allowed", "method_not_allowed");
        Self::new(kind, "This address takes POST.").with_header("allow", "POST")
    }

    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(&(413, "Content Too Large", "too_large"), format!("The body is longer than {limit} bytes."))
    }

    pub(crate) fn unsupported_media_type() -> Self {
        let kind = &(415, "Unsupported Media Type", "unsupported_media_type");
        Self::new(kind, "Send the body as JSON, with Content-Type: application/json.")
    }

    pub(crate) fn rate_limited(per_minute: u32, retry_after_seconds: i64) -> Self {
        let detail = format!(
            "This key may make {per_minute} requests a minute. Try again in {retry_after_seconds} s."
        );
        Self::new(&(429, "Too Many Requests", "rate_limited"), detail)
            .with_header("retry-after", retry_after_seconds.to_string())
    }

    fn with_header(self, name: &'static str, value: impl Into<String>) -> Self {
        Self { header: Some((name, value.into())), ..self }
    }

    pub(crate) fn code(&self) -> &'static str {
        self.kind.2
    }

    pub(crate) fn answer(&self) -> ApiAnswer {
        let (status, title, code) = *self.kind;
        let mut body = json!({
            "type": "about:blank", "title": title, "status": status, "detail": self.detail, "code": code,
        });
        if let Some(field) = &self.field {
            body["field"] = json!(field);
        }
        let answer = ApiAnswer::problem(status, body.to_string());
        match &self.header {
            Some((name, value)) => answer.with_header(name, value.clone()),
            None => answer,
        }
    }
}
