//! Refreshes an extract, and waits for the end.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use std::time::Duration;
use tableau_client::{BoxError, Filter, RefreshKind, RefreshNow, Subject, TableauClient, Waited};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    let sales =
        client.datasources(Filter::all().named("Sales Orders")).next().await?.ok_or("no data source")?;
    match client.refresh_now(&Subject::Datasource(sales.id), RefreshKind::Full).await? {
        RefreshNow::AlreadyQueued => println!("a refresh is queued already"),
        RefreshNow::Queued(job) => match client.wait_for_job(&job.id, Duration::from_secs(600)).await? {
            Waited::Ended(_, end) if end.is_success() => println!("refreshed"),
            Waited::Ended(job, _) => println!("failed: {}", job.notes().unwrap_or_default()),
            Waited::StillRunning(job) => println!("{} % after ten minutes", job.progress.unwrap_or_default()),
        },
    }
    Ok(())
}
