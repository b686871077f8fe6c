//! The state of a circuit breaker: closed, open, or half open (one call at a time is let through). No I/O.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::Document;

/// How many failures in a row open the circuit. If every third call fails at random, ten failures in a row occur once
/// in 60,000 calls; five would occur once in 250, every day.
pub const FAILURES: usize = 10;
/// Older failures do not count: ten failures over a longer time do no harm to a destination.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(2);
/// How long the circuit stays open at first; doubles each time that a probe fails.
pub const FIRST_OPEN: SignedDuration = SignedDuration::from_secs(15);
/// The longest time between two probes, unless the destination asks for a longer wait; a random part of up to a quarter is added.
pub const LONGEST_OPEN: SignedDuration = SignedDuration::from_mins(5);
/// The longest wait that a destination may ask for: while the circuit is open, the attempts of waiting messages still
/// count.
const LONGEST_ASKED: SignedDuration = SignedDuration::from_hours(1);
/// How long a probe may take. A call is always shorter, even one repeated with another credential; after this time
/// the instance that made the probe has stopped.
pub const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How soon a caller should ask again while another call is the probe.
const SOON: SignedDuration = SignedDuration::from_secs(5);
/// The tolerance for clock differences. A timestamp further ahead than a wait or probe can last was written by a
/// wrong clock and is ignored.
const SKEW: SignedDuration = SignedDuration::from_mins(1);
/// How many characters of a reason are stored.
const REASON_LIMIT: usize = 300;

/// What all function instances know about a destination. The circuit is closed by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Circuit {
    /// While the circuit is closed: the latest failures since the last answer.
    failures: Vec<Failed>,
    open: Option<Open>,
    /// How often the circuit has opened. A probe's result counts only for the opening that the probe belongs to.
    openings: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Failed {
    call: u64,
    at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    until: Timestamp,
    /// How many times the circuit has opened in a row, without an answer in between.
    row: u32,
    why: String,
    /// Whether the circuit closes when its time is over, without a probe: the destination works and only asked for a
    /// pause.
    #[serde(default)]
    throttled: bool,
    probe: Option<Probe>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Probe {
    call: u64,
    until: Timestamp,
}

impl Document for Circuit {
    const KIND: &'static str = "circuit";
}

/// The permission to make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The call's random id.
    pub call: u64,
    /// Set for a probe: the number of the opening that the probe can end.
    pub opening: Option<u64>,
}

/// The circuit's answer to a caller that wants to make a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Make the call.
    Go(Ticket),
    /// Do not make the call.
    Wait {
        /// When to ask again.
        until: Timestamp,
        /// Why the circuit is open, for people.
        why: String,
    },
}

/// The result of a call, as far as it says something about the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The destination answered. A refusal is an answer too.
    Answered,
    /// The destination did not answer, or reported a problem of its own.
    Failed {
        /// The reason, for people; without secrets.
        reason: String,
        /// When this function instance last received an answer before.
        answered: Option<Timestamp>,
    },
    /// The destination has a problem and asked for a pause of this length.
    RetryAfter(SignedDuration),
    /// The destination works, but takes no calls for this time.
    Throttled(SignedDuration),
    /// The call ended before it reached the destination.
    Unknown,
}

/// How the result of a call changed the circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The circuit did not change.
    Nothing,
    /// The circuit has opened, or stays open for longer.
    Opened {
        /// Until when the circuit is open.
        until: Timestamp,
        /// Why the circuit opened, for people.
        why: String,
    },
    /// The circuit has closed.
    Closed,
}

