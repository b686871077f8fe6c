//! `events dead-letters list`.

use super::choice::{Choice, Chosen};
use super::interrupt::Interrupt;
use super::letter::Letter;
use super::queue::DeadLetters;
use super::sweep::{Lines, Work, letters_of, say, sweep};
use crate::events::options::LettersOptions;
use crate::out::{self, note};
use crate::stack::Stack;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::ExitCode;
use tableau::{EventId, Payload};
use workflow::BoxError;

/// Lists dead letters, and changes nothing.
pub(in crate::events) async fn list(options: LettersOptions) -> Result<ExitCode, BoxError> {
    let started = Timestamp::now();
    let choice = Choice::read(&options.choice, started, false)?;
    let stack = Stack::find(&options.place).await?;
    let workflows = stack.queues_of(options.choice.workflow.as_deref())?;
    let interrupt = Interrupt::listen();
    let mut list = List {
        json: options.json,
        lines: Lines::new(&workflows, started),
        listed: 0,
        events: BTreeSet::new(),
    };
    let (swept, result) = sweep(&stack, &workflows, &choice, &interrupt, &mut list).await;
    let notes = swept.notes(&choice);
    let said = if options.json {
        // Who reads JSON reads nothing else.
        notes.iter().for_each(note);
        Ok(())
    } else {
        say(&[notes, vec![letters_of(list.listed, list.events.len())]].concat(), true)
    };
    result.and(said)?;
    swept.end(&choice, options.choice.workflow.as_deref(), &interrupt)
}

#[derive(Debug)]
struct List {
    json: bool,
    lines: Lines,
    listed: usize,
    events: BTreeSet<EventId>,
}

impl Work for List {
    async fn some(&mut self, letters: &mut DeadLetters<'_>, chosen: Vec<Chosen>) -> Result<(), BoxError> {
        self.listed += chosen.len();
        self.events.extend(chosen.iter().map(|chosen| chosen.letter.id.clone()));
        let workflow = &letters.queues.workflow;
        let found = chosen.iter().map(|chosen| &chosen.letter);
        let lines = if self.json {
            found.map(|letter| out::json(&LetterFacts::of(letter, workflow))).collect()
        } else {
            self.lines.of(workflow, found)
        };
        say(&lines, true)
    }
}

/// A dead letter as JSON has it. The names of the fields stay as they are.
#[derive(Debug, Serialize)]
struct LetterFacts<'a> {
    event_id: &'a str,
    workflow: &'a str,
    event_name: &'a str,
    resource: String,
    resource_name: &'a str,
    site: String,
    #[serde(serialize_with = "crate::events::instant")]
    waits_since: Option<Timestamp>,
    reason: &'a str,
    payload: Value,
}

impl<'a> LetterFacts<'a> {
    fn of(letter: &'a Letter, workflow: &'a str) -> Self {
        // It has been read before.
        let payload = Payload::parse(letter.body.as_bytes()).unwrap_or_default();
        Self {
            event_id: letter.id.as_str(),
            workflow,
            event_name: &letter.event,
            resource: payload.resource_luid.unwrap_or_default(),
            resource_name: &letter.resource,
            site: payload.site_luid.unwrap_or_default(),
            waits_since: letter.sent_at,
            reason: &letter.reason,
            payload: serde_json::from_str(&letter.body).unwrap_or_default(),
        }
    }
}
