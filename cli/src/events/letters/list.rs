//! `events dead-letters list`.

use super::choice::Choice;
use super::interrupt::Interrupt;
use super::letter::{Content, Letter};
use super::queue::DeadLetters;
use super::sweep::{Counted, Lines, Work, say, sweep};
use crate::events::options::LettersOptions;
use crate::out::{self, note};
use crate::stack::Stack;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::process::ExitCode;
use tableau::Payload;
use workflow::BoxError;

/// Lists dead letters, and changes nothing.
pub(in crate::events) async fn list(options: LettersOptions) -> Result<ExitCode, BoxError> {
    let started = Timestamp::now();
    let choice = Choice { no_events: true, ..Choice::read(&options.choice, started)? };
    let stack = Stack::find(&options.place).await?;
    let workflows = stack.queues_of(options.choice.workflow.as_deref())?;
    let interrupt = Interrupt::listen();
    let lines = Lines::new((!options.wide).then(out::width), started);
    let mut list = List { json: options.json, lines, listed: Counted::default() };
    let (swept, result) = sweep(&stack, &workflows, &choice, &interrupt, &mut list).await;
    let notes = swept.notes(&choice);
    let said = if options.json {
        // Who reads JSON reads nothing else.
        notes.iter().for_each(note);
        Ok(())
    } else {
        say(&[notes, vec![list.listed.to_string()]].concat(), true)
    };
    result.and(said)?;
    swept.end(&choice, options.choice.workflow.as_deref(), &interrupt)
}

#[derive(Debug)]
struct List {
    json: bool,
    lines: Lines,
    listed: Counted,
}

impl Work for List {
    async fn some(&mut self, letters: &mut DeadLetters<'_>, chosen: Vec<Letter>) -> Result<(), BoxError> {
        chosen.iter().for_each(|letter| self.listed.add(letter));
        let workflow = &letters.queues.workflow;
        let lines = if self.json {
            chosen.iter().map(|letter| out::json(&LetterFacts::of(letter, workflow))).collect()
        } else {
            self.lines.of(workflow, chosen.iter())
        };
        say(&lines, true)
    }
}

/// A dead letter as JSON has it. The names of the fields stay as they are.
#[derive(Debug, Default, Serialize)]
struct LetterFacts<'a> {
    event_id: &'a str,
    message_id: &'a str,
    workflow: &'a str,
    event_name: &'a str,
    resource: String,
    resource_name: &'a str,
    site: String,
    #[serde(serialize_with = "crate::events::instant")]
    waits_since: Option<Timestamp>,
    reason: String,
    payload: Value,
}

impl<'a> LetterFacts<'a> {
    fn of(letter: &'a Letter, workflow: &'a str) -> Self {
        let message = Self {
            message_id: &letter.message_id,
            workflow,
            waits_since: letter.sent_at,
            reason: letter.why(),
            ..Self::default()
        };
        let event = match &letter.content {
            Content::Event(event) => event,
            Content::Timer(timer) => {
                let (event_name, resource) = ("timer", timer.key.clone());
                let payload = serde_json::from_str(&letter.body).unwrap_or_default();
                return Self { event_name, resource, payload, ..message };
            }
            // It is not repeated: it may hold secrets.
            Content::NoEvent(_) => return message,
        };
        // It has been read before.
        let payload = Payload::parse(letter.body.as_bytes()).unwrap_or_default();
        Self {
            event_id: event.id.as_str(),
            event_name: &event.name,
            resource: payload.resource_luid.unwrap_or_default(),
            resource_name: &event.resource,
            site: payload.site_luid.unwrap_or_default(),
            payload: serde_json::from_str(&letter.body).unwrap_or_default(),
            ..message
        }
    }
}
