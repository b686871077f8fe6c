//! Converts a function's answer into an HTTP response: payload format 2.0.

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, SET_COOKIE, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

/// A response of the HTTP API itself, such as 404 `{"message":"Not Found"}`.
pub(super) fn own(status: StatusCode, message: &str) -> Response {
    let mut response = Response::new(Body::from(json!({ "message": message }).to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The response when a function failed or answered something invalid.
pub(super) fn failed() -> Response {
    own(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

/// Converts a function's answer into a response.
///
/// An answer without `statusCode` is the body of a 200 with JSON.
pub(super) fn response(answer: &Value) -> Response {
    let Some(status) = answer.get("statusCode") else {
        let body = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
        let mut response = Response::new(Body::from(body));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        return response;
    };
    explicit(status, answer).unwrap_or_else(failed)
}

fn explicit(status: &Value, answer: &Value) -> Option<Response> {
    let status = status.as_u64().or_else(|| status.as_str()?.parse().ok())?;
    let status = StatusCode::from_u16(u16::try_from(status).ok()?).ok()?;
    let body = match &answer["body"] {
        Value::Null => Vec::new(),
        Value::String(text) if answer["isBase64Encoded"] == true => STANDARD.decode(text).ok()?,
        Value::String(text) => text.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        // Skip headers that belong to the connection: the gateway sets them.
        if ![CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].contains(&name) {
            headers.insert(name, HeaderValue::from_str(&text).ok()?);
        }
    }
    if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=UTF-8"));
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        headers.append(SET_COOKIE, HeaderValue::from_str(cookie.as_str()?).ok()?);
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parts(answer: Value) -> (u16, Option<String>, Vec<u8>) {
        let response = response(&answer);
        let kind = response.headers().get(CONTENT_TYPE).map(|value| value.to_str().unwrap().to_owned());
        let status = response.status().as_u16();
        (status, kind, axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec())
    }

    #[tokio::test]
    async fn an_answer_without_a_status_is_the_body() {
        let json = Some("application/json".to_owned());
        assert_eq!(parts(json!({ "a": 1 })).await, (200, json.clone(), br#"{"a":1}"#.to_vec()));
        assert_eq!(parts(json!("hello")).await, (200, json, b"hello".to_vec()));
    }

    #[tokio::test]
    async fn an_answer_with_a_status_says_it_all() {
        let answer =
            json!({ "statusCode": 202, "headers": { "Content-Type": "text/x", "X-N": 3 }, "body": "hi" });
        assert_eq!(parts(answer.clone()).await, (202, Some("text/x".to_owned()), b"hi".to_vec()));
        assert_eq!(response(&answer).headers()["x-n"], "3");
        let encoded = json!({ "statusCode": 200, "body": "//4=", "isBase64Encoded": true });
        assert_eq!(parts(encoded).await.2, [0xff, 0xfe]);
        let cookies = response(&json!({ "statusCode": 204, "cookies": ["a=1", "b=2"] }));
        assert_eq!(cookies.headers().get_all(SET_COOKIE).iter().count(), 2);
    }

    #[tokio::test]
    async fn nonsense_is_an_internal_error() {
        for answer in [
            json!({ "statusCode": "many" }),
            json!({ "statusCode": 99 }),
            json!({ "statusCode": 200, "body": "?", "isBase64Encoded": true }),
            json!({ "statusCode": 200, "headers": { "a b": "c" } }),
        ] {
            let (status, _, body) = parts(answer).await;
            assert_eq!((status, body), (500, br#"{"message":"Internal Server Error"}"#.to_vec()));
        }
    }
}
