//! `events dead-letters list`.

use super::choice::Choice;
use super::interrupt::Interrupt;
use super::letter::Letter;
use super::queue::DeadLetters;
use super::sweep::{Counted, Lines, Work, say, sweep};
use crate::events::options::LettersOptions;
use crate::stack::Stack;
use jiff::Timestamp;
use std::process::ExitCode;
use workflow::BoxError;

/// Lists dead letters, and changes nothing.
pub(in crate::events) async fn list(options: LettersOptions) -> Result<ExitCode, BoxError> {
    let started = Timestamp::now();
    let choice = Choice { no_events: true, ..Choice::read(&options.choice, started)? };
    let stack = Stack::find(&options.place).await?;
    let workflows = stack.queues_of(options.choice.workflow.as_deref())?;
    let interrupt = Interrupt::listen();
    let lines = Lines::new(options.form(), started);
    let mut list = List { lines, listed: Counted::default() };
    let (swept, result) = sweep(&stack, &workflows, &choice, &interrupt, &mut list).await;
    let notes = swept.notes(&choice);
    // Programs that read JSON need no count.
    let count = if options.json { Vec::new() } else { vec![list.listed.to_string()] };
    let said = list.lines.say(&[notes, count].concat(), true);
    result.and(said)?;
    swept.end(&choice, options.choice.workflow.as_deref(), &interrupt)
}

#[derive(Debug)]
struct List {
    lines: Lines,
    listed: Counted,
}

impl Work for List {
    async fn some(&mut self, letters: &mut DeadLetters<'_>, chosen: Vec<Letter>) -> Result<(), BoxError> {
        chosen.iter().for_each(|letter| self.listed.add(letter));
        let lines = self.lines.of(&letters.queues.workflow, chosen.iter());
        say(&lines, true)
    }
}
