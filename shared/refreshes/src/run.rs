//! The runs of an object: the open one, who waits for it, and the last ones. No I/O.

use crate::end::{End, EndStatus};
use crate::lane::{Ticket, later};
use crate::request::Target;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long a run is looked after whose end Tableau does not say.
pub const LONGEST_RUN: SignedDuration = SignedDuration::from_hours(24);
/// How many runs are kept that have ended.
const KEPT_RUNS: usize = 20;
/// How long after a run's end an event can still be of it.
const EVENTS_ARE_LATE: SignedDuration = SignedDuration::from_mins(10);
/// The shortest and the longest gap between two looks at a job. Looks are the net: an event ends most waits.
const GAPS: (SignedDuration, SignedDuration) = (SignedDuration::from_secs(30), SignedDuration::from_mins(20));

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It waits in the lane.
    Waiting,
    /// Its start is written. The POST may have been sent.
    Starting {
        /// When this was written, before the POST.
        at: Timestamp,
        /// Whether Tableau has refused it for now: it is sent again.
        refused: bool,
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

/// A request that waits for a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// The request's id.
    pub id: String,
    /// Until when it waits.
    pub until: Timestamp,
}

/// The open run of an object.
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
    /// How often its start was sent.
    pub posts: u32,
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
    /// Who waits for the one after it: full refreshes, while an incremental one runs.
    pub next: Vec<Waiter>,
    /// Those that have ended, the oldest first.
    pub past: Vec<Past>,
    pub(crate) wake_at: Option<Timestamp>,
    pub(crate) generation: u64,
}

impl Run {
    /// Its place in the lane.
    pub fn ticket(&self, luid: &str) -> Ticket {
        Ticket { luid: luid.to_owned(), run: self.number }
    }

    /// When its start was written; `None` while it waits.
    pub fn began(&self) -> Option<Timestamp> {
        match self.state {
            State::Waiting => None,
            State::Starting { at, .. } | State::Running { at, .. } => Some(at),
        }
    }

    /// Its job, if one is known.
    pub fn job(&self) -> Option<&str> {
        match &self.state {
            State::Running { job, .. } => job.as_deref(),
            State::Waiting | State::Starting { .. } => None,
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
            State::Waiting | State::Starting { .. } => None,
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

    /// Whether a timer is of this state.
    pub fn is_current(&self, generation: u64) -> bool {
        self.generation == generation
    }

    /// The objects that led to the run that an event of this time is about: none, if the run is not one of this service.
    pub fn trail_at(&self, event: Timestamp) -> Vec<String> {
        let open = self.run.as_ref().and_then(|run| Some((run.began()?, None, &run.trail)));
        let past =
            self.past.iter().rev().filter_map(|past| Some((past.began?, Some(past.end.at), &past.trail)));
        let is_of = |(began, end, _): &(Timestamp, Option<Timestamp>, &Vec<String>)| {
            later(event, SignedDuration::from_secs(5)) >= *began
                && end.is_none_or(|end| later(end, EVENTS_ARE_LATE) >= event)
        };
        open.into_iter().chain(past).find(is_of).map(|(_, _, trail)| trail.clone()).unwrap_or_default()
    }

    pub(crate) fn keep(&mut self, past: Past) {
        self.past.push(past);
        let surplus = self.past.len().saturating_sub(KEPT_RUNS);
        self.past.drain(..surplus);
    }

    pub(crate) fn wake(&mut self, at: Option<Timestamp>) {
        if self.wake_at != at {
            self.wake_at = at;
            self.generation = self.generation.saturating_add(1);
        }
    }
}
