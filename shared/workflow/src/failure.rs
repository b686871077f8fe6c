//! How an attempt fails.

use std::error::Error;
use std::time::Duration;

/// Any error, as the standard library boxes it.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why an attempt failed, named for what must happen to the message.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Try again later: back to the queue.
    #[error("failed for now")]
    Transient {
        /// What went wrong.
        source: BoxError,
        /// How long the other side asked to be left alone, if it did.
        retry_after: Option<Duration>,
    },
    /// Trying again changes nothing: to the dead-letter queue, for a person to look at.
    #[error("failed for good")]
    Permanent {
        /// What went wrong.
        source: BoxError,
    },
}

impl Failure {
    /// A failure that may pass, with no known wait.
    pub fn transient(source: impl Into<BoxError>) -> Self {
        Self::Transient { source: source.into(), retry_after: None }
    }

    /// A failure that will not pass.
    pub fn permanent(source: impl Into<BoxError>) -> Self {
        Self::Permanent { source: source.into() }
    }

    /// Of the failures of several effects the one that counts: one that may pass, so that the event is tried again; what
    /// failed for good is reported by the attempt in which nothing else fails.
    pub fn worse(one: Option<Self>, two: Self) -> Self {
        match (one, two) {
            (Some(transient @ Self::Transient { .. }), _) => transient,
            (_, other) => other,
        }
    }

    /// `transient` or `permanent`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Transient { .. } => "transient",
            Self::Permanent { .. } => "permanent",
        }
    }

    /// The whole chain of causes in one line.
    pub fn reason(&self) -> String {
        match self {
            Self::Transient { source, .. } | Self::Permanent { source } => chain(source.as_ref()),
        }
    }
}

/// An error and its sources in one line, outermost first. A source whose text the error above it already ends
/// with is left out.
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
    fn the_reason_is_the_whole_chain() {
        let failure = Failure::transient(Outer(std::io::Error::other("connection reset")));
        assert_eq!(failure.reason(), "cannot post to Slack: connection reset");
    }
}
