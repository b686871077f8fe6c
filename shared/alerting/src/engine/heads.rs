//! The heads of groups and digests: their lease and their timer.

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
    /// Takes a head's lease for a timer. `None` when the timer was replaced or has done its work.
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
                // The next timer brings the document back, if it exists: its worker may have died before.
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

    /// Changes a head after its lease was taken.
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

    /// Makes sure that the timer exists that a head asks for, and notes it.
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
