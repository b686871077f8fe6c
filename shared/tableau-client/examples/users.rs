//! Lists the users of the site, with e-mail addresses where Tableau knows them.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use tableau_client::{BoxError, Filter, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    let mut users = client.users(Filter::all()).fields("_all_").sorted("name:asc");
    while let Some(user) = users.next().await? {
        let role = user.site_role.as_deref().unwrap_or("no role");
        println!("{}, {role}, {}", user.display_name(), user.email_address().unwrap_or("no address"));
    }
    Ok(())
}
