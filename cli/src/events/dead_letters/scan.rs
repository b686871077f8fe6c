//! Going through the dead letters of a stack once, and doing something about those that are meant.

use super::dead_letter::{Content, DeadLetter};
use super::facts::DeadLetterFacts;
use super::interrupt::Interrupt;
use super::queue::DeadLetterQueue;
use super::selector::{Seen, Selector, Unread};
use super::subject::{Subject, count, counted};
use crate::events::ids::{self, Candidates};
use crate::events::options::{DeadLettersOptions, ReplayOptions};
use crate::events::table::{Column, Table, age, cell, event_id, message_id, name};
use crate::out::{self, line, note, plain};
use crate::stack::{Stack, WorkflowQueues};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::process::ExitCode;
use tableau::EventId;
use workflow::BoxError;

/// What a row has. At 80 columns every column is there.
const COLUMNS: [Column; 6] = [
    Column::whole("WAITS FOR"),
    Column::cut("WORKFLOW", 10),
    Column::cut_in_the_middle("EVENT", 14),
    Column::cut("NAME", 8),
    Column::whole("EVENT ID"),
    Column::cut("REASON", 20),
];

/// The most events that are named in a line.
const NAMED: usize = 10;

/// What is done about the letters.
pub(super) trait Work {
    /// Does it to some of a workflow's letters.
    async fn some(
        &mut self,
        letters: &mut DeadLetterQueue<'_>,
        chosen: Vec<DeadLetter>,
    ) -> Result<(), BoxError>;

    /// So many messages were received.
    fn received(&mut self, _messages: usize) {}
}

/// Goes through the dead letters of these workflows.
pub(super) async fn scan(
    stack: &Stack,
    workflows: &[&WorkflowQueues],
    selector: &Selector,
    interrupt: &Interrupt,
    work: &mut impl Work,
) -> (Scanned, Result<(), BoxError>) {
    let (mut scanned, mut result) = (Scanned::default(), Ok(()));
    for queues in workflows {
        let mut letters = DeadLetterQueue::open(&stack.account, queues);
        let mut seen = Seen::default();
        result = workflow(&mut letters, selector, &mut seen, interrupt, work).await;
        scanned.add(seen, &queues.workflow);
        // Also after a failure: what stays must be seen again.
        let given_back = letters.give_back().await;
        result = result.and(given_back);
        if result.is_err() || interrupt.asked() {
            break;
        }
    }
    (scanned, result)
}

/// Goes through one workflow's dead letters.
pub(super) async fn workflow(
    letters: &mut DeadLetterQueue<'_>,
    selector: &Selector,
    seen: &mut Seen,
    interrupt: &Interrupt,
    work: &mut impl Work,
) -> Result<(), BoxError> {
    while !interrupt.asked() {
        let Some(messages) = letters.receive().await? else { break };
        work.received(messages.len());
        let chosen = selector.of(&messages, seen);
        if !chosen.is_empty() {
            work.some(letters, chosen).await?;
        }
    }
    Ok(())
}

/// What was come across on the way.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    found: BTreeMap<String, Candidates>,
    newer: BTreeSet<Subject>,
    back: BTreeSet<Subject>,
    /// Messages that are no events, with their workflow.
    unread: Vec<(String, Unread)>,
}

impl Scanned {
    pub(super) fn add(&mut self, seen: Seen, workflow: &str) {
        for (beginning, ids) in seen.found {
            self.found.entry(beginning).or_default().extend(ids);
        }
        self.newer.extend(seen.newer);
        self.back.extend(seen.back);
        self.unread.extend(seen.unread.into_iter().map(|unread| (workflow.to_owned(), unread)));
    }

    /// What else is to say. Who asks for certain letters does not ask about other messages.
    pub(super) fn notes(&self, selector: &Selector) -> Vec<String> {
        let unread = self.unread.iter().filter(|(_, unread)| selector.ids.is_empty() || unread.named);
        let unread: Vec<String> = unread.map(|(workflow, unread)| left(workflow, unread)).collect();
        let hint =
            (!unread.is_empty()).then(|| "`events dead-letters drop MESSAGE_ID` deletes one".to_owned());
        let left = match self.newer.len() {
            0 => None,
            1 => Some(format!("{} came after this began, and is left where it is", count(&self.newer))),
            _ => Some(format!("{} came after this began, and are left where they are", count(&self.newer))),
        };
        unread.into_iter().chain(hint).chain(left).collect()
    }

