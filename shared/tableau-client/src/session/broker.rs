//! Hands out the shared session and replaces it when it is over.

use super::{Lease, Refusal, Session, SessionStore, can_be_sent};
use crate::settings::may_share;
use crate::{Error, chain};
use confidential::SecureUrl;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

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
/// How far the clock of the process that signed in may be ahead of ours.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

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
    /// How long a session is used at most, from the sign-in on; `None` leaves it to Tableau.
    limit: Option<SignedDuration>,
    /// The configured server: where else a session may be depends on it.
    server: Option<SecureUrl>,
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
    pub(crate) fn new(store: Arc<dyn SessionStore>, limit: Option<Duration>) -> Self {
        let limit = limit.map(|limit| SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX));
        Self { limit, ..Self::with_clock(store, Timestamp::now) }
    }

    /// The same with the server that is configured.
    pub(crate) fn at(self, server: &SecureUrl) -> Self {
        Self { server: Some(server.clone()), ..self }
    }

    pub(super) fn with_clock(
        store: Arc<dyn SessionStore>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self { store, clock: Box::new(clock), limit: None, server: None, current: Mutex::new(None) }
    }

    #[cfg(test)]
    pub(super) fn limited_to(self, limit: SignedDuration) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// Whether a session has been used for as long as the limit allows. One whose age cannot be told, or was opened in the
    /// future by our clock, is too old: a limit that does not hold is none.
    fn is_too_old(&self, session: &Session) -> bool {
        let Some(limit) = self.limit else { return false };
        let age = session.signed_in_at.map(|at| (self.clock)().duration_since(at));
        age.is_none_or(|age| age >= limit || age < -CLOCKS_DIFFER)
    }

    /// Whether a session is one that can be, whoever wrote it into the store: its token is sent to a server where a session of
    /// ours may be, and nowhere else.
    fn is_credible(&self, session: &Session) -> bool {
        let may_be_at = |server| self.server.as_ref().is_some_and(|ours| may_share(ours, server));
        can_be_sent(&session.token) && session.server.as_ref().is_none_or(may_be_at)
    }

    /// The session to use: any but `over`, which Tableau has just refused, and one that is too old.
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
        let usable = |shared: &Shared| {
            let refused = over == Some(shared.session.token.expose_secret());
            let is_credible = self.is_credible(&shared.session);
            shared.key == key && !refused && is_credible && !self.is_too_old(&shared.session)
        };
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
            let refusals = entry.refusals.into_iter();
            let mut refusals: Vec<Refusal> = refusals.filter(|refusal| still_counts(refusal, now)).collect();
            if let Some(at) = refusals.iter().position(|refusal| refusal.credential == fingerprint) {
                let Refusal { until, reason, .. } = refusals.swap_remove(at);
                let retry_after = until.duration_since(now).try_into().unwrap_or_default();
                return Err(Error::CredentialRefused { until, retry_after, reason });
            }
            let left =
                leased_until.map(|until| until.duration_since(now)).filter(SignedDuration::is_positive);
            // By a clock that is far ahead of ours: the store says whether the lease counts.
            let left = left.filter(|left| *left <= LEASE * 3);
            if left.is_none()
                && let Some(held) = self.lease(key, version, now).await?
            {
                let refused = |reason, now| add(refusals, fingerprint, reason, now);
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
        refused: impl FnOnce(String, Timestamp) -> Vec<Refusal>,
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
                    let refusals = refused(error.to_string(), (self.clock)());
                    self.store.refuse(&held.key, &held.lease, &refusals).await
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

/// Whether a refusal keeps anybody from trying. By a clock that is far ahead of ours it does not, as a lease does not.
fn still_counts(refusal: &Refusal, now: Timestamp) -> bool {
    let left = refusal.until.duration_since(now);
    left.is_positive() && left <= REFUSED * 3
}

/// What was refused so far and is not over, and one more: each with a time of its own.
fn add(mut refusals: Vec<Refusal>, credential: u16, reason: String, now: Timestamp) -> Vec<Refusal> {
    let until = now.checked_add(REFUSED).unwrap_or(now);
    refusals.retain(|refusal| refusal.credential != credential && still_counts(refusal, now));
    refusals.insert(0, Refusal { credential, until, reason });
    refusals.truncate(REMEMBERED);
    refusals
}

/// Half of the wait or more, so that those who began to wait together do not look together.
fn jitter(longest: Duration) -> Duration {
    longest.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
pub(super) mod tests;
