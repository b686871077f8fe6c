//! A model test in virtual time: many processes, one session store, one Tableau, and every kind of fault.
//!
//! Processes start, call, wait, give up, crash and freeze; the store is slow, fails, and loses answers; Tableau is
//! slow, refuses sign-ins, and ends sessions. In any order of these faults, the following must hold: two sign-ins
//! never overlap; each has a lease of its own; no process tries a refused credential before the time in the store; a
//! good credential may always sign in; no process waits longer than promised; and after the faults all processes have
//! the newest session.

use super::broker::tests::refused;
use super::broker::{Shared, TIMEOUT};
use super::{Broker, Entry, Lease, MemorySessionStore, Refusal, Session, SessionStore};
use crate::BoxError;
use crate::Error;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use secrecy::ExposeSecret;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

const KEY: &str = "server#token#site";
/// The fingerprints of a credential before and after a rotation. Each process holds one of them, and Tableau
/// sometimes refuses the second.
const GOOD: u16 = 1;
const DOUBTFUL: u16 = 2;
/// How wrong a process's clock may be.
const SKEW: SignedDuration = SignedDuration::from_secs(1);
const TROUBLE: Duration = Duration::from_secs(180);
/// How much time the store and Tableau may take in addition to waiting: some slow calls and a whole sign-in.
const WORK: Duration = Duration::from_secs(90);

#[derive(Default)]
struct Facts {
    /// The token of the only session that Tableau accepts.
    alive: Option<String>,
    minted: u32,
    signing_in: u32,
    /// The newest lease and the process that holds it.
    lease: Option<(usize, Lease)>,
    used_leases: BTreeSet<u64>,
    /// Whether Tableau refuses the second credential now.
    refuses: bool,
    /// When the refused credential may be tried again, according to the store.
    refused_until: Option<Timestamp>,
    /// How often a process was kept from trying the refused credential.
    kept: u32,
    wrong: Vec<String>,
}

struct System {
    store: MemorySessionStore,
    facts: Mutex<Facts>,
    start: Instant,
    calm: AtomicBool,
}

/// Counts a sign-in while it runs, also if it is cancelled.
struct SigningIn(Arc<System>);

impl Drop for SigningIn {
    fn drop(&mut self) {
        self.0.facts.lock().unwrap().signing_in -= 1;
    }
}

impl System {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::try_from(self.start.elapsed()).unwrap()
    }

    fn happens(&self, one_in: u32) -> bool {
        !self.calm.load(Ordering::SeqCst) && fastrand::u32(..one_in) == 0
    }

    async fn takes(&self, most_ms: u64) {
        tokio::time::sleep(Duration::from_millis(fastrand::u64(1..=most_ms))).await;
    }

    fn wrong(&self, what: String) {
        self.facts.lock().unwrap().wrong.push(what);
    }

    /// Opens a session, which ends the one before.
    fn open(&self) -> Session {
        let mut facts = self.facts.lock().unwrap();
        facts.minted += 1;
        let token = format!("session {}", facts.minted);
        facts.alive = Some(token.clone());
        Session {
            token: token.into(),
            site: "s".parse().unwrap(),
            user: "u".parse().unwrap(),
            api_version: "3.24".parse().unwrap(),
            server: None,
            signed_in_at: None,
        }
    }

    fn is_alive(&self, shared: &Shared) -> bool {
        self.facts.lock().unwrap().alive.as_deref() == Some(shared.session.token.expose_secret())
    }

    async fn sign_in(self: &Arc<Self>, process: usize, credential: u16) -> Result<Session, Error> {
        let now = self.now();
        {
            let mut facts = self.facts.lock().unwrap();
            let lease = facts.lease.clone().filter(|(owner, _)| *owner == process);
            let problem = match lease {
                None => Some("without the newest lease"),
                Some((_, lease)) if lease.until <= now => Some("after its lease"),
                Some((_, lease)) if !facts.used_leases.insert(lease.owner) => Some("twice under one lease"),
                Some(_) if facts.signing_in > 0 => Some("beside another"),
                Some(_)
                    if credential == DOUBTFUL
                        && facts.refused_until.is_some_and(|until| now + SKEW * 2 < until) =>
                {
                    Some("although word of a refusal was left")
                }
                Some(_) => None,
            };
            facts.wrong.extend(problem.map(|how| format!("{now}: {process} signs in {how}")));
            facts.signing_in += 1;
        }
        let _guard = SigningIn(Arc::clone(self));
        if credential == DOUBTFUL && self.facts.lock().unwrap().refuses {
            self.takes(500).await;
            return Err(refused());
        }
        self.takes(if self.happens(5) { 30_000 } else { 500 }).await;
        if self.happens(8) {
            // The request is on its way, and arrives even if its caller has given up.
            let system = Arc::clone(self);
            tokio::spawn(async move {
                system.takes(5_000).await;
                system.open();
            });
            return Err(Error::Redirected { operation: "sign in", to: None });
        }
        if self.happens(4) {
            return Err(Error::Redirected { operation: "sign in", to: None });
        }
        let session = self.open();
        self.takes(if self.happens(10) { 20_000 } else { 50 }).await;
        Ok(session)
    }
}

