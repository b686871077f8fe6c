//! Warns the readers of a data source while its data is old. Needs Data Management.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use tableau_client::{BoxError, Filter, NewQualityWarning, TableauClient, Warnable, WarningKind};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    let sales =
        client.datasources(Filter::all().named("Sales Orders")).next().await?.ok_or("no data source")?;
    let sales = Warnable::from(sales.id);
    let warning = NewQualityWarning {
        kind: WarningKind::Stale,
        message: "The refresh has failed since Monday".to_owned(),
        is_active: true,
        is_severe: false,
    };
    let added = client.add_quality_warning(&sales, &warning).await?;
    let added = added.and_then(|added| added.id).ok_or("the answer has no id")?;
    for warning in client.quality_warnings(&sales).await? {
        println!("{}: {}", warning.kind.unwrap_or_default(), warning.message.unwrap_or_default());
    }
    client.remove_quality_warning(&added).await?;
    println!("{} left", client.quality_warnings(&sales).await?.len());
    Ok(())
}
