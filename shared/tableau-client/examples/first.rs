//! The program of the README, to be run against the simulator or a site of your own.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tableau_client::{
    BoxError, Filter, FixedCredential, MemorySessionStore, RefreshKind, RefreshNow, Settings, Subject,
    TableauClient, TableauCredential, Waited, chain,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // The simulator, unless the command names a server. For a site of your own, change what is marked "yours", too.
    let server = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8091".to_owned());
    match run(&server).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // An error says what the client was doing; its sources say why that failed.
            eprintln!("{}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

pub(crate) async fn run(server: &str) -> Result<(), BoxError> {
    // It follows no redirects, has timeouts, and has its own TLS.
    let http = http_client::client(None)?;
    // Yours: the site, which follows /site/ in the browser's address. Without a version, the newest that both sides know.
    let settings = Settings::new(server, "marketing", "")?;
    // Yours: the name and the secret of a personal access token.
    let token = TableauCredential::personal_access_token("webhook-automations", "pat-secret-for-local-use");
    let sessions = Arc::new(MemorySessionStore::default());
    let client = TableauClient::new(http, settings, Arc::new(FixedCredential::new(token)), sessions);

    // A list is fetched page by page, while it is read.
    let mut critical = client.workbooks(Filter::all().tagged("critical"));
    while let Some(workbook) = critical.next().await? {
        println!("{} {}", workbook.name, workbook.webpage_url.unwrap_or_default());
    }

    // Refresh a data source, and wait for the end.
    let sales =
        client.datasources(Filter::all().named("Sales Orders")).next().await?.ok_or("no such data source")?;
    match client.refresh_now(&Subject::Datasource(sales.id), RefreshKind::Full).await? {
        RefreshNow::AlreadyQueued => println!("a refresh is queued already"),
        RefreshNow::Queued(job) => match client.wait_for_job(&job.id, Duration::from_secs(600)).await? {
            Waited::Ended(job, end) => println!("{end:?} {}", job.notes().unwrap_or_default()),
            Waited::StillRunning(_) => println!("still running after ten minutes"),
        },
    }
    Ok(())
}
