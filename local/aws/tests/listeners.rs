//! Every listener of this crate refuses requests from other web pages.

mod support;

use local_aws::{Stack, StackEvent, StackOptions};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use testkit::foreign::{FOREIGN, address, ask};
use tokio::sync::mpsc;

#[tokio::test]
async fn no_listener_answers_a_foreign_host_or_origin() {
    let (sender, mut events) = mpsc::unbounded_channel();
    let options = StackOptions {
        template: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/template.yaml"),
        binaries: support::binaries(),
        parameters: BTreeMap::from([("Greeting".to_owned(), "hello".to_owned())]),
        secrets: BTreeMap::new(),
        environment: BTreeMap::new(),
        concurrent_executions: None,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        aws: SocketAddr::from(([127, 0, 0, 1], 0)),
        events: Some(sender),
    };
    let stack = Stack::start(options).await.unwrap();
    let function = stack.function("echo-bootstrap").unwrap();
    let variables = function.invoke(&json!({ "do": "variables" })).await.unwrap();
    let api = address(stack.url());
    let aws = address(stack.aws().url());
    let runtime_api = address(variables["AWS_LAMBDA_RUNTIME_API"].as_str().unwrap());

    let start_lines = [
        (api, "POST /echo/token"),
        (api, "GET /no-such-route"),
        (api, "OPTIONS /echo/token"),
        (aws, "POST /"),
        (aws, "OPTIONS /"),
        (runtime_api, "GET /2018-06-01/runtime/invocation/next"),
        (runtime_api, "POST /2018-06-01/runtime/init/error"),
        (runtime_api, "POST /2018-06-01/runtime/invocation/x/response"),
        (runtime_api, "GET /no-such-path"),
    ];
    for (at, start_line) in start_lines {
        assert!(at.ip().is_loopback(), "{at}");
        for headers in FOREIGN {
            let answer = ask(at, start_line, headers, "{}").await;
            assert!(answer.starts_with("HTTP/1.1 403 "), "{at} {start_line} {headers:?}: {answer}");
            assert!(!answer.to_ascii_lowercase().contains("access-control-"), "{answer}");
        }
    }
    while let Ok(event) = events.try_recv() {
        assert!(!matches!(event, StackEvent::Answered { .. }), "{event:?}");
    }
    // The same requests without those headers get through: a route answers, the services ask for a signature, the
    // Runtime API responds.
    assert!(ask(api, "POST /echo/token", &["Host: HOST"], "{}").await.starts_with("HTTP/1.1 200 "));
    assert!(ask(aws, "POST /", &["Host: HOST"], "{}").await.contains("MissingAuthenticationToken"));
    let unknown =
        ask(runtime_api, "POST /2018-06-01/runtime/invocation/x/response", &["Host: HOST"], "{}").await;
    assert!(unknown.contains("InvalidRequestID"));
    assert_eq!(function.invoke(&json!({ "still": "there" })).await.unwrap(), json!({ "still": "there" }));
}

#[tokio::test]
async fn an_address_that_other_machines_reach_is_not_served() {
    let anywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let error = local_aws::Aws::start_at(anywhere).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot listen on 0.0.0.0:0");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "0.0.0.0 is not a loopback address: other machines could connect");
}
