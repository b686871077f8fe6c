//! The clock of the simulator.

use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A clock: the machine's, or a manual clock that moves only when a test moves it.
///
/// Clones of a manual clock show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Form);

#[derive(Clone, Debug)]
enum Form {
    Real,
    Ahead(SignedDuration),
    Manual(Arc<Mutex<Timestamp>>),
}

impl Clock {
    /// The machine's clock.
    pub fn real() -> Self {
        Self(Form::Real)
    }

    /// A clock that is so far ahead of the machine's, or behind it. The header `Date` of the simulator's answers says so.
    pub fn ahead(by: SignedDuration) -> Self {
        Self(Form::Ahead(by))
    }

    /// The header `Date` of answers, unless it is that of the machine's time.
    pub(crate) fn date(&self) -> Option<String> {
        let is_ahead = matches!(self.0, Form::Ahead(_));
        is_ahead.then(|| self.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
    }

    /// A manual clock that shows `start` until [`Clock::advance`] moves it.
    pub fn manual(start: Timestamp) -> Self {
        Self(Form::Manual(Arc::new(Mutex::new(start))))
    }

    /// The clock's current time.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Form::Real => Timestamp::now(),
            Form::Ahead(by) => Timestamp::now().saturating_add(*by).unwrap_or(Timestamp::MAX),
            Form::Manual(time) => *time.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a manual clock forward. Another clock moves by itself and ignores this.
    pub fn advance(&self, by: Duration) {
        if let Form::Manual(time) = &self.0 {
            let mut time = time.lock().unwrap_or_else(PoisonError::into_inner);
            *time = after(*time, by);
        }
    }
}

/// `time` plus `by`, at most the largest timestamp.
pub(crate) fn after(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// `time` minus `by`, at least the smallest timestamp.
pub(crate) fn before(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_manual_clock_move_together() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH);
        let other = clock.clone();

        clock.advance(Duration::from_secs(90));

        assert_eq!(other.now().as_second(), 90);
    }
}
