//! The parts of an HTTP request that the ingress reads, and its answers.

use aws_lambda_events::alb::AlbTargetGroupRequest;
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::http::HeaderMap;
use lambda_http::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use lambda_http::http::{HeaderValue, Method, StatusCode};
use lambda_http::{Body, IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use secrets::SHORTEST_WEBHOOK_TOKEN;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::future::{Future, ready};
use std::pin::Pin;
use workflow::{ApiAnswer, Page};

/// The name of the path parameter, or query parameter, that carries the token.
const TOKEN: &str = "token";

/// The parts of a request that the ingress reads.
pub(crate) struct HttpRequest {
    pub(crate) method: Method,
    /// The token as a named path parameter. `None` if the route has no such parameter: the token is then taken from
    /// the path.
    path_token: Option<SecretString>,
    path: SecretString,
    query_token: Option<SecretString>,
    /// The query as it was sent, or as put together from its parsed parameters.
    query: SecretString,
    authorization: SecretString,
    idempotency_key: Option<String>,
    content_type: String,
    fetch_site: String,
    body: Option<String>,
    is_base64_encoded: bool,
}

/// A header's value in lower case and without parameters; empty if it is missing or not text.
fn header(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// `Authorization` as it was sent; empty if it is missing or not text.
fn authorization(headers: &HeaderMap) -> SecretString {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().trim().into()
}

/// `Idempotency-Key`. One that is not text is kept in another form, so that it is refused and not ignored.
fn idempotency_key(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("idempotency-key")?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// A query of parameters that were decoded already: names with their values.
fn query(parameters: &impl Serialize) -> SecretString {
    // The iterator of the type panics at a name without values.
    let all = serde_json::to_value(parameters).and_then(serde_json::from_value);
    let all: BTreeMap<String, Vec<String>> = all.unwrap_or_default();
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs = all.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    let pairs: Vec<String> =
        pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    pairs.join("&").into()
}

impl From<ApiGatewayProxyRequest> for HttpRequest {
    fn from(mut event: ApiGatewayProxyRequest) -> Self {
        let whole = query(&event.query_string_parameters);
        let query = [&event.query_string_parameters, &event.multi_value_query_string_parameters];
        let query_token =
            query.into_iter().find_map(|parameters| parameters.first(TOKEN)).map(SecretString::from);
        Self {
            method: event.http_method,
            path_token: event.path_parameters.remove(TOKEN).map(SecretString::from),
            path: event.path.unwrap_or_default().into(),
            query_token,
            query: whole,
            authorization: authorization(&event.headers),
            idempotency_key: idempotency_key(&event.headers),
            content_type: header(&event.headers, CONTENT_TYPE.as_str()),
            fetch_site: header(&event.headers, "sec-fetch-site"),
            body: event.body,
            is_base64_encoded: event.is_base64_encoded,
        }
    }
}

impl From<ApiGatewayV2httpRequest> for HttpRequest {
    fn from(mut event: ApiGatewayV2httpRequest) -> Self {
        // Reads the raw query string: in the parsed parameters, API Gateway and AWS's type split a value at commas.
        let query = event.raw_query_string.unwrap_or_default();
        let raw = query.split('&').find_map(|pair| pair.strip_prefix(TOKEN)?.strip_prefix('='));
        let query_token = raw.or_else(|| event.query_string_parameters.first(TOKEN)).map(SecretString::from);
        Self {
            method: event.request_context.http.method,
            path_token: event.path_parameters.remove(TOKEN).map(SecretString::from),
            path: event.raw_path.unwrap_or_default().into(),
            query_token,
            query: query.into(),
            authorization: authorization(&event.headers),
            idempotency_key: idempotency_key(&event.headers),
            content_type: header(&event.headers, CONTENT_TYPE.as_str()),
            fetch_site: header(&event.headers, "sec-fetch-site"),
            body: event.body,
            is_base64_encoded: event.is_base64_encoded,
        }
    }
}

impl From<AlbTargetGroupRequest> for HttpRequest {
    fn from(event: AlbTargetGroupRequest) -> Self {
        let whole = query(&event.query_string_parameters);
        let query = [&event.query_string_parameters, &event.multi_value_query_string_parameters];
        let query_token =
            query.into_iter().find_map(|parameters| parameters.first(TOKEN)).map(SecretString::from);
        Self {
            method: event.http_method,
            path_token: None,
            path: event.path.unwrap_or_default().into(),
            query_token,
            query: whole,
            authorization: authorization(&event.headers),
            idempotency_key: idempotency_key(&event.headers),
            content_type: header(&event.headers, CONTENT_TYPE.as_str()),
            fetch_site: header(&event.headers, "sec-fetch-site"),
            body: event.body,
            is_base64_encoded: event.is_base64_encoded,
        }
    }
}

impl HttpRequest {
    /// The token in the URL of `function`: a path segment or, if the path has none, `?token=`.
    pub(crate) fn token(&self, function: &str) -> Option<UrlToken> {
        let path = self.path_token.as_ref().map(ExposeSecret::expose_secret);
        let path = path.or_else(|| last_segment(self.path.expose_secret(), function));
        let query = self.query_token.as_ref().map(ExposeSecret::expose_secret);
        path.or(query).map(UrlToken::new)
    }

    /// The token of a public page, `…/{segment}/{token}`: percent-decoded. `None` for any other path.
    pub(crate) fn page_token(&self, segment: &str) -> Option<SecretString> {
        let (before, token) = self.path.expose_secret().rsplit_once('/')?;
        let is_page = before.rsplit('/').next() == Some(segment) && !token.is_empty();
        is_page.then(|| percent_decode_str(token).decode_utf8_lossy().into_owned().into())
    }

    /// The id in the path of an API, `…/{segment}/{id}`, percent-decoded; `Some(None)` for `…/{segment}`, `None` for any other path.
    pub(crate) fn api_id(&self, segment: &str) -> Option<Option<String>> {
        let (before, last) = self.path.expose_secret().rsplit_once('/')?;
        if last == segment {
            return Some(None);
        }
        let is_item = before.rsplit('/').next() == Some(segment) && !last.is_empty();
        is_item.then(|| Some(percent_decode_str(last).decode_utf8_lossy().into_owned()))
    }

    /// The query's parameters, decoded as a form's.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        let decoded =
            |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = self.query.expose_secret().split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decoded(name), decoded(value))
            })
            .collect()
    }

    /// `Authorization`; empty if there is none.
    pub(crate) fn authorization(&self) -> &str {
        self.authorization.expose_secret()
    }

    /// `Idempotency-Key`.
    pub(crate) fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// `Content-Type` in lower case, without parameters.
    pub(crate) fn content_type(&self) -> &str {
        &self.content_type
    }

    /// `Sec-Fetch-Site`.
    pub(crate) fn fetch_site(&self) -> &str {
        &self.fetch_site
    }

    /// The body's bytes; `None` if there are more than `limit`. A body that is not base64 although the event says so
    /// is used as plain text.
    pub(crate) fn body(&self, limit: usize) -> Option<Vec<u8>> {
        let body = self.body.as_deref().unwrap_or_default();
        // Base64 turns three bytes into four characters, so a body that is too long is refused without decoding.
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

/// The last segment of a path, as sent; `None` if the path ends with the route and has no token. Dot segments are not
/// resolved, and an encoded slash does not separate segments.
fn last_segment<'a>(path: &'a str, function: &str) -> Option<&'a str> {
    let segment = path.rsplit('/').next()?;
    (segment.len() >= SHORTEST_WEBHOOK_TOKEN && segment != function).then_some(segment)
}

