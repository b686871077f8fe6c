//! A stage's throttling: a token bucket.
//!
//! Source: <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html>

use crate::template::Throttling;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A token bucket. Each request takes one token.
#[derive(Debug)]
pub(crate) struct Bucket {
    limits: Throttling,
    /// The number of tokens, and when it was computed.
    level: Mutex<(f64, Instant)>,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(limits: Throttling, now: Instant) -> Self {
        Self { limits, level: Mutex::new((f64::from(limits.burst), now)) }
    }

    /// Takes a token if the bucket has one; returns whether it did.
    pub(crate) fn take(&self, now: Instant) -> bool {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, at) = *level;
        let new = now.saturating_duration_since(at).as_secs_f64() * f64::from(self.limits.rate_per_second);
        let tokens = (tokens + new).min(f64::from(self.limits.burst));
        let taken = tokens >= 1.0;
        *level = (if taken { tokens - 1.0 } else { tokens }, now.max(at));
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_passes_and_then_as_many_as_the_rate_says() {
        let start = Instant::now();
        let bucket = Bucket::new(Throttling { rate_per_second: 10, burst: 3 }, start);
        let taken = |at: Instant, requests: usize| (0..requests).filter(|_| bucket.take(at)).count();

        assert_eq!(taken(start, 9), 3);
        assert_eq!(taken(start + Duration::from_millis(250), 9), 2);
        assert_eq!(taken(start + Duration::from_millis(300), 9), 1, "halves of tokens are kept");
        assert_eq!(taken(start + Duration::from_secs(9), 9), 3, "no more than the burst are saved");
    }
}
