//! The runs of an object: the open one, who waits for it, and the last ones. No I/O.

use crate::end::{End, EndStatus};
use crate::lane::Ticket;
use crate::request::{Request, Target};
use crate::wake::{Wake, later};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a run is looked after whose end Tableau does not say.
pub const LONGEST_RUN: SignedDuration = SignedDuration::from_hours(24);
/// How many runs are kept that have ended.
const KEPT_RUNS: usize = 20;
/// How long after a run's end an event can still be of it.
const EVENTS_ARE_LATE: SignedDuration = SignedDuration::from_mins(10);
/// How much earlier than it was Tableau's start of a refresh may seem to be: the difference of the clocks is known to about 2 s, and
/// times are whole seconds.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(3);
/// The shortest and the longest gap between two looks at a job. Looks are the net: an event ends most waits.
const GAPS: (SignedDuration, SignedDuration) = (SignedDuration::from_secs(30), SignedDuration::from_mins(20));

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits in the lane.
    Waiting,
    /// Tableau has refused its start for now. It is not in the lane until then.
    Held {
        /// From when on it waits in the lane again.
        until: Timestamp,
    },
    /// Its start is written. The POST may have been sent.
    Starting {
        /// When this was written, before the POST.
        at: Timestamp,
    },
    /// Tableau has a job for it.
    Running {
        /// When the start was written.
        at: Timestamp,
        /// The job, if Tableau lets the service see it.
        job: Option<String>,
        /// Whether this service has started the job.
        ours: bool,
        /// When Tableau began, as far as is known. `None`: it is in Tableau's queue.
        began: Option<Timestamp>,
    },
}

/// One start of a run. A run may have several, and what comes of an earlier one says nothing about a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The run's number.
    pub run: u64,
    /// When the start was written.
    pub at: Timestamp,
}

/// A request that waits for a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// The request's id.
    pub id: String,
    /// Until when it waits.
    pub until: Timestamp,
}

/// A run of an object: the open one, or the one after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its number among those of the object.
    pub number: u64,
    /// What is refreshed.
    pub target: Target,
    /// Whether it is to be incremental.
    pub incremental: bool,
    /// Whether a full refresh is right too.
    pub allow_full: bool,
    /// When it was asked for first.
    pub made_at: Timestamp,
    /// Where it stands.
    pub state: State,
    /// How often its start was sent, and not refused because of another refresh of the object.
    pub posts: u32,
    /// When the newest request came that needs a refresh which begins after it.
    pub fresh_since: Option<Timestamp>,
    /// Whether all requests for it were cancelled while Tableau had it. Its job has to be cancelled.
    pub cancelling: bool,
    /// Who waits for it.
    pub waiters: Vec<Waiter>,
    /// The LUIDs of the objects whose refreshes led to it, in small letters.
    pub trail: Vec<String>,
    /// What hinders it at the moment, as the end of "waits for …".
    pub hindered: Option<String>,
    /// When the job was looked at last.
    pub looked_at: Option<Timestamp>,
}

/// A run that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Its number.
    pub number: u64,
    /// When it was started; `None` if it was not.
    pub began: Option<Timestamp>,
    /// The LUIDs of the objects whose refreshes led to it.
    pub trail: Vec<String>,
    /// Its end.
    pub end: End,
    /// Who waited for it, until what came of their requests is written down.
    pub unsettled: Vec<Waiter>,
}

/// The runs of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Runs {
    /// The number of the newest run.
    pub last: u64,
    /// The open one.
    pub run: Option<Run>,
    /// The one after it, for requests that the open one is not right for.
    pub next: Option<Run>,
    /// Those that have ended, the oldest first.
    pub past: Vec<Past>,
    pub(crate) wake: Wake,
}

impl Run {
    /// Its place in the lane.
    pub fn ticket(&self, luid: &str) -> Ticket {
        Ticket { luid: luid.to_owned(), run: self.number }
    }

    /// When its start was written; `None` while it waits.
    pub fn began(&self) -> Option<Timestamp> {
        match self.state {
            State::Waiting | State::Held { .. } => None,
            State::Starting { at } | State::Running { at, .. } => Some(at),
        }
    }

    /// Its start, whose answer is not known.
    pub fn start(&self) -> Option<Start> {
        match self.state {
            State::Starting { at } => Some(Start { run: self.number, at }),
            State::Waiting | State::Held { .. } | State::Running { .. } => None,
        }
    }

    /// Whether its start is still to be written: a request that comes now is before it.
    pub fn is_to_start(&self) -> bool {
        matches!(self.state, State::Waiting | State::Held { .. })
    }

