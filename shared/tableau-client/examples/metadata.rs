//! Lists the workbooks that a data source feeds, and asks the Metadata API a question of its own.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use serde_json::{Value, json};
use std::process::ExitCode;
use tableau_client::{BoxError, Filter, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    let sales =
        client.datasources(Filter::all().named("Sales Orders")).next().await?.ok_or("no data source")?;
    for workbook in client.downstream_workbooks(&sales.id).await?.data {
        println!("feeds {}", workbook.name);
    }
    let query =
        "query q($luid: String!) { publishedDatasources(filter: {luid: $luid}) { name projectName } }";
    let answer = client.metadata::<Value>(query, &json!({ "luid": sales.id.as_str() })).await?;
    println!("in {}", answer.data["publishedDatasources"][0]["projectName"]);
    Ok(())
}