    /// What is to say below how many events were sent round again.
    pub(super) fn back(&self) -> Option<String> {
        let named: Vec<String> =
            self.back.iter().take(NAMED).map(|subject| plain(&subject.to_string())).collect();
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
        selector: &Selector,
        workflow: Option<&str>,
        interrupt: &Interrupt,
    ) -> Result<ExitCode, BoxError> {
        if interrupt.asked() {
            return Ok(Interrupt::exit_code());
        }
        if self.unread.iter().any(|(_, unread)| unread.named) {
            return Err("what is no event cannot be replayed".into());
        }
        let is_named = |id: &&str| !self.found.contains_key(*id);
        let missing: Vec<&str> = selector.ids.iter().map(String::as_str).filter(is_named).collect();
        if missing.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        let whose = workflow.map(|workflow| format!("{workflow}'s ")).unwrap_or_default();
        Err(format!("not among {whose}dead letters: {}", missing.join(", ")).into())
    }

    /// Refuses a beginning that more than one id has: which of them is meant is not for us to guess.
    pub(super) fn unambiguous(&self) -> Result<(), BoxError> {
        let ambiguous = self.found.iter().find(|(_, candidates)| candidates.len() > 1);
        ambiguous.map_or(Ok(()), |(beginning, candidates)| Err(ids::ambiguous(beginning, candidates).into()))
    }
}

/// Does nothing about letters but come across them.
#[derive(Debug)]
struct Nothing;

impl Work for Nothing {
    async fn some(&mut self, _: &mut DeadLetterQueue<'_>, _: Vec<DeadLetter>) -> Result<(), BoxError> {
        Ok(())
    }
}

/// The selector with whole ids in place of first digits, so that what comes later and begins alike is not meant.
///
/// # Errors
/// When several ids begin so, before anything is done about one.
pub(super) async fn resolved(
    stack: &Stack,
    workflows: &[&WorkflowQueues],
    selector: Selector,
    interrupt: &Interrupt,
) -> Result<Selector, BoxError> {
    if selector.ids.iter().all(|id| ids::is_whole(id)) {
        return Ok(selector);
    }
    let looking = Selector { sends: false, no_events: true, ..selector.clone() };
    let (scanned, result) = scan(stack, workflows, &looking, interrupt, &mut Nothing).await;
    result?;
    scanned.unambiguous()?;
    let whole = |id: &String| {
        let candidates = scanned.found.get(id)?;
        candidates.keys().next().cloned()
    };
    let ids = selector.ids.iter().map(|id| whole(id).unwrap_or_else(|| id.clone())).collect();
    Ok(Selector { ids, ..selector })
}

/// What is said of a message that is no event.
fn left(workflow: &str, Unread { message_id, why, .. }: &Unread) -> String {
    format!("left where it is: message {} of {workflow} is no event: {why}", plain(message_id))
}

/// How letters are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As rows of a table, of so many columns at most; nothing is cut without it.
    Table { width: Option<usize> },
    /// As an object each.
    Json,
    /// The same with the whole message.
    JsonWithBody,
}

impl Form {
    fn of(json: bool, wide: bool) -> Self {
        if json { Self::Json } else { Self::Table { width: (!wide).then(out::width) } }
    }
}

impl DeadLettersOptions {
    pub(super) fn form(&self) -> Form {
        Form::of(self.json, self.wide)
    }
}

impl ReplayOptions {
    pub(super) fn form(&self) -> Form {
        Form::of(self.json, self.wide)
    }
}

/// Letters as lines: rows below a head, or JSON.
#[derive(Debug)]
pub(super) struct Lines {
    form: Form,
    table: Table<6>,
    now: Timestamp,
    begun: bool,
}

impl Lines {
    pub(super) fn new(form: Form, now: Timestamp) -> Self {
        let width = if let Form::Table { width } = form { width } else { None };
        Self { form, table: Table::new(COLUMNS, width), now, begun: false }
    }

    /// The lines of some letters.
    pub(super) fn of<'l>(
        &mut self,
        workflow: &str,
        letters: impl Iterator<Item = &'l DeadLetter>,
    ) -> Vec<String> {
        match self.form {
            Form::Json => letters.map(|letter| out::json(&DeadLetterFacts::of(letter, workflow))).collect(),
            Form::JsonWithBody => {
                letters.map(|letter| out::json(&DeadLetterFacts::whole(letter, workflow))).collect()
            }
            Form::Table { .. } => self.rows(letters.map(|letter| (letter, workflow))),
        }
    }

    fn rows<'l>(&mut self, letters: impl Iterator<Item = (&'l DeadLetter, &'l str)>) -> Vec<String> {
        let is_narrow = self.table.is_narrow();
        let row = |(letter, workflow): (&DeadLetter, &str)| row(letter, workflow, self.now, is_narrow);
        let rows: Vec<_> = letters.map(row).collect();
        self.table.fit(&rows);
        let head = (!self.begun && !rows.is_empty()).then(|| self.table.head());
        self.begun |= !rows.is_empty();
        head.into_iter().chain(rows.iter().map(|row| self.table.line(row))).collect()
    }

    /// Prints what is to say beside the letters: below a table, and on standard error where other programs read.
    pub(super) fn say(&self, sentences: &[String], needed: bool) -> Result<(), BoxError> {
        if let Form::Table { .. } = self.form {
            return say(sentences, needed);
        }
        sentences.iter().for_each(note);
        Ok(())
    }
}

