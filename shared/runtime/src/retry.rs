//! When a message that failed for now is tried again. No I/O.

use std::time::Duration;
use workflow::Failure;

/// The first wait after a failure; doubles with every attempt up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(15);
/// So long that the tries last for eight hours also when a destination asked for the first waits.
const LONGEST_WAIT: Duration = Duration::from_secs(930);
/// The longest wait for a person to fix something: with it an event that needs a person is tried about a hundred times in
/// three days, and goes through within the hour once it is fixed.
const LONGEST_WAIT_FOR_A_FIX: Duration = Duration::from_secs(60 * 60);
/// The longest wait that a destination gets when it asks for one: with more, a message could come to the end of its
/// queue's days before its tries are over, and would be gone instead of a dead letter.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);
/// How often a destination's own wait is taken at its word, before ours grows beyond it.
const TRUSTED: u32 = 3;
/// Messages that were asked to wait for the same time return within so long of each other.
const LONGEST_SPREAD: Duration = Duration::from_secs(30);

/// How long a message waits. Its record says when it comes again before its queue is told, and both mean the same moment.
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

    /// The wait before the next attempt after `failure`.
    pub(crate) fn wait(self, failure: &Failure) -> Duration {
        match failure {
            Failure::Transient { retry_after, .. } => self.after(*retry_after),
            Failure::Misconfigured { .. } | Failure::Permanent { .. } => {
                self.back_off(self.received, LONGEST_WAIT_FOR_A_FIX)
            }
        }
    }

    /// What the destination asked for, and more the longer that does not help.
    fn after(self, asked: Option<Duration>) -> Duration {
        let Some(asked) = asked else { return self.back_off(self.received, LONGEST_WAIT) };
        let asked = asked.min(LONGEST_ASKED);
        let asked = asked + (asked / 2).min(LONGEST_SPREAD).mul_f64(self.spread);
        if self.received <= TRUSTED {
            asked
        } else {
            asked.max(self.back_off(self.received - TRUSTED, LONGEST_WAIT))
        }
    }

    /// Between half of and the whole doubled wait.
    fn back_off(self, received: u32, longest: Duration) -> Duration {
        let ceiling = FIRST_WAIT.saturating_mul(1 << received.clamp(1, 16).saturating_sub(1)).min(longest);
        ceiling.mul_f64(0.5 + self.spread / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(received: u32, asked: Option<Duration>) -> Duration {
        Retry::of(received).after(asked)
    }

    /// As in every block of template.yaml.
    const TRIES: u32 = 50;
    const QUEUE_KEEPS: Duration = Duration::from_secs(4 * 24 * 60 * 60);

    #[test]
    fn a_message_becomes_a_dead_letter_after_about_eight_hours() {
        // docs/operations.md and the alarms' texts say so.
        let longest: Duration = (1..=TRIES)
            .map(|n| FIRST_WAIT.saturating_mul(1 << n.min(16).saturating_sub(1)).min(LONGEST_WAIT))
            .sum();
        let hours = longest.mul_f64(0.75).as_secs_f64() / 3_600.0;
        assert!((8.0..9.0).contains(&hours), "{hours}");
    }

    #[test]
    fn a_message_is_tried_out_before_its_queue_deletes_it_whatever_a_destination_asks_for() {
        let asked = Some(Duration::from_secs(24 * 60 * 60));
        let longest = (1..=TRIES).map(|received| (0..100).map(|_| wait(received, asked)).max().unwrap());
        assert!(longest.sum::<Duration>() < QUEUE_KEEPS);
    }

    #[test]
    fn a_wait_that_was_asked_for_is_the_least_and_grows_when_it_does_not_help() {
        let asked = Some(Duration::from_secs(2));
        for (received, least, most) in [(1, 2, 3), (3, 2, 3), (4, 7, 15), (6, 30, 60), (60, 465, 930)] {
            let seconds = wait(received, asked).as_secs();
            assert!((least..=most).contains(&seconds), "{received}: {seconds}");
        }
        assert!(wait(60, Some(Duration::from_secs(3_600))).as_secs() >= 3_600);
    }

    #[test]
    fn waits_that_are_asked_for_use_the_tries_up_no_sooner() {
        // Such as those of a circuit: 15 seconds to 5 minutes, or what is left of them.
        for asked in [0, 1, 15, 300] {
            let asked = Some(Duration::from_secs(asked));
            let all: Duration = (0..100).flat_map(|_| (1..=TRIES).map(|n| wait(n, asked))).sum();
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
    fn a_message_that_is_asked_twice_says_the_same_moment() {
        for asked in [None, Some(Duration::from_secs(300))] {
            let retry = Retry::of(5);
            assert_eq!(retry.after(asked), retry.after(asked));
        }
    }

    #[test]
    fn the_wait_grows_and_has_an_end() {
        for (received, least, most) in [(0, 7, 15), (1, 7, 15), (2, 15, 30), (4, 60, 120), (60, 465, 930)] {
            let wait = wait(received, None).as_secs();
            assert!((least..=most).contains(&wait), "{received}: {wait}");
        }
    }
}
