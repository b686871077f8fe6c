//! `rules`: checks, publishes, shows and explains rules; and the rules as other commands read them.

mod body;
mod cases;
mod check;
mod deploy;
mod difference;
mod evaluate;
mod event;
mod explain;
mod explained;
mod given;
mod history;
mod options;
mod problems;
mod published;
mod rollback;
mod show;
mod test;
mod webhooks;

pub(crate) use check::{channels, plan, read};
pub(crate) use options::RulesCommand;

use crate::out::line;
use std::process::ExitCode;
use workflow::BoxError;

/// Carries out a command.
pub(crate) async fn run(command: RulesCommand) -> Result<ExitCode, BoxError> {
    match command {
        RulesCommand::Check(options) => check::check(&options).await,
        RulesCommand::Deploy(options) => deploy::deploy(&options).await,
        RulesCommand::Show(options) => show::show(&options).await,
        RulesCommand::History(options) => history::history(&options).await,
        RulesCommand::Rollback(options) => rollback::rollback(&options).await,
        RulesCommand::Explain(options) => explain::explain(&options).await,
        RulesCommand::Test(options) => test::test(&options),
        RulesCommand::Schema => {
            line!("{}", serde_json::to_string_pretty(&rules::schema::of_file())?)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
