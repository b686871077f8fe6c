//! `refresh` finds the API of a deployed stack by what CloudFormation says.

use crate::environment::{Environment, STACK, finish, stderr};
use std::collections::BTreeMap;

#[tokio::test(flavor = "multi_thread")]
async fn the_api_of_a_stack_is_found_by_its_outputs() {
    let environment = Environment::start().await;
    let run = async |stack: &str| {
        let words = ["refresh", "Sales Orders", "--kind", "datasource", "--stack", stack];
        let mut command = environment.command(&words);
        command.env("TABLEAU_WEBHOOKS_KEY", "twk_key");
        let output = finish(command).await;
        assert_eq!(output.status.code(), Some(1));
        stderr(&output)
    };
    let none = run("no-such").await;
    assert!(none.starts_with("error: there is no stack `no-such` in us-east-1"), "{none}");
    let outputs = |function: &str| {
        let url = |path: &str| format!("http://127.0.0.1:1/{path}");
        BTreeMap::from([
            ("WebhookUrl".to_owned(), url("webhook")),
            (format!("{function}Url"), url("webhooks/refresh-extract")),
        ])
    };
    environment.aws.set_stack_outputs(STACK, outputs("NotifySlack"));
    let off = run(STACK).await;
    assert!(off.contains("takes no refreshes: deploy it with RefreshExtractEnabled=true"), "{off}");
    environment.aws.set_stack_outputs(STACK, outputs("RefreshExtract"));
    let found = run(STACK).await;
    assert!(found.starts_with("error: no answer from http://127.0.0.1:1: 127.0.0.1 refuses"), "{found}");
}
