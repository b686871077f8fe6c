//! Runs a flow, and says how its run ended.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use std::time::Duration;
use tableau_client::{BoxError, Filter, RunFlow, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    let flow = client.flows(Filter::all().named("Clean Customers")).next().await?.ok_or("no flow")?;
    let RunFlow::Queued(job) = client.run_flow(&flow.id).await? else {
        println!("a run is queued already");
        return Ok(());
    };
    // The run has an id of its own: neither that of the flow nor that of the job.
    let id = job.flow_run().ok_or("the answer names no run")?;
    loop {
        let run = client.flow_run(id).await?;
        if let Some(end) = run.end() {
            println!("{}: {end:?} {}", flow.name, run.failure().unwrap_or_default());
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
