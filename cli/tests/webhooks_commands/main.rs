//! `webhooks` against simulated Tableau sites: those of any server, and that of a stack.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod apply;
mod change;
mod create;
mod credentials;
mod delete;
mod docs;
mod kills;
mod list;
mod old;
mod plan;
mod rotate;
mod scene;
mod site;
mod stack;
#[path = "../rules_commands/terminal.rs"]
mod terminal;
mod test;

use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tableau-webhooks");

/// The token in the URLs of webhooks.
pub(crate) const TOKEN: &str = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfG";

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The objects that a command prints, one a line.
fn objects(output: &Output) -> Vec<serde_json::Value> {
    stdout(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Runs a command while the simulators go on answering.
async fn finish(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}
