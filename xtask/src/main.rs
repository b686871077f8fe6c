#![doc = include_str!("../README.md")]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal")]

mod check;
mod delivery;
mod name;
mod new_workflow;
mod release;
mod repository;
mod requirements;
mod template;
mod texts;

use clap::{Parser, Subcommand};
use repository::{Problem, Repository};
use std::process::ExitCode;

/// Chores of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    NewWorkflow(new_workflow::Arguments),
    Check(check::Arguments),
    Delivery(delivery::Arguments),
    Release(release::Arguments),
    Requirements(requirements::Arguments),
    Template(template::Arguments),
    Texts(texts::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> Result<(), Problem> {
    let repository = Repository::around_here()?;
    match chore {
        Chore::NewWorkflow(arguments) => new_workflow::run(&repository, &arguments),
        Chore::Check(arguments) => check::run(&repository, &arguments),
        Chore::Delivery(arguments) => delivery::run(&repository, &arguments),
        Chore::Release(arguments) => release::run(&repository, &arguments),
        Chore::Requirements(arguments) => requirements::run(&repository, &arguments),
        Chore::Template(arguments) => template::run(&repository, &arguments),
        Chore::Texts(arguments) => texts::run(&repository, &arguments),
    }
}
