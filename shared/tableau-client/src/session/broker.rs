//! Hands out the shared session and replaces it when it is over.

use super::{Lease, Refusal, Session, SessionStore};
use crate::Error;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;
use workflow::chain;

/// How long the right to sign in lasts.
const LEASE: SignedDuration = SignedDuration::from_secs(15);
/// How long before that signing in must be over, its own retries included: more than clocks differ, so that nobody else
/// begins meanwhile.
const MARGIN: SignedDuration = SignedDuration::from_secs(3);
/// How long a caller waits for others before it gives up: beyond the end of a lease whose holder died.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
/// The longest waits between two looks at the store, the first and any. A sign-in takes some tenths of a second; who
/// waits longer waits for a Tableau in trouble, and a hundred of them shall not keep the store busy.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_millis(800);

/// How long a credential that Tableau refused is not tried again. Not longer, since what is wrong may be mended at
/// Tableau; a new secret is tried at once.
const REFUSED: SignedDuration = SignedDuration::from_secs(60);
/// As many refused credentials are remembered under one key: there is one, and another while it is rotated.
const REMEMBERED: usize = 4;

/// A session and the key it is kept under.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(super) key: String,
    pub(crate) session: Session,
}

pub(crate) struct Broker {
    store: Arc<dyn SessionStore>,
    /// An argument, so that tests can let time pass.
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// The session this process uses. The lock is held over a sign-in, so that one process makes one.
    current: Mutex<Option<Shared>>,
}

/// Gives the lease back when signing in is given up in the middle: the others would wait until it ran out.
struct Held {
    store: Arc<dyn SessionStore>,
    key: String,
    lease: Lease,
    done: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let (false, Ok(runtime)) = (self.done, tokio::runtime::Handle::try_current()) {
            let (store, key, lease) =
                (Arc::clone(&self.store), std::mem::take(&mut self.key), self.lease.clone());
            runtime.spawn(async move { store.release(&key, &lease).await });
        }
    }
}

impl Broker {
    pub(crate) fn new(store: Arc<dyn SessionStore>) -> Self {
        Self::with_clock(store, Timestamp::now)
    }

    pub(super) fn with_clock(
        store: Arc<dyn SessionStore>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self { store, clock: Box::new(clock), current: Mutex::new(None) }
    }

    /// The session to use: any but `over`, which Tableau has just refused.
    ///
    /// `sign_in` runs in one process at a time over all who share `key`. Without the store nobody signs in: whoever
    /// did would end the session that all others use. Waits for others up to [`PATIENCE`]; a caller with less time
    /// drops the future. A credential of this `fingerprint` that Tableau has just refused is not tried.
    pub(crate) async fn session<F, Fut>(
        &self,
        key: &str,
        fingerprint: u16,
        over: Option<&Shared>,
        sign_in: F,
    ) -> Result<Shared, Error>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<Session, Error>>,
    {
        // The tokens tell, not the versions: those begin again when the store has forgotten the key, and a session that
        // could not be published has the version of the one before.
        let over = over.map(|over| over.session.token.expose_secret());
        let usable =
            |shared: &Shared| shared.key == key && over != Some(shared.session.token.expose_secret());
        let deadline = Instant::now() + PATIENCE;
        let lock = tokio::time::timeout_at(deadline, self.current.lock());
        let mut current = lock.await.map_err(|_| Error::SignInPending)?;
        if let Some(shared) = current.as_ref().filter(|shared| usable(shared)) {
            return Ok(shared.clone());
        }
        let mut longest = FIRST_WAIT;
        while Instant::now() < deadline {
            let entry = self.store.read(key).await.map_err(Error::SessionStore)?;
            let (version, leased_until) = (entry.version, entry.leased_until);
            let shared = entry.session.map(|session| Shared { key: key.to_owned(), session });
            if let Some(shared) = shared.filter(usable) {
                return Ok(current.insert(shared).clone());
            }
            let now = (self.clock)();
            // By a clock that is far ahead of ours, a refusal does not count, as a lease does not.
            let refusal = entry.refusal.filter(|refusal| {
                let left = refusal.until.duration_since(now);
                left.is_positive() && left <= REFUSED * 3
            });
            if let Some(refusal) = &refusal
                && refusal.credentials.contains(&fingerprint)
            {
                let Refusal { until, reason, .. } = refusal.clone();
                return Err(Error::CredentialRefused { until, reason });
            }
            let left =
                leased_until.map(|until| until.duration_since(now)).filter(SignedDuration::is_positive);
            // By a clock that is far ahead of ours: the store says whether the lease counts.
            let left = left.filter(|left| *left <= LEASE * 3);
            if left.is_none()
                && let Some(held) = self.lease(key, version, now).await?
            {
                let refused = |reason, now| add(refusal, fingerprint, reason, now);
                if let Some(shared) = self.sign_in(held, refused, &sign_in).await? {
                    return Ok(current.insert(shared).clone());
                }
                continue;
            }
            // A lease that ends earlier is worth an earlier look.
            let left = left.and_then(|left| left.unsigned_abs().checked_add(FIRST_WAIT)).unwrap_or(longest);
            tokio::time::sleep_until(deadline.min(Instant::now() + jitter(longest.min(left)))).await;
            longest = (longest * 2).min(LONGEST_WAIT);
        }
        Err(Error::SignInPending)
    }

