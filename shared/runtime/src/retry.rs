//! When a message that failed comes again, and when it is given up. No I/O.

use deliveries::Progress;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use workflow::Failure;

/// So many temporary failures in a row, and the event is given up: about eight hours of retries.
pub(crate) const TRIES: u32 = 50;
/// So long an event waits for a person to fix a secret, a setting or the rules.
pub(crate) const LONGEST_FIX: SignedDuration = SignedDuration::from_hours(72);
/// So often an event is deferred, whether for seconds or for a quarter of an hour: a night has about fifty. Lambda's own
/// detection of loops is switched off for these functions, so the bound is ours.
pub(crate) const MOST_DEFERRALS: u32 = 500;
/// `maxReceiveCount` of the queues. The last receive is ours to end: SQS would move the message without a reason.
pub(crate) const RECEIVES: u32 = 150;

/// The first wait after a failure; doubles with every attempt up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(15);
/// So long that the tries last for eight hours also when a destination asked for the first waits.
const LONGEST_WAIT: Duration = Duration::from_secs(960);
/// The longest wait for a person to fix something: with it an event is tried about a hundred times in three days, and goes
/// through within the hour once the cause is fixed.
const LONGEST_WAIT_FOR_A_FIX: Duration = Duration::from_secs(60 * 60);
/// The longest wait that a destination gets when it asks for one.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);
/// How often a destination's own wait is taken at its word, before ours grows beyond it.
const TRUSTED: u32 = 3;
/// Messages that were asked to wait for the same time return within so long of each other.
const LONGEST_SPREAD: Duration = Duration::from_secs(30);
/// A queue keeps a message for seven days: an instant that lies further back was written by a clock that is wrong.
const LONGEST_CREDIBLE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What happens to the message of an attempt that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// It comes again after this time.
    RetryAfter(Duration),
    /// It goes to the dead-letter queue.
    GiveUp,
}

/// How often a message was received, and its place among those that failed with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    received: u32,
    /// From 0 to 1: messages that failed together do not return together.
    spread: f64,
}

impl Retry {
    /// Of a message that was received so often.
    pub(crate) fn of(received: u32) -> Self {
        Self { received, spread: fastrand::f64() }
    }

    /// What happens to the message after `failure` at `at`. `progress`: what the record says of earlier attempts; nothing
    /// when the event could not be claimed.
    pub(crate) fn next(self, failure: &Failure, progress: Option<&Progress>, at: Timestamp) -> Next {
        match failure {
            Failure::Permanent { .. } => Next::GiveUp,
            Failure::Transient { retry_after, .. } => {
                let tries = progress.map_or(self.received, |progress| progress.failures.saturating_add(1));
                if progress.is_some() && tries >= TRIES {
                    return Next::GiveUp;
                }
                Next::RetryAfter(self.wait(tries, *retry_after))
            }
            Failure::Misconfigured { .. } => {
                let since = progress.and_then(|progress| progress.misconfigured_since);
                let waited = since.map(|since| at.duration_since(since)).unwrap_or_default();
                if (LONGEST_FIX..LONGEST_CREDIBLE).contains(&waited) {
                    return Next::GiveUp;
                }
                Next::RetryAfter(self.back_off(self.received, LONGEST_WAIT_FOR_A_FIX))
            }
        }
    }

    /// The wait after so many failures in a row: what the destination asked for, and more the longer that does not help.
    fn wait(self, tries: u32, asked: Option<Duration>) -> Duration {
        let Some(asked) = asked else { return self.back_off(tries, LONGEST_WAIT) };
        let asked = asked.min(LONGEST_ASKED);
        let asked = asked + (asked / 2).min(LONGEST_SPREAD).mul_f64(self.spread);
        if tries <= TRUSTED { asked } else { asked.max(self.back_off(tries - TRUSTED, LONGEST_WAIT)) }
    }

