//! A whole stack from the fixture template; every function is the echo bootstrap.

#![expect(clippy::unwrap_used, reason = "helpers of tests are not known for such")]

mod raw_http;
mod sdk;
mod support;

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_secretsmanager::error::SdkError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use local_aws::{Error, InvocationError, Stack, StackEvent, StackOptions};
use raw_http::send;
use sdk::config_of;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::timeout;

fn options() -> StackOptions {
    StackOptions {
        template: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/template.yaml"),
        binaries: support::binaries(),
        parameters: BTreeMap::from([("Greeting".to_owned(), "hello".to_owned())]),
        secrets: BTreeMap::new(),
        environment: BTreeMap::new(),
        concurrent_executions: None,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        aws: SocketAddr::from(([127, 0, 0, 1], 0)),
        events: None,
    }
}

async fn watched() -> (Stack, UnboundedReceiver<StackEvent>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let stack = Stack::start(StackOptions { events: Some(sender), ..options() }).await.unwrap();
    (stack, receiver)
}

/// The next event that satisfies `wanted`.
async fn next<T>(events: &mut UnboundedReceiver<StackEvent>, wanted: impl Fn(StackEvent) -> Option<T>) -> T {
    let search = async {
        loop {
            if let Some(found) = wanted(events.recv().await.unwrap()) {
                return found;
            }
        }
    };
    timeout(Duration::from_secs(20), search).await.unwrap()
}

fn delivered(event: StackEvent) -> Option<(usize, usize)> {
    match event {
        StackEvent::Delivered { messages, failures, .. } => Some((messages, failures)),
        _ => None,
    }
}

/// Publishes an event on a bus through the SDK.
async fn put_event(stack: &Stack, detail_type: &str, detail: &Value) {
    let entry = PutEventsRequestEntry::builder()
        .event_bus_name(&stack.plan().buses[0])
        .source("tableau")
        .detail_type(detail_type)
        .detail(detail.to_string());
    let client = aws_sdk_eventbridge::Client::new(&config_of(stack.aws()));
    let answer = client.put_events().entries(entry.build()).send().await.unwrap();
    assert_eq!(answer.failed_entry_count(), 0);
}

#[tokio::test]
async fn a_request_travels_through_the_gateway_to_the_function_and_back() {
    let (stack, mut events) = watched().await;

    let headers = ["Content-Type: application/json", "X-Twice: 1", "X-Twice: 2", "Cookie: a=1"];
    let response = send(stack.url(), "POST /echo/t%20k?x=1&x=2", &headers, b"{\"a\":1}").await;

    assert_eq!(response.status, 200, "{response:?}");
    let event = response.json();
    assert_eq!(event["routeKey"], "POST /echo/{token}");
    assert_eq!(event["pathParameters"]["token"], "t k");
    assert_eq!(event["rawQueryString"], "x=1&x=2");
    assert_eq!(event["headers"]["x-twice"], "1,2");
    assert_eq!(event["cookies"], json!(["a=1"]));
    assert_eq!(event["body"], "{\"a\":1}");
    let answered = next(&mut events, |event| match event {
        StackEvent::Answered { route, function, status, .. } => Some((route, function, status)),
        _ => None,
    });
    assert_eq!(answered.await, ("POST /echo/{token}".to_owned(), "echo-bootstrap".to_owned(), 200));
}

#[tokio::test]
async fn answers_are_mapped_as_api_gateway_maps_them() {
    let stack = Stack::start(options()).await.unwrap();
    let ask = |answer: &'static str| async move { format!("X-Answer: {answer}") };

    let plain = send(stack.url(), "GET /echo", &[&ask("plain").await], b"").await;
    let binary = send(stack.url(), "GET /echo", &[&ask("binary").await], b"").await;
    let failed = send(stack.url(), "GET /echo", &[&ask("fail").await], b"").await;
    let unknown = send(stack.url(), "GET /nothing", &[], b"").await;
    let wrong_method = send(stack.url(), "GET /echo/t", &[], b"").await;
    let too_large = send(stack.url(), "POST /echo", &[], &vec![b'x'; 10 * 1024 * 1024 + 1]).await;

    assert_eq!((plain.status, plain.json()), (200, json!({ "plain": true })));
    assert_eq!((binary.status, binary.body.as_slice()), (201, b"\x89PNG".as_slice().split_at(4).0));
    assert!(binary.head.contains("set-cookie: a=1\r\nset-cookie: b=2"), "{}", binary.head);
    assert_eq!((failed.status, failed.json()), (500, json!({ "message": "Internal Server Error" })));
    assert_eq!((unknown.status, unknown.json()), (404, json!({ "message": "Not Found" })));
    assert_eq!(wrong_method.status, 404);
    assert_eq!((too_large.status, too_large.json()), (413, json!({ "message": "Request Entity Too Large" })));
}

