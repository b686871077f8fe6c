//! Distinguishes the kinds of Lambda events (HTTP request, SQS batch, sweep, test) and reads each with AWS's own types.
//!
//! `lambda_http` finds the kind of a request by trying one type after the other, which parses the event again for
//! each type that does not fit. Here a look at a few keys decides the kind, and the event is parsed once
//! (docs/decisions/0013-lambda-http.md).

use crate::http::HttpRequest;
use aws_lambda_events::alb::AlbTargetGroupRequest;
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use aws_lambda_events::sqs::SqsEvent;
use lambda_http::http::Method;
use lambda_http::request::LambdaRequest;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use workflow::{BoxError, TestRequest};

/// The `eventSource` of SQS records.
const SQS: &str = "aws:sqs";
/// The largest total size of headers that is read: API Gateway passes on 10 KiB, a load balancer 64 KiB, and
/// `HeaderMap` panics when it gets too many names.
const HEADERS_LIMIT: usize = 64 * 1024;

/// An event that Lambda invokes a function with.
pub(crate) enum Incoming {
    /// An HTTP request: from API Gateway (REST API, or HTTP API with either payload format), a function URL or an
    /// Application Load Balancer.
    Http(Caller, HttpRequest),
    /// A batch of messages from the function's own queue.
    Batch(SqsEvent),
    /// The hourly sweep: a schedule sends `{"sweep":{}}`.
    Sweep,
    /// A test notification: `tableau-webhooks test` sends `{"test":{}}`.
    Test(TestRequest),
}

/// The top-level keys that distinguish the kinds of events.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Keys<'a> {
    request_context: Option<Context>,
    http_method: Option<IgnoredAny>,
    #[serde(borrow)]
    headers: Option<&'a RawValue>,
    #[serde(borrow)]
    multi_value_headers: Option<&'a RawValue>,
    #[serde(rename = "Records")]
    records: Option<Vec<Record>>,
    sweep: Option<IgnoredAny>,
    test: Option<TestRequest>,
}

/// The keys of `requestContext` that only one kind of caller writes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    http: Option<IgnoredAny>,
    elb: Option<IgnoredAny>,
    http_method: Option<IgnoredAny>,
}

/// The source of a record. SNS, unlike SQS, writes this key with a capital letter.
#[derive(Deserialize)]
struct Record {
    #[serde(rename = "eventSource", alias = "EventSource", default)]
    event_source: Option<String>,
}

/// The AWS service that sends an HTTP request; it decides the shape of the request and of the answer.
#[derive(Clone, Copy)]
pub(crate) enum Caller {
    /// API Gateway, payload format 1.0. Source:
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>
    ApiGatewayV1,
    /// API Gateway and function URLs, payload format 2.0. Source:
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>
    ApiGatewayV2,
    /// Application Load Balancer. Source:
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html>
    LoadBalancer,
}

impl Caller {
    /// An empty event of this caller. `lambda_http` uses it to choose the shape of the answer.
    pub(crate) fn empty_event(self) -> LambdaRequest {
        match self {
            Self::ApiGatewayV1 => LambdaRequest::ApiGatewayV1(ApiGatewayProxyRequest::default()),
            Self::ApiGatewayV2 => LambdaRequest::ApiGatewayV2(ApiGatewayV2httpRequest::default()),
            Self::LoadBalancer => LambdaRequest::Alb(AlbTargetGroupRequest::default()),
        }
    }
}

