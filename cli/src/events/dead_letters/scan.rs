//! Reads all dead letters of a stack once, and does some work on the selected ones.

use super::dead_letter::{Content, DeadLetter};
use super::interrupt::Interrupt;
use super::queue::DeadLetterQueue;
use super::selector::{Seen, Selector, Unread};
use super::subject::{Subject, count};
use crate::events::ids::{self, Candidates};
use crate::out::{counted, plain};
use crate::stack::{Stack, WorkflowQueues};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::process::ExitCode;
use tableau::EventId;
use workflow::BoxError;

/// The most events that one line names.
const NAMED: usize = 10;

/// The work to do on the selected dead letters.
pub(super) trait Work {
    /// Does the work on some dead letters of a workflow.
    async fn some(
        &mut self,
        letters: &mut DeadLetterQueue<'_>,
        chosen: Vec<DeadLetter>,
    ) -> Result<(), BoxError>;

    /// Called with the number of messages received.
    fn received(&mut self, _messages: usize) {}
}

/// Reads the dead letters of these workflows.
pub(super) async fn scan(
    stack: &Stack,
    workflows: &[&WorkflowQueues],
    selector: &Selector,
    interrupt: &Interrupt,
    work: &mut impl Work,
) -> (Scanned, Result<(), BoxError>) {
    let mut scanned = Scanned::default();
    let mut result = Ok(());
    for queues in workflows {
        let mut letters = DeadLetterQueue::open(&stack.account, queues);
        let mut seen = Seen::default();
        result = workflow(&mut letters, selector, &mut seen, interrupt, work).await;
        scanned.add(seen, &queues.workflow);
        // Also after a failure: other programs must see the remaining messages again.
        let given_back = letters.give_back().await;
        result = result.and(given_back);
        if result.is_err() || interrupt.asked() {
            break;
        }
    }
    (scanned, result)
}

/// Reads the dead letters of one workflow.
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

/// What a scan has found.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    found: BTreeMap<String, Candidates>,
    newer: BTreeSet<Subject>,
    back: BTreeSet<Subject>,
    /// Messages that are not events, with their workflows.
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

    /// Further notes to print. If the user asked for certain ids, other messages are not mentioned.
    pub(super) fn notes(&self, selector: &Selector) -> Vec<String> {
        let unread = self.unread.iter().filter(|(_, unread)| selector.ids.is_empty() || unread.named);
        let unread: Vec<String> = unread.map(|(workflow, unread)| left(workflow, unread)).collect();
        let hint =
            (!unread.is_empty()).then(|| "`events dead-letters drop MESSAGE_ID` deletes one".to_owned());
        let left = match self.newer.len() {
            0 => None,
            1 => Some(format!("{} arrived after the start and is not replayed", count(&self.newer))),
            _ => Some(format!("{} arrived after the start and are not replayed", count(&self.newer))),
        };
        unread.into_iter().chain(hint).chain(left).collect()
    }

    /// A note about events that have failed again after they were replayed.
    pub(super) fn back(&self) -> Option<String> {
        let named: Vec<String> =
            self.back.iter().take(NAMED).map(|subject| plain(&subject.to_string())).collect();
        let more = if self.back.len() > NAMED { ", …" } else { "" };
        let failed = match self.back.len() {
            0 => return None,
            1 => "1 of them failed again and is a dead letter again".to_owned(),
            back => format!("{back} of them failed again and are dead letters again"),
        };
        Some(format!("{failed}: {}{more}; see `events dead-letters list`", named.join(", ")))
    }

    /// The result of the command: an error if an id was given that was not found.
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
            return Err("a message that is not an event cannot be replayed: `events dead-letters drop MESSAGE_ID` deletes it".into());
        }
        let is_named = |id: &&str| !self.found.contains_key(*id);
        let missing: Vec<&str> = selector.ids.iter().map(String::as_str).filter(is_named).collect();
        if missing.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        let whose = workflow.map(|workflow| format!(" of {workflow}")).unwrap_or_default();
        let missing = missing.join(", ");
        Err(format!("no dead letter{whose} has this id: {missing}; `events dead-letters list` shows all")
            .into())
    }

    /// Refuses first digits that several ids share: the command does not guess which one is meant.
    pub(super) fn unambiguous(&self) -> Result<(), BoxError> {
        let ambiguous = self.found.iter().find(|(_, candidates)| candidates.len() > 1);
        ambiguous.map_or(Ok(()), |(beginning, candidates)| Err(ids::ambiguous(beginning, candidates).into()))
    }
}

/// Work that does nothing: the scan only finds the dead letters.
#[derive(Debug)]
struct Nothing;

impl Work for Nothing {
    async fn some(&mut self, _: &mut DeadLetterQueue<'_>, _: Vec<DeadLetter>) -> Result<(), BoxError> {
        Ok(())
    }
}

/// Replaces first digits in the selector by complete ids, so that a later dead letter with the same first digits is
/// not selected.
///
/// # Errors
/// If several ids share the first digits. Nothing has been done then.
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

/// The note about a message that is not an event and was left in the queue.
fn left(workflow: &str, Unread { message_id, why, .. }: &Unread) -> String {
    format!("not replayed: message {} of {workflow} is not an event: {why}", plain(message_id))
}

/// Counts dead letters, their events, timers, and messages that are not events.
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

    /// The total number of messages.
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
            1 => parts.push("1 message that is not an event".to_owned()),
            messages => parts.push(format!("{messages} messages that are not events")),
        }
        f.write_str(&parts.join(" and "))
    }
}

/// The text for a number of dead letters of a number of events.
pub(super) fn letters_of(letters: usize, events: usize) -> String {
    let letters_text = counted(letters, "dead letter");
    if letters == events { letters_text } else { format!("{letters_text} of {}", counted(events, "event")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
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
    fn what_is_left_and_what_is_back_have_different_sentences() {
        let time_range = crate::events::time_range::TimeRange::default();
        let ids = BTreeSet::new();
        let started = Timestamp::UNIX_EPOCH;
        let selector = Selector { ids, event: None, time_range, started, sends: true, no_events: false };
        assert_eq!(scanned(1, 0).notes(&selector), ["1 event arrived after the start and is not replayed"]);
        assert_eq!(scanned(2, 0).notes(&selector), ["2 events arrived after the start and are not replayed"]);
        assert_eq!((scanned(0, 1).notes(&selector), scanned(1, 0).back()), (Vec::new(), None));
        let one = scanned(0, 1);
        let id = one.back.first().map(Subject::to_string).unwrap_or_default();
        let expected = format!(
            "1 of them failed again and is a dead letter again: {id}; see `events dead-letters list`"
        );
        assert_eq!(one.back(), Some(expected));
        let many = scanned(0, 11).back().unwrap();
        assert!(many.starts_with("11 of them failed again and are dead letters again: "), "{many}");
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
}
