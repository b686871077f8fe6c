//! One test suite for every `SessionStore`: the client's own in memory, and documents in memory, in DynamoDB on the
//! AWS double, and in DynamoDB on the emulator at `AWS_CONTRACT_URL`, when set.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use local_aws::{Aws, Fault};
use secrecy::ExposeSecret;
use session_store::{DocumentSessionStore, sessions};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::{Documents, MemoryStore};
use tableau_client::{BoxError, Entry, Lease, MemorySessionStore, Refusal, Session, SessionStore};
use testkit::dynamodb::{Emulator, client as dynamodb};

/// A key that only this test uses, with characters that token names may contain.
fn key() -> String {
    format!("10ay.online.tableau.com#a token, 2026 ü#{}#marketing", fastrand::u64(..))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_736_961_285).unwrap() + SignedDuration::from_secs(second)
}

fn lease(version: u64, until: i64) -> Lease {
    Lease { version, owner: fastrand::u64(..), until: at(until) }
}

fn session(token: &str) -> Session {
    Session {
        token: token.to_owned().into(),
        site: "8b2a95d8-52b9-40a4-8712-cd6da771bd1b".parse().unwrap(),
        user: "6513270e-269e-4d37-b2a7-4de452e6b438".parse().unwrap(),
        api_version: "3.24".parse().unwrap(),
        server: server(token).map(|server| server.parse().unwrap()),
        signed_in_at: server(token).map(|_| at(1)),
    }
}

/// Some sessions were opened at another server than the configured one.
fn server(token: &str) -> Option<&'static str> {
    token.len().is_multiple_of(2).then_some("https://pod.example.com/")
}

/// The relevant fields of an entry, in a comparable form.
fn facts(entry: Entry) -> (u64, Option<String>, Option<Timestamp>) {
    let session = entry.session.map(|Session { token, site, user, api_version, server, signed_in_at }| {
        let server = server.as_ref().map(|server| server.as_str());
        format!("{} {site} {user} {api_version} {server:?} {signed_in_at:?}", token.expose_secret())
    });
    (entry.version, session, entry.leased_until)
}

/// The [`facts`] of the session with this token.
fn stored(token: &str) -> Option<String> {
    let server = server(token);
    Some(format!(
        "{token} 8b2a95d8-52b9-40a4-8712-cd6da771bd1b 6513270e-269e-4d37-b2a7-4de452e6b438 3.24 {server:?} {:?}",
        server.map(|_| at(1))
    ))
}

/// The store of a process that uses this table.
fn on(client: aws_sdk_dynamodb::Client, table: &str) -> Arc<dyn SessionStore> {
    sessions(Some((client, table.to_owned())))
}

async fn suite(store: Arc<dyn SessionStore>) {
    what_is_published_is_read(&*store).await;
    a_lease_keeps_others_out_until_it_runs_out(&*store).await;
    a_lease_of_a_clock_that_is_far_ahead_keeps_no_process_out(&*store).await;
    a_lease_that_was_given_back_is_free(&*store).await;
    what_was_refused_is_read_until_something_else_is_refused(&*store).await;
    a_lease_is_for_the_version_that_stands_there(&*store).await;
    a_process_whose_lease_was_taken_over_changes_nothing(&*store).await;
    what_arrives_twice_counts_once(&*store).await;
    of_many_that_ask_for_the_lease_one_gets_it(store).await;
}

async fn what_is_published_is_read(store: &dyn SessionStore) {
    let key = key();
    assert_eq!(facts(store.read(&key).await.unwrap()), (0, None, None));
    for version in 0..3 {
        let lease = lease(version, 15);
        assert!(store.lease(&key, &lease, at(0)).await.unwrap());
        let before = (version > 0).then(|| stored(&format!("a|b={version}"))).flatten();
        assert_eq!(facts(store.read(&key).await.unwrap()), (version, before, Some(at(15))));
        let token = format!("a|b={}", version + 1);
        assert!(store.publish(&key, &lease, &session(&token)).await.unwrap());
        assert_eq!(facts(store.read(&key).await.unwrap()), (version + 1, stored(&token), None));
    }
}

async fn a_lease_keeps_others_out_until_it_runs_out(store: &dyn SessionStore) {
    let key = key();
    assert!(store.lease(&key, &lease(0, 15), at(0)).await.unwrap());
    assert!(!store.lease(&key, &lease(0, 29), at(14)).await.unwrap());
    assert!(store.lease(&key, &lease(0, 30), at(15)).await.unwrap());
    assert_eq!(facts(store.read(&key).await.unwrap()), (0, None, Some(at(30))));
}

async fn a_lease_of_a_clock_that_is_far_ahead_keeps_no_process_out(store: &dyn SessionStore) {
    let key = key();
    assert!(store.lease(&key, &lease(0, 3_600), at(3_585)).await.unwrap());
    assert!(store.lease(&key, &lease(0, 15), at(0)).await.unwrap());
    assert!(!store.lease(&key, &lease(0, 16), at(1)).await.unwrap());
}

