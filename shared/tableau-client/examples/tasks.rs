//! Lists the scheduled refreshes, and runs the first one now.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use tableau_client::{BoxError, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    let tasks = client.refresh_tasks().all(1_000).await?;
    println!("{} scheduled refreshes", tasks.len());
    for task in &tasks {
        let failures = task.consecutive_failures.unwrap_or_default();
        if let Some(subject) = task.subject.as_ref().filter(|_| failures > 0) {
            println!("{} {}: {failures} failures in a row", subject.kind(), subject.luid());
        }
    }
    let first = tasks.first().ok_or("the site has no scheduled refresh")?;
    let job = client.run_refresh_task(&first.id).await?;
    println!("running: {}", client.job(&job.id).await?.end().is_none());
    Ok(())
}