/// The store as one process sees it, with faults in between.
struct Reached {
    system: Arc<System>,
    process: usize,
    /// Set when the process has crashed: it sends nothing any more.
    crashed: Arc<AtomicBool>,
}

impl Reached {
    /// Simulates one call: it takes time, is carried out or not, and its answer may be lost.
    async fn call<T>(&self, carry_out: impl AsyncFnOnce() -> T) -> Result<T, BoxError> {
        // The longest delay stands for a process that was frozen in the middle of the call.
        self.system.takes(if self.system.happens(40) { 20_000 } else { 50 }).await;
        if self.crashed.load(Ordering::SeqCst) {
            return std::future::pending().await;
        }
        if self.system.happens(25) {
            return Err("the store is down".into());
        }
        let answer = carry_out().await;
        self.system.takes(50).await;
        if self.system.happens(25) {
            return Err("the store's answer was lost".into());
        }
        Ok(answer)
    }
}

#[async_trait]
impl SessionStore for Reached {
    async fn read(&self, key: &str) -> Result<Entry, BoxError> {
        self.call(async || self.system.store.read(key).await).await?
    }

    async fn lease(&self, key: &str, lease: &Lease, now: Timestamp) -> Result<bool, BoxError> {
        self.call(async || {
            let granted = self.system.store.lease(key, lease, now).await;
            if matches!(granted, Ok(true)) {
                self.system.facts.lock().unwrap().lease = Some((self.process, lease.clone()));
            }
            granted
        })
        .await?
    }

    async fn publish(&self, key: &str, lease: &Lease, session: &Session) -> Result<bool, BoxError> {
        self.call(async || self.system.store.publish(key, lease, session).await).await?
    }

    async fn release(&self, key: &str, lease: &Lease) -> Result<(), BoxError> {
        self.call(async || self.system.store.release(key, lease).await).await?
    }

    async fn refuse(&self, key: &str, lease: &Lease, refusals: &[Refusal]) -> Result<(), BoxError> {
        self.call(async || {
            let done = self.system.store.refuse(key, lease, refusals).await;
            if self.system.store.read(key).await?.refusals == refusals {
                let doubtful = refusals.iter().find(|refusal| refusal.credential == DOUBTFUL);
                self.system.facts.lock().unwrap().refused_until = doubtful.map(|refusal| refusal.until);
            }
            done
        })
        .await?
    }
}

/// A process with its callers.
struct Process {
    number: usize,
    credential: u16,
    system: Arc<System>,
    broker: Broker,
    crashed: Arc<AtomicBool>,
}

impl Process {
    fn start(system: &Arc<System>, number: usize) -> Arc<Self> {
        let crashed = Arc::default();
        let store = Reached { system: Arc::clone(system), process: number, crashed: Arc::clone(&crashed) };
        let most = i64::try_from(SKEW.as_millis()).unwrap();
        let of_world = Arc::clone(system);
        let skew = SignedDuration::from_millis(fastrand::i64(-most..=most));
        let broker = Broker::with_clock(Arc::new(store), move || of_world.now() + skew);
        let credential = if fastrand::bool() { GOOD } else { DOUBTFUL };
        Arc::new(Self { number, credential, system: Arc::clone(system), broker, crashed })
    }

    /// Makes a call at Tableau as the client would.
    async fn call(&self) -> Result<Shared, Error> {
        let mut over = None;
        for _ in 0..4 {
            let started = Instant::now();
            let sign_in = || self.system.sign_in(self.number, self.credential);
            let shared = self.broker.session(KEY, self.credential, over.as_ref(), sign_in).await;
            if started.elapsed() > TIMEOUT + WORK {
                self.system.wrong(format!("{} waited for {:?}", self.number, started.elapsed()));
            }
            if let Err(Error::CredentialRefused { until, .. }) = &shared {
                self.is_kept(*until);
            }
            let shared = shared?;
            self.system.takes(50).await;
            if self.system.is_alive(&shared) {
                return Ok(shared);
            }
            over = Some(shared);
        }
        Err(Error::SignInPending)
    }

