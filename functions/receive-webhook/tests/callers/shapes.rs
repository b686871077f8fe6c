//! The event that each kind of caller makes of one HTTP request, and how each caller reads the function's answer.

use aws_lambda_events::alb::AlbTargetGroupResponse;
use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayV2httpResponse};
use aws_lambda_events::encodings::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use testkit::TOKEN;

/// The AWS service that calls the function with a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Caller {
    /// API Gateway, REST API: payload format 1.0.
    RestApi,
    /// API Gateway, HTTP API: payload format 2.0.
    HttpApi,
    /// A Lambda function URL: format 2.0 without routes.
    FunctionUrl,
    /// An Application Load Balancer.
    LoadBalancer,
    /// An Application Load Balancer with `lambda.multi_value_headers.enabled`.
    MultiValueLoadBalancer,
}

pub(crate) const CALLERS: [Caller; 5] = [
    Caller::RestApi,
    Caller::HttpApi,
    Caller::FunctionUrl,
    Caller::LoadBalancer,
    Caller::MultiValueLoadBalancer,
];

/// An HTTP request as the sender wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) query_token: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) base64: bool,
}

impl Sent {
    /// A `POST` with this body and the right token in the path.
    pub(crate) fn post(body: impl Into<Vec<u8>>) -> Self {
        let path = format!("/webhook/{TOKEN}");
        Self { method: "POST", path, query_token: None, body: body.into(), base64: false }
    }

    pub(crate) fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    pub(crate) fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    pub(crate) fn query_token(mut self, token: &str) -> Self {
        self.query_token = Some(token.to_owned());
        self
    }

    pub(crate) fn in_base64(mut self) -> Self {
        self.base64 = true;
        self
    }

    /// The Lambda event that `caller` makes of the request.
    pub(crate) fn event(&self, caller: Caller) -> Value {
        match caller {
            Caller::RestApi => self.rest_api(),
            Caller::HttpApi => self.http_api(),
            Caller::FunctionUrl => self.function_url(),
            Caller::LoadBalancer => self.load_balancer(false),
            Caller::MultiValueLoadBalancer => self.load_balancer(true),
        }
    }

    /// `body` and `isBase64Encoded`. A body that is not UTF-8 is sent in base64, since JSON has only text.
    fn body(&self) -> (String, bool) {
        match std::str::from_utf8(&self.body) {
            Ok(text) if !self.base64 => (text.to_owned(), false),
            _ => (STANDARD.encode(&self.body), true),
        }
    }

    /// The path parameter of the route `/webhook/{token}`.
    fn path_parameters(&self) -> Value {
        let token = self.path.strip_prefix("/webhook/");
        token.map_or(Value::Null, |token| json!({ "token": token }))
    }

    fn raw_query(&self) -> String {
        self.query_token.as_ref().map(|token| format!("token={token}")).unwrap_or_default()
    }

    fn query(&self, many: bool) -> Value {
        let value = |token: &String| if many { json!([token]) } else { json!(token) };
        let parameters = self.query_token.iter().map(|token| ("token".to_owned(), value(token)));
        Value::Object(parameters.collect())
    }

    /// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>
    fn rest_api(&self) -> Value {
        let (body, base64) = self.body();
        let some = |parameters: Value| if parameters == json!({}) { Value::Null } else { parameters };
        let parameters = self.path_parameters();
        let resource = if parameters.is_null() { "/webhook" } else { "/webhook/{token}" };
        json!({
            "resource": resource,
            "path": self.path,
            "httpMethod": self.method,
            "headers": headers(false),
            "multiValueHeaders": headers(true),
            "queryStringParameters": some(self.query(false)),
            "multiValueQueryStringParameters": some(self.query(true)),
            "pathParameters": parameters,
            "stageVariables": null,
            "requestContext": {
                "accountId": "123456789012", "apiId": "a1b2c3d4e5", "authorizer": null,
                "domainName": "a1b2c3d4e5.execute-api.us-east-1.amazonaws.com", "domainPrefix": "a1b2c3d4e5",
                "extendedRequestId": "JKJaXmPLvHcESHA=", "httpMethod": self.method,
                "identity": {
                    "accessKey": null, "accountId": null, "caller": null, "cognitoIdentityId": null,
                    "sourceIp": "192.0.2.10", "user": null, "userAgent": "Tableau", "userArn": null,
                },
                "path": format!("/prod{}", self.path), "protocol": "HTTP/1.1", "requestId": "r-1",
                "requestTime": "15/Jan/2025:17:14:46 +0000", "requestTimeEpoch": 1_736_961_286_000_i64,
                "resourceId": "123abc", "resourcePath": resource, "stage": "prod",
            },
            "body": if body.is_empty() { Value::Null } else { json!(body) },
            "isBase64Encoded": base64,
        })
    }

    /// Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>
    fn http_api(&self) -> Value {
        let mut event = self.function_url();
        // A stage other than `$default` is part of the path.
        let path = format!("/prod{}", self.path);
        event["requestContext"]["stage"] = json!("prod");
        event["requestContext"]["http"]["path"] = json!(path);
        event["rawPath"] = json!(path);
        let parameters = self.path_parameters();
        let route = if parameters.is_null() { "ANY /webhook" } else { "ANY /webhook/{token}" };
        event["routeKey"] = json!(route);
        event["requestContext"]["routeKey"] = json!(route);
        if !parameters.is_null() {
            event["pathParameters"] = parameters;
        }
        event
    }

