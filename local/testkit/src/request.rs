//! Requests as API Gateway hands them to a function.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The token of webhook URLs, on the environment and in the fixtures.
pub const TOKEN: &str = "local-webhook-token-not-a-secret-0123456789";

/// A `POST` with the right token in the query string, by default.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    query_token: Option<String>,
    path_token: Option<String>,
    body: Option<Vec<u8>>,
    base64: bool,
}

impl Request {
    /// A request with this body.
    pub fn post(body: impl Into<Vec<u8>>) -> Self {
        let token = Some(TOKEN.to_owned());
        Self {
            method: "POST".to_owned(),
            query_token: token,
            path_token: None,
            body: Some(body.into()),
            base64: false,
        }
    }

    /// A request with the body of a fixture in `events/tableau/`.
    pub fn of_fixture(name: &str) -> Self {
        Self::post(crate::fixtures::bytes(&format!("tableau/{name}.json")))
    }

    /// With another method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        method.clone_into(&mut self.method);
        self
    }

    /// With another token in the query string, or none.
    #[must_use]
    pub fn query_token(mut self, token: Option<&str>) -> Self {
        self.query_token = token.map(str::to_owned);
        self
    }

    /// With the token as a path segment instead.
    #[must_use]
    pub fn path_token(mut self, token: &str) -> Self {
        (self.query_token, self.path_token) = (None, Some(token.to_owned()));
        self
    }

    /// With its body in base64, as API Gateway does for types it does not know as text.
    #[must_use]
    pub fn in_base64(mut self) -> Self {
        self.base64 = true;
        self
    }

    /// Without a body.
    #[must_use]
    pub fn without_body(mut self) -> Self {
        self.body = None;
        self
    }

    /// The event that Lambda gets. A body that is not UTF-8 goes in base64, since JSON has no other way.
    pub fn event(&self) -> Value {
        let path = match &self.path_token {
            Some(token) => format!("/webhook/{token}"),
            None => "/webhook".to_owned(),
        };
        let query = self.query_token.as_ref().map(|token| format!("token={token}")).unwrap_or_default();
        let text = self.body.as_ref().map(|body| (std::str::from_utf8(body), body));
        let (body, encoded) = match text {
            None => (Value::Null, false),
            Some((Ok(text), _)) if !self.base64 => (json!(text), false),
            Some((_, bytes)) => (json!(STANDARD.encode(bytes)), true),
        };
        let mut event = json!({
            "version": "2.0",
            "routeKey": "ANY /webhook",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {"content-type": "application/json; charset=UTF-8", "host": "abc.execute-api.us-east-1.amazonaws.com"},
            "requestContext": {
                "accountId": "123456789012", "apiId": "abc", "stage": "$default", "requestId": "r-1",
                "http": {"method": self.method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.10", "userAgent": "t"},
                "time": "15/Jan/2025:17:14:46 +0000", "timeEpoch": 1_736_961_286_000_i64,
            },
            "isBase64Encoded": encoded,
        });
        if let Some(token) = &self.query_token {
            event["queryStringParameters"] = json!({ "token": token });
        }
        if let Some(token) = &self.path_token {
            event["pathParameters"] = json!({ "token": token });
        }
        if body != Value::Null {
            event["body"] = body;
        }
        event
    }
}
