//! Keeps to the account's rate of recipients a second: Amazon SES counts recipients, and not mails.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// When the next mail may leave this process. Another instance has a pace of its own; what is still too much, SES refuses for a moment.
#[derive(Debug)]
pub(crate) struct Pace {
    recipients_a_second: f64,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    pub(crate) fn new(recipients_a_second: f64) -> Self {
        Self { recipients_a_second, next: Mutex::default() }
    }

    /// How long a mail to `recipients` has to wait, if that is at most `longest`: then the following one waits for this one too.
    ///
    /// # Errors
    /// The wait, if it is longer. Nothing has changed then.
    pub(crate) fn enter(&self, recipients: usize, longest: Duration) -> Result<Duration, Duration> {
        let now = Instant::now();
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = next.map_or(now, |next| next.max(now));
        let wait = at.duration_since(now);
        if wait > longest {
            return Err(wait);
        }
        *next = Some(at + self.time_of(recipients));
        Ok(wait)
    }

    /// Notes that a mail to `recipients` has been sent: Amazon SES counts from when it came.
    pub(crate) fn left(&self, recipients: usize) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let after = Instant::now() + self.time_of(recipients);
        *next = (*next).max(Some(after));
    }

    fn time_of(&self, recipients: usize) -> Duration {
        let count = u32::try_from(recipients).unwrap_or(u32::MAX);
        Duration::from_secs_f64(f64::from(count) / self.recipients_a_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // D053
    #[tokio::test(start_paused = true)]
    async fn a_mail_to_five_people_holds_the_next_one_for_five_seconds_at_one_a_second() {
        let pace = Pace::new(1.0);
        let longest = Duration::from_secs(10);
        assert_eq!(pace.enter(5, longest), Ok(Duration::ZERO));
        assert_eq!(pace.enter(1, longest), Ok(Duration::from_secs(5)));
        assert_eq!(pace.enter(50, longest), Ok(Duration::from_secs(6)));
        assert_eq!(pace.enter(1, longest), Err(Duration::from_secs(56)));
        tokio::time::advance(Duration::from_secs(50)).await;
        assert_eq!(pace.enter(1, longest), Ok(Duration::from_secs(6)), "who did not wait took no place");
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(pace.enter(2, longest), Ok(Duration::ZERO));
        tokio::time::advance(Duration::from_secs(1)).await;
        pace.left(2);
        assert_eq!(pace.enter(1, longest), Ok(Duration::from_secs(2)), "from when it was sent");
    }
}
