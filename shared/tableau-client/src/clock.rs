//! How far Tableau's clock is from ours.

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{DATE, HeaderMap};
use std::sync::atomic::{AtomicI64, Ordering};

/// A difference that is longer is not believed: it would be a broken header, and not a clock.
const MOST: SignedDuration = SignedDuration::from_hours(1);
/// Smaller differences are those of an answer's way, and of a header in whole seconds.
const LEAST: SignedDuration = SignedDuration::from_secs(2);
const UNKNOWN: i64 = i64::MIN;

/// The difference of the clocks as the newest answer has shown it.
#[derive(Debug)]
pub(crate) struct ServerClock(AtomicI64);

impl Default for ServerClock {
    fn default() -> Self {
        Self(AtomicI64::new(UNKNOWN))
    }
}

impl ServerClock {
    /// Reads the header `Date` of an answer that has just come.
    pub(crate) fn read(&self, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let Some(Ok(date)) = date.map(jiff::fmt::rfc2822::parse) else { return };
        let ahead = date.timestamp().duration_since(Timestamp::now());
        if ahead.abs() <= MOST {
            self.0.store(ahead.as_millis().try_into().unwrap_or_default(), Ordering::Relaxed);
        }
    }

    /// How far Tableau's clock is ahead of ours. `None` before the first answer.
    pub(crate) fn ahead(&self) -> Option<SignedDuration> {
        let millis = self.0.load(Ordering::Relaxed);
        let ahead = SignedDuration::from_millis(if millis == UNKNOWN { return None } else { millis });
        Some(if ahead.abs() <= LEAST { SignedDuration::ZERO } else { ahead })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: i64) -> Option<i64> {
        let clock = ServerClock::default();
        let date = Timestamp::now() + SignedDuration::from_secs(seconds);
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        clock.read(&HeaderMap::from_iter([(DATE, date.parse().unwrap())]));
        clock.ahead().map(|ahead| ahead.as_secs())
    }

    #[test]
    fn a_header_says_how_far_the_clock_is_ahead() {
        assert_eq!(ServerClock::default().ahead(), None);
        assert_eq!(after(0), Some(0));
        assert!(matches!(after(90), Some(88..=90)), "{:?}", after(90));
        assert!(matches!(after(-90), Some(-92..=-90)), "{:?}", after(-90));
        assert_eq!(after(86_400), None, "no clock is that wrong");
    }
}
