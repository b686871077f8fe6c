//! The attempts at an event, as its record has them. No I/O.

use super::record::{Item, Outcome, Record, number, text};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// As many attempts has a history.
const KEPT: u64 = 100;

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
        /// As the runtime calls it: done, skipped, ignored, failed, released, misconfigured, deferred.
        outcome: String,
        reason: String,
        /// When the next one was due.
        next_at: Option<Timestamp>,
    },
    /// It goes on, and has time until then.
    Goes { until: Option<Timestamp> },
    /// No end was recorded: the process died, or ran out of time.
    Unrecorded,
    /// It is beyond those that are kept.
    NotKept,
}

/// Every attempt, the first first.
pub(super) fn attempts(item: &Item, record: &Record, now: Timestamp) -> Vec<Attempt> {
    let history = item.get("history").and_then(|value| value.as_l().ok()).map(Vec::as_slice);
    let entries = history.unwrap_or_default().iter().filter_map(entry);
    let mut ended: BTreeMap<u64, Attempt> = entries.map(|attempt| (attempt.number, attempt)).collect();
    let all = 1..=record.attempts.min(KEPT * 100);
    let all = all.map(|number| ended.remove(&number).unwrap_or_else(|| missing(number, record, now)));
    all.collect()
}

/// An attempt that is in no history.
fn missing(number: u64, record: &Record, now: Timestamp) -> Attempt {
    let last = number == record.attempts;
    match record.outcome(now) {
        // A claim is the last change of its record.
        Outcome::Working if last => {
            Attempt { number, began_at: record.updated_at, end: End::Goes { until: record.deadline } }
        }
        Outcome::Interrupted if last => Attempt { number, began_at: record.updated_at, end: End::Unrecorded },
        _ if last && number > KEPT => Attempt {
            number,
            began_at: None,
            end: End::Ended {
                at: record.updated_at,
                outcome: record.state.clone(),
                reason: record.reason.clone(),
                next_at: record.next_at(now),
            },
        },
        _ if number > KEPT => Attempt { number, began_at: None, end: End::NotKept },
        _ => Attempt { number, began_at: None, end: End::Unrecorded },
    }
}

fn entry(value: &AttributeValue) -> Option<Attempt> {
    let entry = value.as_m().ok()?;
    let end = End::Ended {
        at: text(entry, "ended_at").parse().ok(),
        outcome: text(entry, "outcome"),
        reason: text(entry, "reason"),
        next_at: text(entry, "next_at").parse().ok(),
    };
    Some(Attempt { number: number(entry, "attempt")?, began_at: text(entry, "began_at").parse().ok(), end })
}

impl Attempt {
    /// How long it took.
    pub(super) fn duration_ms(&self) -> Option<i64> {
        let End::Ended { at, .. } = &self.end else { return None };
        Some(at.as_ref()?.as_millisecond() - self.began_at?.as_millisecond())
    }

    /// What other programs read of it. The names of the fields stay as they are.
    pub(super) fn facts(&self) -> AttemptFacts<'_> {
        let (ended_at, outcome, reason, next_at) = match &self.end {
            End::Ended { at, outcome, reason, next_at } => {
                let reason = Some(reason.as_str()).filter(|reason| !reason.is_empty());
                (*at, Some(outcome.as_str()), reason, *next_at)
            }
            End::Goes { .. } => (None, Some("working"), None, None),
            End::Unrecorded | End::NotKept => (None, None, None, None),
        };
        let (attempt, began_at, duration_ms) = (self.number, self.began_at, self.duration_ms());
        AttemptFacts { attempt, began_at, ended_at, duration_ms, outcome, reason, next_at }
    }
}

/// An attempt as JSON has it.
#[derive(Debug, Serialize)]
pub(super) struct AttemptFacts<'a> {
    attempt: u64,
    #[serde(serialize_with = "crate::events::instant")]
    began_at: Option<Timestamp>,
    #[serde(serialize_with = "crate::events::instant")]
    ended_at: Option<Timestamp>,
    duration_ms: Option<i64>,
    /// Nothing when no end was recorded.
    outcome: Option<&'a str>,
    reason: Option<&'a str>,
    #[serde(serialize_with = "crate::events::instant")]
    next_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + second).unwrap()
    }

    fn item(attempts: &[u64]) -> Item {
        let entries = attempts.iter().map(|number| {
            let text = |text: &str| AttributeValue::S(text.to_owned());
            AttributeValue::M(HashMap::from([
                ("attempt".to_owned(), AttributeValue::N(number.to_string())),
                ("began_at".to_owned(), text(&at(0).to_string())),
                ("ended_at".to_owned(), text(&format!("{:.3}", at(2)))),
                ("outcome".to_owned(), text("released")),
                ("reason".to_owned(), text("Slack: 500")),
                ("next_at".to_owned(), text(&format!("{:.3}", at(30)))),
            ]))
        });
        Item::from([("history".to_owned(), AttributeValue::L(entries.collect()))])
    }

    fn record(state: &str, attempts: u64) -> Record {
        let (updated_at, deadline) = (Some(at(9)), Some(at(60)));
        Record { state: state.to_owned(), attempts, updated_at, deadline, ..Record::default() }
    }

    fn ends(item: &Item, record: &Record, now: i64) -> Vec<End> {
        attempts(item, record, at(now)).into_iter().map(|attempt| attempt.end).collect()
    }

    fn released() -> End {
        let (outcome, reason) = ("released".to_owned(), "Slack: 500".to_owned());
        End::Ended { at: Some(at(2)), outcome, reason, next_at: Some(at(30)) }
    }

    #[test]
    fn an_attempt_that_no_history_has_left_no_end() {
        assert_eq!(
            ends(&item(&[1, 3]), &record("released", 3), 10),
            [released(), End::Unrecorded, released()]
        );
        assert_eq!(attempts(&item(&[1]), &record("released", 1), at(10))[0].duration_ms(), Some(2_000));
    }

    #[test]
    fn the_last_one_goes_on_until_its_deadline() {
        let (item, record) = (item(&[1]), record("claimed", 2));
        assert_eq!(ends(&item, &record, 10), [released(), End::Goes { until: Some(at(60)) }]);
        assert_eq!(ends(&item, &record, 61), [released(), End::Unrecorded]);
        assert_eq!(attempts(&item, &record, at(61))[1].began_at, Some(at(9)));
    }

    #[test]
    fn beyond_those_that_are_kept_the_record_has_the_last_ones_end() {
        let ends = ends(&item(&(1..=100).collect::<Vec<_>>()), &record("done", 102), 10);
        let (outcome, reason) = ("done".to_owned(), String::new());
        let last = End::Ended { at: Some(at(9)), outcome, reason, next_at: None };
        assert_eq!(ends[99..], [released(), End::NotKept, last]);
    }
}
