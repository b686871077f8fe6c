//! The lease and the timer of a group's or digest's head document.

use super::documents::Versioned;
use super::{BUSY, Engine, keys};
use crate::group::GroupHead;
use crate::lease::LeaseOwner;
use crate::notifier::{Notifier, Routing};
use jiff::Timestamp;
use store::records::Key;
use timer::TimerMessage;
use workflow::Failure;

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Takes the lease of a head on behalf of a timer. `None` when a newer timer has replaced this one, or this one
    /// has already done its work.
    pub(super) async fn begin(
        &self,
        key: &Key,
        timer: &TimerMessage,
        owner: LeaseOwner,
        now: Timestamp,
    ) -> Result<Option<GroupHead>, Failure> {
        self.forget(key);
        let mut transaction = self.transaction(now);
        loop {
            let read: Versioned<GroupHead> = transaction.get(key).await?;
            let mut head = read.document.clone();
            let is_replaced = head.pending.as_ref().is_some_and(|next| next.generation != timer.generation);
            if read.version == 0 || is_replaced || head.done_generation >= timer.generation {
                // The head now waits for a newer timer. That timer may not exist, if the worker that requested it
                // died, so it is armed here.
                self.arm(&key.partition, now).await?;
                return Ok(None);
            }
            if !head.begin(owner, now) {
                return Err(Failure::Transient {
                    source: "another worker is sending for this group".into(),
                    retry_after: Some(BUSY),
                });
            }
            transaction.put(key, &read, &head)?;
            if transaction.commit().await?.is_some() {
                return Ok(Some(head));
            }
        }
    }

    /// Changes a head whose lease this attempt holds.
    pub(super) async fn end(
        &self,
        key: &Key,
        now: Timestamp,
        change: impl Fn(&mut GroupHead) + Send + Sync,
    ) -> Result<GroupHead, Failure> {
        let mut transaction = self.transaction(now);
        loop {
            let read: Versioned<GroupHead> = transaction.get(key).await?;
            let mut head = read.document.clone();
            change(&mut head);
            transaction.put(key, &read, &head)?;
            if transaction.commit().await?.is_some() {
                return Ok(head);
            }
        }
    }

    /// Creates the timer that a head asks for, unless the head says that the timer exists, and records that it
    /// exists.
    pub(super) async fn arm(&self, partition: &str, now: Timestamp) -> Result<(), Failure> {
        let key = keys::head(partition);
        let mut transaction = self.transaction(now);
        loop {
            let read: Versioned<GroupHead> = transaction.get(&key).await?;
            let mut head = read.document.clone();
            let Some(pending) = head.pending.clone().filter(|pending| !pending.armed) else { return Ok(()) };
            self.ensure_timer(partition, pending.due, pending.generation, now).await?;
            head.armed(pending.generation);
            transaction.put(&key, &read, &head)?;
            if transaction.commit().await?.is_some() {
                return Ok(());
            }
        }
    }
}
