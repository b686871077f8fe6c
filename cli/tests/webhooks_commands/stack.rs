//! The site of a stack: the session of its functions, and the URL with its current token.

use crate::scene::{STACK, Stack, app};
use crate::site::check;
use crate::{TOKEN, finish, objects, stderr, stdout};
use serde_json::json;
use simulator::{RestVersion, SAMPLE_PAT, TableauSimulator, Webhook};
use std::collections::BTreeMap;
use tableau::EventName;

#[tokio::test(flavor = "multi_thread")]
async fn the_url_is_that_of_the_stack_with_its_current_token() {
    let stack = Stack::with_a_token().await;
    let output = stack.run(&["create", "DatasourceRefreshFailed"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let notes = format!(
        "the URL is at {} (from the stack `tableau-webhooks`)\nnext step: `tableau-webhooks webhooks test --all` shows whether it \
         answers\n",
        stack.api.url()
    );
    assert_eq!(stderr(&output), notes);
    let webhooks = stack.tableau.webhooks();
    assert_eq!(webhooks[0].url, format!("{}/webhook/{TOKEN}", stack.api.url()));
    // The same URL in its other form.
    let query = format!("{}/webhook?token={TOKEN}", stack.api.url());
    stack.tableau.add(Webhook::on(EventName::SiteUpdated, &query));
    let again = objects(&stack.run(&["create", "DatasourceRefreshFailed", "SiteUpdated", "--json"]).await);
    assert_eq!((&again[0]["result"], &again[1]["result"]), (&json!("exists"), &json!("exists")));
    // All of this was one session, which functions go on using.
    assert_eq!((stack.tableau.sign_ins(SAMPLE_PAT.0), stack.tableau.sessions()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_comes_before_the_stack_unless_the_option_says_otherwise() {
    let stack = Stack::with_a_token().await;
    let other = format!("https://other.example.com/webhook/{TOKEN}");
    let run = async |arguments: &[&str]| {
        let mut command = stack.command(arguments);
        command.env("WEBHOOK_URL", &other);
        let output = finish(command).await;
        check(&output);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stderr(&output)
    };
    let notes = run(&["create", "SiteUpdated"]).await;
    assert!(notes.starts_with("the URL is at https://other.example.com (from WEBHOOK_URL)\n"), "{notes}");
    let own = format!("{}/webhook/{TOKEN}", stack.api.url());
    run(&["update", "tableau-webhooks SiteUpdated", "--url", "stack"]).await;
    assert_eq!(stack.tableau.webhooks()[0].url, own);
    run(&["update", "tableau-webhooks SiteUpdated", "--url", "env"]).await;
    assert_eq!(stack.tableau.webhooks()[0].url, other);
    run(&["create", "UserDeleted", "--url", "stack"]).await;
    assert_eq!(stack.tableau.webhooks()[1].url, own);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_rotation_the_url_with_the_old_token_is_another_one() {
    let stack = Stack::with_a_token().await;
    stack.run(&["create", "SiteUpdated"]).await;
    let new = TOKEN.chars().rev().collect::<String>();
    stack.aws.create_secret("webhook", json!({ "current": new, "previous": TOKEN }));
    let output = stack.run(&["update", "tableau-webhooks SiteUpdated", "--url", "stack", "--json"]).await;
    let updated = objects(&output);
    assert_eq!(updated[0]["result"], "updated", "{}", stderr(&output));
    assert!(!stdout(&output).contains(&new));
    assert_eq!(stack.tableau.webhooks()[0].url, format!("{}/webhook/{new}", stack.api.url()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_app_that_may_not_is_explained() {
    let old = RestVersion { major: 3, minor: 26 };
    let stack = Stack::at(TableauSimulator::sample().max_version(old), app()).await;
    let output = stack.run(&["list"]).await;
    let error = stderr(&output);
    let advice = "; connected apps can manage webhooks from REST API 3.27 on: for an older server use a personal access token\n";
    assert!(error.contains(" the scope tableau:webhooks:read, ") && error.ends_with(advice), "{error}");
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_with_a_connected_app_needs_no_scopes_in_its_secret() {
    let stack = Stack::start(app()).await;
    for command in [&["create", "SiteUpdated"][..], &["test", "--all"], &["list"]] {
        let output = stack.run(command).await;
        assert_eq!(output.status.code(), Some(0), "{command:?}: {}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_stack_lacks_is_named() {
    let stack = Stack::with_a_token().await;
    stack.aws.create_secret("webhook", json!({ "current": "short", "previous": "" }));
    let error = stderr(&stack.run(&["create", "SiteUpdated"]).await);
    let expected = "error: the URL of the stack `tableau-webhooks`: `current` of its secret is no token: 32 characters or more are needed\n";
    assert_eq!(error, expected);
    stack.aws.set_stack_outputs(STACK, BTreeMap::new());
    let error = stderr(&stack.run(&["create", "SiteUpdated"]).await);
    assert!(error.contains(" has no output `WebhookUrl`: check --stack"), "{error}");
    let error = stderr(&stack.run(&["list", "--stack", "no-such"]).await);
    assert!(error.starts_with("error: there is no stack `no-such` in us-east-1"), "{error}");
    assert!(stack.tableau.webhooks().is_empty());
}
