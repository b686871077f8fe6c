//! Why webhooks could not be looked at or changed.

use jiff::Timestamp;
use workflow::{BoxError, CredentialError};

/// Why webhooks could not be looked at or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process works on the webhooks.
    #[error("another run works on the webhooks until {0:.0} at the latest")]
    Busy(Timestamp),
    /// The stack has removed its webhooks.
    #[error(
        "the stack has removed its webhooks, because it is being deleted; a new deploy registers them again"
    )]
    Removed,
    /// The webhooks or the rules have changed since a person agreed to the steps.
    #[error("the webhooks or the rules have changed since the steps were shown: look at them again")]
    Changed,
    /// The rules in force cannot be read.
    #[error("the rules in force cannot be read: {0}")]
    Rules(String),
    /// The secret with the URL's token cannot be read.
    #[error(transparent)]
    Token(#[from] CredentialError),
    /// The table does not answer.
    #[error("the table cannot be used")]
    Table(#[source] BoxError),
    /// Tableau does not answer, or refuses.
    #[error(transparent)]
    Tableau(#[from] tableau_client::Error),
    /// The run took too long.
    #[error("Tableau did not answer in time; the next run goes on")]
    OutOfTime,
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Table(error.into())
    }
}

impl Error {
    /// Whether the secret with the credential for Tableau has not been filled in yet, as after the first deploy.
    pub fn is_not_set_up(&self) -> bool {
        matches!(self, Self::Tableau(tableau_client::Error::Credential(error)) if !error.transient)
    }
}