async fn a_lease_that_was_given_back_is_free(store: &dyn SessionStore) {
    let key = key();
    let first = lease(0, 15);
    assert!(store.lease(&key, &first, at(0)).await.unwrap());
    store.release(&key, &first).await.unwrap();
    assert_eq!(facts(store.read(&key).await.unwrap()), (0, None, None));
    assert!(store.lease(&key, &lease(0, 16), at(1)).await.unwrap());
    assert!(!store.publish(&key, &first, &session("late")).await.unwrap());
}

async fn what_was_refused_is_read_until_something_else_is_refused(store: &dyn SessionStore) {
    let key = key();
    let refusal = |credential: u16, until: i64| Refusal {
        credential,
        until: at(until),
        reason: format!("401001, ü {credential}"),
    };
    assert_eq!(store.read(&key).await.unwrap().refusals, []);
    let both = [refusal(65_535, 61), refusal(7, 60)];
    let mut first = lease(0, 15);
    for (version, refused) in (0..).zip([&both[1..], &both]) {
        first = lease(version, 15);
        assert!(store.lease(&key, &first, at(0)).await.unwrap());
        store.refuse(&key, &first, refused).await.unwrap();
        let entry = store.read(&key).await.unwrap();
        assert_eq!((entry.refusals.as_slice(), entry.leased_until), (refused, None));
        // A process that read the entry earlier must read it again.
        assert!(!store.lease(&key, &lease(version, 15), at(0)).await.unwrap());
    }
    let second = lease(2, 30);
    assert!(store.lease(&key, &second, at(1)).await.unwrap());
    // A process whose lease was taken over does not record a refusal.
    store.refuse(&key, &first, &[refusal(1, 90)]).await.unwrap();
    assert_eq!(store.read(&key).await.unwrap().refusals, both);
    // A session of one credential says nothing about other credentials.
    assert!(store.publish(&key, &second, &session("one")).await.unwrap());
    assert_eq!(store.read(&key).await.unwrap().refusals, both);
    let third = lease(3, 30);
    assert!(store.lease(&key, &third, at(1)).await.unwrap());
    store.refuse(&key, &third, &[refusal(2, 99)]).await.unwrap();
    let entry = store.read(&key).await.unwrap();
    assert_eq!(entry.refusals, [refusal(2, 99)]);
    assert_eq!(facts(entry), (4, stored("one"), None));
}

async fn a_lease_is_for_the_version_that_stands_there(store: &dyn SessionStore) {
    let key = key();
    assert!(!store.lease(&key, &lease(1, 15), at(0)).await.unwrap());
    let first = lease(0, 15);
    assert!(store.lease(&key, &first, at(0)).await.unwrap());
    assert!(store.publish(&key, &first, &session("one")).await.unwrap());
    assert!(!store.lease(&key, &lease(0, 16), at(1)).await.unwrap());
    assert!(!store.lease(&key, &lease(2, 16), at(1)).await.unwrap());
    assert_eq!(facts(store.read(&key).await.unwrap()), (1, stored("one"), None));
}

async fn a_process_whose_lease_was_taken_over_changes_nothing(store: &dyn SessionStore) {
    let key = key();
    let slow = lease(0, 15);
    let quick = lease(0, 35);
    assert!(store.lease(&key, &slow, at(0)).await.unwrap());
    assert!(store.lease(&key, &quick, at(20)).await.unwrap());
    // While the other process signs in, and after it stored the session.
    store.release(&key, &slow).await.unwrap();
    assert!(!store.publish(&key, &slow, &session("slow")).await.unwrap());
    assert_eq!(facts(store.read(&key).await.unwrap()), (0, None, Some(at(35))));
    assert!(store.publish(&key, &quick, &session("quick")).await.unwrap());
    store.release(&key, &slow).await.unwrap();
    assert!(!store.publish(&key, &slow, &session("slow")).await.unwrap());
    assert_eq!(facts(store.read(&key).await.unwrap()), (1, stored("quick"), None));
}

async fn what_arrives_twice_counts_once(store: &dyn SessionStore) {
    let key = key();
    let lease = lease(0, 15);
    assert!(store.lease(&key, &lease, at(0)).await.unwrap());
    assert!(store.lease(&key, &lease, at(0)).await.unwrap());
    assert!(store.publish(&key, &lease, &session("one")).await.unwrap());
    assert!(!store.publish(&key, &lease, &session("one")).await.unwrap());
    assert!(!store.lease(&key, &lease, at(0)).await.unwrap());
    assert_eq!(facts(store.read(&key).await.unwrap()), (1, stored("one"), None));
}

async fn of_many_that_ask_for_the_lease_one_gets_it(store: Arc<dyn SessionStore>) {
    let key = key();
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let store = Arc::clone(&store);
            let key = key.clone();
            tokio::spawn(async move { store.lease(&key, &lease(0, 15), at(0)).await.unwrap() })
        })
        .collect();
    let mut granted = 0;
    for task in tasks {
        granted += u32::from(task.await.unwrap());
    }
    assert_eq!(granted, 1);
}

#[tokio::test]
async fn memory_keeps_the_contract() {
    suite(Arc::new(MemorySessionStore::default())).await;
}

