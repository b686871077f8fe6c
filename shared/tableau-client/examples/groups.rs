//! Lists the groups that a user is in.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use tableau_client::{BoxError, Filter, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    let mut users = client.users(Filter::all()).sorted("name:asc");
    let user = users.next().await?.ok_or("the site has no users")?;
    let mut groups = client.groups_of(&user.id);
    while let Some(group) = groups.next().await? {
        println!("{} is in {}", user.display_name(), group.name);
    }
    Ok(())
}
