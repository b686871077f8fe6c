//! `events replay`: dead letters go back into their workflows' queues.
//!
//! A letter is taken out of the dead letters only once its workflow's queue has confirmed it. Whatever happens in
//! between, it is at worst sent twice, and what is finished does not run again: same payload, same event id.

use super::choice::{Choice, Chosen};
use super::interrupt::Interrupt;
use super::progress::Progress;
use super::queue::DeadLetters;
use super::sweep::{Lines, Work, events, say, sweep};
use crate::events::options::ReplayOptions;
use crate::stack::Stack;
use jiff::Timestamp;
use std::process::ExitCode;
use workflow::BoxError;

/// Replays what was asked for, and says what it was.
pub(in crate::events) async fn replay(options: ReplayOptions) -> Result<ExitCode, BoxError> {
    let started = Timestamp::now();
    let choice = Choice::read(&options.choice, started)?;
    let stack = Stack::find(&options.place).await?;
    let workflows = stack.queues_of(options.choice.workflow.as_deref())?;
    let dry = options.dry_run;
    let progress = if dry { Progress::none() } else { Progress::over(&stack, &workflows).await };
    let interrupt = Interrupt::listen();
    let mut replay = Replay { dry, progress, lines: Lines::new(&workflows, started), replayed: 0 };
    let (swept, result) = sweep(&stack, &workflows, &choice, &interrupt, &mut replay).await;
    replay.progress.end();
    let would = if dry { "would be " } else { "" };
    let summary = format!("{} {would}replayed", events(replay.replayed));
    let said = say(&[swept.notes(&choice), vec![summary]].concat(), dry);
    result.and(said)?;
    swept.end(&choice, options.choice.workflow.as_deref(), &interrupt)
}

#[derive(Debug)]
struct Replay {
    dry: bool,
    progress: Progress,
    lines: Lines,
    replayed: usize,
}

impl Work for Replay {
    async fn some(&mut self, letters: &mut DeadLetters<'_>, chosen: Vec<Chosen>) -> Result<(), BoxError> {
        let workflow = letters.queues.workflow.clone();
        let (done, refused) = if self.dry {
            ((0..chosen.len()).collect(), None)
        } else {
            let done = letters.replay(&chosen).await;
            (done.letters, done.refused)
        };
        self.replayed += done.len();
        let replayed = done.iter().filter_map(|at| chosen.get(*at)).map(|chosen| &chosen.letter);
        let lines = self.lines.of(&workflow, replayed);
        // A replay goes on to its end when nobody reads any more; what only lists has nothing to go on for.
        let said = self.progress.beside(|| say(&lines, self.dry));
        refused.map_or(said, Err)
    }

    fn received(&mut self, messages: usize) {
        self.progress.add(messages);
    }
}
