//! Decides how a timer is set: as a delayed queue message or as a schedule. No I/O.

use crate::{TimerError, TimerMessage};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The longest delay of an SQS message.
///
/// Source: <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
pub const LONGEST_DELAY: SignedDuration = SignedDuration::from_secs(900);
/// The furthest ahead that a timer can be set with a schedule.
pub const LONGEST_SCHEDULE: SignedDuration = SignedDuration::from_hours(366 * 24);
/// The furthest ahead that a timer can be set without a scheduler: a day and two hours, enough for a daily reminder.
pub const LONGEST_CHAIN: SignedDuration = SignedDuration::from_hours(26);
/// How often a timer may be set again where there is a scheduler. A schedule that fires early does so within the due
/// minute.
pub const MOST_HOPS: u32 = 8;
/// How often a timer may be set again without a scheduler: 104 messages of 15 minutes make 26 hours; a few more allow
/// for differing clocks.
pub const MOST_CHAIN_HOPS: u32 = 112;

/// The longest name of a schedule, in characters.
///
/// Source: <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html>
const NAME_LIMIT: usize = 64;
/// How many characters of a workflow's name are part of the names of its schedules.
const WORKFLOW_LIMIT: usize = 16;

/// How a timer is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// As a delayed message in the workflow's queue.
    Message {
        /// The message's `DelaySeconds`.
        delay_seconds: i32,
    },
    /// As a one-time schedule that sends the message.
    Schedule {
        /// The schedule's name: the same timer always has the same name.
        name: String,
        /// When the schedule fires, in UTC: `at(2026-11-28T22:00:00)`.
        expression: String,
    },
}

/// How to set a timer of `workflow` at `now`. Fractions of a second are rounded up, so that the timer does not fire
/// early.
///
/// Without a scheduler, the message may be delayed for less than the remaining time. It then arrives early and is
/// sent again for the rest.
///
/// # Errors
/// [`TimerError::TooFar`] and [`TimerError::TooManyHops`].
pub fn route(
    workflow: &str,
    timer: &TimerMessage,
    now: Timestamp,
    has_scheduler: bool,
) -> Result<Route, TimerError> {
    let rest = timer.due.duration_since(now).max(SignedDuration::ZERO);
    let longest = if has_scheduler { LONGEST_SCHEDULE } else { LONGEST_CHAIN };
    let most = if has_scheduler { MOST_HOPS } else { MOST_CHAIN_HOPS };
    if rest > longest {
        return Err(TimerError::TooFar { due: timer.due, longest });
    }
    if timer.hops > most {
        return Err(TimerError::TooManyHops { due: timer.due, most });
    }
    if rest <= LONGEST_DELAY || !has_scheduler {
        let delay_seconds = i32::try_from(whole_seconds(rest.min(LONGEST_DELAY))).unwrap_or_default();
        return Ok(Route::Message { delay_seconds });
    }
    Ok(Route::Schedule { name: schedule_name(workflow, timer), expression: expression(timer.due) })
}

/// The name of a timer's schedule: `tw-<workflow>-<SHA-256 of the key>-<due>-<generation>`, followed by `.<hops>` for
/// a timer that was set again. Different timers have different names, because a schedule that has fired keeps its
/// name until it is deleted some time later.
///
/// If the numbers make the name too long: `tw-<workflow>-<SHA-256 of the whole name>`.
pub fn schedule_name(workflow: &str, timer: &TimerMessage) -> String {
    let workflow: String = workflow.chars().take(WORKFLOW_LIMIT).collect();
    let due = second(timer.due);
    let mut name = format!("tw-{workflow}-{}-{due}-{}", hash(&timer.key, 20), timer.generation);
    if timer.hops > 0 {
        // Writing to a String cannot fail.
        let _ = write!(name, ".{}", timer.hops);
    }
    if name.len() <= NAME_LIMIT { name } else { format!("tw-{workflow}-{}", hash(&name, 40)) }
}

/// The first hexadecimal digits of a text's SHA-256.
fn hash(text: &str, digits: usize) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let mut hex = String::with_capacity(64);
    for byte in digest {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex.truncate(digits);
    hex
}

/// A time as Unix time in whole seconds, rounded up.
fn second(at: Timestamp) -> i64 {
    let second = at.as_second();
    // Before 1970 the fraction is negative, so cutting it off already rounds up.
    if at.subsec_nanosecond() > 0 { second + 1 } else { second }
}

fn whole_seconds(duration: SignedDuration) -> i64 {
    if duration.subsec_nanos() > 0 { duration.as_secs() + 1 } else { duration.as_secs() }
}

