//! The timers among the dead letters, for `events list`: timers have no delivery record that says that they failed.

use super::dead_letter::DeadLetter;
use super::interrupt::Interrupt;
use super::queue::{DeadLetterQueue, count};
use super::scan::{Work, workflow};
use super::selector::{Seen, Selector};
use crate::events::time_range::TimeRange;
use crate::stack::{Stack, WorkflowQueues};
use jiff::Timestamp;
use std::collections::BTreeSet;
use workflow::BoxError;

/// The dead letters of a workflow that are timers and came within `time_range`; empty if there are more than `most`
/// dead letters to read. Needs the permission `sqs:GetQueueAttributes` and, if there are dead letters, those for
/// listing them.
pub(in crate::events) async fn timers(
    stack: &Stack,
    queues: &WorkflowQueues,
    time_range: TimeRange,
    most: u64,
) -> Result<Option<Vec<DeadLetter>>, BoxError> {
    match count(&stack.account, queues).await? {
        0 => return Ok(Some(Vec::new())),
        letters if letters > most => return Ok(None),
        _ => {}
    }
    let started = Timestamp::now();
    let selector =
        Selector { ids: BTreeSet::new(), event: None, time_range, started, sends: false, no_events: false };
    let mut letters = DeadLetterQueue::open(&stack.account, queues);
    let mut found = Timers::default();
    let looked =
        workflow(&mut letters, &selector, &mut Seen::default(), &Interrupt::listen(), &mut found).await;
    // Also after a failure: other programs must see the remaining messages again.
    looked.and(letters.give_back().await)?;
    found.0.sort_by_key(|letter| std::cmp::Reverse(letter.sent_at));
    Ok(Some(found.0))
}

#[derive(Debug, Default)]
struct Timers(Vec<DeadLetter>);

impl Work for Timers {
    async fn some(&mut self, _: &mut DeadLetterQueue<'_>, chosen: Vec<DeadLetter>) -> Result<(), BoxError> {
        self.0.extend(chosen.into_iter().filter(|letter| letter.timer().is_some()));
        Ok(())
    }
}
