//! Lists the failed refreshes, and says why each of them failed.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use tableau_client::{BoxError, Filter, JobSummary, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    let failed = Filter::<JobSummary>::all().refreshes().in_state("Failed");
    let mut jobs = client.jobs(failed).sorted("createdAt:desc");
    while let Some(summary) = jobs.next().await? {
        // A list has no notes: fetch the job for them.
        let job = client.job(&summary.id).await?;
        let notes = job.notes().unwrap_or_default();
        let reason = notes.lines().next().unwrap_or("no reason given");
        println!("{}: {reason}", summary.title.unwrap_or_default());
    }
    Ok(())
}
