//! One secret, typed and cached.

use crate::{SecretStore, parse};
use async_trait::async_trait;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use workflow::{BoxError, CredentialError, CredentialSource, chain};

/// How long a cached value is used before the secret is read again.
pub const LIFETIME: Duration = Duration::from_secs(300);

/// A value younger than this is not read again, however often it is refused: strangers can cause refusals, and each
/// read costs money.
pub const FRESH: Duration = Duration::from_secs(5);

/// After a failed read, how long the cached value is used before the store is asked again.
const GRACE: Duration = Duration::from_secs(30);

/// A secret, read at first use and cached for [`LIFETIME`].
///
/// A value that has worked is kept while the store does not answer, or while the store's new text is malformed: a
/// mistake while editing does not take away a working credential.
pub struct Secret<T> {
    store: Arc<dyn SecretStore>,
    id: String,
    /// The lock is held during a read, so that concurrent callers cause only one read.
    kept: Mutex<Option<Kept<T>>>,
}

struct Kept<T> {
    value: Arc<T>,
    /// When the last read of the store began.
    read_at: Instant,
    read_again_at: Instant,
    /// Whether that read failed, and how.
    failed: Option<Failed>,
}

#[derive(Clone)]
struct Failed {
    transient: bool,
    reason: String,
}

impl<T> Kept<T> {
    /// A value whose read began at `began`: a change of the secret after that may not be in it.
    fn new(value: Arc<T>, began: Instant) -> Self {
        Self { value, read_at: began, read_again_at: began + LIFETIME, failed: None }
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret").field("id", &self.id).finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned> Secret<T> {
    /// The secret `id` in `store`. Nothing is read yet.
    pub fn new(store: Arc<dyn SecretStore>, id: impl Into<String>) -> Self {
        Self { store, id: id.into(), kept: Mutex::new(None) }
    }

    fn failed(&self, Failed { transient, reason }: Failed) -> CredentialError {
        CredentialError { name: self.id.clone(), transient, source: reason.into() }
    }

    async fn read(&self) -> Result<Arc<T>, CredentialError> {
        let failed =
            |transient: bool, source: BoxError| CredentialError { name: self.id.clone(), transient, source };
        let text = self.store.read(&self.id).await.map_err(|e| failed(e.transient, e.source))?;
        parse(&text).map(Arc::new).map_err(|problem| failed(false, problem.into()))
    }
}

#[async_trait]
impl<T: DeserializeOwned + PartialEq + Send + Sync> CredentialSource<T> for Secret<T> {
    async fn current(&self) -> Result<Arc<T>, CredentialError> {
        let mut kept = self.kept.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| Instant::now() < kept.read_again_at) {
            return Ok(Arc::clone(&kept.value));
        }
        let began = Instant::now();
        match (self.read().await, kept.as_mut()) {
            (Ok(value), _) => {
                *kept = Some(Kept::new(Arc::clone(&value), began));
                Ok(value)
            }
            (Err(error), Some(kept)) => {
                tracing::error!(
                    secret = self.id,
                    reason = chain(&error),
                    "the secret cannot be read; the value from before stays in use"
                );
                kept.read_again_at = Instant::now() + GRACE;
                Ok(Arc::clone(&kept.value))
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn replacement(&self, refused: &Arc<T>) -> Result<Option<Arc<T>>, CredentialError> {
        let mut kept = self.kept.lock().await;
        // Another caller has already read the new value.
        if let Some(kept) = kept.as_ref().filter(|kept| *kept.value != **refused) {
            return Ok(Some(Arc::clone(&kept.value)));
        }
        let began = Instant::now();
        if let Some(kept) = kept.as_ref().filter(|kept| began.duration_since(kept.read_at) < FRESH) {
            // Without an answer it is not known whether there is another value.
            return kept.failed.as_ref().map_or(Ok(None), |failed| Err(self.failed(failed.clone())));
        }
        match self.read().await {
            Ok(value) => {
                *kept = Some(Kept::new(Arc::clone(&value), began));
                Ok((*value != **refused).then_some(value))
            }
            Err(error) => {
                if let Some(kept) = kept.as_mut() {
                    kept.read_at = began;
                    kept.failed =
                        Some(Failed { transient: error.transient, reason: chain(error.source.as_ref()) });
                }
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MemorySecrets, ReadError};
    use secrecy::SecretString;
    use serde::Deserialize;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Token {
        token: String,
    }

    fn secret(store: &Arc<MemorySecrets>) -> Secret<Token> {
        Secret::new(Arc::<MemorySecrets>::clone(store), "slack")
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_kept_for_its_lifetime() {
        let store = Arc::new(MemorySecrets::default());
        store.put("slack", r#"{"token":"one"}"#);
        let secret = secret(&store);
        assert_eq!(secret.current().await.unwrap().token, "one");
        store.put("slack", r#"{"token":"two"}"#);

        tokio::time::advance(LIFETIME - Duration::from_secs(1)).await;
        assert_eq!(secret.current().await.unwrap().token, "one");
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(secret.current().await.unwrap().token, "two");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_value_is_read_again_past_the_cache() {
        let store = Arc::new(MemorySecrets::default());
        store.put("slack", r#"{"token":"one"}"#);
        let secret = secret(&store);
        let refused = secret.current().await.unwrap();
        assert_eq!(secret.replacement(&refused).await.unwrap(), None);

        store.put("slack", r#"{"token":"two"}"#);
        assert_eq!(secret.replacement(&refused).await.unwrap(), None, "read a moment ago");
        tokio::time::advance(FRESH).await;
        assert_eq!(secret.replacement(&refused).await.unwrap().unwrap().token, "two");
        assert_eq!(secret.current().await.unwrap().token, "two");
    }

    #[tokio::test]
    async fn an_error_names_the_secret_and_not_its_value() {
        let store = Arc::new(MemorySecrets::default());
        for (text, expected) in [
            ("hunter2", "not JSON, at line 1, column 1: write a JSON object with `token`"),
            (r#"{"token":["hunter2"]}"#, "`token` must be a text, in quotation marks"),
            (r#"{"hunter2":""}"#, "a key is not known: there are `token`"),
            (r#"{"tokn":"hunter2"}"#, "there is no key `tokn`; did you mean `token`?"),
            ("{}", "missing field `token`"),
        ] {
            store.put("slack", text);
            let error = secret(&store).current().await.unwrap_err();
            assert_eq!(error.to_string(), "cannot read the secret `slack`");
            assert_eq!(error.source.to_string(), expected);
            assert!(!error.transient);
        }
    }

    struct Flaky(AtomicU32);

    #[async_trait]
    impl SecretStore for Flaky {
        async fn read(&self, _: &str) -> Result<SecretString, ReadError> {
            if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
                return Ok(SecretString::from(r#"{"token":"one"}"#));
            }
            Err(ReadError { transient: true, source: "down".into() })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_is_down_does_not_take_a_working_value_away() {
        let secret = Secret::<Token>::new(Arc::new(Flaky(AtomicU32::new(0))), "slack");
        secret.current().await.unwrap();
        tokio::time::advance(LIFETIME * 2).await;
        assert_eq!(secret.current().await.unwrap().token, "one");
    }

    /// Reads take three seconds, and bring what was there when they began.
    struct Slow(Arc<MemorySecrets>);

    #[async_trait]
    impl SecretStore for Slow {
        async fn read(&self, id: &str) -> Result<SecretString, ReadError> {
            let read = self.0.read(id).await;
            tokio::time::sleep(Duration::from_secs(3)).await;
            read
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_is_as_old_as_the_beginning_of_its_read() {
        let store = Arc::new(MemorySecrets::default());
        store.put("slack", r#"{"token":"one"}"#);
        let secret = Secret::<Token>::new(Arc::new(Slow(Arc::clone(&store))), "slack");
        let (refused, ()) = tokio::join!(secret.current(), async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            store.put("slack", r#"{"token":"two"}"#);
        });
        tokio::time::advance(FRESH - Duration::from_secs(3)).await;
        let replacement = secret.replacement(&refused.unwrap()).await.unwrap();
        assert_eq!(replacement.unwrap().token, "two");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_value_that_cannot_be_read_again_may_have_been_replaced() {
        let secret = Secret::<Token>::new(Arc::new(Flaky(AtomicU32::new(0))), "slack");
        let refused = secret.current().await.unwrap();
        assert_eq!(secret.replacement(&refused).await.unwrap(), None, "read a moment ago");
        tokio::time::advance(FRESH).await;
        for _ in 0..2 {
            let error = secret.replacement(&refused).await.unwrap_err();
            assert_eq!(
                (error.transient, chain(&error)),
                (true, "cannot read the secret `slack`: down".to_owned())
            );
        }
        assert_eq!(secret.current().await.unwrap().token, "one", "a working value stays in use");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slip_in_an_edit_does_not_take_a_working_value_away_until_it_is_mended() {
        let store = Arc::new(MemorySecrets::default());
        store.put("slack", r#"{"token":"one"}"#);
        let secret = secret(&store);
        secret.current().await.unwrap();
        store.put("slack", "not JSON");
        tokio::time::advance(LIFETIME).await;
        assert_eq!(secret.current().await.unwrap().token, "one");
        store.put("slack", r#"{"token":"two"}"#);
        tokio::time::advance(GRACE).await;
        assert_eq!(secret.current().await.unwrap().token, "two");
    }
}
