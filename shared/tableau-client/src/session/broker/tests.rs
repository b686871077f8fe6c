//! Tests of session brokers in one process with a store in memory.

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
        signed_in_at: None,
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
            let broker = Broker::new(Arc::clone(&store), None);
            let count = Arc::clone(&count);
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
    let one = Broker::new(Arc::clone(&store), None);
    let two = Broker::new(store, None);
    let first = one.session("k", 1, None, || async { Ok(session("one")) }).await.unwrap();
    let same = two.session("k", 1, None, || async { Ok(session("never")) }).await.unwrap();

    let second = one.session("k", 1, Some(&first), || async { Ok(session("two")) }).await.unwrap();
    let read = two.session("k", 1, Some(&same), || async { Ok(session("never")) }).await.unwrap();

    assert_eq!((token(&second), token(&read)), ("two".to_owned(), "two".to_owned()));
}

#[tokio::test]
async fn a_session_of_another_key_says_nothing_about_this_one() {
    let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
    let one = Broker::new(Arc::clone(&store), None);
    let two = Broker::new(store, None);
    let first = one.session("old", 1, None, || async { Ok(session("one")) }).await.unwrap();
    let second = one.session("old", 1, Some(&first), || async { Ok(session("two")) }).await.unwrap();
    two.session("new", 1, None, || async { Ok(session("three")) }).await.unwrap();
    let read = one.session("new", 1, Some(&second), || async { Ok(session("never")) }).await.unwrap();
    assert_eq!((token(&read).as_str(), read.key.as_str()), ("three", "new"));
}

#[tokio::test]
async fn a_sign_in_that_was_given_up_gives_its_lease_back() {
    let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
    let broker = Broker::new(Arc::clone(&store), None);
    let hangs = || std::future::pending::<Result<Session, Error>>();
    let given_up = tokio::time::timeout(Duration::from_millis(20), broker.session("k", 1, None, hangs)).await;
    assert!(given_up.is_err());
    tokio::task::yield_now().await;
    assert_eq!(store.read("k").await.unwrap().leased_until, None);
}

