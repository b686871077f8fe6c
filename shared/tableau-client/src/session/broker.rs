//! Hands out the shared session and replaces it when it is over.

use super::{Entry, Session, SessionStore};
use crate::Error;
use jiff::{SignedDuration, Timestamp};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How long one caller may take to sign in before another may try: longer than a sign-in's own time limit.
const LEASE: SignedDuration = SignedDuration::from_secs(15);
/// How often and how long the others wait for it.
const POLL: Duration = Duration::from_millis(100);
const POLLS: u32 = 200;

/// A session and the version it was published under.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    version: u64,
    pub(crate) session: Session,
}

impl Shared {
    fn of(entry: Entry) -> Option<Self> {
        entry.session.map(|session| Self { version: entry.version, session })
    }
}

pub(crate) struct Broker {
    store: Arc<dyn SessionStore>,
    /// The session this process uses. The lock is held over a sign-in, so that one process makes one.
    current: Mutex<Option<Shared>>,
}

impl Broker {
    pub(crate) fn new(store: Arc<dyn SessionStore>) -> Self {
        Self { store, current: Mutex::new(None) }
    }

    /// The session to use: any but `over`, which Tableau has just refused.
    ///
    /// `sign_in` runs at most once here, and in one process at a time over all who share `key`.
    pub(crate) async fn session<F, Fut>(
        &self,
        key: &str,
        over: Option<&Shared>,
        sign_in: F,
    ) -> Result<Shared, Error>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Session, Error>>,
    {
        let stale = over.map_or(0, |shared| shared.version);
        let mut current = self.current.lock().await;
        if let Some(shared) = current.as_ref().filter(|shared| shared.version > stale) {
            return Ok(shared.clone());
        }
        let mut sign_in = Some(sign_in);
        for _ in 0..POLLS {
            let entry = self.store.read(key).await.map_err(Error::SessionStore)?;
            let version = entry.version;
            if let Some(shared) = Shared::of(entry).filter(|shared| shared.version > stale) {
                *current = Some(shared.clone());
                return Ok(shared);
            }
            let now = Timestamp::now();
            let until = now.checked_add(LEASE).unwrap_or(now);
            if !self.store.lease(key, version, now, until).await.map_err(Error::SessionStore)? {
                tokio::time::sleep(POLL).await;
                continue;
            }
            let Some(sign_in) = sign_in.take() else { break };
            let shared = self.publish(key, version, sign_in().await).await?;
            *current = Some(shared.clone());
            return Ok(shared);
        }
        Err(Error::SignInPending)
    }

    async fn publish(
        &self,
        key: &str,
        version: u64,
        session: Result<Session, Error>,
    ) -> Result<Shared, Error> {
        let session = match session {
            Ok(session) => session,
            Err(error) => {
                // The others should not wait for a lease whose holder has given up; they would after it ran out.
                let _ = self.store.release(key, version).await;
                return Err(error);
            }
        };
        let published = self.store.publish(key, version, &session).await.map_err(Error::SessionStore)?;
        // Overtaken: our lease ran out, and another session stands in the store. Ours works until it does not.
        let version = if published { version + 1 } else { version };
        Ok(Shared { version, session })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::MemorySessionStore;
    use std::sync::atomic::{AtomicU32, Ordering};

    fn session(token: &str) -> Session {
        Session {
            token: token.to_owned().into(),
            site: "s".parse().unwrap(),
            user: "u".parse().unwrap(),
            api_version: "3.24".parse().unwrap(),
        }
    }

    #[tokio::test]
    async fn brokers_that_share_a_store_sign_in_once() {
        let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
        let count = Arc::new(AtomicU32::new(0));
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (broker, count) = (Broker::new(Arc::clone(&store)), Arc::clone(&count));
                tokio::spawn(async move {
                    let sign_in = || async {
                        count.fetch_add(1, Ordering::SeqCst);
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        Ok(session("one"))
                    };
                    broker.session("k", None, sign_in).await.unwrap().version
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 1);
        }
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_session_that_is_over_is_replaced_once() {
        let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
        let (one, two) = (Broker::new(Arc::clone(&store)), Broker::new(store));
        let first = one.session("k", None, || async { Ok(session("one")) }).await.unwrap();
        let same = two.session("k", None, || async { Ok(session("never")) }).await.unwrap();

        let second = one.session("k", Some(&first), || async { Ok(session("two")) }).await.unwrap();
        let read = two.session("k", Some(&same), || async { Ok(session("never")) }).await.unwrap();

        assert_eq!((second.version, read.version), (2, 2));
    }

    #[tokio::test]
    async fn a_failed_sign_in_leaves_the_way_free() {
        let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
        let broker = Broker::new(store);
        let failed =
            broker.session("k", None, || async { Err(Error::Redirected { operation: "sign in" }) }).await;
        assert!(failed.is_err());
        let next = broker.session("k", None, || async { Ok(session("one")) }).await.unwrap();
        assert_eq!(next.version, 1);
    }
}
