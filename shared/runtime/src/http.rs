//! What is read of an API Gateway request (payload 2.0), and what is answered.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::HashMap;

/// The parts of a request that a door looks at. Everything else, headers included, comes from anyone and is
/// left alone: what is not read cannot break the reading.
///
/// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpRequest<'a> {
    request_context: RequestContext<'a>,
    #[serde(default)]
    query_string_parameters: Option<HashMap<String, SecretString>>,
    #[serde(default)]
    path_parameters: Option<HashMap<String, SecretString>>,
    #[serde(default, borrow)]
    body: Option<Cow<'a, str>>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct RequestContext<'a> {
    #[serde(borrow)]
    http: Http<'a>,
}

#[derive(Deserialize)]
struct Http<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
}

impl HttpRequest<'_> {
    pub(crate) fn method(&self) -> &str {
        &self.request_context.http.method
    }

    /// The token of the URL: a path segment or `?token=`.
    pub(crate) fn token(&self) -> Option<&SecretString> {
        let places = [&self.path_parameters, &self.query_string_parameters];
        places.into_iter().flatten().find_map(|parameters| parameters.get("token"))
    }

    /// The body's bytes; `None` when there are more than `limit`. A body that is not base64 although API Gateway says so is
    /// taken as the text that it is.
    pub(crate) fn body(&self, limit: usize) -> Option<Vec<u8>> {
        let body = self.body.as_deref().unwrap_or_default();
        // Three bytes become four characters: what is too long needs no decoding.
        if self.is_base64_encoded && body.len() / 4 > limit / 3 + 1 {
            return None;
        }
        let decoded = self.is_base64_encoded.then(|| STANDARD.decode(body).ok()).flatten();
        let bytes = decoded.unwrap_or_else(|| body.as_bytes().to_vec());
        (bytes.len() <= limit).then_some(bytes)
    }
}

/// An answer, in the shape that API Gateway takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpResponse {
    pub(crate) status_code: u16,
    headers: HashMap<&'static str, Cow<'static, str>>,
    body: String,
    is_base64_encoded: bool,
}

impl HttpResponse {
    pub(crate) fn json(status_code: u16, body: &Value) -> Self {
        let headers = HashMap::from([
            ("content-type", Cow::Borrowed("application/json")),
            ("cache-control", Cow::Borrowed("no-store")),
        ]);
        Self { status_code, headers, body: body.to_string(), is_base64_encoded: false }
    }

    pub(crate) fn error(status_code: u16, error: &str) -> Self {
        Self::json(status_code, &json!({ "error": error }))
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.insert(name, value.into());
        self
    }
}
