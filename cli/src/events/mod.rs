//! The command `events`: looks up what happened to events, and replays them.

mod dead_letters;
mod history;
mod ids;
mod options;
mod table;
mod time_range;

pub(crate) use history::payload_of;
pub(crate) use options::EventsCommand;
pub(crate) use table::{Column, Table, age};

use jiff::Timestamp;
use options::DeadLettersCommand;
use serde::{Serialize, Serializer};
use std::process::ExitCode;
use workflow::BoxError;

/// Writes a timestamp for JSON, in the format whose alphabetical order is the order in time.
fn instant<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    at.map(|at| format!("{at:.3}")).serialize(serializer)
}

/// Runs an `events` command.
pub(crate) async fn run(command: EventsCommand) -> Result<ExitCode, BoxError> {
    match command {
        EventsCommand::List(options) => history::list(options).await,
        EventsCommand::Show(options) => history::show(options).await,
        EventsCommand::Replay(options) => dead_letters::replay(options).await,
        EventsCommand::DeadLetters { command } => match command {
            DeadLettersCommand::List(options) => dead_letters::list(options).await,
            DeadLettersCommand::Redrive(options) => dead_letters::replay(options).await,
            DeadLettersCommand::Drop(options) => dead_letters::drop(options).await,
        },
    }
}
