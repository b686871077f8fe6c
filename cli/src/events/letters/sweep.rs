//! Going through the dead letters of a stack once, and doing something about those that are meant.

use super::choice::{Choice, Chosen, Seen};
use super::interrupt::Interrupt;
use super::letter::Letter;
use super::queue::DeadLetters;
use crate::events::table::{Table, age, cell, name, terminal_width};
use crate::out::{line, plain};
use crate::stack::{Stack, WorkflowQueues};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashSet};
use std::process::ExitCode;
use workflow::BoxError;

const HEAD: [&str; 6] = ["SINCE", "WORKFLOW", "EVENT", "NAME", "EVENT ID", "REASON"];

/// What is done about the letters.
pub(super) trait Work {
    /// Does it to some of a workflow's letters.
    async fn some(&mut self, letters: &mut DeadLetters<'_>, chosen: Vec<Chosen>) -> Result<(), BoxError>;

    /// So many messages were received.
    fn received(&mut self, _messages: usize) {}
}

/// Goes through the dead letters of these workflows.
pub(super) async fn sweep(
    stack: &Stack,
    workflows: &[&WorkflowQueues],
    choice: &Choice,
    interrupt: &Interrupt,
    work: &mut impl Work,
) -> (Swept, Result<(), BoxError>) {
    let (mut swept, mut result) = (Swept::default(), Ok(()));
    for queues in workflows {
        let mut letters = DeadLetters::open(&stack.account, queues);
        let mut seen = Seen::default();
        result = workflow(&mut letters, choice, &mut seen, interrupt, work).await;
        swept.add(seen, &queues.workflow);
        // Also after a failure: what stays must be seen again.
        let given_back = letters.give_back().await;
        result = result.and(given_back);
        if result.is_err() || interrupt.asked() {
            break;
        }
    }
    (swept, result)
}

/// Goes through one workflow's dead letters.
pub(super) async fn workflow(
    letters: &mut DeadLetters<'_>,
    choice: &Choice,
    seen: &mut Seen,
    interrupt: &Interrupt,
    work: &mut impl Work,
) -> Result<(), BoxError> {
    let mut before = HashSet::new();
    while !interrupt.asked() {
        let Some(messages) = letters.receive().await? else { break };
        work.received(messages.len());
        let chosen = choice.of(&messages, &mut before, seen);
        if !chosen.is_empty() {
            work.some(letters, chosen).await?;
        }
    }
    Ok(())
}

/// What was come across on the way.
#[derive(Debug, Default)]
pub(super) struct Swept {
    found: BTreeSet<String>,
    newer: usize,
    notes: Vec<String>,
}

impl Swept {
    pub(super) fn add(&mut self, seen: Seen, workflow: &str) {
        self.found.extend(seen.found);
        self.newer += seen.newer;
        self.notes.extend(seen.unread.into_iter().map(|(id, why)| {
            format!("left where it is: message {} of {workflow} is no event: {why}", plain(&id))
        }));
    }

    /// What else is to say. Who asks for certain events does not ask about other messages.
    pub(super) fn notes(&self, choice: &Choice) -> Vec<String> {
        let notes = self.notes.iter().filter(|_| choice.ids.is_empty()).cloned();
        let newer = format!("{} came after this began, and left where they are", events(self.newer));
        notes.chain((self.newer > 0).then_some(newer)).collect()
    }

    /// How the program ends: with an error when an event was asked for that is nowhere.
    pub(super) fn end(
        &self,
        choice: &Choice,
        workflow: Option<&str>,
        interrupt: &Interrupt,
    ) -> Result<ExitCode, BoxError> {
        if interrupt.asked() {
            return Ok(Interrupt::exit_code());
        }
        let missing: Vec<&str> = choice.ids.difference(&self.found).map(String::as_str).collect();
        if missing.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        let whose = workflow.map(|workflow| format!("{workflow}'s ")).unwrap_or_default();
        Err(format!("not among {whose}dead letters: {}", missing.join(", ")).into())
    }
}

/// Letters as lines of a table, below a head.
#[derive(Debug)]
pub(super) struct Lines {
    table: Table<6>,
    now: Timestamp,
    begun: bool,
}

impl Lines {
    pub(super) fn new(workflows: &[&WorkflowQueues], now: Timestamp) -> Self {
        let mut table = Table::new(HEAD, terminal_width());
        table.fit_column(1, workflows.iter().map(|queues| queues.workflow.as_str()));
        Self { table, now, begun: false }
    }

    /// The lines of some letters.
    pub(super) fn of<'l>(
        &mut self,
        workflow: &str,
        letters: impl Iterator<Item = &'l Letter>,
    ) -> Vec<String> {
        let rows: Vec<_> = letters.map(|letter| row(letter, workflow, self.now)).collect();
        self.table.fit(&rows);
        let head = (!self.begun && !rows.is_empty()).then(|| self.table.head());
        self.begun |= !rows.is_empty();
        head.into_iter().chain(rows.iter().map(|row| self.table.line(row))).collect()
    }
}

/// What is shown of a dead letter.
fn row(letter: &Letter, workflow: &str, now: Timestamp) -> [String; 6] {
    [
        age(letter.sent_at, now),
        workflow.to_owned(),
        cell(&letter.event),
        name(&letter.resource),
        letter.id.short().to_owned(),
        plain(&letter.reason),
    ]
}

/// Prints lines. `needed`: whether it is all for nothing once nobody reads them.
pub(super) fn say(lines: &[String], needed: bool) -> Result<(), BoxError> {
    for text in lines {
        match line!("{text}") {
            Err(error) if error.reader_has_gone() && !needed => return Ok(()),
            said => said?,
        }
    }
    Ok(())
}

pub(super) fn events(count: usize) -> String {
    if count == 1 { "1 event".to_owned() } else { format!("{count} events") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tableau::{EventId, Payload};

    #[test]
    fn a_letter_cannot_steer_the_terminal() {
        let letter = Letter {
            id: EventId::of(&Payload::default()),
            body: String::new(),
            event: "X\u{1b}[31m".to_owned(),
            resource: "a\nb ".repeat(40),
            sent_at: Some(Timestamp::UNIX_EPOCH),
            reason: "\u{1b}]0;title\u{7}no".to_owned(),
        };
        let row = row(&letter, "notify-slack", Timestamp::UNIX_EPOCH);
        assert_eq!([row[0].as_str(), &row[2], &row[5]], ["0 s", "X[31m", "]0;titleno"]);
        assert!(row[3].starts_with("a b a b"), "{}", row[3]);
    }
}
