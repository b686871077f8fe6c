//! Converts an HTTP request into the event that a function gets: payload format 2.0.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>

use super::route::{PathParameters, RouteKey, decoded};
use crate::aws::ACCOUNT;
use crate::lineage::new_root;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::net::SocketAddr;

/// The event for a request that the route `key` matched.
pub(super) fn event(
    key: &RouteKey,
    parameters: PathParameters,
    parts: &Parts,
    body: &Bytes,
    peer: SocketAddr,
) -> Value {
    let now = Timestamp::now();
    let host = text(&parts.headers, &HOST).unwrap_or_else(|| "localhost".to_owned());
    let domain = host.split(':').next().unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    // HTTP APIs pass the path decoded, although it is called `rawPath`. The stage `$default` adds no prefix to the
    // path.
    let path = decoded(parts.uri.path());
    let mut event = json!({
        "version": "2.0",
        "routeKey": key.to_string(),
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers(&parts.headers, &host, peer),
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": "local",
            "domainName": domain,
            "domainPrefix": domain.split('.').next(),
            "http": {
                "method": parts.method.as_str(),
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": peer.ip().to_string(),
                "userAgent": text(&parts.headers, &USER_AGENT).unwrap_or_default(),
            },
            "requestId": uuid::Uuid::new_v4().to_string(),
            "routeKey": key.to_string(),
            "stage": "$default",
            "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "timeEpoch": now.as_millisecond(),
        },
        "isBase64Encoded": false,
    });
    // Empty members are left out of the event.
    let cookies =
        text(&parts.headers, &COOKIE).map(|all| all.split("; ").map(str::to_owned).collect::<Vec<_>>());
    if let Some(cookies) = cookies {
        event["cookies"] = json!(cookies);
    }
    if !query.is_empty() {
        event["queryStringParameters"] = Value::Object(query_parameters(query));
    }
    if !parameters.is_empty() {
        event["pathParameters"] = json!(parameters);
    }
    if !body.is_empty() {
        let (body, encoded) = written(body, text(&parts.headers, &CONTENT_TYPE).as_deref());
        event["body"] = Value::String(body);
        event["isBase64Encoded"] = Value::Bool(encoded);
    }
    event
}

/// All values of a header, joined by commas.
fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let separator = if *name == COOKIE { "; " } else { "," };
    let values: Vec<_> =
        headers.get_all(name).iter().map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
    (!values.is_empty()).then(|| values.join(separator))
}

/// The event's `headers`: names in lower case, without cookies, with the headers that API Gateway adds.
fn headers(sent: &HeaderMap, host: &str, peer: SocketAddr) -> Map<String, Value> {
    let names = sent.keys().filter(|name| **name != COOKIE);
    let values = names.filter_map(|name| Some((name.as_str().to_owned(), text(sent, name)?)));
    let port = host.rsplit_once(':').map_or("80", |(_, port)| port).to_owned();
    let trace = format!("Root={}", new_root());
    let forwarded =
        sent.get("x-forwarded-for").map(|before| String::from_utf8_lossy(before.as_bytes()) + ", ");
    let added = [
        ("x-forwarded-for", format!("{}{}", forwarded.unwrap_or_default(), peer.ip())),
        ("x-forwarded-port", port),
        ("x-forwarded-proto", "http".to_owned()),
        ("x-amzn-trace-id", trace),
    ];
    let added = added.into_iter().map(|(name, value)| (name.to_owned(), value));
    values.chain(added).map(|(name, value)| (name, Value::String(value))).collect()
}

fn query_parameters(query: &str) -> Map<String, Value> {
    let mut parameters: Map<String, Value> = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let part = |text: &str| decoded(&text.replace('+', " "));
        let name = part(name);
        let value = part(value);
        let joined = match parameters.get(&name).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value,
        };
        parameters.insert(name, Value::String(joined));
    }
    parameters
}

