//! `events replay`: dead letters go back into their workflows' queues.
//!
//! A letter is taken out of the dead letters only once its workflow's queue has confirmed it. Whatever happens in
//! between, it is at worst sent twice, and what is finished does not run again: same payload, same event id.

use super::dead_letters::DeadLetters;
use super::interrupt::Interrupt;
use super::letter::Letter;
use super::table::{Row, Table, row};
use crate::options::ReplayOptions;
use crate::out::{line, plain};
use crate::stack::{Stack, WorkflowQueues};
use aws_sdk_sqs::types::Message;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashSet};
use std::io::{IsTerminal, stdout};
use std::process::ExitCode;
use tableau::EventId;
use terminal_size::terminal_size;
use workflow::BoxError;

/// How far a clock may be off. AWS takes no request that is signed by one that is further off.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(15);

/// Replays what was asked for, and says what it was.
pub(crate) async fn replay(options: ReplayOptions) -> Result<ExitCode, BoxError> {
    let started = Timestamp::now();
    let stack = Stack::find(&options.place).await?;
    let workflows = stack.queues_of(options.workflow.as_deref())?;
    let width = stdout().is_terminal().then(terminal_size).flatten().map(|(width, _)| usize::from(width.0));
    let mut run = Run {
        choice: Choice { ids: options.event_ids(), started },
        dry: options.dry_run,
        interrupt: Interrupt::listen(),
        table: Table::new(width),
        replayed: 0,
        newer: 0,
        found: BTreeSet::new(),
        notes: Vec::new(),
    };
    run.table.fit_workflows(workflows.iter().map(|queues| queues.workflow.as_str()));
    let mut result = Ok(());
    for queues in workflows {
        let mut letters = DeadLetters::open(&stack.account, queues);
        result = run.workflow(queues, &mut letters).await;
        // Also after a failure: what stays must be seen again.
        let given_back = letters.give_back().await;
        result = result.and(given_back);
        if result.is_err() || run.interrupt.asked() {
            break;
        }
    }
    let shown = run.summary();
    result?;
    shown?;
    if run.interrupt.asked() {
        return Ok(Interrupt::exit_code());
    }
    let missing = run.choice.ids.difference(&run.found).map(String::as_str).collect::<Vec<_>>();
    if missing.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let whose = options.workflow.map(|workflow| format!("{workflow}'s ")).unwrap_or_default();
    Err(format!("not among {whose}dead letters: {}", missing.join(", ")).into())
}

/// Which letters are replayed.
#[derive(Debug)]
struct Choice {
    /// Beginnings of event ids; none: all.
    ids: BTreeSet<String>,
    started: Timestamp,
}

impl Choice {
    /// The beginnings that name this event; `None` when others were asked for.
    fn names(&self, id: &EventId) -> Option<Vec<&String>> {
        let names: Vec<_> = self.ids.iter().filter(|beginning| id.as_str().starts_with(*beginning)).collect();
        (self.ids.is_empty() || !names.is_empty()).then_some(names)
    }

    /// Whether the letter came after we began, as one does that is replayed and fails again. `repeated`: whether its
    /// event was replayed before in this run. Then our clock may be wrong about it.
    fn is_newer(&self, sent_at: Option<Timestamp>, repeated: bool) -> bool {
        let tolerance = if repeated { CLOCK_TOLERANCE } else { SignedDuration::ZERO };
        sent_at.is_some_and(|sent_at| sent_at.duration_since(self.started) > -tolerance)
    }
}

/// What has come of it so far.
#[derive(Debug)]
struct Run {
    choice: Choice,
    dry: bool,
    interrupt: Interrupt,
    table: Table,
    replayed: usize,
    newer: usize,
    /// Those beginnings of event ids that named a letter.
    found: BTreeSet<String>,
    notes: Vec<String>,
}

