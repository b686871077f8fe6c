//! The timers among the dead letters, for `events list`: no record says that they failed.

use super::choice::{Choice, Seen};
use super::interrupt::Interrupt;
use super::letter::Letter;
use super::queue::{DeadLetters, count};
use super::sweep::{Work, workflow};
use crate::events::span::Span;
use crate::stack::{Stack, WorkflowQueues};
use jiff::Timestamp;
use std::collections::BTreeSet;
use workflow::BoxError;

/// The dead letters of a workflow that are timers and came within `span`; nothing where there are more than `most` letters
/// to look at. Takes `sqs:GetQueueAttributes` and, if there is one, what listing dead letters takes.
pub(in crate::events) async fn timers(
    stack: &Stack,
    queues: &WorkflowQueues,
    span: Span,
    most: u64,
) -> Result<Option<Vec<Letter>>, BoxError> {
    match count(&stack.account, queues).await? {
        0 => return Ok(Some(Vec::new())),
        letters if letters > most => return Ok(None),
        _ => {}
    }
    let started = Timestamp::now();
    let choice = Choice { ids: BTreeSet::new(), event: None, span, started, sends: false, no_events: false };
    let mut letters = DeadLetters::open(&stack.account, queues);
    let mut found = Timers::default();
    let looked =
        workflow(&mut letters, &choice, &mut Seen::default(), &Interrupt::listen(), &mut found).await;
    // Also after a failure: what stays must be seen again.
    looked.and(letters.give_back().await)?;
    found.0.sort_by_key(|letter| std::cmp::Reverse(letter.sent_at));
    Ok(Some(found.0))
}

#[derive(Debug, Default)]
struct Timers(Vec<Letter>);

impl Work for Timers {
    async fn some(&mut self, _: &mut DeadLetters<'_>, chosen: Vec<Letter>) -> Result<(), BoxError> {
        self.0.extend(chosen.into_iter().filter(|letter| letter.timer().is_some()));
        Ok(())
    }
}
