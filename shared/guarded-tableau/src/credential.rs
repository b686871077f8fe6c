//! Lets the Tableau client use a workflow's secret as its credential.

use async_trait::async_trait;
use std::fmt;
use std::sync::Arc;
use tableau_client::{CredentialError, TableauCredential};
use workflow::CredentialSource;

/// A workflow's secret as the credential of [`tableau_client::TableauClient`].
pub struct SecretCredential(Arc<dyn CredentialSource<TableauCredential>>);

impl SecretCredential {
    /// Creates a credential that is read from `secret`.
    pub fn new(secret: Arc<dyn CredentialSource<TableauCredential>>) -> Arc<Self> {
        Arc::new(Self(secret))
    }
}

impl fmt::Debug for SecretCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretCredential").finish_non_exhaustive()
    }
}

fn unread(error: workflow::CredentialError) -> CredentialError {
    let workflow::CredentialError { name, transient, source } = error;
    CredentialError { name, transient, source }
}

#[async_trait]
impl tableau_client::CredentialSource for SecretCredential {
    async fn current(&self) -> Result<Arc<TableauCredential>, CredentialError> {
        self.0.current().await.map_err(unread)
    }

    async fn replacement(
        &self,
        refused: &Arc<TableauCredential>,
    ) -> Result<Option<Arc<TableauCredential>>, CredentialError> {
        self.0.replacement(refused).await.map_err(unread)
    }
}
