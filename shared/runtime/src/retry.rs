//! When a failed message is retried, and when it is given up. No I/O.

use deliveries::Progress;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use workflow::Failure;

/// The number of temporary failures in a row after which an event is given up: about eight hours of retries.
pub(crate) const TRIES: u32 = 50;
/// For how long an event is retried while a person has to fix a secret, a setting or the rules.
pub(crate) const LONGEST_FIX: SignedDuration = SignedDuration::from_hours(72);
/// How often one event may be deferred: a night of quarter-hour waits needs about fifty. Lambda's detection of
/// recursive loops is switched off for these functions, so this is the limit.
pub(crate) const MOST_DEFERRALS: u32 = 500;
/// `maxReceiveCount` of the queues. On the last receive the worker itself sends the message to the dead-letter queue:
/// SQS would move it without a reason.
pub(crate) const RECEIVES: u32 = 150;

/// The wait after the first failure. It doubles with each further failure, up to the longest wait.
const FIRST_WAIT: Duration = Duration::from_secs(15);
/// The longest wait between two attempts. The retries last for eight hours even if a destination has asked for the
/// first waits.
const LONGEST_WAIT: Duration = Duration::from_secs(960);
/// The longest wait between two attempts while a person has to fix something. The event is tried about a hundred
/// times in three days, and succeeds within an hour after the fix.
const LONGEST_WAIT_FOR_A_FIX: Duration = Duration::from_secs(60 * 60);
/// The longest wait that a destination may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);
/// For how many failures in a row the wait that a destination asks for is used exactly. After that the wait grows.
const TRUSTED: u32 = 3;
/// The random spread that is added to a wait, so that messages do not all return at the same moment.
const LONGEST_SPREAD: Duration = Duration::from_secs(30);
/// A queue keeps a message for seven days, so a first-receive time further back comes from a wrong clock.
const LONGEST_CREDIBLE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What happens to the message of a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The queue delivers the message again after this time.
    RetryAfter(Duration),
    /// The message goes to the dead-letter queue.
    GiveUp,
}

/// How often a message was received, and its random share of the spread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    received: u32,
    /// A number from 0 to 1 that differs between messages, so that messages that failed together do not return
    /// together.
    spread: f64,
}

impl Retry {
    /// The retry state of a message that was received `received` times.
    pub(crate) fn of(received: u32) -> Self {
        Self { received, spread: fastrand::f64() }
    }

    /// What happens to the message after `failure` at `at`. `progress` is what the delivery record says about earlier
    /// attempts; `None` if the event could not be claimed.
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

    /// The wait after `tries` failures in a row: the wait that the destination asked for, and longer if that does not
    /// help.
    fn wait(self, tries: u32, asked: Option<Duration>) -> Duration {
        let Some(asked) = asked else { return self.back_off(tries, LONGEST_WAIT) };
        let asked = asked.min(LONGEST_ASKED);
        let asked = asked + (asked / 2).min(LONGEST_SPREAD).mul_f64(self.spread);
        if tries <= TRUSTED { asked } else { asked.max(self.back_off(tries - TRUSTED, LONGEST_WAIT)) }
    }

    /// The doubled wait, reduced at random by up to half.
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
        // docs/operations.md and the texts of the alarms state this duration.
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
        // Waits that a circuit breaker asks for: 15 seconds to 5 minutes, or the rest of such a wait.
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