impl Circuit {
    /// Whether no call has failed since the last answer.
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty() && self.open.is_none()
    }

    /// Until when no call is made; `None` while the circuit is closed.
    pub fn open_until(&self) -> Option<Timestamp> {
        self.open.as_ref().map(|open| open.until)
    }

    /// Asks whether `call` may be made at `at`. When the open time is over, the first caller that asks makes the
    /// probe; the others wait until the probe has ended or timed out.
    pub fn ask(&mut self, call: u64, at: Timestamp) -> Ask {
        let Some(open) = &mut self.open else { return Ask::Go(Ticket { call, opening: None }) };
        if lies_ahead(open.until, at, LONGEST_ASKED) {
            return Ask::Wait { until: open.until, why: cut(&open.why) };
        }
        if open.throttled {
            self.open = None;
            return Ask::Go(Ticket { call, opening: None });
        }
        if open.probe.as_ref().is_some_and(|probe| probe.call != call && lies_ahead(probe.until, at, LEASE)) {
            return Ask::Wait {
                until: later(at, SOON),
                why: format!("another call is trying it now; {}", cut(&open.why)),
            };
        }
        open.probe = Some(Probe { call, until: later(at, LEASE) });
        Ask::Go(Ticket { call, opening: Some(self.openings) })
    }

    /// Records the result of a call. `random`, a random number from 0 to 1, extends the open time by up to a quarter.
    ///
    /// While the circuit is open, only the probe's result counts: calls that began before it opened may end at any
    /// time.
    pub fn ended(&mut self, ticket: Ticket, at: Timestamp, end: End, random: f64) -> Change {
        let is_probe = ticket.opening == Some(self.openings);
        match (&mut self.open, end) {
            (None, End::Answered) => {
                self.failures.clear();
                Change::Nothing
            }
            (None, End::Failed { reason, answered }) => {
                let oldest = later(at, -WINDOW).max(answered.unwrap_or(Timestamp::MIN));
                self.failures.retain(|failed| {
                    let is_credible = failed.at <= later(at, SKEW);
                    failed.at > oldest && is_credible && failed.call != ticket.call
                });
                self.failures.push(Failed { call: ticket.call, at });
                if self.failures.len() < FAILURES {
                    return Change::Nothing;
                }
                let why = format!("{FAILURES} calls in a row failed, the last one with: {}", cut(&reason));
                self.open(1, None, at, random, why)
            }
            (None, End::RetryAfter(wait)) => self.open(1, Some(wait), at, random, asked(wait)),
            (open, End::Throttled(wait)) if is_probe || open.is_none() => {
                let change = self.open(1, Some(wait), at, random, asked(wait));
                self.open.iter_mut().for_each(|open| open.throttled = true);
                change
            }
            (Some(_), End::Answered) if is_probe => {
                self.open = None;
                self.failures = Vec::new();
                Change::Closed
            }
            (Some(open), End::Failed { reason, .. }) if is_probe => {
                let row = open.row.saturating_add(1);
                let why = format!("the call that tried it again failed: {}", cut(&reason));
                self.open(row, None, at, random, why)
            }
            (Some(open), End::RetryAfter(wait)) if is_probe => {
                let row = open.row.saturating_add(1);
                self.open(row, Some(wait), at, random, asked(wait))
            }
            // The call began before the circuit opened; the wait that the destination asked for still counts.
            (Some(open), End::RetryAfter(wait) | End::Throttled(wait)) => {
                let until = later(at, wait.min(LONGEST_ASKED));
                open.until =
                    if lies_ahead(open.until, at, LONGEST_ASKED) { open.until.max(until) } else { until };
                Change::Nothing
            }
            (Some(open), End::Unknown) if is_probe => {
                open.probe = open.probe.take().filter(|probe| probe.call != ticket.call);
                Change::Nothing
            }
            (Some(_), End::Answered | End::Failed { .. } | End::Unknown)
            | (None, End::Unknown | End::Throttled(_)) => Change::Nothing,
        }
    }

    fn open(
        &mut self,
        row: u32,
        asked: Option<SignedDuration>,
        at: Timestamp,
        random: f64,
        why: String,
    ) -> Change {
        let asked = asked.map(|wait| wait.clamp(SignedDuration::from_secs(1), LONGEST_ASKED));
        let doubled = asked.unwrap_or(FIRST_OPEN).saturating_mul(1 << row.clamp(1, 16).saturating_sub(1));
        let wait = doubled.min(LONGEST_OPEN).max(asked.unwrap_or_default());
        // A wait that the destination asked for is not extended: messages return exactly when it is over.
        let random = if asked.is_some() { 0.0 } else { random.clamp(0.0, 1.0) };
        let until = later(at, wait.saturating_add(wait.mul_f64(random / 4.0)));
        self.failures.clear();
        self.openings = self.openings.wrapping_add(1);
        self.open = Some(Open { until, row, why: why.clone(), throttled: false, probe: None });
        Change::Opened { until, why }
    }
}

/// Whether `until` is after `at`, by at most `longest`.
fn lies_ahead(until: Timestamp, at: Timestamp, longest: SignedDuration) -> bool {
    at < until && until <= later(at, longest.saturating_add(SKEW))
}

fn asked(wait: SignedDuration) -> String {
    format!("it asked callers to wait {} s", wait.as_secs())
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

fn cut(reason: &str) -> String {
    reason.chars().filter(|c| !c.is_control()).take(REASON_LIMIT).collect()
}
