//! Why a document was not read or changed.

use crate::InvalidKey;
use workflow::{BoxError, Failure};

/// Why a document was not read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store does not answer.
    #[error("the table did not answer")]
    Store(#[source] BoxError),
    /// Other processes changed the document at every try.
    #[error("too many workers change `{0}` at the same time")]
    Contended(String),
    /// The key is not a valid document key.
    #[error("a document cannot have this key")]
    Key(#[from] InvalidKey),
    /// The document cannot be serialized as JSON.
    #[error("the document `{0}` cannot be written")]
    Unwritable(String, #[source] serde_json::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::transient(error)
    }
}
