//! Says who deleted a workbook and where it was, or why that is not known.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

mod common;

use jiff::Timestamp;
use std::process::ExitCode;
use tableau_client::{BoxError, Deleted, DeletedKind, OwnerRef, RecycleBinLookup, TableauClient};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    common::run(run).await
}

async fn run(client: TableauClient) -> Result<(), BoxError> {
    // As an event `WorkbookDeleted` says it.
    let deleted = Deleted {
        kind: DeletedKind::Workbook,
        luid: "00000000-0000-4000-8000-000000000001",
        name: Some("Old Forecast"),
        at: Timestamp::now(),
    };
    match client.deleted_item(deleted).await? {
        RecycleBinLookup::Found(item) => {
            let by = item.deleter.as_ref().and_then(OwnerRef::person);
            println!(
                "deleted by {}; was in {}",
                by.map(|by| by.name).unwrap_or_default(),
                item.original_path
            );
        }
        not_found => println!("{}: {not_found}", deleted.name.unwrap_or_default()),
    }
    Ok(())
}
