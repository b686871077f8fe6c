//! Documents that many processes change: each change is made to the newest version, or made again.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use workflow::{BoxError, Failure};

/// How often a change is made again because somebody else was faster. A few processes at a time change one document.
const TRIES: u32 = 30;

/// Keeps texts under keys, each with a version.
///
/// Reads see every write that was confirmed before them. A write may arrive twice, when its answer was lost on the way.
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// The newest version and its text; 0 and none when there is none.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn read(&self, key: &str) -> Result<(u64, Option<String>), BoxError>;

    /// Writes the version after `version`. `false` when there is one already.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn write(
        &self,
        key: &str,
        version: u64,
        text: &str,
        expires_at: Timestamp,
    ) -> Result<bool, BoxError>;
}

/// What is kept as a document.
pub trait Document: Clone + Default + PartialEq + Serialize + DeserializeOwned + Send {
    /// The first part of its keys.
    const KIND: &'static str;
    /// How many days it is kept after its last change.
    const KEPT_DAYS: i64 = 30;
}

/// Why a document was not read or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store does not answer.
    #[error("the table did not answer")]
    Store(#[source] BoxError),
    /// Others were faster, again and again.
    #[error("too many change `{0}` at the same time")]
    Contended(String),
    /// The document cannot be written down.
    #[error("the document `{0}` cannot be written")]
    Unwritable(String, #[source] serde_json::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::transient(error)
    }
}

/// Documents of a workflow.
#[derive(Clone)]
pub struct Documents(Arc<dyn DocumentStore>);

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").finish_non_exhaustive()
    }
}

impl Documents {
    /// Documents in `store`.
    pub fn new(store: Arc<dyn DocumentStore>) -> Self {
        Self(store)
    }

    /// The newest version; a new document when there is none.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn read<D: Document>(&self, key: &str) -> Result<D, Error> {
        Ok(self.newest(&full::<D>(key)).await?.1)
    }

    /// Changes the newest version and writes it, if `change` did change it. `change` runs again when somebody else was
    /// faster or an answer was lost: made twice, it must change nothing more.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn change<D: Document, T: Send>(
        &self,
        key: &str,
        now: Timestamp,
        mut change: impl FnMut(&mut D) -> T + Send,
    ) -> Result<(D, T), Error> {
        let key = full::<D>(key);
        for attempt in 0..TRIES {
            let (version, before) = self.newest::<D>(&key).await?;
            let mut document = before.clone();
            let result = change(&mut document);
            if document == before {
                return Ok((document, result));
            }
            let text =
                serde_json::to_string(&document).map_err(|error| Error::Unwritable(key.clone(), error))?;
            let kept = SignedDuration::from_hours(24 * D::KEPT_DAYS);
            let expires_at = now.checked_add(kept).unwrap_or(Timestamp::MAX);
            if self.0.write(&key, version, &text, expires_at).await.map_err(Error::Store)? {
                return Ok((document, result));
            }
            let most = Duration::from_millis(20 * u64::from(attempt.min(10) + 1));
            tokio::time::sleep(most.mul_f64(fastrand::f64())).await;
        }
        Err(Error::Contended(key))
    }

    async fn newest<D: Document>(&self, key: &str) -> Result<(u64, D), Error> {
        let (version, text) = self.0.read(key).await.map_err(Error::Store)?;
        let Some(text) = text else { return Ok((version, D::default())) };
        let document = serde_json::from_str(&text).unwrap_or_else(|error| {
            // Of another version of this code, or damaged. What it knew is lost, which is better than to fail for ever. The
            // error's own text would repeat what is in the document.
            let kind = error.classify();
            let line = error.line();
            let column = error.column();
            tracing::warn!(key, ?kind, line, column, "a document cannot be read, and begins anew");
            D::default()
        });
        Ok((version, document))
    }
}

fn full<D: Document>(key: &str) -> String {
    format!("{}#{key}", D::KIND)
}

/// Keeps documents in the process.
#[derive(Debug, Default)]
pub struct MemoryDocuments(Mutex<HashMap<String, (u64, String)>>);

#[async_trait]
impl DocumentStore for MemoryDocuments {
    async fn read(&self, key: &str) -> Result<(u64, Option<String>), BoxError> {
        let documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(documents.get(key).map_or((0, None), |(version, text)| (*version, Some(text.clone()))))
    }

    async fn write(&self, key: &str, version: u64, text: &str, _: Timestamp) -> Result<bool, BoxError> {
        let mut documents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = documents.entry(key.to_owned()).or_default();
        if newest.0 != version {
            return Ok(false);
        }
        *newest = (version + 1, text.to_owned());
        Ok(true)
    }
}