/// The token of a URL. Some callers pass paths and queries on decoded, others as sent, so both are kept.
pub(crate) struct UrlToken {
    as_sent: SecretString,
    /// The token after percent-decoding. `None` if decoding changes nothing or gives no valid text.
    decoded: Option<SecretString>,
}

impl UrlToken {
    fn new(text: &str) -> Self {
        let decoded = percent_decode_str(text).decode_utf8().ok();
        let decoded = decoded.filter(|decoded| decoded != text);
        Self { as_sent: text.into(), decoded: decoded.map(|decoded| decoded.into_owned().into()) }
    }

    /// Whether `accept` accepts the token, as sent or decoded once.
    pub(crate) fn is_taken_by(&self, accept: impl Fn(&str) -> bool) -> bool {
        let forms = [Some(&self.as_sent), self.decoded.as_ref()];
        forms.into_iter().flatten().any(|form| accept(form.expose_secret()))
    }
}

/// The answer to an HTTP request.
pub(crate) struct HttpResponse(Response<Body>);

impl HttpResponse {
    /// An answer with a JSON body.
    pub(crate) fn json(status: StatusCode, body: &Value) -> Self {
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Self(response)
    }

    /// A page for a person. Nothing may store it, frame it, find it by a search, or send its address on: the address is a credential.
    pub(crate) fn page(page: Page) -> Self {
        let mut response = Response::new(Body::from(page.html));
        *response.status_mut() = StatusCode::from_u16(page.status).unwrap_or(StatusCode::OK);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
        headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
        headers.insert("x-frame-options", HeaderValue::from_static("DENY"));
        headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
        headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
        headers.insert("strict-transport-security", HeaderValue::from_static("max-age=31536000"));
        let policy = HeaderValue::from_str(&page.policy);
        let policy = policy.unwrap_or(HeaderValue::from_static("default-src 'none'"));
        headers.insert("content-security-policy", policy);
        Self(response)
    }