    async fn lease(&self, key: &str, version: u64, now: Timestamp) -> Result<Option<Held>, Error> {
        let until = now.checked_add(LEASE).unwrap_or(now);
        let lease = Lease { version, holder: fastrand::u64(..), until };
        let granted = self.store.lease(key, &lease, now).await.map_err(Error::SessionStore)?;
        let held = || Held { store: Arc::clone(&self.store), key: key.to_owned(), lease, done: false };
        Ok(granted.then(held))
    }

    /// Signs in under a lease. `None` when the lease had run out before or meanwhile.
    async fn sign_in<F, Fut>(
        &self,
        mut held: Held,
        refused: impl FnOnce(String, Timestamp) -> Refusal,
        sign_in: F,
    ) -> Result<Option<Shared>, Error>
    where
        F: Fn() -> Fut,
        Fut: Future<Output = Result<Session, Error>>,
    {
        // Counted from the lease's end: this process may have stood still since it asked for the lease.
        let left = held.lease.until.duration_since((self.clock)()) - MARGIN;
        let left = Duration::try_from(left).unwrap_or_default();
        if left.is_zero() {
            return Ok(None);
        }
        let signed_in = tokio::time::timeout(left, sign_in()).await;
        let session = match signed_in.unwrap_or(Err(Error::OutOfTime { operation: "sign in", source: None }))
        {
            Ok(session) => session,
            Err(error) => {
                // Waited for, since what runs beside an answer may never end: Lambda stops the process between two.
                // What cannot be given back runs out by itself.
                let _ = if error.is_credential_refused() {
                    let refusal = refused(error.to_string(), (self.clock)());
                    self.store.refuse(&held.key, &held.lease, &refusal).await
                } else {
                    self.store.release(&held.key, &held.lease).await
                };
                held.done = true;
                return Err(error);
            }
        };
        let key = held.key.clone();
        match self.store.publish(&key, &held.lease, &session).await {
            Ok(published) => {
                held.done = true;
                Ok(published.then(|| Shared { key, session }))
            }
            Err(error) => {
                // It is a session all the same, until somebody else signs in.
                tracing::warn!(reason = chain(error.as_ref()), "the new Tableau session is not shared");
                Ok(Some(Shared { key, session }))
            }
        }
    }
}

/// What was refused so far, and one more.
fn add(before: Option<Refusal>, fingerprint: u16, reason: String, now: Timestamp) -> Refusal {
    let mut credentials = before.map(|refusal| refusal.credentials).unwrap_or_default();
    credentials.insert(0, fingerprint);
    credentials.truncate(REMEMBERED);
    Refusal { credentials, until: now.checked_add(REFUSED).unwrap_or(now), reason }
}

