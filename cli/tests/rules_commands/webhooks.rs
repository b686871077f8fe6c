//! Events that rules are for and that no webhook at Tableau sends.

use crate::stack::Stack;
use crate::{objects, stderr, stdout};
use simulator::{SAMPLE_CONTENT_URL, SAMPLE_PAT, Webhook};
use std::sync::Arc;
use tableau::{EventName, WebhookLuid};
use tableau_client::{FixedCredential, OwnSession, Settings, TableauCredential, WebhookChange, WebhookState};

// 15, item 4
#[tokio::test(flavor = "multi_thread")]
async fn events_that_no_enabled_webhook_sends_are_listed_where_tableau_can_be_asked() {
    let stack = Stack::start().await;
    let url = "https://abc.execute-api.eu-central-1.amazonaws.com/webhook?token=hunter2";
    stack.tableau.add(Webhook::on(EventName::DatasourceRefreshFailed, url));
    for command in [&["check", "--webhooks"][..], &["deploy", "--yes", "--webhooks"]] {
        let output = stack.run(command).await;
        let expected = "note: the rule `refresh failures` is for WorkbookRefreshFailed, and no webhook sends it: `webhooks \
                        apply` registers one\n";
        assert_eq!(
            (stderr(&output).as_str(), output.status.code()),
            (expected, Some(0)),
            "{}",
            stdout(&output)
        );
    }
    // The session is the one of the functions, which another sign-in would end.
    assert_eq!(stack.tableau.sign_ins(SAMPLE_PAT.0), 1);
    let luid = stack.tableau.add(Webhook::on(EventName::WorkbookRefreshFailed, url));
    switch_off(&stack, &luid.parse().unwrap()).await;
    let notes = objects(&stack.run(&["check", "--webhooks", "--json"]).await);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!(
        notes[0]["message"],
        "the rule `refresh failures` is for WorkbookRefreshFailed, and its webhook is disabled: `webhooks list` says why, `webhooks enable` \
         enables it"
    );
    let hint = stack.run(&["check"]).await;
    let end = "--webhooks asks Tableau, and `webhooks apply` registers what is missing\n";
    assert!(stdout(&hint).ends_with(end), "{}", stderr(&hint));
}

async fn switch_off(stack: &Stack, luid: &WebhookLuid) {
    let secret = stack.tableau.token_secret(SAMPLE_PAT.0).unwrap();
    let credential = TableauCredential::personal_access_token(SAMPLE_PAT.0, secret);
    let settings = Settings::new(&stack.tableau.url(), SAMPLE_CONTENT_URL, "").unwrap();
    let http = http_client::client(None).unwrap();
    let client = OwnSession::new(http, settings, Arc::new(FixedCredential::new(credential)));
    let change =
        WebhookChange { state: Some(WebhookState::Off { reason: None }), ..WebhookChange::default() };
    client.update_webhook(luid, &change).await.unwrap();
    client.sign_out().await.unwrap();
}
