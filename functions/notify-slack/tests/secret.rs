//! The real binary accepts a Slack secret as users paste it.

use serde_json::{Value, json};
use testkit::{Batch, TestEnvironment};

const BINARY: &str = env!("CARGO_BIN_EXE_notify-slack");

#[tokio::test]
async fn a_bot_token_with_a_line_break_behind_it_posts() {
    let environment = TestEnvironment::start().await;
    environment.slack.add_channel("data-news", true);
    let secret =
        format!("\u{feff}{}\r\n", json!({ "bot_token": format!(" {}\n", environment.slack.token()) }));
    environment.aws.create_secret("slack", Value::from(secret));
    let function = environment.queued("notify-slack", BINARY);
    assert!(function.failures(&Batch::of_fixture("workbook-created")).await.is_empty());
    assert_eq!(environment.slack.message_count(), 1, "{}", function.logs().join("\n"));
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn a_bot_token_that_no_header_can_carry_is_the_secrets_fault_and_not_slacks() {
    for (character, expected) in [
        ("\n", "`bot_token` has a line break in it"),
        ("\u{7f}", "`bot_token` has an invisible character in it"),
        ("é", "`bot_token` has a space, a quotation mark or another character that no token has"),
        (" ", "`bot_token` has a space, a quotation mark or another character that no token has"),
    ] {
        let environment = TestEnvironment::start().await;
        let secret = json!({ "bot_token": format!("{}{character}hunter2", environment.slack.token()) });
        environment.aws.create_secret("slack", secret);
        let function = environment.queued("notify-slack", BINARY);
        assert_eq!(function.failures(&Batch::of_fixture("workbook-created")).await, ["m-1"]);
        let logs = function.logs().join("\n");
        assert!(
            logs.contains(&format!("cannot read the secret `slack`: {expected}")),
            "{character:?}: {logs}"
        );
        assert!(!logs.contains("builder error") && !logs.contains("hunter2"), "{logs}");
        assert_eq!(environment.slack.calls(), 0);
        environment.assert_no_secret_in(&function.logs());
    }
}
