//! The command `history erase`.

use crate::confirm::agrees;
use crate::options::TargetOptions;
use crate::out::{counted, note};
use crate::stack::Stack;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use deliveries::{DeliveryKey, Records};
use history::{Files, erase_person, records_that_name};
use jiff::Timestamp;
use std::process::ExitCode;
use workflow::BoxError;

#[derive(Debug, Args)]
pub(crate) struct EraseOptions {
    /// The whole name, user name or e-mail address of the person, as the files have it. Upper and lower case are the same
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    person: String,
    /// Bucket with the files [default: that of the stack]. For one that an earlier deploy has left, or another stack that was deleted
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    bucket: Option<String>,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    target: TargetOptions,
}

/// How many keys of records are listed.
const LISTED: usize = 20;

pub(super) async fn erase(options: EraseOptions) -> Result<ExitCode, BoxError> {
    let stack = Stack::find(&options.target).await?;
    let bucket = options.bucket.as_deref().or(stack.history_bucket.as_deref());
    let files = bucket.map(|bucket| Files::new(&stack.account.config, bucket));
    let person = options.person.trim();
    let now = Timestamp::now();
    let client = aws_sdk_dynamodb::Client::new(&stack.account.config);
    let table = stack.table()?.to_owned();
    let question = match &files {
        Some(files) => {
            let left = records_that_name(&Records::new(client.clone(), &table), person, now).await?;
            if !left.is_empty() {
                list(&left);
                return Err(format!(
                    "{} delivery records in the table name the person, and would be exported again. Delete them first, as docs/security.md says under \"Personal data\"",
                    left.len()
                )
                .into());
            }
            let named = files.that_name(person).await?;
            let rows: u64 = named.values().sum();
            let rows = counted(usize::try_from(rows).unwrap_or(usize::MAX), "row");
            match named.len() {
                0 => format!(
                    "No file in the bucket {} names `{person}`. Leave them out of later exports and reports?",
                    files.bucket()
                ),
                files_with => format!(
                    "Erase `{person}` from {rows} of {} in the bucket {}?",
                    counted(files_with, "file"),
                    files.bucket()
                ),
            }
        }
        None => {
            format!("The stack `{}` exports no history. Leave `{person}` out of later reports?", stack.name)
        }
    };
    if !agrees(&question, options.yes, "erase").await? {
        note("nothing was changed");
        return Ok(ExitCode::FAILURE);
    }
    let documents = store::documents(Some((client, table)));
    let erased = erase_person(&documents, files.as_ref(), person, now).await?;
    note(format!(
        "rows changed: {}, files changed: {}. Later exports and reports do not name the person as an owner",
        erased.rows, erased.files
    ));
    Ok(ExitCode::SUCCESS)
}

/// Names the records that keep a person from being erased.
fn list(records: &[DeliveryKey]) {
    for key in records.iter().take(LISTED) {
        note(key);
    }
    if let Some(more @ 1..) = records.len().checked_sub(LISTED) {
        note(format!("and {more} more"));
    }
}
