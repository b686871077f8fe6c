//! The ways in which an invocation can fail.

use std::process::ExitStatus;
use std::time::Duration;

impl InvocationError {
    /// An error and its causes, in one line.
    pub(crate) fn chain(&self) -> String {
        let causes = std::iter::successors(std::error::Error::source(self), |error| error.source());
        causes.fold(self.to_string(), |line, cause| format!("{line}: {cause}"))
    }
}

/// Why an invocation gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvocationError {
    /// The function reported an error.
    #[error("the function failed: {error_type}: {message}")]
    Function {
        /// The error's `errorType`.
        error_type: String,
        /// The error's `errorMessage`.
        message: String,
    },
    /// The process reported that it cannot start.
    #[error("the function cannot start: {error_type}: {message}")]
    Init {
        /// The error's `errorType`.
        error_type: String,
        /// The error's `errorMessage`.
        message: String,
    },
    /// The process ended before it answered.
    #[error("the process ended before it answered: {}", status.map_or("unknown status".to_owned(), |s| s.to_string()))]
    Ended {
        /// The exit status, where the system reports one.
        status: Option<ExitStatus>,
    },
    /// The invocation timed out, and the process was killed.
    #[error("timed out after {:.2} seconds", after.as_secs_f64())]
    TimedOut {
        /// The function's timeout.
        after: Duration,
    },
    /// The answer is not JSON.
    #[error("the answer is not JSON")]
    NotJson {
        /// The parser's error, with its position.
        source: serde_json::Error,
    },
    /// The process could not be started.
    #[error("the process could not be started")]
    Start(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Lambda throttled the invocation: all concurrent executions of the account are in use.
    #[error("throttled: no concurrent execution is free")]
    Throttled,
    /// Lambda refused the invocation: recursive loop detection stopped the function.
    #[error(
        "stopped as recursive: one event led to {invocations} invocations of it; RecursiveLoop: Allow permits more"
    )]
    Recursive {
        /// How many invocations the chain has.
        invocations: u32,
    },
    /// The Runtime API of the invocation was shut down.
    #[error("the invocation was interrupted")]
    Interrupted,
}
