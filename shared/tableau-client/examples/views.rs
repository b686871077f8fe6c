//! Finds the view that a browser shows, and who owns it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use tableau_client::{BoxError, Filter, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    // The last part of the address: …/#/site/marketing/views/Superstore/Overview
    let mut overviews = client.views(Filter::all().at_url_name("Overview"));
    while let Some(found) = overviews.next().await? {
        // A list names no owner of a view: fetch the view for it.
        let view = client.view(&found.id).await?;
        let owner = view.owner.and_then(|owner| owner.id).ok_or("the view has no owner")?;
        println!("{}, owned by {}", view.name, client.user(&owner).await?.display_name());
    }
    Ok(())
}
