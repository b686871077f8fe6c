//! Documents that many processes change: each change is made to the newest version, or made again.

use crate::{Error, Key, Put, Store, Stored, Version, Write};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// How often a change is tried because others were faster. A few processes at a time change one document.
const TRIES: u32 = 30;

/// What is kept as a document.
pub trait Document: Clone + Default + PartialEq + Serialize + DeserializeOwned + Send {
    /// The first part of its keys.
    const KIND: &'static str;
    /// How many days it is kept after its last change.
    const KEPT_DAYS: i64 = 30;
}

/// A document and the version that it was read or written as.
#[derive(Clone, Debug)]
pub struct Versioned<D> {
    version: Version,
    /// The document.
    pub document: D,
}

impl<D: Document> Versioned<D> {
    fn new() -> Self {
        Self { version: Version::ABSENT, document: D::default() }
    }
}

/// What the caller knows of a document before it is changed. It saves a request, and decides nothing: what is wrong here
/// costs one request more.
#[derive(Clone, Debug)]
pub enum Expect<D> {
    /// Nothing: it is read first.
    Unknown,
    /// There is probably none yet.
    New,
    /// This was the newest version.
    Seen(Versioned<D>),
}

/// Documents of a workflow.
#[derive(Clone)]
pub struct Documents(Arc<dyn Store>);

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").finish_non_exhaustive()
    }
}

impl Documents {
    /// Documents in `store`.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    /// The newest version; a new document when there is none.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn read<D: Document>(&self, key: &str) -> Result<D, Error> {
        Ok(self.read_versioned(key).await?.document)
    }

    /// The same, to be expected by a change that comes later.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn read_versioned<D: Document>(&self, key: &str) -> Result<Versioned<D>, Error> {
        self.newest(&Key::new(D::KIND, key)?).await
    }

    /// Changes the newest version and writes it, if `change` did change it: a read and a write. `change` runs again when others
    /// were faster or an answer was lost: made twice, it must change nothing more.
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

    /// The same for a document that is probably new: one write when it is.
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

    /// The same for a document of which the caller knows what `expect` says.
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
                // Nothing was written, so nothing has shown yet that the assumption holds.
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
            // The first try after a conflict has the newest version. It is made at once, every other one after a wait.
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
        // Of another version of this code, or damaged. What it knew is lost, which is better than to fail for ever. The
        // error's own text would repeat what is in the document.
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