#[tokio::test]
async fn a_rule_fills_the_queue_and_the_function_empties_it() {
    let (stack, mut events) = watched().await;

    put_event(&stack, "WorkbookRefreshFailed", &json!({ "luid": "w-1" })).await;
    put_event(&stack, "WorkbookUpdated", &json!({ "luid": "w-2" })).await;

    let published = next(&mut events, |event| match event {
        StackEvent::Published { bus, detail_type, targets } => Some((bus, detail_type, targets)),
        _ => None,
    });
    let expected = ("local".to_owned(), "WorkbookRefreshFailed".to_owned(), vec!["EchoQueue".to_owned()]);
    assert_eq!(published.await, expected);
    assert_eq!(next(&mut events, delivered).await, (1, 0));
    assert!(stack.aws().messages("EchoQueue").is_empty());
    assert_eq!(stack.aws().archive("local").len(), 2);
    assert_eq!(stack.aws().calls("EventBridge.PutEvents"), 2);
}

#[tokio::test]
async fn what_failed_is_tried_again_and_then_given_up() {
    let (stack, mut events) = watched().await;

    put_event(&stack, "WorkbookRefreshFailed", &json!({ "n": "poison" })).await;
    assert_eq!(next(&mut events, delivered).await, (1, 1));
    put_event(&stack, "WorkbookRefreshFailed", &json!({ "n": "fine" })).await;
    let mut rest = (0, 0);
    while rest != (2, 1) {
        let (messages, failures) = next(&mut events, delivered).await;
        rest = (rest.0 + messages, rest.1 + failures);
    }

    let queue = next(&mut events, |event| match event {
        StackEvent::DeadLettered { queue } => Some(queue),
        _ => None,
    });
    assert_eq!(queue.await, "local-letters");
    let letters = stack.aws().messages("local-letters");
    assert_eq!((letters.len(), letters[0].receive_count), (1, 2));
    assert_eq!(letters[0].body, r#"{"n":"poison"}"#);
    assert!(stack.aws().messages("EchoQueue").is_empty());
}

#[tokio::test]
async fn a_message_sent_to_a_dead_letter_queue_counts_as_given_up() {
    let (stack, mut events) = watched().await;

    let client = aws_sdk_sqs::Client::new(&config_of(stack.aws()));
    let message = client.send_message().queue_url(stack.aws().queue_url("local-letters"));
    message.message_body("hopeless").send().await.unwrap();

    let queue = next(&mut events, |event| match event {
        StackEvent::DeadLettered { queue } => Some(queue),
        _ => None,
    });
    assert_eq!(queue.await, "local-letters");
}

#[tokio::test]
async fn a_batch_survives_the_death_of_its_function() {
    let (stack, mut events) = watched().await;
    let worker = stack.worker("echo-bootstrap").unwrap();
    worker.invoke(&json!({})).await.unwrap();
    let busy = worker.clone();
    let invocation = tokio::spawn(async move { busy.invoke(&json!({ "do": "sleep" })).await });
    tokio::time::sleep(Duration::from_millis(50)).await;

    stack.aws().send("EchoQueue", "waits").unwrap();
    worker.kill().await;

    assert!(matches!(invocation.await.unwrap(), Err(InvocationError::Ended { .. })));
    assert_eq!(next(&mut events, delivered).await, (1, 0));
}

#[tokio::test]
async fn functions_write_logs_and_see_the_stacks_environment() {
    let (sender, mut events) = mpsc::unbounded_channel();
    let environment = BTreeMap::from([("LEVEL".to_owned(), "trace".to_owned())]);
    let stack = Stack::start(StackOptions { events: Some(sender), environment, ..options() }).await.unwrap();
    let function = stack.function("echo-bootstrap").unwrap();

    function.invoke(&json!({ "do": "log" })).await.unwrap();
    let seen = function.invoke(&json!({ "do": "variables" })).await.unwrap();

    let log = next(&mut events, |event| match event {
        StackEvent::Log { function, line } => Some((function, line)),
        _ => None,
    });
    assert_eq!(log.await, ("echo-bootstrap".to_owned(), "one line".to_owned()));
    assert_eq!((&seen["LEVEL"], &seen["SHARED"]), (&json!("trace"), &json!("hello")));
    assert_eq!(seen["QUEUE_URL"], stack.aws().queue_url("EchoQueue"));
    assert_eq!(seen["AWS_ENDPOINT_URL"], stack.aws().url());
    assert_eq!(seen["API"], format!("{}/echo/${{literal}}", stack.url()));
}

async fn secret(stack: &Stack, id: &str) -> Result<String, GetSecretValueError> {
    let client = aws_sdk_secretsmanager::Client::new(&config_of(stack.aws()));
    let answer = client.get_secret_value().secret_id(id).send().await;
    answer.map(|answer| answer.secret_string().unwrap().to_owned()).map_err(SdkError::into_service_error)
}

#[tokio::test]
async fn secrets_are_generated_unless_given() {
    let secrets = BTreeMap::from([("Given".to_owned(), json!({ "token_name": "ci" }))]);
    let stack = Stack::start(StackOptions { secrets, ..options() }).await.unwrap();

    let token: Value = serde_json::from_str(&secret(&stack, "Token").await.unwrap()).unwrap();
    let random = token["current"].as_str().unwrap();
    assert_eq!((random.len(), &token["previous"]), (43, &json!("")));
    assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_eq!(secret(&stack, "Plain").await.unwrap().len(), 43);
    assert_eq!(secret(&stack, "tableau/pat").await.unwrap(), r#"{"token_name":"ci"}"#);
    let arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:Token";
    assert!(secret(&stack, arn).await.is_ok());
    let later = secret(&stack, "Later").await.unwrap_err();
    assert!(later.is_resource_not_found_exception(), "{later}");
}

#[tokio::test]
async fn what_keeps_a_stack_from_starting_is_said() {
    let stack = Stack::start(options()).await.unwrap();
    let taken: SocketAddr = stack.url().strip_prefix("http://").unwrap().parse().unwrap();
    let message = |options: StackOptions| async { Stack::start(options).await.unwrap_err().to_string() };

    let port = message(StackOptions { listen: taken, ..options() }).await;
    let binary = message(StackOptions { binaries: PathBuf::from("/nowhere"), ..options() }).await;
    let template = message(StackOptions { template: PathBuf::from("/nowhere.yaml"), ..options() }).await;
    let secrets = BTreeMap::from([("Echo".to_owned(), json!(""))]);
    let secret = message(StackOptions { secrets, ..options() }).await;

    assert_eq!(port, format!("{taken} is in use by another process: choose another port"));
    assert_eq!(binary, "there is no binary `echo-bootstrap` in /nowhere: build it first");
    assert_eq!(template, "cannot read /nowhere.yaml");
    assert_eq!(secret, "Echo: Type: is not a secret of the template");
    assert!(matches!(
        Stack::start(StackOptions { listen: taken, ..options() }).await,
        Err(Error::PortInUse { address }) if address == taken
    ));
}

#[tokio::test]
async fn a_shutdown_ends_the_processes_and_frees_the_port() {
    let stack = Stack::start(options()).await.unwrap();
    let address: SocketAddr = stack.url().strip_prefix("http://").unwrap().parse().unwrap();
    let function = stack.function("echo-bootstrap").unwrap().clone();
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(format!("GET /echo HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).await.unwrap();
    assert!(client.read(&mut [0; 1024]).await.unwrap() > 0);
    assert!(function.pid().is_some());

    stack.shutdown().await;

    // A client that keeps its connection open does not keep the server alive.
    timeout(Duration::from_secs(10), client.read_to_end(&mut Vec::new())).await.unwrap().unwrap();

    assert_eq!(function.pid(), None);
    Stack::start(StackOptions { listen: address, ..options() }).await.unwrap();
}

#[tokio::test]
async fn a_schedule_of_the_template_invokes_its_function() {
    let stack = Stack::start(options()).await.unwrap();
    let answers = stack.run_schedules("echo-bootstrap").await.unwrap();
    assert_eq!(answers.len(), 1, "not the one that is disabled");
    assert!(answers[0]["pid"].is_number(), "{answers:?}");
    assert!(stack.run_schedules("another").await.unwrap().is_empty());
    stack.shutdown().await;
}

#[tokio::test]
async fn a_schedule_of_the_template_runs_by_itself() {
    let text = std::fs::read_to_string(options().template).unwrap();
    let template = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("runs-by-itself.yaml");
    std::fs::write(&template, text.replace("'{\"do\":\"process\"}'", "'{\"do\":\"log\"}'")).unwrap();
    let (sender, mut events) = mpsc::unbounded_channel();
    let options = StackOptions { template, events: Some(sender), ..options() };
    tokio::time::pause();
    let stack = Stack::start(options).await.unwrap();
    // Wait until every task waits for its turn.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    tokio::time::advance(Duration::from_secs(86_400)).await;
    tokio::time::resume();
    let line = next(&mut events, |event| match event {
        StackEvent::Log { line, .. } => Some(line),
        _ => None,
    });
    assert_eq!(line.await, "one line");
    stack.shutdown().await;
}

/// The fixture with custom resources behind the others.
async fn with_custom(name: &str, resources: &str) -> Result<Stack, Error> {
    let text = std::fs::read_to_string(options().template).unwrap();
    let text = text.replace("\nOutputs:\n", "\nOutputs:\n  Size:\n    Value: !Sub about ${Widget.Size} m\n");
    let text = text.replace("\nResources:\n", &format!("\nResources:\n{resources}"));
    let template = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.yaml"));
    std::fs::write(&template, text).unwrap();
    Stack::start(StackOptions { template, ..options() }).await
}

fn widget(properties: &str) -> String {
    let token = "ServiceToken: !GetAtt Echo.Arn";
    format!("  Widget:\n    Type: Custom::Widget\n    Properties: {{ {token}, Size: 7, {properties} }}\n")
}

// 15-3
#[tokio::test]
async fn a_custom_resource_is_made_by_its_function_and_outputs_have_what_it_answers() {
    let stack = with_custom("custom", &widget("ServiceTimeout: 60")).await.unwrap();
    assert_eq!(stack.plan().outputs["Size"], "about 7 m", "numbers come as texts");
    let listed = stack.plan().resources.iter().any(|resource| resource.logical_id == "Widget");
    assert!(listed);
    stack.shutdown().await;
}

#[tokio::test]
async fn a_custom_resource_is_made_after_those_whose_attributes_it_has() {
    let another = "  Another:\n    Type: Custom::Widget\n    \
                   Properties: { ServiceToken: !GetAtt Echo.Arn, Size: !Sub \"${Widget.Size}0\" }\n";
    let name = "custom-order";
    let stack = with_custom(name, &format!("{another}{}", widget(""))).await.unwrap();
    let made: Vec<String> = stack
        .plan()
        .custom
        .iter()
        .map(|custom| format!("{} {}", custom.logical_id, custom.properties["Size"]))
        .collect();
    assert_eq!(made, ["Widget \"7\"", "Another \"70\""]);
    stack.shutdown().await;
    let circle = widget("Other: !GetAtt Another.Size");
    let error = with_custom("custom-circle", &format!("{another}{circle}")).await.unwrap_err();
    assert!(error.to_string().contains("custom resources need each other"), "{error}");
}

// 15-3
#[tokio::test]
async fn a_custom_resource_that_is_refused_or_not_answered_fails_the_start_with_its_reason() {
    for (name, properties, reason) in [
        ("custom-refused", "Do: fail", "Widget: it is broken"),
        ("custom-unanswered", "Do: hush", "Widget: echo-bootstrap did not answer"),
        ("custom-late", "Do: hush, ServiceTimeout: 1", "Widget: no answer within 1 s"),
    ] {
        let error = with_custom(name, &widget(properties)).await.unwrap_err();
        assert_eq!(error.to_string(), reason);
    }
    let nowhere = widget("").replace("Echo.Arn", "Queue.Arn");
    assert!(with_custom("custom-nowhere", &nowhere).await.is_err());
}