/// What is shown of a dead letter.
fn row(letter: &DeadLetter, workflow: &str, now: Timestamp, is_narrow: bool) -> [String; 6] {
    let message = || message_id(&letter.message_id, is_narrow);
    let [event, name, id] = match &letter.content {
        Content::Event(event) => {
            [cell(&event.name), name(&event.resource), event_id(event.id.as_str(), is_narrow)]
        }
        Content::Timer(timer) => {
            let (what, place) = timer.words();
            [cell(&what), name(&place), message()]
        }
        Content::NoEvent(_) => [cell(""), cell(""), message()],
    };
    [age(letter.sent_at, now), workflow.to_owned(), event, name, id, plain(&letter.why())]
}

/// How many letters of how many events there are, how many timers, and how many messages that are no events.
#[derive(Debug, Default)]
pub(super) struct Counted {
    letters: usize,
    events: BTreeSet<EventId>,
    timers: usize,
    no_events: usize,
}

impl Counted {
    pub(super) fn add(&mut self, letter: &DeadLetter) {
        match &letter.content {
            Content::Event(event) => {
                self.letters += 1;
                self.events.insert(event.id.clone());
            }
            Content::Timer(_) => self.timers += 1,
            Content::NoEvent(_) => self.no_events += 1,
        }
    }

    /// How many messages that is.
    pub(super) fn all(&self) -> usize {
        self.letters + self.timers + self.no_events
    }
}

impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if self.letters > 0 || self.all() == 0 {
            parts.push(letters_of(self.letters, self.events.len()));
        }
        if self.timers > 0 {
            parts.push(counted(self.timers, "timer"));
        }
        match self.no_events {
            0 => {}
            1 => parts.push("1 message that is no event".to_owned()),
            messages => parts.push(format!("{messages} messages that are no events")),
        }
        f.write_str(&parts.join(" and "))
    }
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
    let letters_text = counted(letters, "dead letter");
    if letters == events { letters_text } else { format!("{letters_text} of {}", counted(events, "event")) }
}

#[cfg(test)]
mod tests {
    use super::super::dead_letter::EventFacts;
    use super::*;
    use tableau::Payload;

    fn scanned(newer: usize, back: usize) -> Scanned {
        let event = |n: usize| {
            let text = Some(n.to_string());
            Subject::Event(EventId::of(&Payload { text, ..Payload::default() }))
        };
        let ids = |count: usize| (0..count).map(event).collect();
        Scanned { newer: ids(newer), back: ids(back), ..Scanned::default() }
    }

    #[test]
    fn what_is_left_and_what_is_back_are_told_apart() {
        let time_range = crate::events::time_range::TimeRange::default();
        let (ids, started) = (BTreeSet::new(), Timestamp::UNIX_EPOCH);
        let selector = Selector { ids, event: None, time_range, started, sends: true, no_events: false };
        assert_eq!(
            scanned(1, 0).notes(&selector),
            ["1 event came after this began, and is left where it is"]
        );
        assert_eq!(
            scanned(2, 0).notes(&selector),
            ["2 events came after this began, and are left where they are"]
        );
        assert_eq!((scanned(0, 1).notes(&selector), scanned(1, 0).back()), (Vec::new(), None));
        let one = scanned(0, 1);
        let id = one.back.first().map(Subject::to_string).unwrap_or_default();
        let expected = format!("1 of them failed again and is back: {id}; see `events dead-letters list`");
        assert_eq!(one.back(), Some(expected));
        let many = scanned(0, 11).back().unwrap();
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
        let id = EventId::of(&Payload::default());
        let event = EventFacts { id, name: "X\u{1b}[31m".to_owned(), resource: "a\nb ".repeat(40) };
        let letter = DeadLetter {
            message_id: "m".to_owned(),
            content: Content::Event(event),
            body: String::new(),
            sent_at: Some(Timestamp::UNIX_EPOCH),
            reason: "\u{1b}]0;title\u{7}no".to_owned(),
        };
        let row = row(&letter, "notify-slack", Timestamp::UNIX_EPOCH, false);
        assert_eq!([row[0].as_str(), &row[2], &row[5]], ["0 s", "X", "]0;titleno"]);
        assert!(row[3].starts_with("a b a b"), "{}", row[3]);
    }
}
