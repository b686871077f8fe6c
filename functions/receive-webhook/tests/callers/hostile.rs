//! Malformed and hostile requests, and Lambda events that are no HTTP request.

use crate::shapes::{CALLERS, Caller};
use crate::{Ingress, webhook};
use serde_json::{Map, Value, json};
use testkit::local_aws::InvocationError;
use testkit::{Batch, TOKEN};

/// Headers and query parameters that a stranger can send, and members that AWS may add one day.
fn additions() -> Vec<(&'static str, Value)> {
    let many = |count: usize| -> Map<String, Value> {
        (0..count).map(|number| (format!("x-{number}"), json!("y"))).collect()
    };
    let header = |name: &str, value: &str| json!({ "headers": { name: value }, "multiValueHeaders": { name: [value] } });
    let query = |value: &str| {
        json!({
            "rawQueryString": value,
            "queryStringParameters": { "q": value },
            "multiValueQueryStringParameters": { "q": [value, value] },
        })
    };
    vec![
        ("a host that is no host", header("host", "[")),
        ("a host with a blank", header("Host", "a b")),
        ("a host with a port that is none", header("host", "a:99999")),
        ("a scheme that is none", header("x-forwarded-proto", "a b://")),
        ("a header outside ASCII", header("user-agent", "Über\u{7f}\u{80}🧨")),
        ("a header with a line break", header("user-agent", "a\r\nb: c")),
        ("a header without a name", header("", "x")),
        ("a header name with a blank", header("a b", "x")),
        ("a megabyte in one header", header("x", &"y".repeat(1 << 20))),
        ("fifty thousand headers", json!({ "headers": many(50_000), "multiValueHeaders": many(50_000) })),
        ("headers that are null", json!({ "headers": null, "multiValueHeaders": null })),
        ("headers that are a list", json!({ "headers": [1], "multiValueHeaders": [1] })),
        ("a header that is a number", json!({ "headers": { "x": 1 }, "multiValueHeaders": { "x": 1 } })),
        ("a query that no URL has", query("\" <>\u{1}{}|\\^`ü")),
        ("a query with half an escape", query("%")),
        ("a query of 100,000 characters", query(&"q".repeat(100_000))),
        ("a query with lists in lists", json!({ "queryStringParameters": { "q": [["a"]] } })),
        ("cookies that are a number", json!({ "cookies": 7 })),
        ("stage variables that are numbers", json!({ "stageVariables": { "a": 1 } })),
        ("an unknown version", json!({ "version": "3.0" })),
        ("a version that is a number", json!({ "version": 2 })),
        ("the other format's version", json!({ "version": "1.0" })),
        ("a key that no format has", json!({ "somethingNew": { "a": [1] } })),
        ("records", json!({ "Records": [{ "eventSource": "aws:sqs", "body": "{}" }] })),
        ("no flag for base64", json!({ "isBase64Encoded": null })),
    ]
}

/// Overwrites the keys of `event` with those of `with`.
fn changed(mut event: Value, with: &Value) -> Value {
    for (key, value) in with.as_object().expect("an object") {
        event[key] = value.clone();
    }
    event
}