/// Half of the wait or more, so that those who began to wait together do not look together.
fn jitter(longest: Duration) -> Duration {
    longest.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
pub(super) mod tests {
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

    fn token(shared: &Shared) -> String {
        shared.session.token.expose_secret().to_owned()
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
                    token(&broker.session("k", 1, None, sign_in).await.unwrap())
                })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), "one");
        }
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_session_that_is_over_is_replaced_once() {
        let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
        let (one, two) = (Broker::new(Arc::clone(&store)), Broker::new(store));
        let first = one.session("k", 1, None, || async { Ok(session("one")) }).await.unwrap();
        let same = two.session("k", 1, None, || async { Ok(session("never")) }).await.unwrap();

        let second = one.session("k", 1, Some(&first), || async { Ok(session("two")) }).await.unwrap();
        let read = two.session("k", 1, Some(&same), || async { Ok(session("never")) }).await.unwrap();

        assert_eq!((token(&second), token(&read)), ("two".to_owned(), "two".to_owned()));
    }

    #[tokio::test]
    async fn a_session_of_another_key_says_nothing_about_this_one() {
        let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
        let (one, two) = (Broker::new(Arc::clone(&store)), Broker::new(store));
        let first = one.session("old", 1, None, || async { Ok(session("one")) }).await.unwrap();
        let second = one.session("old", 1, Some(&first), || async { Ok(session("two")) }).await.unwrap();
        two.session("new", 1, None, || async { Ok(session("three")) }).await.unwrap();
        let read = one.session("new", 1, Some(&second), || async { Ok(session("never")) }).await.unwrap();
        assert_eq!((token(&read).as_str(), read.key.as_str()), ("three", "new"));
    }

    #[tokio::test]
    async fn a_sign_in_that_was_given_up_gives_its_lease_back() {
        let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
        let broker = Broker::new(Arc::clone(&store));
        let hangs = || std::future::pending::<Result<Session, Error>>();
        let given_up =
            tokio::time::timeout(Duration::from_millis(20), broker.session("k", 1, None, hangs)).await;
        assert!(given_up.is_err());
        tokio::task::yield_now().await;
        assert_eq!(store.read("k").await.unwrap().leased_until, None);
    }

    #[tokio::test]
    async fn a_failed_sign_in_leaves_the_way_free() {
        let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
        let broker = Broker::new(store);
        let failed = broker
            .session("k", 1, None, || async { Err(Error::Redirected { operation: "sign in", to: None }) })
            .await;
        assert!(failed.is_err());
        tokio::task::yield_now().await;
        let next = broker.session("k", 1, None, || async { Ok(session("one")) }).await.unwrap();
        assert_eq!(token(&next), "one");
    }

    #[tokio::test(start_paused = true)]
    async fn a_holder_that_died_keeps_nobody_waiting_past_its_lease() {
        let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
        let (start, began) = (Timestamp::now(), Instant::now());
        let lease = Lease { version: 0, holder: 7, until: start + LEASE };
        assert!(store.lease("k", &lease, start).await.unwrap());
        let clock = move || start + SignedDuration::try_from(began.elapsed()).unwrap();
        let broker = Broker::with_clock(store, clock);

        let shared = broker.session("k", 1, None, || async { Ok(session("one")) }).await.unwrap();

        assert_eq!(token(&shared), "one");
        let waited = SignedDuration::try_from(began.elapsed()).unwrap();
        assert!(waited >= LEASE && waited < LEASE + SignedDuration::from_secs(1), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_by_a_clock_that_is_far_ahead_keeps_nobody_waiting() {
        let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
        let (ahead, began) = (Timestamp::now() + SignedDuration::from_hours(1), Instant::now());
        let lease = Lease { version: 0, holder: 7, until: ahead + LEASE };
        assert!(store.lease("k", &lease, ahead).await.unwrap());

        let shared = Broker::new(store).session("k", 1, None, || async { Ok(session("one")) }).await.unwrap();

        assert_eq!((token(&shared).as_str(), began.elapsed()), ("one", Duration::ZERO));
    }

    #[tokio::test]
    async fn a_store_that_forgot_the_key_begins_again() {
        let before: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
        let mut broker = Broker::new(before);
        let first = broker.session("k", 1, None, || async { Ok(session("one")) }).await.unwrap();
        let second = broker.session("k", 1, Some(&first), || async { Ok(session("two")) }).await.unwrap();
        broker.store = Arc::new(MemorySessionStore::default());
        let other = Broker::new(Arc::clone(&broker.store));
        other.session("k", 1, None, || async { Ok(session("three")) }).await.unwrap();

        let read = broker.session("k", 1, Some(&second), || async { Ok(session("never")) }).await.unwrap();

        assert_eq!((token(&second), token(&read)), ("two".to_owned(), "three".to_owned()));
    }

    /// What Tableau says to a wrong credential.
    pub(in crate::session) fn refused() -> Error {
        Error::Refused {
            operation: "sign in",
            status: 401,
            code: "401001".to_owned(),
            summary: "Signin Error".to_owned(),
            detail: String::new(),
            retry_after: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_credential_is_tried_once_a_minute_and_another_at_once() {
        let (start, began) = (Timestamp::now(), Instant::now());
        let clock = move || start + SignedDuration::try_from(began.elapsed()).unwrap();
        let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
        let broker = || Broker::with_clock(Arc::clone(&store), clock);
        let tries = Arc::new(AtomicU32::new(0));
        let sign_in = || {
            tries.fetch_add(1, Ordering::SeqCst);
            std::future::ready(Err(refused()))
        };
        for fingerprint in [1, 2, 1] {
            for _ in 0..20 {
                let error = broker().session("k", fingerprint, None, sign_in).await.unwrap_err();
                assert!(error.is_credential_refused() && !error.is_transient());
            }
        }
        assert_eq!(tries.load(Ordering::SeqCst), 2);
        let error = broker().session("k", 1, None, sign_in).await.unwrap_err();
        assert!(chain(&error).contains("Signin Error"), "{error}");

        tokio::time::sleep(Duration::from_secs(61)).await;
        assert!(broker().session("k", 1, None, sign_in).await.is_err());
        assert_eq!(tries.load(Ordering::SeqCst), 3);

        let renewed = broker().session("k", 3, None, || async { Ok(session("one")) }).await.unwrap();
        let others = broker().session("k", 1, None, || async { Ok(session("never")) }).await.unwrap();
        assert_eq!((token(&renewed), token(&others)), ("one".to_owned(), "one".to_owned()));
    }

    #[tokio::test]
    async fn a_refusal_by_a_clock_that_is_far_ahead_does_not_count() {
        let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
        let ahead =
            Broker::with_clock(Arc::clone(&store), || Timestamp::now() + SignedDuration::from_hours(1));
        assert!(ahead.session("k", 1, None, || async { Err(refused()) }).await.is_err());
        let shared = Broker::new(store).session("k", 1, None, || async { Ok(session("one")) }).await.unwrap();
        assert_eq!(token(&shared), "one");
    }

    struct Down;

    #[async_trait::async_trait]
    impl SessionStore for Down {
        async fn read(&self, _: &str) -> Result<crate::Entry, workflow::BoxError> {
            Err("the table does not answer".into())
        }

        async fn lease(&self, _: &str, _: &Lease, _: Timestamp) -> Result<bool, workflow::BoxError> {
            Err("the table does not answer".into())
        }

        async fn publish(&self, _: &str, _: &Lease, _: &Session) -> Result<bool, workflow::BoxError> {
            Err("the table does not answer".into())
        }

        async fn release(&self, _: &str, _: &Lease) -> Result<(), workflow::BoxError> {
            Err("the table does not answer".into())
        }

        async fn refuse(&self, _: &str, _: &Lease, _: &Refusal) -> Result<(), workflow::BoxError> {
            Err("the table does not answer".into())
        }
    }

    #[tokio::test]
    async fn without_the_store_nobody_signs_in() {
        let broker = Broker::new(Arc::new(Down));
        let sign_in = || async { panic!("a sign-in ends the session that all others use") };
        let error = broker.session("k", 1, None, sign_in).await.unwrap_err();
        assert!(error.is_transient());
        assert_eq!(chain(&error), "cannot share the Tableau session: the table does not answer");
    }
}
