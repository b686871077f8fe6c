//! Checks how an event was announced, and why it was announced again if it was.
//!
//! Slack's API has no idempotency key. So an event may be announced again, but only when no record of the first
//! announcement arrived, and only for a reason outside of our code: the worker was killed, an answer was lost, or the
//! table refused the write.

use std::collections::{BTreeSet, HashMap, HashSet};

/// A worker, and one of its invocations.
pub(crate) type Invocation = (usize, u64);

/// A message that the destination accepted.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) at: u64,
    pub(crate) by: Invocation,
    /// Whether the worker received the destination's answer.
    pub(crate) answered: bool,
}

/// A write about an announcement, or about the end of an event.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) at: u64,
    pub(crate) by: Invocation,
    pub(crate) stored: bool,
    pub(crate) says: Says,
}

/// What a write records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// The event was announced by its own message.
    Announced,
    /// The event is completed. A group or digest may announce it later.
    Done,
}

/// A write that adds an event to a group or digest, which will announce it.
#[derive(Clone, Debug)]
pub(crate) struct Placement {
    pub(crate) at: u64,
    pub(crate) by: Invocation,
    /// The group or digest.
    pub(crate) partition: String,
    /// Whether the worker received the table's answer.
    pub(crate) answered: bool,
}

/// How an invocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Answered,
    Killed,
    /// The invocation timed out.
    OutOfTime,
}

/// The key for timers that AWS refused to arm.
pub(crate) const TIMERS: &str = "timers";

/// What the run knows about invocations.
#[derive(Debug, Default)]
pub(crate) struct Invocations {
    pub(crate) ended: HashMap<Invocation, Ended>,
    /// The invocations that a timer started.
    pub(crate) of_timers: HashSet<Invocation>,
    /// The refused or unanswered writes: the message, group or digest, and the invocation.
    pub(crate) not_taken: HashSet<(String, Invocation)>,
}

impl Invocations {
    /// Why an invocation's actions may be repeated, as far as that does not depend on writes.
    pub(crate) fn reason(
        &self,
        by: Invocation,
        answered: bool,
        answer_lost: &'static str,
    ) -> Option<&'static str> {
        match self.ended.get(&by) {
            Some(Ended::Killed) => Some("worker killed"),
            _ if !answered => Some(answer_lost),
            Some(Ended::OutOfTime) => Some("function out of time"),
            _ => None,
        }
    }

    fn has_not_taken(&self, what: &str, by: Invocation) -> bool {
        self.not_taken.contains(&(what.to_owned(), by))
    }
}

/// The history of one event, or of one message.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventHistory {
    pub(crate) acts: Vec<Act>,
    pub(crate) words: Vec<Word>,
    pub(crate) placements: Vec<Placement>,
}

/// One announcement of an event: by its own message, or in a group or digest.
#[derive(Clone, Copy, Debug)]
enum Announcement<'a> {
    Alone(&'a Act),
    In(&'a Placement),
}

impl Announcement<'_> {
    fn at(self) -> u64 {
        match self {
            Self::Alone(act) => act.at,
            Self::In(placement) => placement.at,
        }
    }

    fn by(self) -> Invocation {
        match self {
            Self::Alone(act) => act.by,
            Self::In(placement) => placement.by,
        }
    }
}

impl EventHistory {
    /// How often an event was announced. `partitions` has the groups and digests that announced it.
    pub(crate) fn times_announced(&self, partitions: &BTreeSet<String>) -> usize {
        self.acts.len() + partitions.len()
    }

    /// Why the event was announced again: one reason for each announcement after the first.
    ///
    /// # Errors
    /// A violation: an announcement after a recorded earlier one, or one without a reason.
    pub(crate) fn reasons(
        &self,
        partitions: &BTreeSet<String>,
        invocations: &Invocations,
    ) -> Result<Vec<&'static str>, String> {
        let mut all: Vec<_> = self.acts.iter().map(Announcement::Alone).collect();
        for partition in partitions {
            let mut placements = self.placements.iter();
            let placement = placements.find(|placement| placement.partition == *partition);
            let placement = placement.ok_or_else(|| format!("no request wrote it into {partition}"))?;
            all.push(Announcement::In(placement));
        }
        all.sort_by_key(|announcement| announcement.at());
        let again = all.windows(2).map(|pair| {
            let [first, next] = pair else { unreachable!("a window of two") };
            self.reason(*first, *next, invocations)
        });
        again.collect()
    }

    fn reason(
        &self,
        first: Announcement<'_>,
        next: Announcement<'_>,
        invocations: &Invocations,
    ) -> Result<&'static str, String> {
        let by_timer = invocations.of_timers.contains(&next.by());
        // A group's timer announces a member alone only after the event itself is completed.
        let prevents =
            |word: &&Word| word.stored && word.at < next.at() && (!by_timer || word.says == Says::Announced);
        if let Some(word) = self.words.iter().find(prevents) {
            return Err(format!("announced again after {word:?}: {first:?}, then {next:?}"));
        }
        // The group announces its members after its timer fired, so the event's own message came first.
        let came_first = match (first, next) {
            (Announcement::In(_), Announcement::Alone(_)) if by_timer => next,
            _ => first,
        };
        let by = came_first.by();
        let word_lost = self.words.iter().any(|word| word.by == by && !word.stored);
        let (reason, not_taken) = match came_first {
            Announcement::Alone(act) => {
                (invocations.reason(by, act.answered, "destination's answer lost"), false)
            }
            Announcement::In(placement) => {
                let not_taken =
                    [TIMERS, &placement.partition].map(|what| invocations.has_not_taken(what, by));
                (invocations.reason(by, placement.answered, "table's answer lost"), not_taken.contains(&true))
            }
        };
        let reason = reason.or((word_lost || not_taken).then_some("word not taken by the store"));
        reason.ok_or_else(|| format!("announced again for no reason: {first:?}, then {next:?}"))
    }
}