#[tokio::test]
async fn what_a_stranger_writes_beside_token_and_body_keeps_no_event_out() {
    let ingress = Ingress::open().await;
    for caller in CALLERS {
        for (case, with) in additions() {
            let event = changed(webhook().event(caller), &with);
            let answer = ingress.answer_to(caller, &event).await;
            assert_eq!(answer.status, 202, "{case}, {caller:?}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_the_base64_that_it_should_be_is_stored_as_text() {
    let ingress = Ingress::open().await;
    for caller in CALLERS {
        for body in ["***", "e30", "e30=\n", "_-8=", "{\"event_type\":\"WorkbookCreated\"}"] {
            let event = changed(webhook().event(caller), &json!({ "body": body, "isBase64Encoded": true }));
            assert_eq!(ingress.answer_to(caller, &event).await.status, 202, "{body:?}, {caller:?}");
            let stored = ingress.stored();
            let detail = &stored.last().expect("an event")["detail"];
            let text = match detail["unreadable"]["text"].as_str() {
                Some(text) => text.to_owned(),
                None => detail.to_string(),
            };
            assert_eq!(text, body, "{caller:?}");
        }
    }
}

#[tokio::test]
async fn a_path_that_no_url_has_is_refused_and_ends_no_process() {
    let ingress = Ingress::open().await;
    let long = format!("/webhook/{}", "x".repeat(100_000));
    for caller in CALLERS {
        for path in
            ["", "webhook", ":99999", "@/", "//", "/\u{0}", "/webhook/ü \"<>", "/webhook/%", "?", "#", &long]
        {
            let event = webhook().path(path).event(caller);
            let answer = ingress.answer_to(caller, &event).await;
            assert_eq!(answer.status, 403, "{path:.20?}, {caller:?}");
        }
    }
}

#[tokio::test]
async fn a_method_that_is_none_is_answered_405() {
    let ingress = Ingress::open().await;
    for caller in CALLERS {
        for method in ["", "P", "PO ST", "POST ", "POST\r\n", "PÖST"] {
            let answer = ingress.answer(caller, &webhook().method(method)).await;
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, Some("POST")),
                "{method:?}, {caller:?}"
            );
        }
    }
}

#[tokio::test]
async fn what_an_event_has_decides_its_format_when_two_are_mixed() {
    let ingress = Ingress::open().await;
    let with = json!({ "httpMethod": "GET", "path": "/other", "resource": "/other", "version": "1.0" });
    let event = changed(webhook().event(Caller::HttpApi), &with);
    assert_eq!(ingress.answer_to(Caller::HttpApi, &event).await.status, 202);
    let with = json!({ "rawPath": "/other", "routeKey": "ANY /other", "version": "2.0" });
    for caller in [Caller::RestApi, Caller::LoadBalancer, Caller::MultiValueLoadBalancer] {
        let event = changed(webhook().event(caller), &with);
        assert_eq!(ingress.answer_to(caller, &event).await.status, 202, "{caller:?}");
    }
    let mut event = webhook().event(Caller::RestApi);
    event.as_object_mut().expect("an object").remove("httpMethod");
    assert_eq!(ingress.answer_to(Caller::RestApi, &event).await.status, 202, "one of its two methods");
    // Being a batch does not authorise an event: when it has the keys of both, the token decides.
    let with = Batch::of_fixture("workbook-created").event();
    for caller in CALLERS {
        let event = changed(webhook().path("/webhook").event(caller), &with);
        assert_eq!(ingress.answer_to(caller, &event).await.status, 403, "{caller:?}");
    }
}

#[tokio::test]
async fn an_event_that_is_neither_a_request_nor_a_batch_gets_a_clear_error() {
    let ingress = Ingress::open().await;
    let kinds = "this function takes an HTTP request (API Gateway with payload format 1.0 or 2.0, a function URL, an \
                 Application Load Balancer) or an SQS batch";
    let unreadable = "the HTTP request cannot be read: it has no method, or its body is not a string";
    let without_method = |caller: Caller| {
        let mut event = webhook().event(caller);
        event.as_object_mut().expect("an object").remove("httpMethod");
        event["requestContext"].as_object_mut().expect("an object").remove("httpMethod");
        event
    };
    let body = json!({ "token": TOKEN });
    for (event, expected) in [
        (json!({}), kinds),
        (json!([]), kinds),
        (json!(null), kinds),
        (json!("text"), kinds),
        (json!(5), kinds),
        (json!({ "requestContext": null, "Records": null }), kinds),
        (json!({ "requestContext": TOKEN }), kinds),
        (json!({ "requestContext": {} }), kinds),
        (json!({ "version": "2.0", "rawPath": format!("/webhook/{TOKEN}"), "body": "{}" }), kinds),
        (json!({ "httpMethod": "POST", "path": format!("/webhook/{TOKEN}"), "body": "{}" }), kinds),
        (json!({ "requestContext": { "eventType": "MESSAGE", "connectionId": "c" }, "body": "{}" }), kinds),
        (json!({ "version": "2.0", "method": "POST", "requestContext": { "serviceArn": "arn" } }), kinds),
        (json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": {} }), kinds),
        (without_method(Caller::RestApi), kinds),
        (without_method(Caller::LoadBalancer), unreadable),
        (json!({ "requestContext": { "http": {} } }), unreadable),
        (json!({ "requestContext": { "http": "POST" } }), unreadable),
        (changed(webhook().event(Caller::HttpApi), &json!({ "body": body })), unreadable),
        (changed(webhook().event(Caller::LoadBalancer), &json!({ "body": [TOKEN] })), unreadable),
        (
            json!({ "Records": [{ "EventSource": "aws:sns" }] }),
            "records of `aws:sns`: this function takes records of `aws:sqs` only, from its own queue",
        ),
        (
            Batch::of_fixture("workbook-created").event(),
            "received an SQS batch, but this function has no queue: QUEUE_URL is not set",
        ),
    ] {
        match ingress.function.invoke(&event).await {
            Err(InvocationError::Function { message, .. }) => assert_eq!(message, expected, "{event}"),
            other => panic!("{event}: {other:?}"),
        }
    }
    assert_eq!(ingress.answer(Caller::HttpApi, &webhook()).await.status, 202, "the function goes on");
}
