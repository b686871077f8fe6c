//! Finds content by name and path, and by a browser's address.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use tableau_client::{BoxError, ContentKind, FindBy, FindResult, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    let project = Some("Finance/Month End".parse()?);
    let by_name = FindBy::Name { name: "general ledger".to_owned(), project };
    let address = "https://10ay.online.tableau.com/#/site/marketing/views/Superstore/Overview";
    let elsewhere = FindBy::Name { name: "Superstore".to_owned(), project: Some("Finance".parse()?) };
    for by in [by_name, FindBy::Url(address.to_owned()), elsewhere] {
        match client.find(None, &by).await? {
            FindResult::Found(found) => println!("{} {}: {}", found.kind(), found.path(), found.luid),
            FindResult::Ambiguous(all) => println!("one of {}", all.len()),
            FindResult::NotFound(nothing) => println!("{nothing}"),
        }
    }
    let superstore = FindBy::Name { name: "Superstor".to_owned(), project: None };
    if let FindResult::NotFound(nothing) = client.find(Some(ContentKind::Workbook), &superstore).await? {
        println!("{nothing}");
    }
    Ok(())
}
