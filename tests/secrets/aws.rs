//! An AWS double that repeats every request in its answers.

use crate::echo::{Echo, Well, every};
use crate::environment::{AWS_TOKEN, Environment, binary, event, in_parts};
use serde_json::json;
use testkit::{Request, TOKEN};

const PAT: &str = "qlE1g9MMh9vbrjjg==:rZTHhPpP2tUW1kfn4tjg8";

/// Sends webhooks to a function's ingress while the AWS double copies each request into its answer (but not these secrets),
/// until each kind of answer was given once.
async fn asked(name: &'static str, well: Well, variables: &[(&'static str, &'static str)], status: u64) {
    in_parts(every(4), |_, part| {
        let well = well.clone();
        let variables = variables.to_vec();
        async move {
            let echo = Echo::start(well).await;
            echo.plan(&part);
            let mut environment = Environment::start(&[AWS_TOKEN, TOKEN, PAT]).await;
            let own = [("AWS_ENDPOINT_URL", echo.url.as_str()), ("AWS_SESSION_TOKEN", AWS_TOKEN)];
            let variables: Vec<_> = own.into_iter().chain(variables).collect();
            let function = environment.services.function(name, &binary(name), &variables);
            for number in 0.. {
                if echo.repeated() >= part.len() {
                    break;
                }
                assert!(number <= part.len() * 3, "{name} asks for nothing: {}", function.logs().join("\n"));
                let event = event("WorkbookRefreshFailed", number).to_string();
                let answer = function.answer(&Request::post(event)).await;
                assert!(answer.status == status || answer.status == 200, "{answer:?}");
                environment.keep("an answer", format!("{answer:?}"));
            }
            environment.assert_no_secret(&function, &[]).await;
        }
    })
    .await;
}

fn token() -> (&'static str, serde_json::Value) {
    ("webhook", json!({ "current": TOKEN, "previous": "" }))
}

#[tokio::test]
async fn requests_that_secrets_manager_repeats_appear_nowhere() {
    asked("receive-webhook", Well::Nothing, &[("EVENT_BUS_NAME", "events")], 503).await;
    asked("notify-slack", Well::Secrets(vec![token()]), &[], 502).await;
}

#[tokio::test]
async fn requests_that_a_bus_a_queue_and_a_table_repeat_appear_nowhere() {
    asked("receive-webhook", Well::Secrets(vec![token()]), &[("EVENT_BUS_NAME", "events")], 503).await;
    let pat = ("tableau", json!({ "token_name": "n", "token_secret": PAT }));
    let table = [("TABLE_NAME", "deliveries")];
    asked("notify-slack", Well::Secrets(vec![token(), pat]), &table, 502).await;
}
