//! A lease: the exclusive right to send one notification, held at most as long as one Lambda invocation lasts.

use crate::time::{CLOCK_SKEW, is_credible, later};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tableau::EventId;

/// The owner of a lease: one attempt at one event or timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseOwner {
    id: u64,
    event: Option<u64>,
    until: Timestamp,
}

impl LeaseOwner {
    /// Creates the owner for an attempt that ends at `deadline` at the latest. The lease expires at that deadline.
    pub fn new(deadline: Timestamp) -> Self {
        Self::with_id(fastrand::u64(..), deadline)
    }

    /// Like `new`, with a given id, for tests that must be repeatable.
    pub fn with_id(id: u64, deadline: Timestamp) -> Self {
        Self { id, event: None, until: later(deadline, CLOCK_SKEW) }
    }

    /// Says that the owner is an attempt at this event. Only one attempt at an event runs at a time, so a lease of an
    /// earlier attempt at the same event counts as expired: that attempt failed without giving the lease back.
    #[must_use]
    pub fn of_event(self, event: &EventId) -> Self {
        Self { event: u64::from_str_radix(event.short(), 16).ok(), ..self }
    }
}

/// A lease: the exclusive right to send one notification, so that two workers do not send the same message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    owner: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<u64>,
    until: Timestamp,
}

/// The result of asking for a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acquired {
    /// Granted. The lease was free, or the owner already had it.
    Free,
    /// Granted, but an earlier owner timed out or failed, and may already have sent the notification.
    FromExpired,
    /// Refused: another owner holds the lease until this time.
    HeldUntil(Timestamp),
}

/// Asks for the lease stored in `slot`.
pub fn acquire(slot: &mut Option<Lease>, owner: LeaseOwner, now: Timestamp) -> Acquired {
    let previous = slot.as_ref().filter(|lease| lease.owner != owner.id);
    let is_of_same_event = |lease: &Lease| owner.event.is_some() && lease.event == owner.event;
    if let Some(lease) = previous
        && lease.until > now
        && !is_of_same_event(lease)
        && is_credible(lease.until, later(now, CLOCK_SKEW))
    {
        return Acquired::HeldUntil(lease.until);
    }
    let acquired = if previous.is_some() { Acquired::FromExpired } else { Acquired::Free };
    *slot = Some(Lease { owner: owner.id, event: owner.event, until: owner.until });
    acquired
}

/// Whether `owner` holds the lease.
pub fn is_held_by(slot: Option<&Lease>, owner: LeaseOwner) -> bool {
    slot.is_some_and(|lease| lease.owner == owner.id)
}

/// Whether an owner other than `owner` holds the lease at `now`.
pub fn is_held_by_another(slot: Option<&Lease>, owner: LeaseOwner, now: Timestamp) -> bool {
    matches!(acquire(&mut slot.cloned(), owner, now), Acquired::HeldUntil(_))
}

/// Gives the lease back, if `owner` still holds it.
pub fn release(slot: &mut Option<Lease>, owner: LeaseOwner) {
    if is_held_by(slot.as_ref(), owner) {
        *slot = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + second).unwrap()
    }

    fn owner(id: u64, second: i64) -> LeaseOwner {
        LeaseOwner::with_id(id, at(second + 60))
    }

    #[test]
    fn a_lease_has_one_owner_until_its_invocation_must_have_ended() {
        let mut slot = None;
        assert_eq!(acquire(&mut slot, owner(1, 0), at(0)), Acquired::Free);
        assert_eq!(acquire(&mut slot, owner(1, 0), at(1)), Acquired::Free, "its own");
        assert_eq!(acquire(&mut slot, owner(2, 1), at(1)), Acquired::HeldUntil(at(75)));
        assert_eq!(acquire(&mut slot, owner(2, 75), at(75)), Acquired::FromExpired);
        release(&mut slot, owner(1, 0));
        assert!(is_held_by(slot.as_ref(), owner(2, 75)), "only its owner gives a lease back");
        release(&mut slot, owner(2, 75));
        assert_eq!(acquire(&mut slot, owner(3, 76), at(76)), Acquired::Free);
    }

    #[test]
    fn the_lease_of_an_events_earlier_attempt_is_void() {
        let of = |id: u64, event: &str| owner(id, 0).of_event(&event.repeat(4).parse().unwrap());
        let one = "0123456789abcdef";
        let mut slot = None;
        assert_eq!(acquire(&mut slot, of(1, one), at(0)), Acquired::Free);
        assert_eq!(acquire(&mut slot, of(2, "1123456789abcdef"), at(1)), Acquired::HeldUntil(at(75)));
        assert_eq!(acquire(&mut slot, owner(3, 0), at(1)), Acquired::HeldUntil(at(75)));
        assert_eq!(acquire(&mut slot, of(4, one), at(1)), Acquired::FromExpired);
    }

    #[test]
    fn a_lease_that_a_wrong_clock_wrote_keeps_no_worker_out() {
        let next_year = at(0) + SignedDuration::from_hours(24 * 365);
        let mut slot = None;
        acquire(&mut slot, LeaseOwner::with_id(1, next_year), next_year);
        assert_eq!(acquire(&mut slot, owner(2, 0), at(0)), Acquired::FromExpired);
    }
}
