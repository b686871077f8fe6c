//! AWS repeats every request.

use crate::echo::{Echo, Well, every};
use crate::stand::{AWS_TOKEN, Stand, binary, event};
use serde_json::json;
use testkit::{Request, TOKEN};

const PAT: &str = "qlE1g9MMh9vbrjjg==:rZTHhPpP2tUW1kfn4tjg8";

/// A door of a function whose AWS repeats everything but these secrets; asked as long as it takes to get every answer.
async fn asked(name: &str, well: Well, variables: &[(&str, &str)], status: u64) {
    for chunk in every(4).chunks(10) {
        let echo = Echo::start(well.clone()).await;
        echo.plan(chunk);
        let mut stand = Stand::start(&[AWS_TOKEN, TOKEN, PAT]).await;
        let own = [("AWS_ENDPOINT_URL", echo.url.as_str()), ("AWS_SESSION_TOKEN", AWS_TOKEN)];
        let function = stand.stage.function(name, &binary(name), &[&own, variables].concat());
        let mut number = 0;
        while echo.repeated() < chunk.len() {
            number += 1;
            assert!(number <= chunk.len() * 3, "{name} asks for nothing: {}", function.logs().join("\n"));
            let answer =
                function.answer(&Request::post(event("WorkbookRefreshFailed", number).to_string())).await;
            assert!(answer.status == status || answer.status == 200, "{answer:?}");
            stand.keep("an answer", format!("{answer:?}"));
        }
        stand.assert_no_secret(&function, &[]).await;
    }
}

fn token() -> (&'static str, serde_json::Value) {
    ("webhook", json!({ "current": TOKEN, "previous": "" }))
}

// 12-S1
#[tokio::test]
async fn a_secrets_manager_that_repeats_each_request_is_told_nowhere() {
    asked("receive-webhook", Well::Nothing, &[("EVENT_BUS_NAME", "events")], 503).await;
    asked("notify-slack", Well::Secrets(vec![token()]), &[], 502).await;
}

// 12-S1
#[tokio::test]
async fn a_bus_a_queue_and_a_table_that_repeat_each_request_are_told_nowhere() {
    asked("receive-webhook", Well::Secrets(vec![token()]), &[("EVENT_BUS_NAME", "events")], 503).await;
    let pat = ("tableau", json!({ "token_name": "n", "token_secret": PAT }));
    let table = [("TABLE_NAME", "deliveries")];
    asked("notify-slack", Well::Secrets(vec![token(), pat]), &table, 502).await;
}