    /// Source: <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads>
    fn function_url(&self) -> Value {
        let (body, base64) = self.body();
        let mut event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": self.path,
            "rawQueryString": self.raw_query(),
            "cookies": ["a=1", "b=2"],
            "headers": headers(false),
            "requestContext": {
                "accountId": "anonymous", "apiId": "urlid", "authentication": null,
                "domainName": "urlid.lambda-url.us-east-1.on.aws", "domainPrefix": "urlid",
                "http": {
                    "method": self.method, "path": self.path, "protocol": "HTTP/1.1",
                    "sourceIp": "192.0.2.10", "userAgent": "Tableau",
                },
                "requestId": "r-1", "routeKey": "$default", "stage": "$default",
                "time": "15/Jan/2025:17:14:46 +0000", "timeEpoch": 1_736_961_286_000_i64,
            },
            "isBase64Encoded": base64,
        });
        if self.query_token.is_some() {
            event["queryStringParameters"] = self.query(false);
        }
        if !body.is_empty() {
            event["body"] = json!(body);
        }
        event
    }

    /// Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html>
    fn load_balancer(&self, multi_value: bool) -> Value {
        let (body, base64) = self.body();
        let arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/webhooks/6d0ecf831eec9f09";
        let mut event = json!({
            "requestContext": { "elb": { "targetGroupArn": arn } },
            "httpMethod": self.method,
            "path": self.path,
            "body": body,
            "isBase64Encoded": base64,
        });
        let names = match multi_value {
            false => ["headers", "queryStringParameters"],
            true => ["multiValueHeaders", "multiValueQueryStringParameters"],
        };
        event[names[0]] = headers(multi_value);
        event[names[1]] = self.query(multi_value);
        event
    }
}

fn headers(many: bool) -> Value {
    let headers = [
        ("Content-Type", "application/json; charset=UTF-8"),
        ("Host", "webhooks.example.com"),
        ("User-Agent", "Tableau"),
        ("X-Amzn-Trace-Id", "Root=1-6787ec05-0123456789abcdef01234567"),
        ("X-Forwarded-For", "192.0.2.10"),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ];
    let value = |value: &str| if many { json!([value]) } else { json!(value) };
    Value::Object(Map::from_iter(headers.map(|(name, text)| (name.to_owned(), value(text)))))
}

/// An HTTP answer as the caller reads it.
#[derive(Debug, PartialEq)]
pub(crate) struct Read {
    pub(crate) status: i64,
    pub(crate) body: Value,
    pub(crate) headers: Vec<(String, String)>,
}

impl Read {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(named, _)| named == name).map(|(_, value)| value.as_str())
    }
}

/// What `caller` reads from a function's answer. Panics when the answer does not have this caller's shape.
pub(crate) fn read(caller: Caller, answer: &Value) -> Read {
    let keys: Vec<&str> = answer.as_object().expect("an object").keys().map(String::as_str).collect();
    let text = answer.to_string();
    match caller {
        Caller::RestApi => {
            assert_eq!(keys, ["body", "headers", "isBase64Encoded", "multiValueHeaders", "statusCode"]);
            let answer: ApiGatewayProxyResponse =
                serde_json::from_str(&text).expect("an answer of format 1.0");
            // The gateway sends a header twice when both maps have it.
            assert!(answer.headers.is_empty(), "{text}");
            let headers = pairs(answer.multi_value_headers.iter());
            Read { status: answer.status_code, body: json(answer.body, answer.is_base64_encoded), headers }
        }
        Caller::HttpApi | Caller::FunctionUrl => {
            let of_the_format = ["body", "cookies", "headers", "isBase64Encoded", "statusCode"];
            let beyond: Vec<_> = keys.iter().filter(|key| !of_the_format.contains(key)).collect();
            assert!(beyond.is_empty() || beyond == [&"multiValueHeaders"], "{text}");
            let answer: ApiGatewayV2httpResponse =
                serde_json::from_str(&text).expect("an answer of format 2.0");
            assert!(answer.multi_value_headers.is_empty(), "{text}");
            let headers = pairs(answer.headers.iter());
            Read { status: answer.status_code, body: json(answer.body, answer.is_base64_encoded), headers }
        }
        Caller::LoadBalancer | Caller::MultiValueLoadBalancer => {
            let answer: AlbTargetGroupResponse =
                serde_json::from_str(&text).expect("a load balancer's answer");
            let description = answer.status_description.expect("a description");
            assert!(description.starts_with(&format!("{} ", answer.status_code)), "{description}");
            let headers = match caller {
                Caller::LoadBalancer => pairs(answer.headers.iter()),
                _ => pairs(answer.multi_value_headers.iter()),
            };
            Read { status: answer.status_code, body: json(answer.body, answer.is_base64_encoded), headers }
        }
    }
}

fn pairs<'a, N: ToString, V: AsRef<[u8]> + 'a>(
    headers: impl Iterator<Item = (N, &'a V)>,
) -> Vec<(String, String)> {
    let text = |value: &V| String::from_utf8(value.as_ref().to_vec()).expect("UTF-8");
    headers.map(|(name, value)| (name.to_string(), text(value))).collect()
}

fn json(body: Option<Body>, base64: bool) -> Value {
    assert!(!base64, "the body is text");
    serde_json::from_slice(&body.expect("a body")).expect("JSON")
}
