//! Tags a workbook and a data source in one request, and takes the tag off again.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use tableau_client::{BoxError, Filter, Subject, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    let workbook = client.workbooks(Filter::all().named("Superstore")).next().await?.ok_or("no workbook")?;
    let sales =
        client.datasources(Filter::all().named("Sales Orders")).next().await?.ok_or("no data source")?;
    let both = [Subject::Workbook(workbook.id), Subject::Datasource(sales.id)];

    client.add_tags_to_all(&both, &["month end"]).await?;
    let mut tagged = client.workbooks(Filter::all().tagged("month end"));
    while let Some(workbook) = tagged.next().await? {
        println!("{}: {}", workbook.name, workbook.tags.join(", "));
    }
    for subject in &both {
        client.remove_tag(subject, "month end").await?;
    }
    Ok(())
}
