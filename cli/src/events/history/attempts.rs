//! The attempts at an event, as its delivery record lists them. No I/O.

use super::record::{Outcome, word};
use deliveries::{Entry, HISTORY_LIMIT, Record};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many attempts a delivery record's history keeps.
const KEPT: u64 = HISTORY_LIMIT as u64;

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) number: u64,
    pub(super) began_at: Option<Timestamp>,
    pub(super) end: End,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Ended {
        at: Option<Timestamp>,
        /// The outcome's name, as in `events list` and in the runtime: done, grouped, skipped, ignored, failed,
        /// released, misconfigured, deferred.
        outcome: String,
        reason: String,
        /// When the next attempt was due.
        next_at: Option<Timestamp>,
    },
    /// The attempt is still running, until this time at the latest.
    Goes { until: Option<Timestamp> },
    /// No outcome was recorded: the process died, or ran out of time.
    Unrecorded,
    /// The attempt is older than those that the history keeps.
    NotKept,
}

/// All attempts, oldest first.
pub(super) fn attempts(record: &Record, now: Timestamp) -> Vec<Attempt> {
    let mut ended: BTreeMap<u64, Attempt> =
        record.history.iter().map(|entry| (entry.attempt, Attempt::from(entry))).collect();
    let all = 1..=record.attempts.min(KEPT * 100);
    let all = all.map(|number| ended.remove(&number).unwrap_or_else(|| missing(number, record, now)));
    all.collect()
}

/// An attempt that the history does not contain.
fn missing(number: u64, record: &Record, now: Timestamp) -> Attempt {
    let last = number == record.attempts;
    match Outcome::of(record, now) {
        // A claim is the last change of its record, so the record's update time is the attempt's start.
        Outcome::Working if last => {
            Attempt { number, began_at: record.updated_at, end: End::Goes { until: record.deadline } }
        }
        Outcome::Interrupted if last => Attempt { number, began_at: record.updated_at, end: End::Unrecorded },
        _ if last && number > KEPT => Attempt {
            number,
            began_at: None,
            end: End::Ended {
                at: record.updated_at,
                outcome: word(record.state.as_ref(), record.reason()),
                reason: record.reason().to_owned(),
                next_at: record.next_at(),
            },
        },
        _ if number > KEPT => Attempt { number, began_at: None, end: End::NotKept },
        _ => Attempt { number, began_at: None, end: End::Unrecorded },
    }
}

impl From<&Entry> for Attempt {
    fn from(entry: &Entry) -> Self {
        let end = End::Ended {
            at: entry.ended_at,
            outcome: word(entry.outcome.as_ref(), &entry.reason),
            reason: entry.reason.clone(),
            next_at: entry.next_at,
        };
        Self { number: entry.attempt, began_at: entry.began_at, end }
    }
}

impl Attempt {
    /// The attempt's duration in milliseconds.
    pub(super) fn duration_ms(&self) -> Option<i64> {
        let End::Ended { at, .. } = &self.end else { return None };
        Some(at.as_ref()?.as_millisecond() - self.began_at?.as_millisecond())
    }

    /// The attempt as JSON for other programs. The names of the fields never change.
    pub(super) fn facts(&self) -> AttemptFacts<'_> {
        let (ended_at, outcome, reason, next_at) = match &self.end {
            End::Ended { at, outcome, reason, next_at } => {
                let reason = Some(reason.as_str()).filter(|reason| !reason.is_empty());
                (*at, Some(outcome.as_str()), reason, *next_at)
            }
            End::Goes { .. } => (None, Some("working"), None, None),
            End::Unrecorded | End::NotKept => (None, None, None, None),
        };
        let attempt = self.number;
        let began_at = self.began_at;
        let duration_ms = self.duration_ms();
        AttemptFacts { attempt, began_at, ended_at, duration_ms, outcome, reason, next_at }
    }
}

/// An attempt as a JSON object.
#[derive(Debug, Serialize)]
pub(super) struct AttemptFacts<'a> {
    attempt: u64,
    #[serde(serialize_with = "crate::events::instant")]
    began_at: Option<Timestamp>,
    #[serde(serialize_with = "crate::events::instant")]
    ended_at: Option<Timestamp>,
    duration_ms: Option<i64>,
    /// `None` if no outcome was recorded.
    outcome: Option<&'a str>,
    reason: Option<&'a str>,
    #[serde(serialize_with = "crate::events::instant")]
    next_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use deliveries::State;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + second).unwrap()
    }

    /// A test record with this history.
    fn record(history: &[u64], state: &str, attempts: u64) -> Record {
        let entries = history.iter().map(|attempt| Entry {
            attempt: *attempt,
            began_at: Some(at(0)),
            ended_at: Some(at(2)),
            outcome: Some(State::Released),
            reason: "Slack: 500".to_owned(),
            next_at: Some(at(30)),
        });
        let updated_at = Some(at(9));
        let deadline = Some(at(60));
        let history = entries.collect();
        Record { state: Some(state.into()), attempts, updated_at, deadline, history, ..Record::default() }
    }

    fn ends(record: &Record, now: i64) -> Vec<End> {
        attempts(record, at(now)).into_iter().map(|attempt| attempt.end).collect()
    }

    fn released() -> End {
        let outcome = "released".to_owned();
        let reason = "Slack: 500".to_owned();
        End::Ended { at: Some(at(2)), outcome, reason, next_at: Some(at(30)) }
    }

    #[test]
    fn an_attempt_that_no_history_has_left_no_end() {
        assert_eq!(ends(&record(&[1, 3], "released", 3), 10), [released(), End::Unrecorded, released()]);
        assert_eq!(attempts(&record(&[1], "released", 1), at(10))[0].duration_ms(), Some(2_000));
    }

    #[test]
    fn the_last_one_goes_on_until_its_deadline() {
        let record = record(&[1], "claimed", 2);
        assert_eq!(ends(&record, 10), [released(), End::Goes { until: Some(at(60)) }]);
        assert_eq!(ends(&record, 61), [released(), End::Unrecorded]);
        assert_eq!(attempts(&record, at(61))[1].began_at, Some(at(9)));
    }

    #[test]
    fn beyond_those_that_are_kept_the_record_has_the_last_ones_end() {
        let ends = ends(&record(&(1..=100).collect::<Vec<_>>(), "done", 102), 10);
        let outcome = "done".to_owned();
        let reason = String::new();
        let last = End::Ended { at: Some(at(9)), outcome, reason, next_at: None };
        assert_eq!(ends[99..], [released(), End::NotKept, last]);
    }
}