#[tokio::test]
async fn documents_in_memory_keep_the_contract() {
    suite(sessions(None)).await;
}

/// What a process read is stale once another process wrote: it must not decide on it.
#[tokio::test]
async fn processes_that_take_turns_keep_the_contract() {
    let documents = Documents::new(Arc::new(MemoryStore::default()));
    let processes = [(); 3].map(|()| DocumentSessionStore::new(documents.clone()));
    suite(Arc::new(InTurn(processes, AtomicUsize::new(0)))).await;
}

/// Processes that make calls in turn.
struct InTurn([DocumentSessionStore; 3], AtomicUsize);

impl InTurn {
    fn next(&self) -> &DocumentSessionStore {
        &self.0[self.1.fetch_add(1, Ordering::SeqCst) % self.0.len()]
    }
}

#[async_trait]
impl SessionStore for InTurn {
    async fn read(&self, key: &str) -> Result<Entry, BoxError> {
        self.next().read(key).await
    }

    async fn lease(&self, key: &str, lease: &Lease, now: Timestamp) -> Result<bool, BoxError> {
        self.next().lease(key, lease, now).await
    }

    async fn publish(&self, key: &str, lease: &Lease, session: &Session) -> Result<bool, BoxError> {
        self.next().publish(key, lease, session).await
    }

    async fn release(&self, key: &str, lease: &Lease) -> Result<(), BoxError> {
        self.next().release(key, lease).await
    }

    async fn refuse(&self, key: &str, lease: &Lease, refusals: &[Refusal]) -> Result<(), BoxError> {
        self.next().refuse(key, lease, refusals).await
    }
}

#[tokio::test]
async fn dynamodb_on_the_double_keeps_the_contract() {
    let aws = Aws::start().await.unwrap();
    testkit::dynamodb::create_table(&aws, "table");
    suite(on(dynamodb(&aws), "table")).await;
}

#[tokio::test]
async fn dynamodb_on_the_emulator_keeps_the_contract() {
    let Some(emulator) = Emulator::with_table("sessions").await else { return };
    suite(on(dynamodb(&emulator.url), &emulator.table)).await;
    emulator.delete_table().await;
}

#[tokio::test]
async fn an_item_is_found_by_name_and_expires() {
    let aws = Aws::start().await.unwrap();
    testkit::dynamodb::create_table(&aws, "table");
    let store = on(dynamodb(&aws), "table");
    let lease = lease(0, 15);
    store.lease("server#name#site", &lease, at(0)).await.unwrap();
    store.publish("server#name#site", &lease, &session("one")).await.unwrap();

    let item = &aws.items("table")[0];

    assert_eq!(item["pk"]["S"], "session#server#name#site");
    assert_eq!(item["expires_at"]["N"], (at(15).as_second() + 30 * 24 * 60 * 60).to_string());
}

#[tokio::test]
async fn an_item_that_cannot_be_read_is_as_good_as_a_session_that_is_over() {
    let aws = Aws::start().await.unwrap();
    testkit::dynamodb::create_table(&aws, "table");
    let client = dynamodb(&aws);
    let put = client.put_item().table_name("table").item("pk", AttributeValue::S("session#k".to_owned()));
    let put = put.item("sk", AttributeValue::S("-".to_owned()));
    let put = put.item("version", AttributeValue::N("12".to_owned()));
    let document =
        r#"{"version":7,"session":{"token":"of another form"},"lease":"x","refusals":[{"credential":1},2]}"#;
    put.item("document", AttributeValue::S(document.to_owned())).send().await.unwrap();
    let store = on(client, "table");

    let entry = store.read("k").await.unwrap();
    assert_eq!(entry.refusals, []);
    assert_eq!(facts(entry), (7, None, None));

    let lease = lease(7, 15);
    assert!(store.lease("k", &lease, at(0)).await.unwrap());
    assert!(store.publish("k", &lease, &session("two")).await.unwrap());
    assert_eq!(facts(store.read("k").await.unwrap()), (8, stored("two"), None));
}

#[tokio::test]
async fn the_error_of_a_failing_table_holds_no_token() {
    let aws = Aws::start().await.unwrap();
    testkit::dynamodb::create_table(&aws, "table");
    let store = on(dynamodb(&aws), "table");
    let lease = lease(0, 15);
    store.lease("k", &lease, at(0)).await.unwrap();
    for fault in [Fault::InternalError, Fault::Throttled, Fault::AccessDenied] {
        for operation in ["DynamoDB.GetItem", "DynamoDB.UpdateItem"] {
            aws.fail_next(operation, 3, fault);
        }
        let failed: [BoxError; 2] = [
            store.read("k").await.unwrap_err(),
            store.publish("k", &lease, &session("hunter2")).await.unwrap_err(),
        ];
        for error in failed {
            let all = format!("{error} {error:?}");
            assert!(all.starts_with("the table does not answer: ") && !all.contains("hunter2"), "{all}");
        }
        // The refusal was not asked for again.
        while store.read("k").await.is_err() || store.lease("k", &lease, at(0)).await.is_err() {}
    }
}
