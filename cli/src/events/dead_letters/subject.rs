//! The subject of a dead letter: an event or a timer. No I/O.

use super::dead_letter::Timer;
use crate::out::counted;
use std::collections::BTreeSet;
use std::fmt;
use tableau::EventId;

/// The subject of a dead letter: an event or a timer. Several dead letters may have the same subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Subject {
    Event(EventId),
    Timer(Timer),
}

impl Subject {
    pub(super) fn event(&self) -> Option<&EventId> {
        match self {
            Self::Event(id) => Some(id),
            Self::Timer(_) => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(id) => f.write_str(id.short()),
            Self::Timer(timer) => write!(f, "the {timer}"),
        }
    }
}

/// A count as text: `1 event`, `2 events and 1 timer`. With neither, `0 events`.
pub(super) fn count(subjects: &BTreeSet<Subject>) -> String {
    let events = subjects.iter().filter(|subject| subject.event().is_some()).count();
    let timers = subjects.len() - events;
    match (events, timers) {
        (0, 1..) => counted(timers, "timer"),
        (_, 0) => counted(events, "event"),
        _ => format!("{} and {}", counted(events, "event"), counted(timers, "timer")),
    }
}