    /// The answer of an API. A header that is no header's value is left out.
    pub(crate) fn api(answer: ApiAnswer) -> Self {
        let mut response = Response::new(Body::from(answer.body));
        *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
        for (name, value) in answer.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        Self(response)
    }

    /// The same answer without its body: to `HEAD`.
    pub(crate) fn without_body(mut self) -> Self {
        *self.0.body_mut() = Body::Empty;
        self
    }

    /// An answer that refuses the request.
    pub(crate) fn error(status: StatusCode, error: &str) -> Self {
        Self::json(status, &json!({ "error": error }))
    }

    /// Adds a header to the answer.
    pub(crate) fn with_header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.0.headers_mut().insert(name, HeaderValue::from_static(value));
        self
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.0.status()
    }
}

/// `lambda_http` implements this for every `Response`, but decodes the body by its content type, which adds the
/// tables of all legacy encodings (0.4 MB) to the binary. Here the body is always UTF-8.
impl IntoResponse for HttpResponse {
    fn into_response(self) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
        Box::pin(ready(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "local-webhook-token-not-a-secret-0123456789";

    fn load_balancer(path: &str) -> HttpRequest {
        let mut event = AlbTargetGroupRequest::default();
        event.path = Some(path.to_owned());
        event.into()
    }

    fn accepts(request: &HttpRequest) -> Option<bool> {
        let token = request.token("notify-slack")?;
        Some(token.is_taken_by(|token| token == SECRET))
    }

    #[test]
    fn the_token_is_the_last_segment_of_the_path_as_sent_or_decoded_once() {
        let encoded = SECRET.replace('-', "%2D");
        let twice = SECRET.replace('-', "%252D");
        let all = SECRET.bytes().fold(String::new(), |text, byte| format!("{text}%{byte:02x}"));
        for (path, expected) in [
            (format!("/webhook/{SECRET}"), Some(true)),
            (format!("/prod/webhooks/notify-slack/{SECRET}"), Some(true)),
            (format!("/{SECRET}"), Some(true)),
            (format!("/webhook/{encoded}"), Some(true)),
            (format!("/webhook/{all}"), Some(true)),
            (format!("/webhook/../webhook/{SECRET}"), Some(true)),
            (format!("/webhook/{twice}"), Some(false)),
            (format!("/webhook%2F{SECRET}"), Some(false)),
            (format!("/webhook/x%2f{SECRET}"), Some(false)),
            (format!("/webhook/{SECRET}/."), None),
            (format!("/webhook/{SECRET}/.."), None),
            (format!("/webhook/{SECRET}%00"), Some(false)),
            (format!("/webhook/{SECRET}%ff"), Some(false)),
            (format!("/webhook/{SECRET}%"), Some(false)),
            (format!("/webhook/{SECRET};a=b"), Some(false)),
            (format!("/webhook/{SECRET}/"), None),
            ("/webhook".to_owned(), None),
            ("/prod/webhooks/notify-slack".to_owned(), None),
            ("/".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(accepts(&load_balancer(&path)), expected, "{path}");
        }
    }

    #[test]
    fn a_page_has_a_path_of_its_own_and_a_webhook_is_none() {
        let token =
            |path: &str| load_balancer(path).page_token("c").map(|token| token.expose_secret().to_owned());
        for (path, expected) in [
            ("/c/abc-_9", Some("abc-_9")),
            ("/base/path/c/abc", Some("abc")),
            ("/c/%61bc", Some("abc")),
            ("/c/%ff", Some("\u{fffd}")),
            ("/c/", None),
            ("/c", None),
            ("/c/a/b", None),
            ("/x/abc", None),
            ("/webhooks/request-certification/abc", None),
            ("/webhook", None),
            ("", None),
        ] {
            assert_eq!(token(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn an_api_has_paths_of_its_own_and_its_parameters_are_decoded() {
        for (path, expected) in [
            ("/refreshes", Some(None)),
            ("/stage/refreshes", Some(None)),
            ("/refreshes/r1", Some(Some("r1"))),
            ("/stage/refreshes/r%201", Some(Some("r 1"))),
            ("/refreshes/", None),
            ("/refreshes/r1/more", None),
            ("/webhooks/refresh-extract", None),
            ("/webhook", None),
            ("", None),
        ] {
            let id = load_balancer(path).api_id("refreshes");
            assert_eq!(id, expected.map(|id| id.map(str::to_owned)), "{path}");
        }
        let mut event = ApiGatewayV2httpRequest::default();
        event.raw_query_string = Some("wait_seconds=2%35&a+b=c%26d&&e".to_owned());
        event.headers.insert(AUTHORIZATION, HeaderValue::from_static(" Bearer twk_1 "));
        event.headers.insert("idempotency-key", HeaderValue::from_static("k 1"));
        let request = HttpRequest::from(event);
        let pairs = [("wait_seconds", "25"), ("a b", "c&d"), ("e", "")];
        assert_eq!(request.query(), pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!((request.authorization(), request.idempotency_key()), ("Bearer twk_1", Some("k 1")));
    }

    #[test]
    fn a_page_is_stored_framed_and_found_nowhere_and_a_head_has_no_body() {
        let page = || Page {
            is_misconfigured: false,
            status: 410,
            html: "<!doctype html>".to_owned(),
            policy: "default-src 'none'; form-action 'self'".to_owned(),
        };
        let HttpResponse(response) = HttpResponse::page(page());
        assert_eq!(response.status(), StatusCode::GONE);
        for (name, expected) in [
            ("cache-control", "no-store"),
            ("content-security-policy", "default-src 'none'; form-action 'self'"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
            ("x-robots-tag", "noindex, nofollow"),
        ] {
            assert_eq!(response.headers()[name], expected, "{name}");
        }
        let HttpResponse(head) = HttpResponse::page(page()).without_body();
        assert!(matches!(head.body(), Body::Empty) && head.status() == StatusCode::GONE);
        // A policy that is no header takes nothing away.
        let broken = Page { policy: "a\nb".to_owned(), status: 99, ..page() };
        let HttpResponse(response) = HttpResponse::page(broken);
        assert_eq!(response.headers()["content-security-policy"], "default-src 'none'");
        assert_eq!(response.status(), StatusCode::OK);
    }

    #[test]
    fn a_token_with_a_percent_sign_is_taken_as_it_is() {
        let token = UrlToken::new("a%41b");
        assert!(token.is_taken_by(|text| text == "a%41b") && token.is_taken_by(|text| text == "aAb"));
        assert!(!token.is_taken_by(|text| text == "a%2541b"));
    }

    #[test]
    fn a_body_is_the_bytes_that_were_sent() {
        let body = |text: &str, base64: bool| {
            let mut request = load_balancer("/");
            request.body = Some(text.to_owned());
            request.is_base64_encoded = base64;
            request.body(6)
        };
        for (text, base64, expected) in [
            ("", false, Some(&b""[..])),
            ("", true, Some(b"")),
            ("/wA=", false, Some(b"/wA=")),
            ("/wA=", true, Some(b"\xff\0")),
            ("/wA", true, Some(b"/wA")),
            ("_wA=", true, Some(b"_wA=")),
            ("a b\n", true, Some(b"a b\n")),
            ("123456", false, Some(b"123456")),
            ("1234567", false, None),
            ("MTIzNDU2", true, Some(b"123456")),
            ("MTIzNDU2Nw==", true, None),
            ("not base64!", true, None),
        ] {
            assert_eq!(body(text, base64).as_deref(), expected, "{text:?}, base64: {base64}");
        }
        assert_eq!(load_balancer("/").body(6).as_deref(), Some(&b""[..]));
    }
}
