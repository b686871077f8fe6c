//! Answers of Slack, or of a proxy instead of Slack.

use crate::outcomes;
use crate::support::{failed, message, metrics, queued};
use serde_json::json;
use testkit::simulator::{SlackFault, notes};
use testkit::{Batch, TestEnvironment};

#[tokio::test]
async fn a_revoked_webhook_or_token_keeps_events_waiting_until_the_secret_is_fixed() {
    for by_token in [false, true] {
        let environment = TestEnvironment::start().await;
        let function = queued(&environment);
        environment.slack.add_channel("data-news", true);
        if by_token {
            environment.aws.create_secret("slack", json!({ "bot_token": environment.slack.token() }));
        }
        environment.slack.fail_next(2, SlackFault::Revoked);
        let batch = Batch::of_fixture("workbook-created");
        assert_eq!(function.failures(&batch).await, ["m-1"]);
        assert_eq!(function.failures(&batch).await, ["m-1"]);
        assert_eq!(outcomes(&function), ["misconfigured", "misconfigured"]);
        let logs = function.logs().join("\n");
        assert!(logs.contains("put a valid credential into the Slack secret"), "{logs}");
        assert!(environment.aws.messages("dead-letters").is_empty());

        assert!(function.failures(&batch).await.is_empty());
        assert_eq!(environment.slack.message_count(), 1);
        environment.assert_no_secret_in(&function.logs());
    }
}

#[tokio::test]
async fn a_layout_that_slack_refuses_goes_out_as_plain_text_and_is_counted() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    environment.slack.fail_next(1, SlackFault::Blocks("invalid_blocks"));
    let event = failed(&environment, notes::SNOWFLAKE_LOGIN);
    assert!(function.failures(&message(&event)).await.is_empty());
    let messages = environment.slack.messages();
    assert_eq!((messages.len(), messages[0].blocks.len()), (1, 0));
    for part in ["Extract refresh failed: Sales Orders", "Credentials refused", "Next step", "Owner"] {
        assert!(messages[0].text.contains(part), "no {part} in\n{}", messages[0].text);
    }
    let counted = metrics(&function, "DestinationFailures");
    assert_eq!((counted.len(), &counted[0]["failure"]), (1, &json!("layout")));
    let logs = function.logs().join("\n");
    assert!(logs.contains("refused the layout") && logs.contains("invalid_blocks"), "{logs}");
}

#[tokio::test]
async fn a_page_of_a_proxy_in_place_of_slacks_answer_is_tried_again() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    let batch = Batch::of_fixture("workbook-created");
    for fault in [SlackFault::Html(200), SlackFault::Empty(204), SlackFault::Html(302), SlackFault::Html(403)]
    {
        environment.slack.fail_next(1, fault);
        assert_eq!(function.failures(&batch).await, ["m-1"]);
    }
    assert_eq!(outcomes(&function), ["transient"; 4]);
    assert!(
        function.logs().iter().any(|line| line.contains("the answer is not Slack's: HTML with status 200"))
    );
    assert!(function.failures(&batch).await.is_empty());
    assert_eq!((environment.slack.message_count(), environment.aws.messages("dead-letters").len()), (1, 0));
}
