//! Shows the site that the credential signs in to, and the version of its server.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use tableau_client::{BoxError, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    let server = client.server_info().await?;
    println!("Tableau {}, REST API up to {}", server.product_version.value, server.rest_api_version);
    let site = client.own_site().await?;
    println!("{} at /site/{}, {}", site.name, site.content_url, site.id);
    Ok(())
}