/// The body as a text, and whether it is base64.
///
/// AWS goes by the content type alone: `text/*` and JSON, XML and JavaScript in all their forms are handed on as they
/// are, everything else in base64, forms and bodies without a content type among it. A body of a textual type that
/// is not UTF-8 cannot be written in JSON, and is passed in base64 too.
fn written(body: &Bytes, content_type: Option<&str>) -> (String, bool) {
    let kind =
        content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = kind.strip_prefix("application/").unwrap_or_default();
    let textual = kind.starts_with("text/")
        || ["json", "xml", "javascript"].contains(&subtype)
        || ["+json", "+xml"].iter().any(|suffix| kind.ends_with(suffix));
    match std::str::from_utf8(body) {
        Ok(text) if textual => (text.to_owned(), false),
        _ => (STANDARD.encode(body), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn peer() -> SocketAddr {
        "203.0.113.7:4711".parse().unwrap()
    }

    fn event_of(request: Request<()>, body: &'static [u8]) -> Value {
        let key = RouteKey::parse("ANY /webhook/{token}").unwrap();
        let parameters = PathParameters::from([("token".to_owned(), "t 1".to_owned())]);
        event(&key, parameters, &request.into_parts().0, &Bytes::from_static(body), peer())
    }

    #[test]
    fn a_request_becomes_the_documented_event() {
        let request = Request::post("/webhook/t%201?a=1&b=x%20y&a=2&c")
            .header("Host", "api.example.com:8080")
            .header("User-Agent", "Tableau")
            .header("Content-Type", "application/json; charset=utf-8")
            .header("X-Twice", "1")
            .header("X-Twice", "2")
            .header("Cookie", "a=1; b=2");
        let event = event_of(request.body(()).unwrap(), br#"{"text":"x"}"#);

        assert_eq!(event["version"], "2.0");
        assert_eq!(event["routeKey"], "ANY /webhook/{token}");
        assert_eq!(event["rawPath"], "/webhook/t 1");
        assert_eq!(event["rawQueryString"], "a=1&b=x%20y&a=2&c");
        assert_eq!(event["queryStringParameters"], json!({ "a": "1,2", "b": "x y", "c": "" }));
        assert_eq!(event["pathParameters"], json!({ "token": "t 1" }));
        assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
        assert_eq!(event["headers"]["x-twice"], "1,2");
        assert_eq!(event["headers"]["cookie"], Value::Null);
        assert_eq!(event["headers"]["x-forwarded-for"], "203.0.113.7");
        assert_eq!(event["body"], r#"{"text":"x"}"#);
        assert_eq!(event["isBase64Encoded"], false);
        let http = &event["requestContext"]["http"];
        assert_eq!(http["method"], "POST");
        assert_eq!(http["sourceIp"], "203.0.113.7");
        assert_eq!(http["userAgent"], "Tableau");
        assert_eq!(event["requestContext"]["domainName"], "api.example.com");
        assert!(event["requestContext"]["timeEpoch"].is_i64());
    }

    #[test]
    fn the_content_type_decides_what_is_base64() {
        let body_of = |content_type: Option<&str>, body: &'static [u8]| {
            let mut request = Request::post("/");
            if let Some(kind) = content_type {
                request = request.header("content-type", kind);
            }
            let event = event_of(request.body(()).unwrap(), body);
            (event["body"].as_str().map(str::to_owned), event["isBase64Encoded"] == true)
        };
        let plain = |text: &str| (Some(text.to_owned()), false);
        let base64 = |text: &str| (Some(text.to_owned()), true);
        for kind in
            ["text/plain", "application/json", "application/cloudevents+json; charset=utf-8", "Text/XML"]
        {
            assert_eq!(body_of(Some(kind), b"hi"), plain("hi"), "{kind}");
        }
        for kind in [Some("application/octet-stream"), Some("application/x-www-form-urlencoded"), None] {
            assert_eq!(body_of(kind, b"hi"), base64("aGk="), "{kind:?}");
        }
        assert_eq!(body_of(Some("text/plain"), &[0xff, 0xfe]), base64("//4="));
        assert_eq!(body_of(Some("text/plain"), b""), (None, false));
    }
}
