//! Going through the dead letters of a stack once, and doing something about those that are meant.

use super::choice::{Choice, Chosen, Seen};
use super::interrupt::Interrupt;
use super::letter::Letter;
use super::queue::DeadLetters;
use crate::events::table::{Table, age, cell, name, terminal_width};
use crate::out::{line, plain};
use crate::stack::{Stack, WorkflowQueues};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::process::ExitCode;
use tableau::EventId;
use workflow::BoxError;

const HEAD: [&str; 6] = ["WAITS FOR", "WORKFLOW", "EVENT", "NAME", "EVENT ID", "REASON"];

/// The most events that are named in a line.
const NAMED: usize = 10;

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
    while !interrupt.asked() {
        let Some(messages) = letters.receive().await? else { break };
        work.received(messages.len());
        let chosen = choice.of(&messages, seen);
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
    newer: BTreeSet<EventId>,
    back: BTreeSet<EventId>,
    notes: Vec<String>,
}

impl Swept {
    pub(super) fn add(&mut self, seen: Seen, workflow: &str) {
        self.found.extend(seen.found);
        self.newer.extend(seen.newer);
        self.back.extend(seen.back);
        self.notes.extend(seen.unread.into_iter().map(|(id, why)| {
            format!("left where it is: message {} of {workflow} is no event: {why}", plain(&id))
        }));
    }

    /// What else is to say. Who asks for certain events does not ask about other messages.
    pub(super) fn notes(&self, choice: &Choice) -> Vec<String> {
        let notes = self.notes.iter().filter(|_| choice.ids.is_empty()).cloned();
        let left = match self.newer.len() {
            0 => None,
            1 => Some("1 event came after this began, and is left where it is".to_owned()),
            newer => Some(format!("{newer} events came after this began, and are left where they are")),
        };
        notes.chain(left).collect()
    }

    /// What is to say below how many events were sent round again.
    pub(super) fn back(&self) -> Option<String> {
        let named: Vec<&str> = self.back.iter().take(NAMED).map(EventId::short).collect();
        let more = if self.back.len() > NAMED { ", …" } else { "" };
        let failed = match self.back.len() {
            0 => return None,
            1 => "1 of them failed again and is back".to_owned(),
            back => format!("{back} of them failed again and are back"),
        };
        Some(format!("{failed}: {}{more}; see `events dead-letters list`", named.join(", ")))
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

/// So many letters of so many events.
pub(super) fn letters_of(letters: usize, events: usize) -> String {
    let count = |count, what| if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") };
    let letters_text = count(letters, "dead letter");
    if letters == events { letters_text } else { format!("{letters_text} of {}", count(events, "event")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tableau::Payload;

    fn swept(newer: usize, back: usize) -> Swept {
        let event = |n: usize| {
            let text = Some(n.to_string());
            EventId::of(&Payload { text, ..Payload::default() })
        };
        let ids = |count: usize| (0..count).map(event).collect();
        Swept { newer: ids(newer), back: ids(back), ..Swept::default() }
    }

    #[test]
    fn what_is_left_and_what_is_back_are_told_apart() {
        let span = crate::events::span::Span::default();
        let (ids, started) = (BTreeSet::new(), Timestamp::UNIX_EPOCH);
        let choice = Choice { ids, event: None, span, started, sends: true };
        assert_eq!(swept(1, 0).notes(&choice), ["1 event came after this began, and is left where it is"]);
        assert_eq!(
            swept(2, 0).notes(&choice),
            ["2 events came after this began, and are left where they are"]
        );
        assert_eq!((swept(0, 1).notes(&choice), swept(1, 0).back()), (Vec::new(), None));
        let one = swept(0, 1);
        let id = one.back.first().map(EventId::short).unwrap_or_default();
        let expected = format!("1 of them failed again and is back: {id}; see `events dead-letters list`");
        assert_eq!(one.back(), Some(expected));
        let many = swept(0, 11).back().unwrap();
        assert!(many.starts_with("11 of them failed again and are back: "), "{many}");
        assert!(many.ends_with(", …; see `events dead-letters list`"), "{many}");
    }

    #[test]
    fn letters_are_counted_and_events_only_where_they_are_fewer() {
        let texts =
            [(0, 0), (1, 1), (2, 2), (2, 1), (5, 3)].map(|(letters, events)| letters_of(letters, events));
        let expected = [
            "0 dead letters",
            "1 dead letter",
            "2 dead letters",
            "2 dead letters of 1 event",
            "5 dead letters of 3 events",
        ];
        assert_eq!(texts, expected);
    }

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
