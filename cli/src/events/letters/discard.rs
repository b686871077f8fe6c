//! `events dead-letters drop`: deletes letters, after a question.

use super::choice::{Choice, Chosen, Seen};
use super::interrupt::Interrupt;
use super::queue::{DeadLetters, HELD_SECONDS};
use super::records::Marks;
use super::sweep::{Lines, Swept, Work, letters_of, say, workflow};
use crate::events::options::DropOptions;
use crate::events::span::Span;
use crate::out::{note, plain};
use crate::stack::Stack;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::io::{IsTerminal, Write, stderr, stdin};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tableau::EventId;
use tokio::sync::oneshot;
use workflow::BoxError;

/// How long we wait for an answer: until then nobody else sees the letters.
const PATIENCE: Duration = Duration::from_secs(HELD_SECONDS.unsigned_abs() as u64 - 60);

/// Shows the letters that are asked for, asks, and deletes them.
pub(in crate::events) async fn drop(options: DropOptions) -> Result<ExitCode, BoxError> {
    let started = Timestamp::now();
    let ids = options.ids.iter().cloned().collect();
    let choice = Choice { ids, event: None, span: Span::default(), started, sends: false };
    let stack = Stack::find(&options.place).await?;
    let workflows = stack.queues_of(options.workflow.as_deref())?;
    let interrupt = Interrupt::listen();
    let began = Instant::now();
    let mut marks = Marks::of(&stack);
    let (mut swept, mut held, mut result) = (Swept::default(), Vec::new(), Ok(()));
    for queues in &workflows {
        let (mut letters, mut seen) = (DeadLetters::open(&stack.account, queues), Seen::default());
        let mut gathered = Gathered { chosen: Vec::new(), marks: &mut marks };
        result = workflow(&mut letters, &choice, &mut seen, &interrupt, &mut gathered).await;
        swept.add(seen, &queues.workflow);
        held.push((letters, gathered.chosen));
        if result.is_err() {
            break;
        }
    }
    let mut lines = Lines::new(&workflows, started);
    let mut dropped = Vec::new();
    if result.is_ok() {
        result = show(&mut lines, &held);
        let found: Vec<&Chosen> = held.iter().flat_map(|(_, chosen)| chosen).collect();
        if result.is_ok() && !found.is_empty() && !interrupt.asked() {
            let agreed = if options.yes { Ok(true) } else { agrees(&count(&found), began, &interrupt).await };
            match agreed {
                Ok(true) => (dropped, result) = delete(&mut held, &mut marks).await,
                Ok(false) => {}
                Err(error) => result = Err(error),
            }
        }
    }
    for (letters, _) in held {
        // Also after a failure: what stays must be seen again.
        result = result.and(letters.give_back().await);
    }
    let said = say(&[format!("{} dropped", count(&dropped.iter().collect::<Vec<_>>()))], false);
    marks.trouble().into_iter().for_each(note);
    result.and(said)?;
    swept.end(&choice, options.workflow.as_deref(), &interrupt)
}

fn count(letters: &[&Chosen]) -> String {
    let events: BTreeSet<&EventId> = letters.iter().map(|chosen| &chosen.letter.id).collect();
    letters_of(letters.len(), events.len())
}

/// What was found, for now.
#[derive(Debug)]
struct Gathered<'a, 's> {
    chosen: Vec<Chosen>,
    marks: &'a mut Marks<'s>,
}

impl Work for Gathered<'_, '_> {
    async fn some(&mut self, letters: &mut DeadLetters<'_>, chosen: Vec<Chosen>) -> Result<(), BoxError> {
        for Chosen { letter, .. } in &chosen {
            self.marks.look(&letters.queues.workflow, &letter.id).await;
        }
        self.chosen.extend(chosen);
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

/// Deletes the letters, and says so in the records of those events that have none left; gives what was deleted.
async fn delete(
    held: &mut [(DeadLetters<'_>, Vec<Chosen>)],
    marks: &mut Marks<'_>,
) -> (Vec<Chosen>, Result<(), BoxError>) {
    let mut dropped = Vec::new();
    for (letters, chosen) in held {
        let all: Vec<usize> = (0..chosen.len()).collect();
        let done = letters.delete(chosen, &all).await;
        let is_done = |(at, _): &(usize, &Chosen)| done.letters.contains(at);
        let (gone, left): (Vec<_>, Vec<_>) = chosen.iter().enumerate().partition(is_done);
        let left: BTreeSet<&EventId> = left.iter().map(|(_, chosen)| &chosen.letter.id).collect();
        dropped.extend(gone.iter().map(|(_, chosen)| (*chosen).clone()));
        let gone: BTreeSet<&EventId> = gone.iter().map(|(_, chosen)| &chosen.letter.id).collect();
        for id in gone.difference(&left) {
            marks.dropped(&letters.queues.workflow, id).await;
        }
        if let Some(refused) = done.refused {
            let left: Vec<&str> = left.iter().map(|id| id.short()).collect();
            return (dropped, Err(format!("not dropped: {}: {refused}", left.join(", ")).into()));
        }
    }
    (dropped, Ok(()))
}

/// Asks whether to drop so many letters, and waits for the answer while there is time.
async fn agrees(found: &str, began: Instant, interrupt: &Interrupt) -> Result<bool, BoxError> {
    if !stdin().is_terminal() || !stderr().is_terminal() {
        return Err("there is no terminal to ask at: --yes drops without a question".into());
    }
    // Whoever cannot read the question will not say yes.
    let they = if found == "1 dead letter" { "It" } else { "They" };
    let _ = write!(stderr(), "Drop {found}? {they} cannot be brought back. [y/N] ");
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