#[tokio::test]
async fn a_failed_sign_in_leaves_the_way_free() {
    let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
    let broker = Broker::new(store, None);
    let failed = broker
        .session("k", 1, None, || async { Err(Error::Redirected { operation: "sign in", to: None }) })
        .await;
    assert!(failed.is_err());
    tokio::task::yield_now().await;
    let next = broker.session("k", 1, None, || async { Ok(session("one")) }).await.unwrap();
    assert_eq!(token(&next), "one");
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_died_delays_no_other_past_its_lease() {
    let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
    let start = Timestamp::now();
    let began = Instant::now();
    let lease = Lease { version: 0, owner: 7, until: start + LEASE };
    assert!(store.lease("k", &lease, start).await.unwrap());
    let clock = move || start + SignedDuration::try_from(began.elapsed()).unwrap();
    let broker = Broker::with_clock(store, clock);

    let shared = broker.session("k", 1, None, || async { Ok(session("one")) }).await.unwrap();

    assert_eq!(token(&shared), "one");
    let waited = SignedDuration::try_from(began.elapsed()).unwrap();
    assert!(waited >= LEASE && waited < LEASE + SignedDuration::from_secs(1), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_by_a_clock_that_is_far_ahead_keeps_no_caller_waiting() {
    let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
    let ahead = Timestamp::now() + SignedDuration::from_hours(1);
    let began = Instant::now();
    let lease = Lease { version: 0, owner: 7, until: ahead + LEASE };
    assert!(store.lease("k", &lease, ahead).await.unwrap());

    let shared =
        Broker::new(store, None).session("k", 1, None, || async { Ok(session("one")) }).await.unwrap();

    assert_eq!((token(&shared).as_str(), began.elapsed()), ("one", Duration::ZERO));
}

#[tokio::test]
async fn a_session_is_used_no_longer_than_the_limit_allows() {
    let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
    let start: Timestamp = "2026-11-28T09:00:00Z".parse().unwrap();
    let now = Arc::new(std::sync::Mutex::new(start));
    let opened = |token: &str, minutes: i64| {
        let signed_in_at = Some(start + SignedDuration::from_mins(minutes));
        Session { signed_in_at, ..session(token) }
    };
    let broker = |limit: Option<i64>| {
        let now = Arc::clone(&now);
        let broker = Broker::with_clock(Arc::clone(&store), move || *now.lock().unwrap());
        limit.map_or_else(
            || Broker::with_clock(Arc::clone(&store), move || start),
            |minutes| broker.limited_to(SignedDuration::from_mins(minutes)),
        )
    };
    let at = |minutes: i64| *now.lock().unwrap() = start + SignedDuration::from_mins(minutes);
    let used = async |broker: &Broker, next: Session| {
        let sign_in = || {
            let next = next.clone();
            async move { Ok(next) }
        };
        token(&broker.session("k", 1, None, sign_in).await.unwrap())
    };
    let one = broker(Some(60));
    let two = broker(Some(60));

    assert_eq!(used(&one, opened("first", 0)).await, "first");
    at(59);
    assert_eq!(
        (used(&one, session("no")).await, used(&two, session("no")).await),
        ("first".into(), "first".into())
    );
    at(60);
    assert_eq!(used(&one, opened("second", 60)).await, "second");
    // The other broker gets the new session, although it still had the old one.
    assert_eq!(used(&two, session("no")).await, "second");
    // Without a limit, only the server ends sessions.
    at(100_000);
    assert_eq!(used(&broker(None), session("no")).await, "second");
    // A session of unknown age, and one from a clock that is years ahead, are replaced.
    assert_eq!(used(&one, session("of old code")).await, "of old code");
    assert_eq!(used(&two, opened("of 2028", 900_000)).await, "of 2028");
    assert_eq!(used(&one, opened("last", 100_000)).await, "last");
}

#[tokio::test]
async fn a_store_that_forgot_the_key_begins_again() {
    let before: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
    let mut broker = Broker::new(before, None);
    let first = broker.session("k", 1, None, || async { Ok(session("one")) }).await.unwrap();
    let second = broker.session("k", 1, Some(&first), || async { Ok(session("two")) }).await.unwrap();
    broker.store = Arc::new(MemorySessionStore::default());
    let other = Broker::new(Arc::clone(&broker.store), None);
    other.session("k", 1, None, || async { Ok(session("three")) }).await.unwrap();

    let read = broker.session("k", 1, Some(&second), || async { Ok(session("never")) }).await.unwrap();

    assert_eq!((token(&second), token(&read)), ("two".to_owned(), "three".to_owned()));
}

/// Tableau's answer to a wrong credential.
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
    let start = Timestamp::now();
    let began = Instant::now();
    let clock = move || start + SignedDuration::try_from(began.elapsed()).unwrap();
    let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
    let broker = || Broker::with_clock(Arc::clone(&store), clock);
    let tries = Arc::new(AtomicU32::new(0));
    let sign_in = || {
        tries.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Err(refused()))
    };
    for (fingerprint, new) in [(1, true), (2, true), (1, false)] {
        for tried in 0..20 {
            let error = broker().session("k", fingerprint, None, sign_in).await.unwrap_err();
            let shared = !new || tried > 0;
            assert_eq!((error.is_credential_refused(), error.is_transient()), (true, shared));
            assert_eq!(error.retry_after().is_some(), shared);
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

#[tokio::test(start_paused = true)]
async fn each_refused_credential_has_a_time_of_its_own() {
    let start = Timestamp::now();
    let began = Instant::now();
    let clock = move || start + SignedDuration::try_from(began.elapsed()).unwrap();
    let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
    let broker = Broker::with_clock(Arc::clone(&store), clock);
    let sign_in = || std::future::ready(Err(refused()));
    let waits = async |fingerprint| {
        let error = broker.session("k", fingerprint, None, sign_in).await.unwrap_err();
        error.retry_after().map(|wait| wait.as_secs())
    };

    assert_eq!(waits(1).await, None, "tried");
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(waits(2).await, None, "tried");
    assert_eq!((waits(1).await, waits(2).await), (Some(20), Some(60)));
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!((waits(2).await, waits(1).await), (Some(30), None), "the first is tried again");
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(waits(3).await, None);
    let left: Vec<u16> = store.read("k").await.unwrap().refusals.iter().map(|r| r.credential).collect();
    assert_eq!(left, [3, 1], "what is over is dropped");
}

#[tokio::test]
async fn a_session_says_nothing_of_a_credential_that_was_refused() {
    let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
    let broker = || Broker::new(Arc::clone(&store), None);
    assert!(broker().session("k", 1, None, || async { Err(refused()) }).await.is_err());
    let shared = broker().session("k", 2, None, || async { Ok(session("one")) }).await.unwrap();

    let never = || async { panic!("a refused credential is tried again") };
    let error = broker().session("k", 1, Some(&shared), never).await.unwrap_err();

    assert!(matches!(error, Error::CredentialRefused { .. }), "{error:?}");
}

#[tokio::test]
async fn a_refusal_by_a_clock_that_is_far_ahead_does_not_count() {
    let store: Arc<dyn SessionStore> = Arc::new(MemorySessionStore::default());
    let ahead = Broker::with_clock(Arc::clone(&store), || Timestamp::now() + SignedDuration::from_hours(1));
    assert!(ahead.session("k", 1, None, || async { Err(refused()) }).await.is_err());
    let shared =
        Broker::new(store, None).session("k", 1, None, || async { Ok(session("one")) }).await.unwrap();
    assert_eq!(token(&shared), "one");
}

struct Down;

#[async_trait::async_trait]
impl SessionStore for Down {
    async fn read(&self, _: &str) -> Result<crate::Entry, crate::BoxError> {
        Err("the table does not answer".into())
    }

    async fn lease(&self, _: &str, _: &Lease, _: Timestamp) -> Result<bool, crate::BoxError> {
        Err("the table does not answer".into())
    }

    async fn publish(&self, _: &str, _: &Lease, _: &Session) -> Result<bool, crate::BoxError> {
        Err("the table does not answer".into())
    }

    async fn release(&self, _: &str, _: &Lease) -> Result<(), crate::BoxError> {
        Err("the table does not answer".into())
    }

    async fn refuse(&self, _: &str, _: &Lease, _: &[Refusal]) -> Result<(), crate::BoxError> {
        Err("the table does not answer".into())
    }
}

#[tokio::test]
async fn without_the_store_no_process_signs_in() {
    let broker = Broker::new(Arc::new(Down), None);
    let sign_in = || async { panic!("a sign-in ends the session that all others use") };
    let error = broker.session("k", 1, None, sign_in).await.unwrap_err();
    assert!(error.is_transient());
    assert_eq!(chain(&error), "cannot share the Tableau session: the table does not answer");
}
