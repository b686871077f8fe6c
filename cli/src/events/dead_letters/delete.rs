//! `events dead-letters drop`: deletes dead letters after a confirmation.

use super::dead_letter::DeadLetter;
use super::interrupt::Interrupt;
use super::lines::{Form, Lines, say};
use super::queue::{DeadLetterQueue, HELD_SECONDS};
use super::records::Marks;
use super::scan::{Counted, Scanned, Work, workflow};
use super::selector::{Seen, Selector};
use crate::events::options::DropOptions;
use crate::events::time_range::TimeRange;
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

/// How long to wait for the confirmation. Until then other programs cannot see the dead letters.
const TIMEOUT: Duration = Duration::from_secs(HELD_SECONDS.unsigned_abs() as u64 - 60);

/// Shows the selected dead letters, asks for confirmation, and deletes them.
pub(in crate::events) async fn drop(options: DropOptions) -> Result<ExitCode, BoxError> {
    let started = Timestamp::now();
    let ids = options.ids.iter().cloned().collect();
    let time_range = TimeRange::default();
    let selector = Selector { ids, event: None, time_range, started, sends: false, no_events: true };
    let stack = Stack::find(&options.target).await?;
    let workflows = stack.queues_of(options.workflow.as_deref())?;
    let interrupt = Interrupt::listen();
    let began = Instant::now();
    let mut marks = Marks::of(&stack);
    let mut scanned = Scanned::default();
    let mut held = Vec::new();
    let mut result = Ok(());
    for queues in &workflows {
        let mut letters = DeadLetterQueue::open(&stack.account, queues);
        let mut seen = Seen::default();
        let mut gathered = Gathered { chosen: Vec::new(), marks: &mut marks };
        result = workflow(&mut letters, &selector, &mut seen, &interrupt, &mut gathered).await;
        held.push(Held { letters, chosen: gathered.chosen, others: std::mem::take(&mut seen.others) });
        scanned.add(seen, &queues.workflow);
        if result.is_err() {
            break;
        }
    }
    // Whole: a reason may be found nowhere else afterwards.
    let form = if options.json { Form::JsonWithBody } else { Form::Table { width: None } };
    let mut lines = Lines::new(form, started);
    let mut dropped = Vec::new();
    result = result.and_then(|()| scanned.unambiguous());
    if result.is_ok() {
        result = show(&mut lines, &held, options.json);
        let found = count(held.iter().flat_map(|held| &held.chosen));
        if result.is_ok() && found.all() > 0 && !interrupt.asked() {
            let agreed = if options.yes { Ok(true) } else { agrees(&found, began, &interrupt).await };
            match agreed {
                Ok(true) => (dropped, result) = delete(&mut held, &mut marks).await,
                Ok(false) => {}
                Err(error) => result = Err(error),
            }
        }
    }
    for held in held {
        // Also after a failure: what stays must be seen again.
        result = result.and(held.letters.give_back().await);
    }
    let said = lines.say(&[format!("{} dropped", count(&dropped))], false);
    marks.trouble().into_iter().for_each(note);
    result.and(said)?;
    scanned.end(&selector, options.workflow.as_deref(), &interrupt)
}

fn count<'l>(letters: impl IntoIterator<Item = &'l DeadLetter>) -> Counted {
    let mut counted = Counted::default();
    letters.into_iter().for_each(|letter| counted.add(letter));
    counted
}

/// A workflow's letters, until they are dropped or given back.
#[derive(Debug)]
struct Held<'a> {
    letters: DeadLetterQueue<'a>,
    chosen: Vec<DeadLetter>,
    /// Events with a letter that stays.
    others: BTreeSet<EventId>,
}

/// What was found, for now.
#[derive(Debug)]
struct Gathered<'a, 's> {
    chosen: Vec<DeadLetter>,
    marks: &'a mut Marks<'s>,
}

impl Work for Gathered<'_, '_> {
    async fn some(
        &mut self,
        letters: &mut DeadLetterQueue<'_>,
        chosen: Vec<DeadLetter>,
    ) -> Result<(), BoxError> {
        for id in chosen.iter().filter_map(DeadLetter::event_id) {
            self.marks.look(&letters.queues.workflow, id).await;
        }
        self.chosen.extend(chosen);
        Ok(())
    }
}

/// Shows every letter with its payload, the one thing that may not be found anywhere else. Without a reader
/// nothing is dropped.
fn show(lines: &mut Lines, held: &[Held<'_>], json: bool) -> Result<(), BoxError> {
    for Held { letters, chosen, .. } in held {
        for letter in chosen {
            let mut shown = lines.of(&letters.queues.workflow, std::iter::once(letter));
            if !json {
                shown.push(format!("  {}", plain(&letter.body)));
            }
            say(&shown, true)?;
        }
    }
    Ok(())
}

/// Deletes the letters, and says so in the records of those events that have none left; gives what was deleted.
async fn delete(held: &mut [Held<'_>], marks: &mut Marks<'_>) -> (Vec<DeadLetter>, Result<(), BoxError>) {
    let mut dropped = Vec::new();
    for Held { letters, chosen, others } in held {
        let all: Vec<usize> = (0..chosen.len()).collect();
        let done = letters.delete(chosen, &all).await;
        let is_done = |(at, _): &(usize, &DeadLetter)| done.letters.contains(at);
        let (gone, left): (Vec<_>, Vec<_>) = chosen.iter().enumerate().partition(is_done);
        dropped.extend(gone.iter().map(|(_, letter)| (*letter).clone()));
        let stay: BTreeSet<&EventId> =
            left.iter().filter_map(|(_, letter)| letter.event_id()).chain(others.iter()).collect();
        let gone: BTreeSet<&EventId> = gone.iter().filter_map(|(_, letter)| letter.event_id()).collect();
        for id in gone.difference(&stay) {
            marks.dropped(&letters.queues.workflow, id).await;
        }
        if let Some(refused) = done.refused {
            let left: BTreeSet<String> = left.iter().map(|(_, letter)| short(letter)).collect();
            let left: Vec<&str> = left.iter().map(String::as_str).collect();
            return (dropped, Err(format!("not dropped: {}: {refused}", left.join(", ")).into()));
        }
    }
    (dropped, Ok(()))
}

/// What a letter is called in an error: its event's id, or the message's.
fn short(letter: &DeadLetter) -> String {
    letter.event_id().map_or_else(|| plain(&letter.message_id), |id| id.short().to_owned())
}

/// Asks whether to drop so many letters, and waits for the answer while there is time.
async fn agrees(found: &Counted, began: Instant, interrupt: &Interrupt) -> Result<bool, BoxError> {
    if !stdin().is_terminal() || !stderr().is_terminal() {
        return Err("there is no terminal to ask for confirmation: add --yes to drop without asking".into());
    }
    // A person who cannot read the question does not say yes.
    let they = if found.all() == 1 { "It" } else { "They" };
    let _ = write!(stderr(), "Drop {found}? {they} cannot be restored. [y/N] ");
    let (sender, mut answer) = oneshot::channel();
    // A thread of its own: nothing waits for it when the program ends.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = stdin().read_line(&mut line);
        let _ = sender.send(read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes"));
    });
    while !interrupt.asked() {
        if began.elapsed() >= TIMEOUT {
            let _ = writeln!(stderr());
            return Err(
                format!("nothing was dropped: no answer within {} minutes", TIMEOUT.as_secs() / 60).into()
            );
        }
        if let Ok(answer) = tokio::time::timeout(Duration::from_millis(100), &mut answer).await {
            return Ok(answer.unwrap_or(false));
        }
    }
    let _ = writeln!(stderr());
    Ok(false)
}
