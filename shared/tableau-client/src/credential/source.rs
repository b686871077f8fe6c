//! Where the client gets its credential.

use crate::{BoxError, TableauCredential};
use async_trait::async_trait;
use std::sync::Arc;

/// The error that the credential cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the secret `{name}`")]
pub struct CredentialError {
    /// The secret's name (not its value).
    pub name: String,
    /// Whether a later read may succeed: true when the secret store is unreachable, false when the secret is missing,
    /// forbidden or malformed.
    pub transient: bool,
    /// What went wrong.
    pub source: BoxError,
}

/// Where the client gets its credential. The client asks for it before each sign-in, so that a rotation takes effect.
#[async_trait]
pub trait CredentialSource: Send + Sync {
    /// Returns the credential, possibly from a cache.
    ///
    /// # Errors
    /// [`CredentialError`] when there is no credential or its store does not answer.
    async fn current(&self) -> Result<Arc<TableauCredential>, CredentialError>;

    /// Returns the credential to try after Tableau refused `refused`: reads the secret store again without a cache.
    /// `None` if the store still has the refused credential.
    ///
    /// # Errors
    /// [`CredentialError`] as for [`CredentialSource::current`].
    async fn replacement(
        &self,
        refused: &Arc<TableauCredential>,
    ) -> Result<Option<Arc<TableauCredential>>, CredentialError>;
}

/// A credential that never changes, for tests and for programs that read it once.
#[derive(Clone, Debug)]
pub struct FixedCredential(Arc<TableauCredential>);

impl FixedCredential {
    /// Creates a source that always returns `credential`.
    pub fn new(credential: TableauCredential) -> Self {
        Self(Arc::new(credential))
    }
}

#[async_trait]
impl CredentialSource for FixedCredential {
    async fn current(&self) -> Result<Arc<TableauCredential>, CredentialError> {
        Ok(Arc::clone(&self.0))
    }

    async fn replacement(
        &self,
        _: &Arc<TableauCredential>,
    ) -> Result<Option<Arc<TableauCredential>>, CredentialError> {
        Ok(None)
    }
}
