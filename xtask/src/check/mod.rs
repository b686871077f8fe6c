//! `cargo xtask check`: what must pass before a change goes in.

mod emulator;
mod npm;
mod python;
mod sam;
mod steps;

pub(crate) use emulator::{Emulator, Iam};
pub(crate) use python::{ALL as ALL_TOOLS, OLDEST_PYTHON, TOOLS};
pub(crate) use sam::{Optimized, build_command_line, build_for, functions_in};

use crate::repository::{Problem, Repository};
use clap::builder::PossibleValuesParser;
use std::time::{Duration, Instant};
use steps::{Ended, PartOf, STEPS, Step};

/// Runs all checks that a change must pass, quickest first. Stops at the first failure.
#[derive(clap::Args)]
#[command(after_help = steps::overview())]
pub(crate) struct Arguments {
    /// Only formatting, lints and tests. These need Rust only.
    #[arg(long)]
    quick: bool,
    /// Everything, also with other people's clients and a browser. Needs Chromium; installing the clients takes minutes.
    #[arg(long, conflicts_with = "quick")]
    full: bool,
    /// Run only this step.
    #[arg(
        long,
        value_name = "STEP",
        conflicts_with_all = ["quick", "full"],
        hide_possible_values = true,
        value_parser = PossibleValuesParser::new(STEPS.iter().map(|step| step.name))
    )]
    step: Option<String>,
}

impl Arguments {
    fn part_of(&self) -> PartOf {
        if self.quick {
            PartOf::Quick
        } else if self.full {
            PartOf::Full
        } else {
            PartOf::Usual
        }
    }
}

/// How a step ended, and after how long; `None` when it did not run.
struct Line {
    step: &'static Step,
    ended: Option<(Result<Ended, Problem>, Duration)>,
}

/// Runs the command.
pub(crate) fn run(repository: &Repository, arguments: &Arguments) -> Result<(), Problem> {
    let asked = |step: &&Step| match &arguments.step {
        Some(name) => step.name == name,
        None => step.part_of <= arguments.part_of(),
    };
    let is_usual = arguments.step.is_none() && arguments.part_of() < PartOf::Full;
    let optimized = if is_usual { Optimized::ForTests } else { Optimized::AsReleased };
    let mut lines: Vec<Line> = Vec::new();
    for step in STEPS.iter().filter(asked) {
        let failed = lines.iter().any(Line::failed);
        lines.push(Line { step, ended: (!failed).then(|| timed(repository, step, optimized)) });
    }
    println!("\n{}", summary(&lines));
    match lines.iter().find(|line| line.failed()) {
        Some(line) => {
            Err(format!("{0} failed; `cargo xtask check --step {0}` runs it alone", line.step.name).into())
        }
        None => Ok(()),
    }
}

fn timed(repository: &Repository, step: &Step, optimized: Optimized) -> (Result<Ended, Problem>, Duration) {
    println!("\n── {}: {}", step.name, step.purpose);
    let start = Instant::now();
    let ended = step.run.run(repository, optimized);
    let took = start.elapsed();
    match &ended {
        Ok(Ended::Passed) => println!("── {}: passed in {:.1} s", step.name, took.as_secs_f64()),
        Ok(Ended::Skipped(reason)) => println!("── {}: SKIPPED, {reason}", step.name),
        Err(problem) => println!("── {}: FAILED after {:.1} s: {problem}", step.name, took.as_secs_f64()),
    }
    (ended, took)
}

impl Line {
    fn failed(&self) -> bool {
        matches!(self.ended, Some((Err(_), _)))
    }
}

fn summary(lines: &[Line]) -> String {
    let row = |line: &Line| {
        let (result, seconds) = match &line.ended {
            None => ("not run".to_owned(), String::new()),
            Some((ended, took)) => {
                let result = match ended {
                    Ok(Ended::Passed) => "passed".to_owned(),
                    Ok(Ended::Skipped(reason)) => format!("skipped: {reason}"),
                    Err(_) => "FAILED".to_owned(),
                };
                (result, format!("{:.1} s", took.as_secs_f64()))
            }
        };
        format!("{:<12}{seconds:>8}  {result}\n", line.step.name)
    };
    lines.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_a_line_for_every_step_that_was_asked_for() {
        let lines = [
            Line { step: &STEPS[0], ended: Some((Ok(Ended::Passed), Duration::from_millis(1_250))) },
            Line { step: &STEPS[1], ended: Some((Ok(Ended::Skipped("no tool".to_owned())), Duration::ZERO)) },
            Line { step: &STEPS[2], ended: Some((Err("broken".into()), Duration::from_secs(90))) },
            Line { step: &STEPS[3], ended: None },
        ];
        assert_eq!(
            summary(&lines).lines().collect::<Vec<_>>(),
            [
                "fmt            1.2 s  passed",
                "clippy         0.0 s  skipped: no tool",
                "doc           90.0 s  FAILED",
                "test                  not run",
            ]
        );
    }
}
