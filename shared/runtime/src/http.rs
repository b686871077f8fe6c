//! What the ingress reads of an HTTP request, and what it answers.

use aws_lambda_events::alb::AlbTargetGroupRequest;
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use lambda_http::http::{HeaderValue, Method, StatusCode};
use lambda_http::{Body, Response};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// What the path of the common ingress ends with, unless the token follows.
const ROUTE: &str = "webhook";
/// The name of the token where a path or a query has names.
const TOKEN: &str = "token";

/// The parts of a request that the ingress looks at.
pub(crate) struct HttpRequest {
    pub(crate) method: Method,
    /// What the route calls the token, if it has a name for it. Otherwise the token is looked for in the path.
    path_token: Option<SecretString>,
    path: SecretString,
    query_token: Option<SecretString>,
    body: Option<String>,
    is_base64_encoded: bool,
}

impl From<ApiGatewayProxyRequest> for HttpRequest {
    fn from(mut event: ApiGatewayProxyRequest) -> Self {
        let query = [&event.query_string_parameters, &event.multi_value_query_string_parameters];
        let query_token =
            query.into_iter().find_map(|parameters| parameters.first(TOKEN)).map(SecretString::from);
        Self {
            method: event.http_method,
            path_token: event.path_parameters.remove(TOKEN).map(SecretString::from),
            path: event.path.unwrap_or_default().into(),
            query_token,
            body: event.body,
            is_base64_encoded: event.is_base64_encoded,
        }
    }
}

impl From<ApiGatewayV2httpRequest> for HttpRequest {
    fn from(mut event: ApiGatewayV2httpRequest) -> Self {
        // Among the parameters, API Gateway and AWS's type cut a value at its commas.
        let query = event.raw_query_string.unwrap_or_default();
        let raw = query.split('&').find_map(|pair| pair.strip_prefix(TOKEN)?.strip_prefix('='));
        let query_token = raw.or_else(|| event.query_string_parameters.first(TOKEN)).map(SecretString::from);
        Self {
            method: event.request_context.http.method,
            path_token: event.path_parameters.remove(TOKEN).map(SecretString::from),
            path: event.raw_path.unwrap_or_default().into(),
            query_token,
            body: event.body,
            is_base64_encoded: event.is_base64_encoded,
        }
    }
}

impl From<AlbTargetGroupRequest> for HttpRequest {
    fn from(event: AlbTargetGroupRequest) -> Self {
        let query = [&event.query_string_parameters, &event.multi_value_query_string_parameters];
        let query_token =
            query.into_iter().find_map(|parameters| parameters.first(TOKEN)).map(SecretString::from);
        Self {
            method: event.http_method,
            path_token: None,
            path: event.path.unwrap_or_default().into(),
            query_token,
            body: event.body,
            is_base64_encoded: event.is_base64_encoded,
        }
    }
}

impl HttpRequest {
    /// The token of the URL of `function`: a path segment or, where the path has none, `?token=`.
    pub(crate) fn token(&self, function: &str) -> Option<UrlToken> {
        let path = self.path_token.as_ref().map(ExposeSecret::expose_secret);
        let path = path.or_else(|| last_segment(self.path.expose_secret(), function));
        let query = self.query_token.as_ref().map(ExposeSecret::expose_secret);
        path.or(query).map(UrlToken::new)
    }

    /// The body's bytes; `None` when there are more than `limit`. A body that is not base64 although the event says so is
    /// taken as the text that it is.
    pub(crate) fn body(&self, limit: usize) -> Option<Vec<u8>> {
        let body = self.body.as_deref().unwrap_or_default();
        // Three bytes become four characters: what is too long needs no decoding.
        if self.is_base64_encoded && body.len() / 4 > limit / 3 + 1 {
            return None;
        }
        let decoded = self.is_base64_encoded.then(|| STANDARD.decode(body).ok()).flatten();
        match decoded {
            Some(bytes) => (bytes.len() <= limit).then_some(bytes),
            None => (body.len() <= limit).then(|| body.as_bytes().to_vec()),
        }
    }
}

/// The last segment of a path, as it was sent; `None` where the path ends with the route itself. Dot segments are
/// compared, not resolved, and an encoded slash separates nothing.
fn last_segment<'a>(path: &'a str, function: &str) -> Option<&'a str> {
    let segment = path.rsplit('/').next()?;
    (!segment.is_empty() && segment != ROUTE && segment != function).then_some(segment)
}

/// The token of a URL. Some callers hand a path and a query on decoded, others as they were sent.
pub(crate) struct UrlToken {
    as_sent: SecretString,
    /// `None` when decoding changes nothing or gives no text.
    decoded: Option<SecretString>,
}

impl UrlToken {
    fn new(text: &str) -> Self {
        let decoded = percent_decode_str(text).decode_utf8().ok();
        let decoded = decoded.filter(|decoded| decoded != text);
        Self { as_sent: text.into(), decoded: decoded.map(|decoded| decoded.into_owned().into()) }
    }

    /// Whether `accept` takes the token as it was sent, or decoded once.
    pub(crate) fn is_taken_by(&self, accept: impl Fn(&str) -> bool) -> bool {
        let forms = [Some(&self.as_sent), self.decoded.as_ref()];
        forms.into_iter().flatten().any(|form| accept(form.expose_secret()))
    }
}

/// An answer. `lambda_http` writes it in the shape that the caller reads.
pub(crate) type HttpResponse = Response<Body>;

/// An answer in JSON.
pub(crate) fn json_response(status: StatusCode, body: &Value) -> HttpResponse {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer that refuses.
pub(crate) fn error_response(status: StatusCode, error: &str) -> HttpResponse {
    json_response(status, &json!({ "error": error }))
}

/// An answer with one more header.
pub(crate) fn with_header(mut response: HttpResponse, name: HeaderName, value: &'static str) -> HttpResponse {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}
