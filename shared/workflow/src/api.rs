//! Requests of programs to a workflow's API, and their answers.

use std::fmt;

/// A request to a workflow's API. Anyone may send one: the workflow checks `authorization`. `Debug` shows what is no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiRequest {
    /// The HTTP method in capital letters, whatever was sent.
    pub method: String,
    /// The segment of the path behind the API's own, percent-decoded: `r1` of `/refreshes/r1`. `None` for `/refreshes`.
    pub id: Option<String>,
    /// The query's parameters, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// `Authorization`, as it was sent; empty if there is none.
    pub authorization: String,
    /// `Idempotency-Key`; `None` if there is none.
    pub idempotency_key: Option<String>,
    /// `Content-Type`, in lower case and without parameters; empty if there is none.
    pub content_type: String,
    /// The body; `None` if it is longer than [`ApiRequest::BODY_LIMIT`].
    pub body: Option<Vec<u8>>,
}

impl ApiRequest {
    /// The longest body that is read, in bytes.
    pub const BODY_LIMIT: usize = 16 * 1024;
}

impl fmt::Debug for ApiRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiRequest")
            .field("method", &self.method)
            .field("id", &self.id)
            .field("content_type", &self.content_type)
            .field("body_bytes", &self.body.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}

/// The answer to a request of a program. It is stored nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiAnswer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
    /// Further headers, such as `Location`. Names in lower case.
    pub headers: Vec<(&'static str, String)>,
}

impl ApiAnswer {
    /// An answer in JSON.
    pub fn json(status: u16, body: String) -> Self {
        Self { status, content_type: "application/json", body, headers: Vec::new() }
    }

    /// An error in the form of RFC 9457.
    ///
    /// Source: <https://www.rfc-editor.org/rfc/rfc9457>
    pub fn problem(status: u16, body: String) -> Self {
        Self { content_type: "application/problem+json", ..Self::json(status, body) }
    }

    /// With one more header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
