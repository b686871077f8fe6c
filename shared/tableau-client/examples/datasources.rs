//! Certifies a data source, and takes the certification back.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use tableau_client::{BoxError, Filter, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    let filter = Filter::all().named("Sales Orders").in_project("Sales");
    let sales = client.datasources(filter).next().await?.ok_or("no such data source")?;

    client.certify(&sales.id, "Checked against the ledger").await?;
    let certified = client.datasource(&sales.id).await?;
    println!("certified: {}, {}", certified.is_certified, certified.certification_note.unwrap_or_default());

    client.decertify(&sales.id).await?;
    println!("certified: {}", client.datasource(&sales.id).await?.is_certified);
    Ok(())
}
