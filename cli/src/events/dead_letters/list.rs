//! `events dead-letters list`.

use super::dead_letter::DeadLetter;
use super::interrupt::Interrupt;
use super::lines::{Lines, say};
use super::queue::DeadLetterQueue;
use super::scan::{Counted, Work, scan};
use super::selector::Selector;
use crate::events::options::DeadLettersOptions;
use crate::stack::Stack;
use jiff::Timestamp;
use std::process::ExitCode;
use workflow::BoxError;

/// Lists dead letters without changing anything.
pub(in crate::events) async fn list(options: DeadLettersOptions) -> Result<ExitCode, BoxError> {
    let started = Timestamp::now();
    let selector = Selector { no_events: true, ..Selector::read(&options.selector, started)? };
    let stack = Stack::find(&options.target).await?;
    let workflows = stack.queues_of(options.selector.workflow.as_deref())?;
    let interrupt = Interrupt::listen();
    let lines = Lines::new(options.form(), started);
    let mut list = List { lines, listed: Counted::default() };
    let (scanned, result) = scan(&stack, &workflows, &selector, &interrupt, &mut list).await;
    let notes = scanned.notes(&selector);
    // The output for programs (JSON) has no count.
    let count = if options.json { Vec::new() } else { vec![list.listed.to_string()] };
    let said = list.lines.say(&[notes, count].concat(), true);
    result.and(said)?;
    scanned.end(&selector, options.selector.workflow.as_deref(), &interrupt)
}

#[derive(Debug)]
struct List {
    lines: Lines,
    listed: Counted,
}

impl Work for List {
    async fn some(
        &mut self,
        letters: &mut DeadLetterQueue<'_>,
        chosen: Vec<DeadLetter>,
    ) -> Result<(), BoxError> {
        chosen.iter().for_each(|letter| self.listed.add(letter));
        let lines = self.lines.of(&letters.queues.workflow, chosen.iter());
        say(&lines, true)
    }
}
