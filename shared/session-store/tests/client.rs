//! The client's requests to the session table, and its behaviour when the table does not answer.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use local_aws::{Aws, Fault};
use serde_json::Value;
use simulator::{SAMPLE_PAT, TableauSimulator};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tableau::WorkbookLuid;
use tableau_client::{FixedCredential, Settings, TableauClient, TableauCredential, chain};
use testkit::dynamodb::client as dynamodb;

struct Environment {
    aws: Aws,
    tableau: TableauSimulator,
    workbook: WorkbookLuid,
}

impl Environment {
    async fn start() -> Self {
        let aws = Aws::start().await.unwrap();
        let tableau = TableauSimulator::sample().start().await.unwrap();
        testkit::dynamodb::create_table(&aws, "table");
        let workbook = tableau.workbook("Superstore").unwrap();
        Self { aws, tableau, workbook }
    }

    /// A client of a new process.
    fn client(&self) -> TableauClient {
        self.client_limited_to("")
    }

    /// A client of a new process that uses a session for at most this many minutes.
    fn client_limited_to(&self, minutes: &str) -> TableauClient {
        let settings = Settings::new(&self.tableau.url(), "marketing", "").unwrap();
        let credential = TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1);
        TableauClient::new(
            http_client::client(None).unwrap(),
            settings.limit_session(minutes).unwrap(),
            Arc::new(FixedCredential::new(credential)),
            session_store::sessions(Some((dynamodb(&self.aws), "table".to_owned()))),
        )
    }

    /// Makes the session in the table this old.
    async fn age(&self, minutes: i64) {
        let signed_in_at = Timestamp::now() - SignedDuration::from_mins(minutes);
        let pk = self.aws.items("table")[0]["pk"]["S"].as_str().unwrap().to_owned();
        let update = dynamodb(&self.aws).update_item().table_name("table").key("pk", AttributeValue::S(pk));
        let update = update.key("sk", AttributeValue::S("-".to_owned()));
        let update = update.update_expression("SET document = :document");
        let mut document: Value =
            serde_json::from_str(self.aws.items("table")[0]["document"]["S"].as_str().unwrap()).unwrap();
        document["session"]["signed_in_at"] = signed_in_at.to_string().into();
        let document = AttributeValue::S(document.to_string());
        update.expression_attribute_values(":document", document).send().await.unwrap();
    }

    /// The reads and writes at the table and the sign-ins so far.
    fn so_far(&self) -> (usize, usize, u32) {
        let calls = |operation| self.aws.calls(operation);
        (calls("DynamoDB.GetItem"), calls("DynamoDB.UpdateItem"), self.tableau.sign_ins(SAMPLE_PAT.0))
    }
}

#[tokio::test]
async fn a_process_reads_once_and_a_sign_in_writes_twice() {
    let environment = Environment::start().await;
    let first = environment.client();
    let second = environment.client();

    first.workbook(&environment.workbook).await.unwrap();
    assert_eq!(environment.so_far(), (1, 2, 1), "the very first call");
    first.workbook(&environment.workbook).await.unwrap();
    assert_eq!(environment.so_far(), (1, 2, 1), "a process that has a session");
    second.workbook(&environment.workbook).await.unwrap();
    assert_eq!(environment.so_far(), (2, 2, 1), "a cold start beside it");
    environment.tableau.end_sessions();
    second.workbook(&environment.workbook).await.unwrap();
    assert_eq!(environment.so_far(), (3, 4, 2), "a session that is over");
    first.workbook(&environment.workbook).await.unwrap();
    assert_eq!(environment.so_far(), (4, 4, 2), "and replaced by another process");
    let requests = environment.aws.requests();
    let of_session = |operation: &str| ((operation.to_owned(), "session".to_owned()), 4);
    assert_eq!(requests, ["GetItem", "UpdateItem"].map(of_session).into(), "and nothing else");
}

#[tokio::test]
async fn processes_share_a_session_no_longer_than_the_limit_allows() {
    let environment = Environment::start().await;
    environment.client().workbook(&environment.workbook).await.unwrap();
    let sign_ins = || environment.so_far().2;
    environment.age(61).await;
    environment.client().workbook(&environment.workbook).await.unwrap();
    environment.client_limited_to("0").workbook(&environment.workbook).await.unwrap();
    assert_eq!(sign_ins(), 1, "the server's limit");
    let clients =
        [environment.client_limited_to("60"), environment.client_limited_to("60"), environment.client()];
    for _ in 0..2 {
        for client in &clients {
            client.workbook(&environment.workbook).await.unwrap();
        }
        assert_eq!(sign_ins(), 2, "one sign-in for all");
    }
    environment.age(59).await;
    environment.client_limited_to("60").workbook(&environment.workbook).await.unwrap();
    assert_eq!(sign_ins(), 2, "not old enough");
}

#[tokio::test]
async fn calls_of_one_process_sign_in_once_and_read_once() {
    let environment = Environment::start().await;
    let client = Arc::new(environment.client());
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = Arc::clone(&client);
            let workbook = environment.workbook.clone();
            tokio::spawn(async move { client.workbook(&workbook).await.unwrap() })
        })
        .collect();
    for call in calls {
        call.await.unwrap();
    }
    assert_eq!(environment.so_far(), (1, 2, 1));
}

#[tokio::test]
async fn without_the_table_a_call_fails_for_now_and_ends_no_session() {
    for fault in [Fault::InternalError, Fault::AccessDenied, Fault::Hang(Duration::from_secs(60))] {
        let environment = Environment::start().await;
        let running = environment.client();
        running.workbook(&environment.workbook).await.unwrap();
        environment.aws.fail_next("DynamoDB.GetItem", 3, fault);
        let started = Instant::now();

        let error = environment.client().workbook(&environment.workbook).await.unwrap_err();

        assert!(started.elapsed() < Duration::from_secs(6), "{fault:?}: {:?}", started.elapsed());
        let text = chain(&error);
        assert!(text.starts_with("cannot share the Tableau session: the table does not answer: "), "{text}");
        assert!(error.is_transient());
        running.workbook(&environment.workbook).await.unwrap();
        assert_eq!(environment.so_far().2, 1);
    }
}
