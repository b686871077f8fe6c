//! The session broker: returns the shared session, and replaces it when it has ended.

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

/// How long a lease to sign in lasts.
const LEASE: SignedDuration = SignedDuration::from_secs(15);
/// A sign-in, with its retries, must end this long before its lease does. More than clocks differ, so that no other
/// client begins meanwhile.
const MARGIN: SignedDuration = SignedDuration::from_secs(3);
/// How long a caller waits for another client's sign-in: longer than the lease of a client that died.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);
/// The longest waits between two reads of the session store: before the second read, and later. A sign-in takes a
/// fraction of a second. If it takes longer, Tableau has a problem, and a hundred waiting clients must not overload
/// the store.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_millis(800);

/// How long a refused credential is not tried again. Not longer, because a person may fix the cause at Tableau. A new
/// secret is tried at once.
const REFUSED: SignedDuration = SignedDuration::from_secs(60);
/// How far the clock of the process that signed in may be ahead of this one.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// How many refused credentials are remembered per key: one, and a second during a rotation.
const REMEMBERED: usize = 4;

/// A session, and its key in the session store.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(super) key: String,
    pub(crate) session: Session,
}

pub(crate) struct Broker {
    store: Arc<dyn SessionStore>,
    /// The clock; tests pass their own.
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// How long a session is used after its sign-in; `None` if only Tableau limits that.
    limit: Option<SignedDuration>,
    /// The configured server. It decides at which other servers a session may be.
    server: Option<SecureUrl>,
    /// The session that this process uses. The lock is held during a sign-in, so that a process signs in only once.
    current: Mutex<Option<Shared>>,
}

/// A lease that is given back when a sign-in is cancelled. Otherwise other clients would wait until the lease ends.
struct Held {
    store: Arc<dyn SessionStore>,
    key: String,
    lease: Lease,
    done: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let (false, Ok(runtime)) = (self.done, tokio::runtime::Handle::try_current()) {
            let store = Arc::clone(&self.store);
            let key = std::mem::take(&mut self.key);
            let lease = self.lease.clone();
            runtime.spawn(async move { store.release(&key, &lease).await });
        }
    }
}

impl Broker {
    pub(crate) fn new(store: Arc<dyn SessionStore>, limit: Option<Duration>) -> Self {
        let limit = limit.map(|limit| SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX));
        Self { limit, ..Self::with_clock(store, Timestamp::now) }
    }

    /// Sets the configured server.
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

    /// Whether a session is older than the limit allows. A session of unknown age counts as too old, and so does one
    /// whose sign-in is in the future by this clock.
    fn is_too_old(&self, session: &Session) -> bool {
        let Some(limit) = self.limit else { return false };
        let age = session.signed_in_at.map(|at| (self.clock)().duration_since(at));
        age.is_none_or(|age| age >= limit || age < -CLOCKS_DIFFER)
    }

    /// Whether a session from the store may be used: its token is sent only to a server that may have sessions of the
    /// configured server. The store may contain a forged session.
    fn is_credible(&self, session: &Session) -> bool {
        let may_be_at = |server| self.server.as_ref().is_some_and(|ours| may_share(ours, server));
        can_be_sent(&session.token) && session.server.as_ref().is_none_or(may_be_at)
    }

    /// The version of what the store has under a key; 0 if it has nothing.
    pub(crate) async fn version(&self, key: &str) -> Result<u64, Error> {
        Ok(self.store.read(key).await.map_err(Error::SessionStore)?.version)
    }

    /// Returns a session to use: not `over`, which Tableau has just refused, and not one that is too old.
    ///
    /// Only one of all processes that share `key` runs `sign_in` at a time. While the store does not answer, no
    /// process signs in, because that would end the session that all others use. Waits for another process for up to
    /// [`TIMEOUT`]; a caller with less time drops the future. A credential with this `fingerprint` that Tableau has
    /// just refused is not tried.
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
        // Compares tokens and not versions: versions start again at 0 when the store has deleted the key, and a
        // session that could not be published has the version of the one before.
        let over = over.map(|over| over.session.token.expose_secret());
        let usable = |shared: &Shared| {
            let refused = over == Some(shared.session.token.expose_secret());
            let is_credible = self.is_credible(&shared.session);
            shared.key == key && !refused && is_credible && !self.is_too_old(&shared.session)
        };
        let deadline = Instant::now() + TIMEOUT;
        let lock = tokio::time::timeout_at(deadline, self.current.lock());
        let mut current = lock.await.map_err(|_| Error::SignInPending)?;
        if let Some(shared) = current.as_ref().filter(|shared| usable(shared)) {
            return Ok(shared.clone());
        }
        let mut longest = FIRST_WAIT;
        while Instant::now() < deadline {
            let entry = self.store.read(key).await.map_err(Error::SessionStore)?;
            let version = entry.version;
            let leased_until = entry.leased_until;
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
            // A lease this long was written by a clock that is far ahead; the store decides whether it counts.
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
            // If the lease ends sooner, the store is read again sooner.
            let left = left.and_then(|left| left.unsigned_abs().checked_add(FIRST_WAIT)).unwrap_or(longest);
            tokio::time::sleep_until(deadline.min(Instant::now() + jitter(longest.min(left)))).await;
            longest = (longest * 2).min(LONGEST_WAIT);
        }
        Err(Error::SignInPending)
    }

    async fn lease(&self, key: &str, version: u64, now: Timestamp) -> Result<Option<Held>, Error> {
        let until = now.checked_add(LEASE).unwrap_or(now);
        let lease = Lease { version, owner: fastrand::u64(..), until };
        let granted = self.store.lease(key, &lease, now).await.map_err(Error::SessionStore)?;
        let held = || Held { store: Arc::clone(&self.store), key: key.to_owned(), lease, done: false };
        Ok(granted.then(held))
    }

    /// Signs in under a lease. `None` if the lease ended before or during the sign-in.
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
        // Calculated from the end of the lease: this process may have been frozen after it asked for the lease.
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
                // Awaited and not spawned, because Lambda freezes the process between two requests. A lease that
                // cannot be given back ends at its own time.
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
                // The session works until another process signs in, so the failure to publish it is only a warning.
                tracing::warn!(
                    reason = chain(error.as_ref()),
                    "the new Tableau session cannot be shared: other processes will sign in again"
                );
                Ok(Some(Shared { key, session }))
            }
        }
    }
}

/// Whether a refusal still counts at `now`. A refusal with a time that is too far ahead was written by a wrong clock
/// and does not count.
fn still_counts(refusal: &Refusal, now: Timestamp) -> bool {
    let left = refusal.until.duration_since(now);
    left.is_positive() && left <= REFUSED * 3
}

/// Adds a refusal in front of those that still count.
fn add(mut refusals: Vec<Refusal>, credential: u16, reason: String, now: Timestamp) -> Vec<Refusal> {
    let until = now.checked_add(REFUSED).unwrap_or(now);
    refusals.retain(|refusal| refusal.credential != credential && still_counts(refusal, now));
    refusals.insert(0, Refusal { credential, until, reason });
    refusals.truncate(REMEMBERED);
    refusals
}

/// A random wait of half of `longest` or more, so that clients that began to wait together do not read together.
fn jitter(longest: Duration) -> Duration {
    longest.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
pub(super) mod tests;
