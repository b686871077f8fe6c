//! The commands `history` and `report`.

mod download;
mod erase;
mod export;
mod report;

pub(crate) use report::{ReportOptions, report};

use crate::help;
use crate::invocation;
use crate::stack::Stack;
use ::history::{Files, Start};
use clap::Subcommand;
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use std::process::ExitCode;
use std::time::Duration;
use workflow::BoxError;

/// The function that exports and reports.
const NAME: &str = "report-history";
/// Longer than its timeout in the template.
const LONGEST_RUN: Duration = Duration::from_secs(915);

#[derive(Debug, Subcommand)]
pub(crate) enum HistoryCommand {
    /// Export the days that are new or have changed, now instead of within the hour
    #[command(after_help = help::HISTORY_EXPORT)]
    Export(export::ExportOptions),
    /// Copy the exported files into a folder, for a notebook or DuckDB
    #[command(after_help = help::HISTORY_DOWNLOAD)]
    Download(download::DownloadOptions),
    /// Take a person out of all exported files, after you confirm
    #[command(after_help = help::HISTORY_ERASE)]
    Erase(erase::EraseOptions),
}

pub(crate) async fn run(command: HistoryCommand) -> Result<ExitCode, BoxError> {
    match command {
        HistoryCommand::Export(options) => export::export(options).await,
        HistoryCommand::Download(options) => download::download(options).await,
        HistoryCommand::Erase(options) => erase::erase(options).await,
    }
}

/// Lets the function do something, and waits for its answer.
async fn ask<T: DeserializeOwned>(stack: &Stack, start: &Start) -> Result<T, BoxError> {
    let function = stack.function(NAME).ok_or_else(|| {
        format!("the stack `{}` has no {NAME}: deploy it with ReportHistoryEnabled=true", stack.name)
    })?;
    let event = serde_json::to_value(start)?;
    let answer = invocation::invoke_or_reason(stack, function, &event, LONGEST_RUN).await?;
    let answer = answer.map_err(|reason| format!("{NAME} failed: {reason}"))?;
    serde_json::from_slice(&answer).map_err(|_| {
        format!("{NAME} gave no answer that this program knows: its version may be another than that of this program").into()
    })
}

/// A day that was written.
fn date(text: &str) -> Result<Date, &'static str> {
    text.parse().map_err(|_| "write a date such as 2026-11-23")
}

/// The bucket of the stack with the exported files.
fn files(stack: &Stack) -> Result<Files, BoxError> {
    let bucket = stack.history_bucket.as_deref().ok_or_else(|| {
        format!(
            "the stack `{}` exports no history: deploy it with HistoryExportEnabled=true. For the files of an earlier bucket, give --bucket",
            stack.name
        )
    })?;
    Ok(Files::new(&stack.account.config, bucket))
}