impl Incoming {
    /// Reads a Lambda event. Its keys decide its kind, and not the `version` that it states.
    ///
    /// # Errors
    /// When the event is neither an HTTP request nor an SQS batch. The error never repeats the event's text.
    pub(crate) fn read(text: &str) -> Result<Self, BoxError> {
        let keys: Keys<'_> = serde_json::from_str(text).map_err(|_| unknown_kind())?;
        match (&keys.request_context, &keys.records) {
            // A request must carry a token, a batch needs none. An event that looks like both is therefore treated as
            // a request.
            (Some(context), _) => {
                let caller = keys.caller(context)?;
                Ok(Self::Http(caller, request(caller, &keys, text)?))
            }
            (None, Some(records)) => match foreign(records) {
                Some(source) => Err(foreign_records(source)),
                None => Ok(Self::Batch(batch(text)?)),
            },
            (None, None) if keys.sweep.is_some() => Ok(Self::Sweep),
            (None, None) => keys.test.map(Self::Test).ok_or_else(unknown_kind),
        }
    }
}

impl Keys<'_> {
    fn caller(&self, context: &Context) -> Result<Caller, BoxError> {
        if context.http.is_some() {
            Ok(Caller::ApiGatewayV2)
        } else if context.elb.is_some() {
            Ok(Caller::LoadBalancer)
        } else if context.http_method.is_some() || self.http_method.is_some() {
            Ok(Caller::ApiGatewayV1)
        } else {
            Err(unknown_kind())
        }
    }

    fn header_bytes(&self) -> usize {
        [self.headers, self.multi_value_headers]
            .into_iter()
            .flatten()
            .map(|headers| headers.get().len())
            .sum()
    }
}

fn request(caller: Caller, keys: &Keys<'_>, text: &str) -> Result<HttpRequest, BoxError> {
    let whole = keys.header_bytes() <= HEADERS_LIMIT;
    Ok(match caller {
        Caller::ApiGatewayV1 => typed::<ApiGatewayProxyRequest>(caller, text, whole)?.into(),
        Caller::ApiGatewayV2 => typed::<ApiGatewayV2httpRequest>(caller, text, whole)?.into(),
        Caller::LoadBalancer => typed::<AlbTargetGroupRequest>(caller, text, whole)?.into(),
    })
}

/// Parses a request with AWS's type. If that fails, parses only the parts that the ingress needs: a strange header
/// from the internet must not keep an event out.
fn typed<T: DeserializeOwned>(caller: Caller, text: &str, whole: bool) -> Result<T, BoxError> {
    if whole && let Ok(request) = serde_json::from_str(text) {
        return Ok(request);
    }
    let needed = serde_json::from_str(text).ok().and_then(|event| needed(caller, &event));
    // Parses from text and not from the `Value`: the second way to parse the same type would add 0.1 MB to the
    // binary.
    needed.and_then(|event| serde_json::from_str(&event.to_string()).ok()).ok_or_else(unreadable_request)
}

/// The parts of a request that the ingress needs. `None` if there is no method, or if the body is not text.
fn needed(caller: Caller, event: &Value) -> Option<Value> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let context = &event["requestContext"];
    let method = match caller {
        Caller::ApiGatewayV2 => text(&context["http"]["method"]),
        _ => text(&event["httpMethod"]).or_else(|| text(&context["httpMethod"])),
    }?;
    // Not an HTTP method: replaced by an unknown one, which the ingress refuses like all but POST.
    let method = if method.parse::<Method>().is_ok() { method } else { "UNKNOWN".to_owned() };
    let token = |parameters: &Value| match &parameters["token"] {
        Value::Array(values) => json!({ "token": values.iter().find_map(Value::as_str).unwrap_or_default() }),
        Value::String(value) => json!({ "token": value }),
        _ => json!({}),
    };
    if !event["body"].is_string() && !event["body"].is_null() {
        return None;
    }
    let mut needed = json!({
        "httpMethod": method,
        "requestContext": { "httpMethod": method, "http": { "method": method }, "elb": {} },
        "pathParameters": token(&event["pathParameters"]),
        "queryStringParameters": token(&event["queryStringParameters"]),
        "multiValueQueryStringParameters": token(&event["multiValueQueryStringParameters"]),
        "rawQueryString": text(&event["rawQueryString"]),
        "body": event["body"],
        "isBase64Encoded": event["isBase64Encoded"] == true,
    });
    // Only those that an API needs.
    let header = |name: &str| {
        let mut all = event["headers"].as_object().into_iter().flatten();
        all.find(|(key, _)| key.eq_ignore_ascii_case(name)).and_then(|(_, value)| text(value))
    };
    let is_plain = |value: &String| value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    let headers = ["authorization", "content-type", "idempotency-key"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), Value::String(header(name).filter(is_plain)?))));
    needed["headers"] = Value::Object(headers.collect());
    let path = match caller {
        Caller::ApiGatewayV2 => "rawPath",
        _ => "path",
    };
    needed[path] = json!(text(&event[path]));
    Some(needed)
}