    /// Between half of and the whole doubled wait.
    fn back_off(self, tries: u32, longest: Duration) -> Duration {
        let ceiling = FIRST_WAIT.saturating_mul(1 << tries.clamp(1, 16).saturating_sub(1)).min(longest);
        ceiling.mul_f64(0.5 + self.spread / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(tries: u32, asked: Option<Duration>) -> Duration {
        Retry::of(tries).wait(tries, asked)
    }

    /// As in every block of template.yaml.
    const QUEUE_KEEPS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(20_000 * 24 + hours)
    }

    fn after(failure: &Failure, progress: &Progress, hours: i64) -> Next {
        Retry::of(1).next(failure, Some(progress), at(hours))
    }

    #[test]
    fn a_temporary_failure_is_given_up_after_fifty_in_a_row_which_are_about_eight_hours() {
        let failed = |failures| Progress { failures, ..Progress::default() };
        let down = Failure::transient("500");
        assert!(matches!(after(&down, &failed(TRIES - 2), 0), Next::RetryAfter(_)));
        assert_eq!(after(&down, &failed(TRIES - 1), 0), Next::GiveUp);
        // docs/operations.md and the alarms' texts say so.
        let longest: Duration = (1..TRIES)
            .map(|n| FIRST_WAIT.saturating_mul(1 << n.min(16).saturating_sub(1)).min(LONGEST_WAIT))
            .sum();
        let hours = longest.mul_f64(0.75).as_secs_f64() / 3_600.0;
        assert!((8.0..9.0).contains(&hours), "{hours}");
    }

    #[test]
    fn a_failure_that_a_person_has_to_fix_waits_for_three_days_and_at_most_an_hour_at_a_time() {
        let refused = Failure::misconfigured("token_revoked");
        let since = Progress { misconfigured_since: Some(at(0)), ..Progress::default() };
        assert!(matches!(after(&refused, &Progress::default(), 0), Next::RetryAfter(_)));
        assert!(matches!(after(&refused, &since, 71), Next::RetryAfter(_)));
        assert_eq!(after(&refused, &since, 72), Next::GiveUp);
        let waits = (1..=RECEIVES).map(|received| match Retry::of(received).next(&refused, None, at(0)) {
            Next::RetryAfter(wait) => wait,
            Next::GiveUp => panic!("given up after {received}"),
        });
        let waits: Vec<Duration> = waits.collect();
        assert!(waits.iter().all(|wait| *wait <= LONGEST_WAIT_FOR_A_FIX));
        assert!(waits[0] <= FIRST_WAIT && waits[20] >= LONGEST_WAIT_FOR_A_FIX / 2, "it grows: {waits:?}");
        assert!(
            waits[..RECEIVES as usize - 2].iter().sum::<Duration>() > LONGEST_FIX.unsigned_abs(),
            "three days fit"
        );
    }

    #[test]
    fn a_clock_that_is_years_ahead_gives_nothing_up() {
        let refused = Failure::misconfigured("token_revoked");
        let since = Progress { misconfigured_since: Some(at(0)), ..Progress::default() };
        for hours in [-1_000, 10 * 24, 3 * 365 * 24] {
            assert!(matches!(after(&refused, &since, hours), Next::RetryAfter(_)), "{hours}");
        }
    }

    #[test]
    fn after_days_of_waiting_for_a_person_the_first_temporary_failure_is_the_first_of_fifty() {
        let down = Failure::transient("500");
        let Next::RetryAfter(wait) = Retry::of(105).next(&down, Some(&Progress::default()), at(0)) else {
            panic!("given up at the first failure");
        };
        assert!(wait <= FIRST_WAIT, "{wait:?}");
    }

    #[test]
    fn an_event_that_cannot_be_claimed_waits_longer_and_longer_too() {
        let down = Failure::transient("the delivery table did not answer");
        let wait = |received| match Retry::of(received).next(&down, None, at(0)) {
            Next::RetryAfter(wait) => wait,
            Next::GiveUp => panic!(),
        };
        assert!(wait(1) <= FIRST_WAIT && wait(60) >= LONGEST_WAIT / 2);
    }

    #[test]
    fn a_message_is_received_for_the_last_time_before_its_queue_deletes_it() {
        assert!(LONGEST_ASKED * RECEIVES + LONGEST_SPREAD * RECEIVES < QUEUE_KEEPS);
        assert!(LONGEST_WAIT_FOR_A_FIX * RECEIVES < QUEUE_KEEPS);
    }

    #[test]
    fn a_wait_that_was_asked_for_is_the_least_and_grows_when_it_does_not_help() {
        let asked = Some(Duration::from_secs(2));
        for (tries, least, most) in [(1, 2, 3), (3, 2, 3), (4, 7, 15), (6, 30, 60), (60, 480, 960)] {
            let seconds = wait(tries, asked).as_secs();
            assert!((least..=most).contains(&seconds), "{tries}: {seconds}");
        }
        assert!(wait(60, Some(Duration::from_secs(3_600))).as_secs() >= 3_600);
    }

    #[test]
    fn waits_that_are_asked_for_use_the_tries_up_no_sooner() {
        // Such as those of a circuit: 15 seconds to 5 minutes, or what is left of them.
        for asked in [0, 1, 15, 300] {
            let asked = Some(Duration::from_secs(asked));
            let all: Duration = (0..100).flat_map(|_| (1..TRIES).map(|n| wait(n, asked))).sum();
            let hours = all.as_secs_f64() / 100.0 / 3_600.0;
            assert!(hours >= 8.0, "{asked:?}: {hours}");
        }
    }

    #[test]
    fn messages_that_waited_for_the_same_time_return_at_its_end_and_not_all_at_once() {
        let open = Duration::from_secs(300);
        let waits: Vec<u64> = (0..200).map(|_| wait(1, Some(open)).as_secs()).collect();
        assert!(waits.iter().all(|wait| (300..=330).contains(wait)), "{waits:?}");
        assert!(waits.iter().max().unwrap() - waits.iter().min().unwrap() > 15, "{waits:?}");
    }

    #[test]
    fn the_wait_grows_and_has_an_end() {
        for (tries, least, most) in [(0, 7, 15), (1, 7, 15), (2, 15, 30), (4, 60, 120), (60, 480, 960)] {
            let wait = wait(tries, None).as_secs();
            assert!((least..=most).contains(&wait), "{tries}: {wait}");
        }
    }
}
