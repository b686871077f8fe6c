//! Lists the workbooks with a tag, and fetches one with its views.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use tableau_client::{BoxError, Filter, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    let mut critical = client.workbooks(Filter::all().tagged("critical")).sorted("name:asc");
    while let Some(workbook) = critical.next().await? {
        let project = workbook.project.map(|project| project.name).unwrap_or_default();
        println!("{} in {project}", workbook.name);
        // A list has no views: fetch the workbook for them.
        for view in client.workbook(&workbook.id).await?.views {
            println!("- {}", view.name);
        }
    }
    Ok(())
}
