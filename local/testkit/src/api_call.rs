//! Requests to a function's API, as API Gateway hands them over.

use serde_json::{Value, json};

/// A request to a function's API.
#[derive(Clone, Debug)]
pub struct ApiCall {
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl ApiCall {
    /// A request with this method and path.
    pub fn new(method: &str, path: &str) -> Self {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// With this key.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    /// With this header, whose name is in lower case, in place of one that is there.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(other, _)| other != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").text(&body.to_string())
    }

    /// With this text as its body.
    #[must_use]
    pub fn text(mut self, body: &str) -> Self {
        self.body = Some(body.to_owned());
        self
    }

    /// The event that Lambda gets.
    pub fn event(&self) -> Value {
        let mut headers = json!({ "host": "abc.execute-api.us-east-1.amazonaws.com" });
        for (name, value) in &self.headers {
            headers[name] = json!(value);
        }
        let mut event = json!({
            "version": "2.0",
            "routeKey": "ANY /api",
            "rawPath": self.path,
            "rawQueryString": self.query,
            "headers": headers,
            "requestContext": {
                "accountId": "123456789012", "apiId": "abc", "stage": "$default", "requestId": "r-1",
                "http": {"method": self.method, "path": self.path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.10", "userAgent": "t"},
                "time": "15/Jan/2025:17:14:46 +0000", "timeEpoch": 1_736_961_286_000_i64,
            },
            "isBase64Encoded": false,
        });
        if let Some(body) = &self.body {
            event["body"] = json!(body);
        }
        event
    }
}
