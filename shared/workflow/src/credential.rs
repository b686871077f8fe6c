//! Where clients get their credentials.

use crate::{BoxError, Failure};
use async_trait::async_trait;
use std::sync::Arc;

/// The error that a credential cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the secret `{name}`")]
pub struct CredentialError {
    /// The secret's name (not its value).
    pub name: String,
    /// Whether a later try may succeed: true if the store did not answer; false if the secret is missing, forbidden
    /// or malformed.
    pub transient: bool,
    /// What went wrong.
    pub source: BoxError,
}

impl From<CredentialError> for Failure {
    /// A person has to fix a missing, empty or malformed secret; a store that does not answer recovers without help.
    fn from(error: CredentialError) -> Self {
        if error.transient { Self::transient(error) } else { Self::misconfigured(error) }
    }
}

/// Where a client gets its credential. The client asks each time and keeps no copy, so that a rotation takes effect.
#[async_trait]
pub trait CredentialSource<T: Send + Sync>: Send + Sync {
    /// Returns the credential, possibly from a cache.
    ///
    /// # Errors
    /// [`CredentialError`] when there is none or its store does not answer.
    async fn current(&self) -> Result<Arc<T>, CredentialError>;

    /// Returns the credential to try after `refused` was refused: reads the store again without the cache. `None` if
    /// the store still has the refused credential.
    ///
    /// # Errors
    /// [`CredentialError`] as for [`CredentialSource::current`].
    async fn replacement(&self, refused: &Arc<T>) -> Result<Option<Arc<T>>, CredentialError>;
}

/// A credential that never changes, for tests and for callers that already hold one.
#[derive(Clone, Debug)]
pub struct Fixed<T>(Arc<T>);

impl<T> Fixed<T> {
    /// A source that always returns `credential`.
    pub fn new(credential: T) -> Self {
        Self(Arc::new(credential))
    }
}

#[async_trait]
impl<T: Send + Sync> CredentialSource<T> for Fixed<T> {
    async fn current(&self) -> Result<Arc<T>, CredentialError> {
        Ok(Arc::clone(&self.0))
    }

    async fn replacement(&self, _: &Arc<T>) -> Result<Option<Arc<T>>, CredentialError> {
        Ok(None)
    }
}
