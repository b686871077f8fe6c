//! Hands out the shared session and replaces it when it is over.

use super::{Session, SessionStore};
use crate::Error;
use jiff::{SignedDuration, Timestamp};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How long signing in may take, its own retries included.
const SIGN_IN: Duration = Duration::from_secs(12);
/// How long the right to sign in lasts: longer than signing in takes, so that nobody else begins meanwhile.
const LEASE: SignedDuration = SignedDuration::from_secs(15);
/// How often and how long the others look for what came of it: beyond the end of a lease whose holder died.
const POLL: Duration = Duration::from_millis(100);
const POLLS: u32 = 200;

/// A session and what it was published under.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    key: String,
    version: u64,
    pub(crate) session: Session,
}

pub(crate) struct Broker {
    store: Arc<dyn SessionStore>,
    /// The session this process uses. The lock is held over a sign-in, so that one process makes one.
    current: Mutex<Option<Shared>>,
}

/// Gives the lease back when signing in is given up in the middle: the others would wait until it ran out.
struct Lease {
    store: Arc<dyn SessionStore>,
    key: String,
    version: u64,
    held: bool,
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (true, Ok(runtime)) = (self.held, tokio::runtime::Handle::try_current()) {
            let (store, key, version) =
                (Arc::clone(&self.store), std::mem::take(&mut self.key), self.version);
            runtime.spawn(async move { store.release(&key, version).await });
        }
    }
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
        // Versions of different keys, after a token was exchanged for one of another name, do not compare.
        let stale = over.filter(|over| over.key == key).map_or(0, |over| over.version);
        let usable = |shared: &Shared| shared.key == key && shared.version > stale;
        let mut current = self.current.lock().await;
        if let Some(shared) = current.as_ref().filter(|shared| usable(shared)) {
            return Ok(shared.clone());
        }
        for _ in 0..POLLS {
            let entry = self.store.read(key).await.map_err(Error::SessionStore)?;
            let (version, leased_until) = (entry.version, entry.leased_until);
            let shared = entry.session.map(|session| Shared { key: key.to_owned(), version, session });
            if let Some(shared) = shared.filter(usable) {
                *current = Some(shared.clone());
                return Ok(shared);
            }
            let now = Timestamp::now();
            if leased_until.is_none_or(|until| until <= now) && self.lease(key, version, now).await? {
                let shared = self.sign_in(key, version, sign_in).await?;
                *current = Some(shared.clone());
                return Ok(shared);
            }
            tokio::time::sleep(POLL).await;
        }
        Err(Error::SignInPending)
    }

    async fn lease(&self, key: &str, version: u64, now: Timestamp) -> Result<bool, Error> {
        let until = now.checked_add(LEASE).unwrap_or(now);
        self.store.lease(key, version, now, until).await.map_err(Error::SessionStore)
    }

    async fn sign_in<F, Fut>(&self, key: &str, version: u64, sign_in: F) -> Result<Shared, Error>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Session, Error>>,
    {
        let mut lease = Lease { store: Arc::clone(&self.store), key: key.to_owned(), version, held: true };
        let session = tokio::time::timeout(SIGN_IN, sign_in()).await.map_err(|_| Error::SignInPending)??;
        let published = self.store.publish(key, version, &session).await.map_err(Error::SessionStore)?;
        lease.held = !published;
        // Overtaken: our lease ran out, and another session stands in the store. Ours works until it does not.
        let version = if published { version + 1 } else { version };
        Ok(Shared { key: key.to_owned(), version, session })
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
            server: None,
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
    async fn a_session_of_another_key_says_nothing_about_this_one() {
        let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
        let (one, two) = (Broker::new(Arc::clone(&store)), Broker::new(store));
        let first = one.session("old", None, || async { Ok(session("one")) }).await.unwrap();
        let second = one.session("old", Some(&first), || async { Ok(session("two")) }).await.unwrap();
        two.session("new", None, || async { Ok(session("three")) }).await.unwrap();
        let read = one.session("new", Some(&second), || async { Ok(session("never")) }).await.unwrap();
        assert_eq!((read.version, read.key.as_str()), (1, "new"));
    }

    #[tokio::test]
    async fn a_sign_in_that_was_given_up_gives_its_lease_back() {
        let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
        let broker = Broker::new(Arc::clone(&store));
        let hangs = || std::future::pending::<Result<Session, Error>>();
        let given_up =
            tokio::time::timeout(Duration::from_millis(20), broker.session("k", None, hangs)).await;
        assert!(given_up.is_err());
        tokio::task::yield_now().await;
        assert_eq!(store.read("k").await.unwrap().leased_until, None);
    }

    #[tokio::test]
    async fn a_failed_sign_in_leaves_the_way_free() {
        let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
        let broker = Broker::new(store);
        let failed =
            broker.session("k", None, || async { Err(Error::Redirected { operation: "sign in" }) }).await;
        assert!(failed.is_err());
        tokio::task::yield_now().await;
        let next = broker.session("k", None, || async { Ok(session("one")) }).await.unwrap();
        assert_eq!(next.version, 1);
    }
}
