//! The circuit: closed, open, or letting one call through at a time. No I/O.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::Document;

/// So many failures in a row open a circuit. Where every third call fails at random, ten in a row are one case in 60,000;
/// five would be one in 250, and come up every day.
pub const FAILURES: usize = 10;
/// Older failures do not count: ten in a longer time harm no destination.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(2);
/// How long it stays open at first; doubles each time that a probe fails.
pub const FIRST_OPEN: SignedDuration = SignedDuration::from_secs(15);
/// How long it stays open at most, a quarter more by chance.
pub const LONGEST_OPEN: SignedDuration = SignedDuration::from_mins(5);
/// The longest wait that is honoured when a destination asks for one: the tries of a message are counted for it.
const LONGEST_ASKED: SignedDuration = SignedDuration::from_hours(1);
/// How long a probe may take. A call is shorter, also with a second try with another credential: after that time the
/// instance that probes has stopped.
pub const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How soon to ask again while another call probes.
const SOON: SignedDuration = SignedDuration::from_secs(5);
/// By how much clocks may differ. A time further ahead than a wait or a probe can last was written by a wrong clock, and
/// does not count.
const SKEW: SignedDuration = SignedDuration::from_mins(1);
/// Characters of a reason that are kept.
const REASON_LIMIT: usize = 300;

/// What all instances know of a destination. It is closed unless something happened.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Circuit {
    /// While closed: the newest failures since the last answer, each once.
    failures: Vec<Failed>,
    open: Option<Open>,
    /// How often it has opened. The result of a probe counts for its own opening only.
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
    /// Openings without an answer in between.
    row: u32,
    why: String,
    /// Whether it closes when its time is over, without a probe: the destination works, and said when to call again.
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

/// The right to make a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The call's random id.
    pub call: u64,
    /// For a probe: which opening it may end.
    pub opening: Option<u64>,
}

/// What a circuit says to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Make it.
    Go(Ticket),
    /// Do not make it.
    Wait {
        /// When to ask again.
        until: Timestamp,
        /// What happened, for a person.
        why: String,
    },
}

/// How a call ended, as far as it says something about the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The destination answered. A refusal is an answer.
    Answered,
    /// The destination did not answer, or was in trouble.
    Failed {
        /// For a person; no secrets.
        reason: String,
        /// When the instance that made the call had an answer before.
        answered: Option<Timestamp>,
    },
    /// The destination is in trouble, and asked for no call for so long.
    RetryAfter(SignedDuration),
    /// The destination works, and takes no more calls for so long.
    Throttled(SignedDuration),
    /// It ended before the destination was called.
    Unknown,
}

/// What the end of a call made of the circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The circuit is as open or closed as before.
    Nothing,
    /// It is open now, or once more.
    Opened {
        /// Until when.
        until: Timestamp,
        /// What happened, for a person.
        why: String,
    },
    /// It is closed now.
    Closed,
}

impl Circuit {
    /// Whether nothing has failed since the last answer.
    pub fn is_clean(&self) -> bool {
        self.failures.is_empty() && self.open.is_none()
    }

    /// Until when no call is made; `None` while it is closed.
    pub fn open_until(&self) -> Option<Timestamp> {
        self.open.as_ref().map(|open| open.until)
    }

    /// Whether `call` may be made at `at`. When the time is over, the first call that asks becomes the probe. The others wait
    /// until the probe has ended or its time is over.
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

    /// Records how a call ended. `chance`, from 0 to 1, makes it stay open for up to a quarter longer.
    ///
    /// While it is open only the result of its probe counts: calls that began before it opened may end at any time.
    pub fn ended(&mut self, ticket: Ticket, at: Timestamp, end: End, chance: f64) -> Change {
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
                self.open(1, None, at, chance, why)
            }
            (None, End::RetryAfter(wait)) => self.open(1, Some(wait), at, chance, asked(wait)),
            (open, End::Throttled(wait)) if is_probe || open.is_none() => {
                let change = self.open(1, Some(wait), at, chance, asked(wait));
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
                self.open(row, None, at, chance, why)
            }
            (Some(open), End::RetryAfter(wait)) if is_probe => {
                let row = open.row.saturating_add(1);
                self.open(row, Some(wait), at, chance, asked(wait))
            }
            // A call that began before the circuit opened: the wait that it was answered with counts.
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
        chance: f64,
        why: String,
    ) -> Change {
        let asked = asked.map(|wait| wait.clamp(SignedDuration::from_secs(1), LONGEST_ASKED));
        let doubled = asked.unwrap_or(FIRST_OPEN).saturating_mul(1 << row.clamp(1, 16).saturating_sub(1));
        let wait = doubled.min(LONGEST_OPEN).max(asked.unwrap_or_default());
        // A wait that the destination asks for is not made longer: messages come back exactly when it is over.
        let chance = if asked.is_some() { 0.0 } else { chance.clamp(0.0, 1.0) };
        let until = later(at, wait.saturating_add(wait.mul_f64(chance / 4.0)));
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
