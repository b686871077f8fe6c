//! The command `history export`.

use super::{ask, files};
use crate::options::TargetOptions;
use crate::out::{counted, line, note};
use crate::stack::Stack;
use clap::Args;
use history::{Exported, ExportedDay, Start, day_of};
use jiff::Timestamp;
use std::process::ExitCode;
use workflow::BoxError;

#[derive(Debug, Args)]
pub(crate) struct ExportOptions {
    /// Export today too, as far as it goes; it is exported again when it is over. Days are in UTC
    #[arg(long)]
    today: bool,
    /// Print one JSON object per day instead of a table, also for days without rows
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetOptions,
}

pub(super) async fn export(options: ExportOptions) -> Result<ExitCode, BoxError> {
    let stack = Stack::find(&options.target).await?;
    let bucket = files(&stack)?;
    let through = options.today.then(|| day_of(Timestamp::now()));
    let exported: Exported = ask(&stack, &Start::Export { through }).await?;
    let has_rows = |day: &ExportedDay| day.deliveries + day.events + day.incidents > 0;
    if !options.json && exported.days.iter().any(has_rows) {
        line!("DAY (UTC)   DELIVERIES    EVENTS  INCIDENTS      SIZE")?;
    }
    for day in &exported.days {
        if options.json {
            line!("{}", serde_json::to_string(day)?)?;
        } else if has_rows(day) {
            let ExportedDay { day, deliveries, events, incidents, bytes } = day;
            line!("{day}  {deliveries:>10}  {events:>8}  {incidents:>9}  {:>5} kB", bytes.div_ceil(1_000))?;
        }
    }
    let Exported { days, unchanged, left } = &exported;
    note(format!(
        "{} written to the bucket {}, {unchanged} unchanged",
        counted(days.len(), "day"),
        bucket.bucket()
    ));
    if *left > 0 {
        note(format!(
            "not exported yet: {}. Run the command again, or wait for the next run within the hour",
            counted(*left, "day")
        ));
    }
    Ok(ExitCode::SUCCESS)
}