    /// Whether a refresh that Tableau began at this time began before a request of this run that needs a later one.
    pub fn is_too_old(&self, began: Option<Timestamp>) -> bool {
        let is_before = |(since, began): (Timestamp, Timestamp)| later(began, CLOCKS_DIFFER) < since;
        self.fresh_since.zip(began).is_some_and(is_before)
    }

    /// Lets a request wait for this run, which becomes what the widest request asks for.
    pub(crate) fn take(&mut self, request: &Request, allow_full: bool, trail: &[String]) {
        self.incremental &= request.incremental;
        self.allow_full |= allow_full;
        if request.fresh {
            self.fresh_since = self.fresh_since.max(Some(request.requested_at));
        }
        for luid in trail {
            if !self.trail.contains(luid) {
                self.trail.push(luid.clone());
            }
        }
        self.waiters.push(Waiter { id: request.id.clone(), until: request.until });
    }

    /// Its job, if one is known.
    pub fn job(&self) -> Option<&str> {
        match &self.state {
            State::Running { job, .. } => job.as_deref(),
            State::Waiting | State::Held { .. } | State::Starting { .. } => None,
        }
    }

    /// Whether some request still waits for it.
    pub fn is_wanted(&self, now: Timestamp) -> bool {
        self.waiters.iter().any(|waiter| waiter.until > now)
    }

    /// An end of this run.
    pub fn end(&self, status: EndStatus, at: Timestamp, message: impl Into<String>) -> End {
        let began = match self.state {
            State::Running { began, .. } => began,
            State::Waiting | State::Held { .. } | State::Starting { .. } => None,
        };
        End {
            status,
            at,
            started_at: began,
            job: self.job().map(str::to_owned),
            incremental: self.incremental,
            message: message.into(),
            cause: None,
            refusal: None,
        }
    }

    /// When the job is looked at next: after as long again as it has taken so far.
    pub fn next_look(&self, now: Timestamp) -> Timestamp {
        let passed = self.began().map_or(SignedDuration::ZERO, |began| now.duration_since(began));
        later(now, passed.clamp(GAPS.0, GAPS.1))
    }

    /// Whether a caller who asks may have the job looked at now: others may have done it a moment ago.
    pub fn may_be_looked_at(&self, now: Timestamp) -> bool {
        let Some(began) = self.began() else { return false };
        let gap = (now.duration_since(began) / 4)
            .clamp(SignedDuration::from_secs(2), SignedDuration::from_secs(30));
        self.looked_at.is_none_or(|at| now.duration_since(at) >= gap)
    }
}

impl Runs {
    /// The open run with this number.
    pub fn open(&self, number: u64) -> Option<&Run> {
        self.run.as_ref().filter(|run| run.number == number)
    }

    /// The end of the run with this number.
    pub fn ended(&self, number: u64) -> Option<&Past> {
        self.past.iter().find(|past| past.number == number)
    }

    /// The ended runs of which some requests are not settled.
    pub fn unsettled(&self) -> impl Iterator<Item = &Past> {
        self.past.iter().filter(|past| !past.unsettled.is_empty())
    }

    /// Whether the run with this number is open, or follows the open one.
    pub(crate) fn has(&self, number: u64) -> bool {
        self.run.iter().chain(&self.next).any(|run| run.number == number)
    }

    /// How many requests wait, or have not got the result of their run yet.
    pub(crate) fn waiting(&self) -> usize {
        let open = self.run.iter().chain(&self.next).map(|run| run.waiters.len());
        open.chain(self.past.iter().map(|past| past.unsettled.len())).sum()
    }

    /// Whether a timer is of this state.
    pub fn is_current(&self, generation: u64) -> bool {
        self.wake.generation == generation
    }

    /// The objects that led to the run that an event of this time is about, with those of each run that it may be about: none, if it is of
    /// no run of this service.
    pub fn trail_at(&self, event: Timestamp) -> Vec<String> {
        let open = self.run.as_ref().and_then(|run| Some((run.began()?, None, &run.trail)));
        let past =
            self.past.iter().rev().filter_map(|past| Some((past.began?, Some(past.end.at), &past.trail)));
        let is_of = |(began, end, _): &(Timestamp, Option<Timestamp>, &Vec<String>)| {
            later(event, SignedDuration::from_secs(5)) >= *began
                && end.is_none_or(|end| later(end, EVENTS_ARE_LATE) >= event)
        };
        let mut trail = Vec::new();
        for luid in open.into_iter().chain(past).filter(is_of).flat_map(|(_, _, trail)| trail) {
            if !trail.contains(luid) {
                trail.push(luid.clone());
            }
        }
        trail
    }

    pub(crate) fn keep(&mut self, past: Past) {
        self.past.push(past);
        let surplus = self.past.len().saturating_sub(KEPT_RUNS);
        self.past.drain(..surplus);
    }
}
