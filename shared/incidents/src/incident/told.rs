//! Who was told of an incident, and what each is to be told next.

use super::{Closed, Incident};
use crate::telling::{Holder, Lease, Message, Next, give_back, holds, take, take_for};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a channel was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Where.
    pub how: How,
    /// Of how many failures; 0 before the first message.
    pub failures: u32,
    /// Whether it was told of the recovery.
    pub recovery: bool,
    /// The message, if it can be changed.
    pub message: Option<Message>,
    /// Whether a message may have arrived of which nobody knows.
    perhaps: bool,
    lease: Option<Lease>,
}

/// Where a channel is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
    /// In a message of its own.
    Alone,
    /// In the messages of a burst.
    Burst(String),
    /// In the digest of that time.
    Digest(Timestamp),
}

impl Incident {
    /// Notes how a channel is told of the streak, unless that is settled otherwise than `instead_of`. What holds then;
    /// nothing when the streak is over.
    pub fn settle(&mut self, channel: &str, how: How, instead_of: Option<&How>) -> Option<How> {
        let told = &mut self.streak.as_mut()?.told;
        if let Some(told) = told.get_mut(channel) {
            if Some(&told.how) == instead_of {
                told.how = how;
            }
            return Some(told.how.clone());
        }
        let new = Told { how, failures: 0, recovery: false, message: None, perhaps: false, lease: None };
        Some(told.entry(channel.to_owned()).or_insert(new).how.clone())
    }

    /// What a channel that is told alone has to be told next. `changes`: whether its messages can be changed; otherwise
    /// each is one more, and comes when the failures have doubled.
    pub fn next(&mut self, channel: &str, holder: Holder, now: Timestamp, changes: bool) -> Next {
        let Some(streak) = &mut self.streak else { return Next::Told };
        let failures = streak.failures;
        let Some(told) = streak.told.get_mut(channel) else { return Next::Told };
        let due = match told.failures {
            0 => true,
            before if changes && told.message.is_some() => failures > before,
            before => failures >= before.saturating_mul(2),
        };
        if !due {
            return Next::Told;
        }
        take_for(Next::Tell, &mut told.lease, &mut told.perhaps, holder, now)
    }

    /// Notes that the channel was told of so many failures, with a message.
    pub fn told(&mut self, channel: &str, holder: Holder, failures: u32, message: Option<Message>) {
        if let Some(told) = self.held(channel, holder) {
            give_back(&mut told.lease, holder);
            told.failures = told.failures.max(failures);
            told.message = message.or(told.message.take());
        }
    }

    /// Gives back the right to tell. `perhaps`: whether a message may have arrived all the same.
    pub fn untold(&mut self, channel: &str, holder: Holder, perhaps: bool) {
        if let Some(told) = self.held(channel, holder) {
            give_back(&mut told.lease, holder);
            told.perhaps |= perhaps;
        }
    }

    /// What the holder of a lease tells of. The streak may be over by now, and its recovery must find the message.
    fn held(&mut self, channel: &str, holder: Holder) -> Option<&mut Told> {
        let closed = self.closed.iter_mut().map(|closed| &mut closed.streak);
        let streaks = self.streak.iter_mut().chain(closed);
        let mut told = streaks.filter_map(|streak| streak.told.get_mut(channel));
        told.find(|told| holds(told.lease.as_ref(), holder))
    }

    /// The streak that `event` has ended.
    pub fn closed_by(&self, event: &str) -> Option<&Closed> {
        self.closed.iter().find(|closed| closed.by == event)
    }

    fn recovery(&mut self, event: &str, channel: &str) -> Option<&mut Told> {
        let closed = self.closed.iter_mut().find(|closed| closed.by == event)?;
        closed.streak.told.get_mut(channel)
    }

    /// When to look again, while somebody tells a channel of the streak that `event` has ended.
    pub fn is_being_told(
        &self,
        event: &str,
        channel: &str,
        holder: Holder,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let told = self.closed_by(event)?.streak.told.get(channel)?;
        take(&mut told.lease.clone(), holder, now).err()
    }

    /// What a channel that was told alone has to be told of the recovery that `event` brought. Who was surely told nothing
    /// needs not know that it is over; while somebody tells of the failure, nobody knows.
    pub fn next_of_recovery(&mut self, event: &str, channel: &str, holder: Holder, now: Timestamp) -> Next {
        let Some(told) = self.recovery(event, channel) else { return Next::Told };
        let surely_untold = told.failures == 0 && !told.perhaps && told.lease.is_none();
        if told.recovery || (surely_untold && !matches!(told.how, How::Digest(_))) {
            return Next::Told;
        }
        take_for(Next::Close, &mut told.lease, &mut told.perhaps, holder, now)
    }

    /// Notes that the channel was told of the recovery.
    pub fn recovery_told(&mut self, event: &str, channel: &str, holder: Holder) {
        if let Some(told) = self.recovery(event, channel) {
            give_back(&mut told.lease, holder);
            told.recovery = true;
        }
    }
}