impl Run {
    /// Goes through a workflow's dead letters once.
    async fn workflow(
        &mut self,
        queues: &WorkflowQueues,
        letters: &mut DeadLetters<'_>,
    ) -> Result<(), BoxError> {
        let mut done = HashSet::new();
        while !self.interrupt.asked() {
            let Some(messages) = letters.receive().await? else { break };
            let chosen = self.choose(&messages, queues, &mut done);
            let rows: Vec<Row> = chosen.iter().map(|(_, _, row)| row.clone()).collect();
            self.table.fit(&rows);
            for (message, letter, row) in chosen {
                if self.interrupt.asked() {
                    break;
                }
                if !self.dry {
                    letters.replay(message, &letter.body).await?;
                }
                if self.replayed == 0 {
                    self.say(&self.table.head())?;
                }
                self.replayed += 1;
                self.say(&self.table.line(&row))?;
            }
        }
        Ok(())
    }

    /// Those to replay.
    fn choose<'m>(
        &mut self,
        messages: &'m [Message],
        queues: &WorkflowQueues,
        done: &mut HashSet<EventId>,
    ) -> Vec<(&'m Message, Letter, Row)> {
        let mut chosen = Vec::new();
        for message in messages {
            let letter = match Letter::read(message) {
                Ok(letter) => letter,
                Err(why) => {
                    let id = plain(message.message_id().unwrap_or_default());
                    let note =
                        format!("left where it is: message {id} of {} is no event: {why}", queues.workflow);
                    self.notes.push(note);
                    continue;
                }
            };
            let Some(names) = self.choice.names(&letter.id) else { continue };
            self.found.extend(names.into_iter().cloned());
            if self.choice.is_newer(letter.sent_at, done.contains(&letter.id)) {
                self.newer += 1;
                continue;
            }
            done.insert(letter.id.clone());
            let row = row(&letter, &queues.workflow, self.choice.started);
            chosen.push((message, letter, row));
        }
        chosen
    }

    /// Prints a line. A replay goes on to its end when nobody reads any more; what only lists has nothing to go on for.
    fn say(&self, text: &str) -> Result<(), BoxError> {
        match line!("{text}") {
            Err(error) if error.reader_has_gone() && !self.dry => Ok(()),
            said => Ok(said?),
        }
    }

    fn summary(&self) -> Result<(), BoxError> {
        // Who asks for certain events does not ask about other messages.
        for note in self.notes.iter().filter(|_| self.choice.ids.is_empty()) {
            self.say(note)?;
        }
        if self.newer > 0 {
            self.say(&format!("{} came after this began, and left where they are", events(self.newer)))?;
        }
        let would = if self.dry { "would be " } else { "" };
        self.say(&format!("{} {would}replayed", events(self.replayed)))
    }
}

fn events(count: usize) -> String {
    if count == 1 { "1 event".to_owned() } else { format!("{count} events") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tableau::Payload;

    fn choice(ids: &[&str]) -> Choice {
        let started = Timestamp::from_second(1_764_000_000).unwrap();
        Choice { ids: ids.iter().map(|id| (*id).to_owned()).collect(), started }
    }

    fn id() -> EventId {
        // 66764cae3f271aa0…
        EventId::of(&Payload::parse(br#"{"event_type":"SiteUpdated","resource":"SITE"}"#).unwrap())
    }

    #[test]
    fn all_events_are_taken_unless_some_are_named() {
        assert_eq!(choice(&[]).names(&id()), Some(vec![]));
        assert_eq!(choice(&["00000000"]).names(&id()), None);
        let both = choice(&["00000000", "66764cae3f27"]);
        assert_eq!(both.names(&id()), Some(vec![&"66764cae3f27".to_owned()]));
    }

    #[test]
    fn what_fails_again_is_not_replayed_in_a_circle_even_when_a_clock_is_wrong() {
        let choice = choice(&[]);
        let at = |seconds| choice.started.checked_add(SignedDuration::from_secs(seconds)).ok();
        assert!(!choice.is_newer(at(-1), false));
        assert!(choice.is_newer(at(1), false));
        assert!(choice.is_newer(at(-300), true));
        assert!(!choice.is_newer(at(-3_600), true));
        assert!(!choice.is_newer(None, false));
    }
}
