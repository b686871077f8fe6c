//! `events dead-letters drop`: deletes letters, after a question.

use super::choice::{Choice, Chosen, Seen};
use super::interrupt::Interrupt;
use super::list::letters as count;
use super::queue::{DeadLetters, HELD_SECONDS};
use super::sweep::{Lines, Swept, Work, say, workflow};
use crate::events::options::DropOptions;
use crate::events::span::Span;
use crate::out::plain;
use crate::stack::Stack;
use jiff::Timestamp;
use std::io::{IsTerminal, Write, stderr, stdin};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use workflow::BoxError;

/// How long we wait for an answer: until then nobody else sees the letters.
const PATIENCE: Duration = Duration::from_secs(HELD_SECONDS.unsigned_abs() as u64 - 60);

/// Shows the letters that are asked for, asks, and deletes them.
pub(in crate::events) async fn drop(options: DropOptions) -> Result<ExitCode, BoxError> {
    let somebody_is_there = stdin().is_terminal() && stderr().is_terminal();
    if !options.yes && !somebody_is_there {
        return Err("there is no terminal to ask at: --yes drops without a question".into());
    }
    let started = Timestamp::now();
    let ids = options.ids.iter().cloned().collect();
    let choice = Choice { ids, event: None, span: Span::default(), started };
    let stack = Stack::find(&options.place).await?;
    let workflows = stack.queues_of(options.workflow.as_deref())?;
    let interrupt = Interrupt::listen();
    let began = Instant::now();
    let (mut swept, mut held, mut result) = (Swept::default(), Vec::new(), Ok(()));
    for queues in &workflows {
        let (mut letters, mut seen) = (DeadLetters::open(&stack.account, queues), Seen::default());
        let mut gathered = Gathered::default();
        result = workflow(&mut letters, &choice, &mut seen, &interrupt, &mut gathered).await;
        swept.add(seen, &queues.workflow);
        held.push((letters, gathered.0));
        if result.is_err() {
            break;
        }
    }
    let mut lines = Lines::new(&workflows, started);
    let mut dropped = 0;
    if result.is_ok() {
        result = show(&mut lines, &held);
        let found = held.iter().map(|(_, chosen)| chosen.len()).sum();
        if result.is_ok() && found > 0 && !interrupt.asked() {
            let agreed = if options.yes { Ok(true) } else { agrees(found, began, &interrupt).await };
            match agreed {
                Ok(true) => (dropped, result) = delete(&mut held).await,
                Ok(false) => {}
                Err(error) => result = Err(error),
            }
        }
    }
    for (letters, _) in held {
        // Also after a failure: what stays must be seen again.
        result = result.and(letters.give_back().await);
    }
    let said = say(&[format!("{} dropped", count(dropped))], false);
    result.and(said)?;
    swept.end(&choice, options.workflow.as_deref(), &interrupt)
}

/// What was found, for now.
#[derive(Debug, Default)]
struct Gathered(Vec<Chosen>);

impl Work for Gathered {
    async fn some(&mut self, _: &mut DeadLetters<'_>, chosen: Vec<Chosen>) -> Result<(), BoxError> {
        self.0.extend(chosen);
        Ok(())
    }
}

/// Shows every letter with its payload, the one thing that may not be found anywhere else. When nobody reads it,
/// nothing is dropped.
fn show(lines: &mut Lines, held: &[(DeadLetters<'_>, Vec<Chosen>)]) -> Result<(), BoxError> {
    for (letters, chosen) in held {
        for Chosen { letter, .. } in chosen {
            let mut shown = lines.of(&letters.queues.workflow, std::iter::once(letter));
            shown.push(format!("  {}", plain(&letter.body)));
            say(&shown, true)?;
        }
    }
    Ok(())
}

/// Deletes the letters; gives how many.
async fn delete(held: &mut [(DeadLetters<'_>, Vec<Chosen>)]) -> (usize, Result<(), BoxError>) {
    let mut dropped = 0;
    for (letters, chosen) in held {
        let all: Vec<usize> = (0..chosen.len()).collect();
        let done = letters.delete(chosen, &all).await;
        dropped += done.letters.len();
        if let Some(refused) = done.refused {
            let left = chosen.iter().enumerate().filter(|(at, _)| !done.letters.contains(at));
            let left: Vec<&str> = left.map(|(_, chosen)| chosen.letter.id.short()).collect();
            return (dropped, Err(format!("not dropped: {}: {refused}", left.join(", ")).into()));
        }
    }
    (dropped, Ok(()))
}

/// Asks whether to drop so many letters, and waits for the answer while there is time.
async fn agrees(found: usize, began: Instant, interrupt: &Interrupt) -> Result<bool, BoxError> {
    // Whoever cannot read the question will not say yes.
    let _ = write!(stderr(), "Drop {}? They cannot be brought back. [y/N] ", count(found));
    let (sender, mut answer) = oneshot::channel();
    // A thread of its own: nothing waits for it when the program ends.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = stdin().read_line(&mut line);
        let _ = sender.send(read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes"));
    });
    while !interrupt.asked() {
        if began.elapsed() >= PATIENCE {
            let _ = writeln!(stderr());
            return Err(
                format!("nothing was dropped: no answer within {} minutes", PATIENCE.as_secs() / 60).into()
            );
        }
        if let Ok(answer) = tokio::time::timeout(Duration::from_millis(100), &mut answer).await {
            return Ok(answer.unwrap_or(false));
        }
    }
    let _ = writeln!(stderr());
    Ok(false)
}