    /// Checks that a process is kept from trying only a credential that was refused, and only until the stored time.
    fn is_kept(&self, until: Timestamp) {
        let mut facts = self.system.facts.lock().unwrap();
        facts.kept += 1;
        if self.credential == GOOD || facts.refused_until.is_none_or(|left| until > left) {
            let wrong = format!("{} is kept from credential {} until {until}", self.number, self.credential);
            facts.wrong.push(wrong);
        }
    }

    /// Makes calls until the faults are over, and sometimes gives up.
    async fn live(self: Arc<Self>) {
        while !self.system.calm.load(Ordering::SeqCst) {
            let limit_ms = if fastrand::u8(..5) == 0 { 3_000 } else { 600_000 };
            let _ = tokio::time::timeout(Duration::from_millis(limit_ms), self.call()).await;
            self.system.takes(8_000).await;
        }
    }
}

/// Runs the model. Returns how often a process was kept from trying a refused credential.
async fn run(seed: u64) -> Result<u32, TestCaseError> {
    fastrand::seed(seed);
    let system = Arc::new(System {
        store: MemorySessionStore::default(),
        facts: Mutex::default(),
        start: Instant::now(),
        calm: AtomicBool::new(false),
    });
    let mut living: Vec<(Arc<Process>, Vec<_>)> = Vec::new();
    let mut number = 0;
    while system.start.elapsed() < TROUBLE {
        match fastrand::u8(..10) {
            0..=3 if living.len() < 12 => {
                number += 1;
                let process = Process::start(&system, number);
                let callers = 1 + fastrand::u8(..3);
                let tasks = (0..callers).map(|_| tokio::spawn(Arc::clone(&process).live())).collect();
                living.push((process, tasks));
            }
            4 if living.len() > 1 => {
                let (process, tasks) = living.swap_remove(fastrand::usize(..living.len()));
                process.crashed.store(true, Ordering::SeqCst);
                tasks.iter().for_each(tokio::task::JoinHandle::abort);
            }
            5 => system.facts.lock().unwrap().alive = None,
            6 if fastrand::bool() => {
                let mut facts = system.facts.lock().unwrap();
                (facts.refuses, facts.alive) = (!facts.refuses, None);
            }
            _ => system.takes(5_000).await,
        }
    }
    system.calm.store(true, Ordering::SeqCst);
    system.facts.lock().unwrap().refuses = false;
    for task in living.iter_mut().flat_map(|(_, tasks)| tasks.drain(..)) {
        let ended = tokio::time::timeout(Duration::from_secs(600), task).await;
        prop_assert!(ended.is_ok(), "a caller never came to an end");
    }
    // By this time every refusal has expired.
    tokio::time::sleep(Duration::from_secs(70)).await;
    let before = system.facts.lock().unwrap().minted;
    let mut sessions = Vec::new();
    // The first call may find that its session has ended; the second must have the new session.
    for _ in 0..2 {
        sessions.clear();
        let call = |process: &Arc<Process>| {
            let process = Arc::clone(process);
            tokio::spawn(async move { process.call().await })
        };
        let calls: Vec<_> = living.iter().map(|(process, _)| call(process)).collect();
        for call in calls {
            let shared = call.await.unwrap();
            prop_assert!(shared.is_ok(), "a call fails although all is well: {shared:?}");
            sessions.extend(shared);
        }
    }
    prop_assert!(sessions.iter().all(|shared| system.is_alive(shared)), "{sessions:?}");
    let facts = system.facts.lock().unwrap();
    prop_assert!(facts.minted - before <= 1, "{} sign-ins although all is well", facts.minted - before);
    prop_assert_eq!(&facts.wrong, &Vec::<String>::new());
    Ok(facts.kept)
}

fn block_on(seed: u64) -> Result<u32, TestCaseError> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true).build().unwrap().block_on(run(seed))
}

#[test]
fn the_model_has_credentials_that_are_refused_beside_good_ones() {
    let kept = (0..10).map(|seed| block_on(seed).unwrap()).filter(|kept| *kept > 0).count();
    assert!(kept >= 5, "{kept} of 10");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_goes_wrong_sign_ins_never_overlap_and_all_end_with_the_newest_session(seed: u64) {
        block_on(seed)?;
    }
}
