//! Where clients get their credentials.

use crate::{BoxError, Failure};
use async_trait::async_trait;
use std::sync::Arc;

/// A credential cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the secret `{name}`")]
pub struct CredentialError {
    /// The secret's name. Not its value.
    pub name: String,
    /// Whether asking again later may help: the store was unreachable, as against a secret that is missing,
    /// forbidden or malformed.
    pub transient: bool,
    /// What went wrong.
    pub source: BoxError,
}

impl From<CredentialError> for Failure {
    /// A missing, empty or malformed secret is a person's to fix; a store that does not answer recovers without help.
    fn from(error: CredentialError) -> Self {
        if error.transient { Self::transient(error) } else { Self::misconfigured(error) }
    }
}

/// Where a client gets its credential. The client keeps none itself, so that a rotation takes effect.
#[async_trait]
pub trait CredentialSource<T: Send + Sync>: Send + Sync {
    /// The credential, possibly from a cache.
    ///
    /// # Errors
    /// [`CredentialError`] when there is none or its store does not answer.
    async fn current(&self) -> Result<Arc<T>, CredentialError>;

    /// What to try instead of a credential that was refused: reads the store again, past any cache. `None`
    /// when the store still has the refused one.
    ///
    /// # Errors
    /// [`CredentialError`] as for [`CredentialSource::current`].
    async fn replacement(&self, refused: &Arc<T>) -> Result<Option<Arc<T>>, CredentialError>;
}

/// A credential that never changes: for tests and for callers that hold one.
#[derive(Clone, Debug)]
pub struct Fixed<T>(Arc<T>);

impl<T> Fixed<T> {
    /// Always `credential`.
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
