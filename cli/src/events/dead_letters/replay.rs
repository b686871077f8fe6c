//! `events replay`: sends dead letters, both events and timers, back to their workflows' queues.
//!
//! A dead letter is deleted only after its workflow's queue has confirmed the message. After an interruption a
//! message may be sent twice, but finished work does not run again, because the event id stays the same.

use super::dead_letter::DeadLetter;
use super::interrupt::Interrupt;
use super::lines::{Lines, say};
use super::progress::Progress;
use super::queue::DeadLetterQueue;
use super::scan::{Work, letters_of, resolved, scan};
use super::selector::Selector;
use super::subject::{Subject, count};
use crate::events::options::ReplayOptions;
use crate::out::counted;
use crate::stack::Stack;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::process::ExitCode;
use workflow::BoxError;

/// Replays the selected dead letters and prints what was replayed.
pub(in crate::events) async fn replay(options: ReplayOptions) -> Result<ExitCode, BoxError> {
    let started = Timestamp::now();
    let selector = Selector { sends: !options.dry_run, ..Selector::read(&options.selector, started)? };
    let stack = Stack::find(&options.target).await?;
    let workflows = stack.queues_of(options.selector.workflow.as_deref())?;
    let dry = options.dry_run;
    let progress = if dry { Progress::none() } else { Progress::over(&stack, &workflows).await };
    let interrupt = Interrupt::listen();
    let selector = resolved(&stack, &workflows, selector, &interrupt).await?;
    let lines = Lines::new(options.form(), started);
    let mut replay = Replay { dry, progress, lines, events: 0, subjects: BTreeSet::new() };
    let (scanned, result) = scan(&stack, &workflows, &selector, &interrupt, &mut replay).await;
    replay.progress.end();
    let would = if dry { "would be " } else { "" };
    let summary = format!("{} {would}replayed", replayed(replay.events, &replay.subjects));
    let said: Vec<String> =
        scanned.notes(&selector).into_iter().chain([summary]).chain(scanned.back()).collect();
    let said = replay.lines.say(&said, dry);
    result.and(said)?;
    scanned.end(&selector, options.selector.workflow.as_deref(), &interrupt)
}

/// How much was replayed: events and timers; if some events have several dead letters, those too. `letters` counts
/// the dead letters of events.
fn replayed(letters: usize, subjects: &BTreeSet<Subject>) -> String {
    let events = subjects.iter().filter(|subject| subject.event().is_some()).count();
    if letters == events {
        return count(subjects);
    }
    let letters = letters_of(letters, events);
    match subjects.len() - events {
        0 => letters,
        timers => format!("{letters} and {}", counted(timers, "timer")),
    }
}

#[derive(Debug)]
struct Replay {
    dry: bool,
    progress: Progress,
    lines: Lines,
    /// The number of dead letters of events.
    events: usize,
    subjects: BTreeSet<Subject>,
}

impl Work for Replay {
    async fn some(
        &mut self,
        letters: &mut DeadLetterQueue<'_>,
        chosen: Vec<DeadLetter>,
    ) -> Result<(), BoxError> {
        let workflow = letters.queues.workflow.clone();
        let (done, refused) = if self.dry {
            ((0..chosen.len()).collect(), None)
        } else {
            let done = letters.replay(&chosen).await;
            (done.letters, done.refused)
        };
        let replayed = done.iter().filter_map(|at| chosen.get(*at));
        self.events += replayed.clone().filter_map(DeadLetter::event_id).count();
        self.subjects.extend(replayed.clone().filter_map(DeadLetter::subject));
        let lines = self.lines.of(&workflow, replayed);
        // A replay continues even if its output cannot be written; a dry run, which only lists, stops.
        let said = self.progress.beside(|| say(&lines, self.dry));
        refused.map_or(said, Err)
    }

    fn received(&mut self, messages: usize) {
        self.progress.add(messages);
    }
}
