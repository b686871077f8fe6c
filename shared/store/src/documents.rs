//! Documents that many processes change. A change is applied to the newest version; if another process writes first,
//! the change is applied again.

use crate::{Error, Key, Put, Store, Stored, Version, Write};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// How often a change is tried again after another process wrote first. Only a few processes change one document at a
/// time.
const TRIES: u32 = 30;

/// A type that is stored as a document.
pub trait Document: Clone + Default + PartialEq + Serialize + DeserializeOwned + Send {
    /// The kind of document: the first part of its key.
    const KIND: &'static str;
    /// How many days after its last change the document may be deleted.
    const KEPT_DAYS: i64 = 30;
}

/// A document and its version in the store.
#[derive(Clone, Debug)]
pub struct Versioned<D> {
    version: Version,
    /// The content.
    pub document: D,
}

impl<D: Document> Versioned<D> {
    fn new() -> Self {
        Self { version: Version::ABSENT, document: D::default() }
    }
}

/// What the caller expects about a document before changing it. A right expectation saves a request; a wrong one
/// costs a request more and has no other effect.
#[derive(Clone, Debug)]
pub enum Expect<D> {
    /// Nothing is known: the document is read first.
    Unknown,
    /// The document probably does not exist yet.
    New,
    /// This version was the newest when it was read.
    Seen(Versioned<D>),
}

/// The documents of a workflow.
#[derive(Clone)]
pub struct Documents(Arc<dyn Store>);

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").finish_non_exhaustive()
    }
}

impl Documents {
    /// Documents kept in `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    /// Reads the newest version; an empty document if none is stored.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn read<D: Document>(&self, key: &str) -> Result<D, Error> {
        Ok(self.read_versioned(key).await?.document)
    }

    /// Reads a document and its version, for a later change that expects this version.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn read_versioned<D: Document>(&self, key: &str) -> Result<Versioned<D>, Error> {
        self.newest(&Key::new(D::KIND, key)?).await
    }

    /// Applies `change` to the newest version, and writes the document if that changed it: one read and one write.
    /// `change` runs again if another process wrote first or an answer was lost; applied twice, it must have the
    /// effect of once.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn change<D: Document, T: Send>(
        &self,
        key: &str,
        now: Timestamp,
        change: impl FnMut(&mut D) -> T + Send,
    ) -> Result<(D, T), Error> {
        let changed = self.change_from(key, now, Expect::Unknown, change).await?;
        Ok((changed.0.document, changed.1))
    }

    /// Like `change`, for a document that probably does not exist yet: one write and no read if so.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn create_or_change<D: Document, T: Send>(
        &self,
        key: &str,
        now: Timestamp,
        change: impl FnMut(&mut D) -> T + Send,
    ) -> Result<(D, T), Error> {
        let changed = self.change_from(key, now, Expect::New, change).await?;
        Ok((changed.0.document, changed.1))
    }

    /// Like `change`, for a document of which the caller expects `expect`.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn change_from<D: Document, T: Send>(
        &self,
        key: &str,
        now: Timestamp,
        expect: Expect<D>,
        mut change: impl FnMut(&mut D) -> T + Send,
    ) -> Result<(Versioned<D>, T), Error> {
        let key = Key::new(D::KIND, key)?;
        let mut is_assumed = !matches!(expect, Expect::Unknown);
        let mut newest = match expect {
            Expect::Unknown => self.newest(&key).await?,
            Expect::New => Versioned::new(),
            Expect::Seen(seen) => seen,
        };
        for attempt in 0..TRIES {
            let mut document = newest.document.clone();
            let result = change(&mut document);
            if document == newest.document {
                if !is_assumed {
                    return Ok((newest, result));
                }
                // The expectation was not confirmed by a write, so the document is read and the change applied again.
                newest = self.newest(&key).await?;
                is_assumed = false;
                continue;
            }
            let write = write(&key, &document, now)?;
            match self.0.put(&key, newest.version, &write).await.map_err(Error::Store)? {
                Put::Written(version) => return Ok((Versioned { version, document }, result)),
                Put::Conflict(current) => newest = read(&key, current),
            }
            is_assumed = false;
            // After a conflict the newest version is known, so the next try follows at once; the try after that waits
            // first.
            if attempt % 2 == 1 {
                let longest = Duration::from_millis(20 * u64::from(attempt + 1));
                tokio::time::sleep(longest.mul_f64(fastrand::f64())).await;
            }
        }
        Err(Error::Contended(key.to_string()))
    }

    async fn newest<D: Document>(&self, key: &Key) -> Result<Versioned<D>, Error> {
        Ok(read(key, self.0.get(key).await.map_err(Error::Store)?))
    }
}

fn write<D: Document>(key: &Key, document: &D, now: Timestamp) -> Result<Write, Error> {
    let text = serde_json::to_string(document).map_err(|error| Error::Unwritable(key.to_string(), error))?;
    let kept = SignedDuration::from_hours(24 * D::KEPT_DAYS);
    let expires_at = now.checked_add(kept).unwrap_or(Timestamp::MAX);
    Ok(Write { text, expires_at })
}

fn read<D: Document>(key: &Key, stored: Option<Stored>) -> Versioned<D> {
    let Some(Stored { version, text }) = stored else { return Versioned::new() };
    let document = serde_json::from_str(&text).unwrap_or_else(|error| {
        // The document is damaged or was written by another version of this code. It is treated as empty: losing its
        // content is better than failing for ever. The parse error is not logged, because its text would quote the
        // document.
        let key = key.as_str();
        let kind = error.classify();
        let line = error.line();
        let column = error.column();
        tracing::warn!(
            key,
            ?kind,
            line,
            column,
            "a stored document cannot be read; an empty one replaces it"
        );
        D::default()
    });
    Versioned { version, document }
}
