//! Errors of a call to a target.

use super::answer::{Answer, Meaning};
use super::credential::TargetProblem;
use circuit::CallResult;
use std::error::Error as StdError;
use std::time::Duration;
use workflow::{CredentialError, Failure};

/// The pause after an answer `429` that asks for none.
const PAUSE: Duration = Duration::from_secs(30);

/// Why a target did not take an event. Contains no URL and no secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There was no answer. Whether the target acted is unknown; it can recognise a repeat by the id.
    #[error("no answer from the target `{target}`")]
    Unreachable { target: String, source: reqwest::Error },
    /// An answer other than success.
    #[error("{}", words(target, answer))]
    Answered { target: String, answer: Answer },
    /// The secret has no such target, or one that cannot be used.
    #[error(transparent)]
    Target(#[from] TargetProblem),
    /// The secret could not be read.
    #[error(transparent)]
    Credential(#[from] CredentialError),
}

fn words(target: &str, answer: &Answer) -> String {
    let Answer { status, meaning, said } = answer;
    let said = if said.is_empty() { String::new() } else { format!(": {said}") };
    let advice = match meaning {
        Meaning::Credential => {
            "; fill in its credential in the forward secret again, and check what its user may do"
        }
        Meaning::Stopped | Meaning::DeliveredLast => "; it wants no more events, so none is sent to it",
        Meaning::Refused => "; it does not take this event",
        Meaning::Later { .. } | Meaning::Delivered => "",
    };
    format!("the target `{target}` answered {status}{advice}{said}")
}

impl Error {
    pub(super) fn unreachable(target: &str, error: reqwest::Error) -> Self {
        Self::Unreachable { target: target.to_owned(), source: error.without_url() }
    }

    /// Whether another credential could help.
    pub(crate) fn is_misconfiguration(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => is_not_public(source),
            Self::Answered { answer, .. } => answer.meaning == Meaning::Credential,
            Self::Target(_) => true,
            Self::Credential(error) => !error.transient,
        }
    }

    /// Whether the target wants no more events.
    pub(crate) fn is_stop(&self) -> bool {
        matches!(self, Self::Answered { answer, .. } if answer.meaning == Meaning::Stopped)
    }

    /// What a failed call says about the target, for its circuit.
    pub(crate) fn call_result(&self) -> CallResult {
        match self {
            Self::Unreachable { source, .. } if is_not_public(source) => CallResult::NotCalled,
            Self::Unreachable { .. } => CallResult::Failed,
            Self::Answered { answer, .. } => match answer.meaning {
                Meaning::Later { retry_after: Some(wait), is_down: true } => CallResult::RetryAfter(wait),
                Meaning::Later { retry_after: Some(wait), is_down: false } => CallResult::Throttled(wait),
                Meaning::Later { retry_after: None, is_down: true } => CallResult::Failed,
                Meaning::Later { retry_after: None, is_down: false } => CallResult::Throttled(PAUSE),
                _ => CallResult::Answered,
            },
            Self::Target(_) | Self::Credential(_) => CallResult::NotCalled,
        }
    }
}

/// Whether the resolver refused the host's addresses. A person has to change the URL, or the host's name server.
fn is_not_public(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<crate::network::NotPublic>() {
            return true;
        }
        cause = error.source();
    }
    false
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let retry_after = match &error {
            Error::Answered {
                answer: Answer { meaning: Meaning::Later { retry_after, .. }, .. }, ..
            } => *retry_after,
            Error::Credential(inner) if inner.transient => return Self::transient(error),
            error if error.is_misconfiguration() => return Self::misconfigured(workflow::chain(error)),
            Error::Answered { .. } => return Self::permanent(error),
            _ => None,
        };
        Self::Transient { source: error.into(), retry_after }
    }
}
