//! Failures of an attempt, by what must happen to the event's message.

use std::error::Error;
use std::time::Duration;
use timer::TimerError;

/// Any error, as the standard library boxes it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why an attempt failed, named for what must happen to the message.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Try again later: back to the queue.
    #[error("failed temporarily")]
    Transient {
        /// What went wrong.
        source: BoxError,
        /// How long the other system asked us to wait, if it did.
        retry_after: Option<Duration>,
    },
    /// A person has to fix a secret, a setting or the rules: a refused credential, an empty secret, a rules file that cannot
    /// be read. The event is tried again with a growing wait for up to three days. The first such failure raises an alarm. Once
    /// the person has fixed it, a later attempt succeeds.
    #[error("a setting or a secret must be fixed")]
    Misconfigured {
        /// What is wrong, and where to fix it.
        source: BoxError,
    },
    /// Trying again changes nothing: to the dead-letter queue, for a person to look at.
    #[error("failed permanently")]
    Permanent {
        /// What went wrong.
        source: BoxError,
    },
}

impl Failure {
    /// A temporary failure, with no known wait.
    pub fn transient(source: impl Into<BoxError>) -> Self {
        Self::Transient { source: source.into(), retry_after: None }
    }

    /// A failure that lasts until a person fixes a secret, a setting or the rules.
    pub fn misconfigured(source: impl Into<BoxError>) -> Self {
        Self::Misconfigured { source: source.into() }
    }

    /// A failure that a retry cannot change.
    pub fn permanent(source: impl Into<BoxError>) -> Self {
        Self::Permanent { source: source.into() }
    }

    /// Combines the failures of several effects. The failure with the longest retries wins: first one that a person
    /// has to fix, then a temporary one, then a permanent one.
    pub fn worse(one: Option<Self>, two: Self) -> Self {
        match one {
            Some(one) if one.rank() >= two.rank() => one,
            _ => two,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Permanent { .. } => 0,
            Self::Transient { .. } => 1,
            Self::Misconfigured { .. } => 2,
        }
    }

    /// The kind as text: `transient`, `misconfigured` or `permanent`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Transient { .. } => "transient",
            Self::Misconfigured { .. } => "misconfigured",
            Self::Permanent { .. } => "permanent",
        }
    }

    /// The failure and all its causes in one line.
    pub fn reason(&self) -> String {
        match self {
            Self::Transient { source, .. } | Self::Misconfigured { source } | Self::Permanent { source } => {
                chain(source.as_ref())
            }
        }
    }
}

impl From<TimerError> for Failure {
    /// The next attempt sets the unconfirmed timer again. A timer that can never be set is a bug, so it fails for
    /// good.
    fn from(error: TimerError) -> Self {
        if error.is_permanent() { Self::permanent(error) } else { Self::transient(error) }
    }
}

/// An error and its causes in one line, outermost first. A cause is left out if the text before already ends with it.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot post to Slack")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn of_several_failures_the_one_with_the_longest_retries_counts() {
        let failures = [
            || Failure::permanent("404"),
            || Failure::transient("500"),
            || Failure::misconfigured("the token is revoked"),
        ];
        for (rank, failure) in failures.iter().enumerate() {
            for lower in &failures[..=rank] {
                assert_eq!(Failure::worse(Some(lower()), failure()).kind(), failure().kind());
                assert_eq!(Failure::worse(Some(failure()), lower()).kind(), failure().kind());
            }
        }
    }

    #[test]
    fn the_reason_is_the_whole_chain() {
        let failure = Failure::transient(Outer(std::io::Error::other("connection reset")));
        assert_eq!(failure.reason(), "cannot post to Slack: connection reset");
    }
}