fn batch(text: &str) -> Result<SqsEvent, BoxError> {
    // The error names only the column: serde's own message may repeat a value.
    serde_json::from_str(text).map_err(|e| format!("not an SQS batch: column {}", e.column()).into())
}

/// The source of the first record that does not come from SQS.
fn foreign(records: &[Record]) -> Option<&str> {
    let sources = records.iter().map(|record| record.event_source.as_deref().unwrap_or("no source"));
    sources.into_iter().find(|source| *source != SQS)
}

fn foreign_records(source: &str) -> BoxError {
    // The text comes from the caller, so it is shortened.
    let source: String = source.chars().take(64).collect();
    format!("records of `{source}`: this function takes records of `{SQS}` only, from its own queue").into()
}

fn unknown_kind() -> BoxError {
    "this function takes an HTTP request (API Gateway with payload format 1.0 or 2.0, a function URL, an Application Load \
     Balancer) or an SQS batch"
        .into()
}

fn unreadable_request() -> BoxError {
    "the HTTP request cannot be read: it has no method, or its body is not a string".into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn samples() -> [Value; 4] {
        let headers = json!({ "host": "example.com", "content-type": "application/json" });
        [
            json!({
                "version": "2.0", "rawPath": "/webhook/t", "rawQueryString": "token=t", "headers": headers,
                "queryStringParameters": {"token": "t"}, "pathParameters": {"token": "t"}, "cookies": ["a=b"],
                "requestContext": {
                    "domainName": "example.com", "stage": "$default", "timeEpoch": 1,
                    "http": {"method": "POST", "path": "/webhook/t", "sourceIp": "192.0.2.10"},
                },
                "body": "{}", "isBase64Encoded": false,
            }),
            json!({
                "version": "1.0", "resource": "/webhook/{token}", "path": "/webhook/t", "httpMethod": "POST",
                "headers": headers, "multiValueHeaders": {"host": ["example.com"]},
                "queryStringParameters": {"token": "t"}, "multiValueQueryStringParameters": {"token": ["t"]},
                "pathParameters": {"token": "t"}, "stageVariables": null,
                "requestContext": {
                    "stage": "prod", "httpMethod": "POST", "requestTimeEpoch": 1,
                    "identity": {"sourceIp": "192.0.2.10"}, "authorizer": {"claims": null},
                },
                "body": "{}", "isBase64Encoded": false,
            }),
            json!({
                "requestContext": {"elb": {"targetGroupArn": "arn"}}, "httpMethod": "POST", "path": "/webhook/t",
                "queryStringParameters": {"token": "t"}, "multiValueQueryStringParameters": {"token": ["t"]},
                "headers": headers, "multiValueHeaders": {"host": ["example.com"]},
                "body": "{}", "isBase64Encoded": false,
            }),
            json!({"Records": [{
                "messageId": "m", "receiptHandle": "r", "body": "{}", "eventSource": "aws:sqs",
                "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {},
            }]}),
        ]
    }

    /// Replaces the value at `path`, given as one index per level.
    fn replace(value: &mut Value, path: &[usize], with: Value) {
        let [first, rest @ ..] = path else {
            *value = with;
            return;
        };
        match value {
            Value::Object(map) if !map.is_empty() => {
                let index = first % map.len();
                if let Some(inner) = map.values_mut().nth(index) {
                    replace(inner, rest, with);
                }
            }
            Value::Array(values) if !values.is_empty() => {
                let index = first % values.len();
                replace(&mut values[index], rest, with);
            }
            value => *value = with,
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            Just(json!([])),
            Just(json!({})),
            any::<String>().prop_map(|text| json!([text, 7])),
            any::<(String, String)>().prop_map(|(key, text)| json!({ key: text, "token": [text] })),
        ]
    }

    #[test]
    fn only_the_schedule_sends_a_sweep() {
        let is_sweep = |text: &str| matches!(Incoming::read(text), Ok(Incoming::Sweep));
        for text in [r#"{"sweep":{}}"#, r#"{"sweep":{"at":"2026-11-28T22:00:00Z"}}"#] {
            assert!(is_sweep(text), "{text}");
        }
        for mut sample in samples() {
            sample["sweep"] = json!({});
            sample["body"] = json!(r#"{"sweep":{}}"#);
            assert!(!is_sweep(&sample.to_string()), "a request or a batch: {sample}");
        }
        assert!(!is_sweep(r#"{"sweep":null}"#));
    }

    #[test]
    fn only_a_caller_of_lambda_sends_a_test() {
        let test = |text: &str| match Incoming::read(text) {
            Ok(Incoming::Test(test)) => Some(test),
            _ => None,
        };
        assert_eq!(test(r#"{"test":{}}"#), Some(TestRequest { target: None }));
        let data = TestRequest { target: Some("data".to_owned()) };
        assert_eq!(test(r#"{"test":{"target":"data"}}"#), Some(data));
        for text in [
            r#"{"test":null}"#,
            r#"{"test":{"target":1}}"#,
            r#"{"test":{"channel":"data"}}"#,
            r#"{"test":1}"#,
        ] {
            assert_eq!(test(text), None, "{text}");
        }
        for mut sample in samples() {
            sample["test"] = json!({});
            assert_eq!(test(&sample.to_string()), None, "a request or a batch: {sample}");
        }
    }

    #[test]
    fn a_parameter_without_values_is_none() {
        for context in [json!({ "elb": {} }), json!({ "httpMethod": "POST" })] {
            let event = json!({
                "httpMethod": "POST", "path": "/webhook", "requestContext": context, "headers": {},
                "queryStringParameters": { "a": [], "token": ["t"] }, "body": "{}", "isBase64Encoded": false,
            });
            assert!(matches!(Incoming::read(&event.to_string()), Ok(Incoming::Http(..))));
        }
    }

    proptest! {
        #[test]
        fn no_event_makes_the_reading_panic(
            sample in 0usize..4,
            changes in prop::collection::vec((prop::collection::vec(any::<usize>(), 0..4), any_value()), 0..3),
        ) {
            let mut event = samples()[sample].clone();
            for (path, with) in changes {
                replace(&mut event, &path, with);
            }
            if let Ok(Incoming::Http(_, request)) = Incoming::read(&event.to_string()) {
                let _ = request.token("notify-slack");
                let _ = request.body(64);
            }
        }

        #[test]
        fn what_the_ingress_does_not_read_keeps_no_request_out(
            sample in 0usize..3,
            key in prop::sample::select(vec![
                "headers", "multiValueHeaders", "cookies", "resource", "stageVariables", "version", "other",
            ]),
            with in any_value(),
        ) {
            let mut event = samples()[sample].clone();
            event[key] = with;
            let read = Incoming::read(&event.to_string());
            let Ok(Incoming::Http(_, request)) = read else { panic!("{event}") };
            prop_assert_eq!(request.method.as_str(), "POST");
            let body = request.body(64);
            prop_assert_eq!(body.as_deref(), Some(&b"{}"[..]));
            prop_assert!(request.token("notify-slack").is_some_and(|token| token.is_taken_by(|text| text == "t")));
        }
    }
}
