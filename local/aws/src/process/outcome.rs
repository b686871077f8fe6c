//! How an invocation can end other than well.

use std::process::ExitStatus;
use std::time::Duration;

impl InvocationError {
    /// It and what caused it, in one line.
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
        /// Its `errorType`.
        error_type: String,
        /// Its `errorMessage`.
        message: String,
    },
    /// The process reported that it cannot start.
    #[error("the function cannot start: {error_type}: {message}")]
    Init {
        /// Its `errorType`.
        error_type: String,
        /// Its `errorMessage`.
        message: String,
    },
    /// The process ended before it answered.
    #[error("the process ended before it answered: {}", status.map_or("unknown status".to_owned(), |s| s.to_string()))]
    Ended {
        /// How, where the system says.
        status: Option<ExitStatus>,
    },
    /// The function's time was up; its process has been killed.
    #[error("timed out after {:.2} seconds", after.as_secs_f64())]
    TimedOut {
        /// The limit.
        after: Duration,
    },
    /// The answer is not JSON.
    #[error("the answer is not JSON")]
    NotJson {
        /// Where it stops being JSON.
        source: serde_json::Error,
    },
    /// The process could not be started.
    #[error("the process could not be started")]
    Start(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Lambda did not invoke it: as many executions as the account allows are under way.
    #[error("throttled: no concurrent execution is free")]
    Throttled,
    /// Lambda did not invoke it: it would have been invoked once too often by what it sent itself.
    #[error(
        "stopped as recursive: one event led to {invocations} invocations of it; RecursiveLoop: Allow permits more"
    )]
    Recursive {
        /// How many invocations there were.
        invocations: u32,
    },
    /// The runtime that carried the invocation was shut down.
    #[error("the invocation was interrupted")]
    Interrupted,
}
