//! `tableau-webhooks`: runs the local stack, and operates a deployed one.

mod aws;
mod certifications;
mod colour;
mod confirm;
mod events;
mod files;
mod help;
mod history;
mod http;
mod invocation;
mod keys;
mod local;
mod log;
mod names;
mod network;
mod options;
mod out;
mod profile;
mod program;
mod reconciliation;
mod refresh;
mod refreshes;
mod resolve;
mod rules;
mod send;
mod stack;
mod stack_tableau;
mod table;
mod timer_words;
mod token_secret;
mod trial;
mod up;
mod webhooks;

use options::{Command, Options};
use std::process::ExitCode;
use workflow::{BoxError, chain};

fn main() -> ExitCode {
    let options = Options::read(std::env::args_os());
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error),
    };
    match runtime.block_on(run(options)) {
        Ok(code) => code,
        Err(error) if error.downcast_ref().is_some_and(out::Error::reader_has_gone) => ExitCode::SUCCESS,
        Err(error) => failed(error.as_ref()),
    }
}

async fn run(options: Options) -> Result<ExitCode, BoxError> {
    match options.command {
        None => up::up(options.up).await,
        Some(Command::Up(up)) => up::up(up).await,
        Some(Command::Send(send)) => send::send(send).await,
        Some(Command::Events { command }) => events::run(command).await,
        Some(Command::Certifications(options)) => certifications::certifications(options).await,
        Some(Command::History { command }) => history::run(command).await,
        Some(Command::Report(options)) => history::report(options).await,
        Some(Command::Keys { command }) => keys::run(command).await,
        Some(Command::Refresh(options)) => refresh::refresh(*options).await,
        Some(Command::Refreshes { command }) => refreshes::run(command).await,
        Some(Command::Resolve(options)) => resolve::resolve(options).await,
        Some(Command::Completions { shell }) => help::completions(shell),
        Some(Command::Table { command }) => table::run(command).await,
        Some(Command::Test(test)) => trial::test(test).await,
        Some(Command::Rules { command }) => rules::run(command).await,
        Some(Command::Webhooks { command }) => webhooks::run(*command).await,
    }
}

/// Prints an error with all its causes in one line.
fn failed(error: &(dyn std::error::Error + 'static)) -> ExitCode {
    out::problem(chain(error));
    ExitCode::FAILURE
}
