//! Shows where each workbook is, with the projects around it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use tableau_client::{BoxError, Filter, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    // One request for a thousand projects. Keep the tree for a while.
    let tree = client.project_tree().await?;
    let mut workbooks = client.workbooks(Filter::all()).sorted("name:asc");
    while let Some(workbook) = workbooks.next().await? {
        let project = workbook.project.and_then(|project| project.id);
        let path = project.and_then(|project| tree.path(&project)).unwrap_or_default();
        println!("{path}/{}", workbook.name);
    }
    let month_end = tree.find("Finance/Month End").ok_or("no such project")?;
    println!("Finance/Month End is {month_end}");
    Ok(())
}
