//! Who tells, and what is to be told next.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// By how much clocks may differ, and what was sent at the last moment be late.
const SKEW: SignedDuration = SignedDuration::from_secs(15);
/// The longest time that Lambda gives an invocation, and so the longest time that an instant in a document may lie ahead of
/// ours. What lies further ahead was written by a clock that is wrong, and does not count.
const AHEAD: SignedDuration = SignedDuration::from_mins(15);
/// How soon to look again while somebody else tells, and by how much more some do: all at once would be in each other's
/// way.
const SOON: SignedDuration = SignedDuration::from_secs(3);
const SPREAD: u64 = 6;

/// Who tells: one attempt at an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    id: u64,
    until: Timestamp,
}

impl Holder {
    #[cfg(test)]
    pub(crate) fn numbered(id: u64, now: Timestamp) -> Self {
        Self { id, until: later(now, SignedDuration::from_secs(60) + SKEW) }
    }

    /// An attempt that ends at `deadline` at the latest: whoever holds a lease for longer is gone.
    pub fn new(deadline: Timestamp) -> Self {
        Self { id: fastrand::u64(..), until: later(deadline, SKEW) }
    }
}

/// The right to tell, so that two do not post the same thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    holder: u64,
    until: Timestamp,
}

/// Takes the lease for `holder`, and says whether somebody died who had it. When somebody has it: when to look again.
pub(crate) fn take(lease: &mut Option<Lease>, holder: Holder, now: Timestamp) -> Result<bool, Timestamp> {
    if let Some(held) = lease
        && held.holder != holder.id
        && held.until > now
        && is_credible(held.until, later(now, SKEW))
    {
        let more = i64::try_from(holder.id % SPREAD).unwrap_or_default();
        return Err(later(now, SOON + SignedDuration::from_secs(more)));
    }
    let died = lease.as_ref().is_some_and(|held| held.holder != holder.id);
    *lease = Some(Lease { holder: holder.id, until: holder.until });
    Ok(died)
}

/// `next`, if `holder` may do it; the lease is the holder's then. Whoever died over it has told, `perhaps`.
pub(crate) fn take_for(
    next: Next,
    lease: &mut Option<Lease>,
    perhaps: &mut bool,
    holder: Holder,
    now: Timestamp,
) -> Next {
    match take(lease, holder, now) {
        Ok(died) => {
            *perhaps |= died;
            next
        }
        Err(until) => Next::Wait(until),
    }
}

/// Whether the lease is the holder's.
pub(crate) fn holds(lease: Option<&Lease>, holder: Holder) -> bool {
    lease.is_some_and(|held| held.holder == holder.id)
}

/// Gives the lease back, if it is still the holder's.
pub(crate) fn give_back(lease: &mut Option<Lease>, holder: Holder) {
    if holds(lease.as_ref(), holder) {
        *lease = None;
    }
}

/// Whether an instant in a document can have been written by a clock that is right.
pub(crate) fn is_credible(at: Timestamp, now: Timestamp) -> bool {
    at <= later(now, AHEAD)
}

pub(crate) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// A message that was posted and can be changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The channel's id.
    pub channel: String,
    /// What names the message in it.
    pub id: String,
}

/// What is to be done so that something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing more.
    Told,
    /// Nothing yet: look again then.
    Wait(Timestamp),
    /// Tell it now; the lease is yours.
    Tell,
    /// Tell that all of it is over; the lease is yours.
    Close,
    /// Tell it with a message of its own.
    Alone,
}
