//! Exports a workbook as PDF and the data of a view as CSV.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use std::process::ExitCode;
use tableau_client::{BoxError, ExportOptions, Filter, PageType, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    const LIMIT_BYTES: u64 = 50 << 20;
    let workbook = client.workbooks(Filter::all().named("Superstore")).next().await?.ok_or("no workbook")?;
    // `fresh`: without it, an export right after a refresh may show the old data.
    let options = ExportOptions { page_type: Some(PageType::A4), ..ExportOptions::fresh() };
    let mut pdf = client.workbook_pdf(&workbook.id, &options, LIMIT_BYTES).await?;
    let mut size = 0;
    while let Some(piece) = pdf.piece().await? {
        size += piece.len();
    }
    println!("{}, {size} bytes", pdf.content_type().unwrap_or("file"));

    let view = client.views(Filter::all().at_url_name("Overview")).next().await?.ok_or("no such view")?;
    let csv = client.view_csv(&view.id, &ExportOptions::default(), LIMIT_BYTES).await?.bytes().await?;
    println!("{}", String::from_utf8(csv)?.lines().next().unwrap_or_default());
    Ok(())
}
