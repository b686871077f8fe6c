//! The states of a delivery record. No I/O.

use std::fmt;

/// Where a workflow is with an event, as its record has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// A worker handles the event until the claim's deadline, or died over it.
    Claimed,
    /// Terminal state: the effect happened.
    Done,
    /// Terminal state: there was nothing to do.
    Skipped,
    /// The event cannot be acted on: a body that cannot be read, or a site that is not ours. May be claimed again.
    Ignored,
    /// Failed for good: a dead letter waits for a person. May be claimed again.
    Failed,
    /// Failed for now: the next attempt goes on.
    Released,
    /// Waits until a person has fixed a secret, a setting or the rules: the next attempt goes on.
    Misconfigured,
    /// Its time has not come: the next attempt goes on.
    Deferred,
    /// Failed for good, and a person has deleted its dead letters. May be claimed again.
    Dropped,
    /// One that this version does not know: a newer one may have written it. Not claimed.
    Other(String),
}

impl State {
    /// All states that this version knows.
    pub const KNOWN: [Self; 9] = [
        Self::Claimed,
        Self::Done,
        Self::Skipped,
        Self::Ignored,
        Self::Failed,
        Self::Released,
        Self::Misconfigured,
        Self::Deferred,
        Self::Dropped,
    ];

    /// The word in the record: `claimed`, `done`, …
    pub fn as_str(&self) -> &str {
        match self {
            Self::Claimed => "claimed",
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Ignored => "ignored",
            Self::Failed => "failed",
            Self::Released => "released",
            Self::Misconfigured => "misconfigured",
            Self::Deferred => "deferred",
            Self::Dropped => "dropped",
            Self::Other(other) => other,
        }
    }

    /// Whether an attempt follows by itself.
    pub fn waits(&self) -> bool {
        matches!(self, Self::Released | Self::Misconfigured | Self::Deferred)
    }
}

impl From<&str> for State {
    fn from(text: &str) -> Self {
        let known = Self::KNOWN.into_iter().find(|known| known.as_str() == text);
        known.unwrap_or_else(|| Self::Other(text.to_owned()))
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_written_also_one_that_this_version_does_not_know() {
        for state in State::KNOWN {
            assert_eq!(State::from(state.as_str()), state);
        }
        assert_eq!(State::from("acknowledged"), State::Other("acknowledged".to_owned()));
        assert_eq!(State::from("Done").as_str(), "Done");
    }
}
