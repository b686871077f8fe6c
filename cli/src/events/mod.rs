//! `events`: what became of events at a stack, and sending them round again.

mod history;
mod letters;
mod options;
mod span;
mod table;

pub(crate) use options::EventsCommand;

use options::DeadLettersCommand;
use std::process::ExitCode;
use workflow::BoxError;

/// Carries out a command.
pub(crate) async fn run(command: EventsCommand) -> Result<ExitCode, BoxError> {
    match command {
        EventsCommand::List(options) => history::list(options).await,
        EventsCommand::Show(options) => history::show(options).await,
        EventsCommand::Replay(options) => letters::replay(options).await,
        EventsCommand::DeadLetters { command } => match command {
            DeadLettersCommand::List(options) => letters::list(options).await,
            DeadLettersCommand::Redrive(options) => letters::replay(options).await,
            DeadLettersCommand::Drop(options) => letters::drop(options).await,
        },
    }
}
