//! The states of a delivery record. No I/O.

use std::fmt;

/// The state of a delivery record: how far a workflow has come with an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// A worker is handling the event until the claim's deadline, or died while handling it.
    Claimed,
    /// Terminal state: the effect happened.
    Done,
    /// Terminal state: nothing had to be done.
    Skipped,
    /// The event cannot be acted on: its body is unreadable, or its site is not listed. May be claimed again.
    Ignored,
    /// The event failed for good: a dead letter waits for a person. May be claimed again.
    Failed,
    /// The last attempt failed temporarily: another attempt follows.
    Released,
    /// The event waits until a person has fixed a secret, a setting or the rules: another attempt follows.
    Misconfigured,
    /// The event must be handled later: another attempt follows.
    Deferred,
    /// The event failed for good, and a person has deleted its dead letters. May be claimed again.
    Dropped,
    /// A state that this version does not know; a newer version may have written it. Cannot be claimed.
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

    /// The state's name in the record: `claimed`, `done`, …
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

    /// Whether another attempt follows without action by a person.
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