fn expression(due: Timestamp) -> String {
    let due = Timestamp::from_second(second(due)).unwrap_or(due);
    TimeZone::UTC.to_datetime(due).strftime("at(%Y-%m-%dT%H:%M:%S)").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const NOW: &str = "2026-11-28T18:45:00Z";

    fn now() -> Timestamp {
        NOW.parse().unwrap()
    }

    fn due_in(milliseconds: i64) -> TimerMessage {
        TimerMessage::new("digest#notify-slack#night", now() + SignedDuration::from_millis(milliseconds), 3)
    }

    #[test]
    fn up_to_fifteen_minutes_a_timer_is_a_message_whose_delay_is_rounded_up() {
        for (milliseconds, delay) in [
            (i64::MIN / 1_000_000, 0),
            (-1, 0),
            (0, 0),
            (1, 1),
            (1_000, 1),
            (1_001, 2),
            (899_001, 900),
            (900_000, 900),
        ] {
            for has_scheduler in [true, false] {
                let route = route("notify-slack", &due_in(milliseconds), now(), has_scheduler).unwrap();
                assert_eq!(route, Route::Message { delay_seconds: delay }, "{milliseconds}");
            }
        }
    }

    #[test]
    fn beyond_fifteen_minutes_a_timer_is_a_schedule_at_the_second_it_is_due_rounded_up() {
        for (milliseconds, expression) in [
            (900_001, "at(2026-11-28T19:00:01)"),
            (901_000, "at(2026-11-28T19:00:01)"),
            (8 * 3_600_000, "at(2026-11-29T02:45:00)"),
            (365 * 24 * 3_600_000, "at(2027-11-28T18:45:00)"),
        ] {
            let Ok(Route::Schedule { name, expression: found }) =
                route("notify-slack", &due_in(milliseconds), now(), true)
            else {
                panic!("{milliseconds}")
            };
            assert_eq!(found, expression);
            let second = 1_795_891_500 + (milliseconds + 999) / 1_000;
            assert_eq!(name, format!("tw-notify-slack-{}-{second}-3", hash("digest#notify-slack#night", 20)));
        }
    }

    #[test]
    fn without_a_scheduler_a_long_timer_is_a_chain_of_messages_of_a_day_and_two_hours_at_most() {
        let hour = 3_600_000;
        let mut timer = due_in(26 * hour);
        let mut at = now();
        while at < timer.due {
            let Ok(Route::Message { delay_seconds }) = route("w", &timer, at, false) else { panic!() };
            at += SignedDuration::from_secs(delay_seconds.into());
            timer = timer.again();
        }
        assert_eq!((at, timer.hops), (timer.due, 104));
        let far = route("w", &due_in(26 * hour + 1), now(), false).unwrap_err();
        assert!(far.is_permanent());
        assert_eq!(far.to_string(), "the timer is due at 2026-11-29T20:45:00Z, more than 26 hours ahead");
        assert!(route("w", &due_in(367 * 24 * hour), now(), true).unwrap_err().is_permanent());
    }

    #[test]
    fn a_timer_that_comes_early_again_and_again_has_an_end() {
        for (has_scheduler, most) in [(true, MOST_HOPS), (false, MOST_CHAIN_HOPS)] {
            let last = TimerMessage { hops: most, ..due_in(1_000) };
            assert!(route("w", &last, now(), has_scheduler).is_ok());
            let error = route("w", &last.again(), now(), has_scheduler).unwrap_err();
            assert!(matches!(error, TimerError::TooManyHops { .. }) && error.is_permanent());
        }
    }

    #[test]
    fn each_arming_has_a_name_of_its_own_and_always_the_same() {
        let timer = due_in(3_600_000);
        let others = [
            timer.clone(),
            timer.again(),
            TimerMessage { generation: 4, ..timer.clone() },
            TimerMessage { generation: u64::MAX, ..timer.clone() },
            TimerMessage { generation: u64::MAX - 1, ..timer.clone() },
            TimerMessage { due: timer.due + SignedDuration::from_secs(1), ..timer.clone() },
            TimerMessage { key: "digest#notify-slack#day".to_owned(), ..timer.clone() },
        ];
        let name = |timer: &TimerMessage| schedule_name("track-servicenow-incident", timer);
        let names: BTreeSet<String> = others.iter().map(name).collect();
        assert_eq!(names.len(), others.len(), "{names:?}");
        assert_eq!(others.iter().map(name).collect::<BTreeSet<_>>(), names);
    }

    proptest! {
        #[test]
        fn a_name_is_one_that_the_scheduler_takes(
            workflow in "[a-z]([a-z-]{0,40}[a-z])?",
            key: String,
            seconds in -62_000_000_000i64..253_000_000_000,
            generation: u64,
            hops: u32,
        ) {
            let timer = TimerMessage { key, due: Timestamp::from_second(seconds).unwrap(), generation, hops };
            let name = schedule_name(&workflow, &timer);
            let is_taken = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            prop_assert!(name.len() <= NAME_LIMIT && name.chars().all(is_taken), "{}", name);
            prop_assert!(name.starts_with("tw-"), "what the role may create");
        }
    }
}
