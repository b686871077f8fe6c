//! The command `history erase`.

use super::files;
use crate::confirm::agrees;
use crate::options::TargetOptions;
use crate::out::note;
use crate::stack::Stack;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use deliveries::Records;
use history::{ErasedPeople, records_that_name};
use jiff::Timestamp;
use std::process::ExitCode;
use workflow::BoxError;

#[derive(Debug, Args)]
pub(crate) struct EraseOptions {
    /// Name, user name or e-mail address of the person, as the files have it. Upper and lower case are the same
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    person: String,
    /// Bucket with the files [default: that of the stack]. For one that an earlier deploy or a deleted stack has left
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    bucket: Option<String>,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    target: TargetOptions,
}

pub(super) async fn erase(options: EraseOptions) -> Result<ExitCode, BoxError> {
    let stack = Stack::find(&options.target).await?;
    let files = files(&stack, options.bucket.as_deref())?;
    let person = options.person.trim();
    let now = Timestamp::now();
    let client = aws_sdk_dynamodb::Client::new(&stack.account.config);
    let table = stack.table()?.to_owned();
    let records = Records::new(client.clone(), &table);
    let left = records_that_name(&records, person, now).await?;
    if left > 0 {
        return Err(format!(
            "{left} delivery records of the last days name the person, and would be exported again: erase the person from the table first, as docs/security.md says under \"Personal data\""
        )
        .into());
    }
    let named = files.that_name(person).await?;
    let question = match named.len() {
        0 => format!(
            "No file in the bucket {} names the person. Leave them out of later exports and reports?",
            files.bucket()
        ),
        count => format!("Erase the person from {count} files in the bucket {}?", files.bucket()),
    };
    if !agrees(&question, options.yes, "erase").await? {
        note("nothing was changed");
        return Ok(ExitCode::FAILURE);
    }
    // First, so that no later export names the person as the owner of something.
    let documents = store::documents(Some((client, table)));
    documents.change(ErasedPeople::KEY, now, |erased: &mut ErasedPeople| erased.add(person)).await?;
    let mut rows = 0;
    for key in &named {
        rows += files.erase(key, person).await?;
    }
    note(format!(
        "rows changed: {rows}, files changed: {}. Later exports and reports do not name the person as an owner",
        named.len()
    ));
    Ok(ExitCode::SUCCESS)
}
