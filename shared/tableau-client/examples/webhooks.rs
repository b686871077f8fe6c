//! Creates a webhook, switches it off and on, and deletes it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use tableau_client::{BoxError, EventName, NewWebhook, TableauClient, WebhookChange, WebhookState};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    let new = NewWebhook {
        name: "failed refreshes".to_owned(),
        event: EventName::DatasourceRefreshFailed,
        url: "https://hooks.example.com/tableau?token=your-secret".to_owned(),
        is_enabled: true,
    };
    let webhook = client.create_webhook(&new).await?;
    let reason = Some("the receiver is being moved".to_owned());
    for state in [WebhookState::Off { reason }, WebhookState::On] {
        let change = WebhookChange { state: Some(state), ..WebhookChange::default() };
        let changed = client.update_webhook(&webhook.id, &change).await?;
        println!("{}: on: {}", changed.name, changed.is_enabled);
    }
    client.delete_webhook(&webhook.id).await?;
    println!("{} left", client.webhooks().all(1_000).await?.len());
    Ok(())
}
