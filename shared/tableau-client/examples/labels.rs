//! Sets a label on a data source, reads it, and removes it. Needs Data Management.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use tableau_client::{BoxError, Filter, NewLabel, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    let sales =
        client.datasources(Filter::all().named("Sales Orders")).next().await?.ok_or("no data source")?;
    let stale = NewLabel {
        value: "stale".to_owned(),
        message: "The warehouse is being moved".to_owned(),
        active: true,
        elevated: false,
    };
    client.set_label(&sales.id, &stale).await?;
    for label in client.labels(&sales.id).await? {
        println!("{}: {}", label.value, label.message.unwrap_or_default());
        if label.value == "stale" {
            client.remove_label(&label.id).await?;
        }
    }
    Ok(())
}
