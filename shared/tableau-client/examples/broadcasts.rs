//! Broadcasts a view, and lists what the site broadcasts. Experimental; Tableau Cloud only.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use tableau_client::{BoxError, BroadcastOptions, Filter, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    let view = client.views(Filter::all().at_url_name("Overview")).next().await?.ok_or("no such view")?;
    // Everyone on the internet can see the copy.
    let options = BroadcastOptions { watermark: true, tabs: false, downloads: false };
    client.overwrite_broadcast(&view.id, options).await?;
    for broadcast in client.broadcasts().await? {
        println!("{} is public", client.view(&broadcast.view).await?.name);
    }
    Ok(())
}
