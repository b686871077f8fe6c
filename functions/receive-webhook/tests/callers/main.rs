//! The same webhook from every kind of caller, on the real binary: API Gateway with payload format 1.0 and 2.0, a function
//! URL, an Application Load Balancer. The outcome is the same, and the answer has the caller's own shape.

#![expect(clippy::expect_used, reason = "a test that panics has failed")]

mod hostile;
mod shapes;

use deliveries::Content;
use serde_json::{Value, json};
use shapes::{CALLERS, Caller, Read, Sent, read};
use testkit::local_aws::Fault;
use testkit::{Function, TOKEN, TestEnvironment};

struct Ingress {
    environment: TestEnvironment,
    function: Function,
}

impl Ingress {
    async fn open() -> Self {
        let environment = TestEnvironment::start().await;
        let function = environment.common_ingress("receive-webhook", env!("CARGO_BIN_EXE_receive-webhook"));
        Self { environment, function }
    }

    /// What `caller` reads from the function's answer to `sent`.
    async fn answer(&self, caller: Caller, sent: &Sent) -> Read {
        self.answer_to(caller, &sent.event(caller)).await
    }

    async fn answer_to(&self, caller: Caller, event: &Value) -> Read {
        let answer = self.function.invoke(event).await;
        read(caller, &answer.unwrap_or_else(|error| panic!("{caller:?}: {error}")))
    }

    fn stored(&self) -> Vec<Value> {
        self.environment.aws.archive("events")
    }
}

impl Drop for Ingress {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.environment.assert_no_secret_in(&self.function.logs());
        }
    }
}

fn webhook() -> Sent {
    Sent::post(testkit::fixtures::bytes("tableau/workbook-created.json"))
}

#[tokio::test]
async fn every_kind_of_caller_gets_the_same_outcome_in_its_own_shape() {
    let ingress = Ingress::open().await;
    let wrong = TOKEN.replace("local", "LOCAL");
    let over = vec![b'x'; 65_537];
    for (case, sent, status) in [
        ("an event", webhook(), 202),
        ("an event in base64", webhook().in_base64(), 202),
        (
            "a name outside ASCII",
            Sent::post(r#"{"event_type":"WorkbookCreated","resource_name":"Übersicht 🧨"}"#),
            202,
        ),
        ("a body that is not UTF-8", Sent::post(b"\xff\xfe\0\x01".as_slice()), 202),
        ("the largest body", Sent::post(&over[1..]), 202),
        ("the largest body in base64", Sent::post(&over[1..]).in_base64(), 202),
        ("a body that is too large", Sent::post(over.clone()), 413),
        ("a body in base64 that is too large", Sent::post(over).in_base64(), 413),
        ("no body", Sent::post(""), 200),
        ("an empty body in base64", Sent::post("").in_base64(), 200),
        ("a test", Sent::post("{}"), 200),
        (
            "the token in the query, where the path has none",
            webhook().path("/webhook").query_token(TOKEN),
            202,
        ),
        ("the token in the query of another route", webhook().path("/hooks/tableau").query_token(TOKEN), 202),
        ("no token", webhook().path("/webhook"), 403),
        ("a wrong token", webhook().path(format!("/webhook/{wrong}")), 403),
        ("a wrong token in the query", webhook().path("/webhook").query_token(&wrong), 403),
        ("a wrong token in the path", webhook().path(format!("/webhook/{wrong}")).query_token(TOKEN), 403),
        ("a GET", webhook().method("GET"), 405),
        ("a method in lower case", webhook().method("post"), 405),
        ("the health check of a load balancer", Sent::post("").method("GET").path("/"), 405),
        ("an encoded token", webhook().path(format!("/webhook/{}", TOKEN.replace('-', "%2d"))), 202),
        ("a token encoded twice", webhook().path(format!("/webhook/{}", TOKEN.replace('-', "%252d"))), 403),
        ("an encoded slash before the token", webhook().path(format!("/webhook/a%2F{TOKEN}")), 403),
        ("an encoded slash behind the token", webhook().path(format!("/webhook/{TOKEN}%2F")), 403),
        ("a dot segment behind the token", webhook().path(format!("/webhook/{TOKEN}/..")), 403),
    ] {
        let mut answers = Vec::new();
        for caller in CALLERS {
            let before = ingress.stored().len();
            let answer = ingress.answer(caller, &sent).await;
            assert_eq!(answer.status, status, "{case}, {caller:?}");
            assert_eq!(answer.header("content-type"), Some("application/json"), "{case}, {caller:?}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{case}, {caller:?}");
            assert_eq!(answer.header("allow"), (status == 405).then_some("POST"), "{case}, {caller:?}");
            let stored = ingress.stored().split_off(before);
            assert_eq!(stored.len(), usize::from(status == 202), "{case}, {caller:?}");
            answers.push((answer.body, stored.into_iter().next().map(|event| event["detail"].clone())));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{case}: {answers:#?}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_text_are_stored_as_they_were_sent_by_every_caller() {
    let ingress = Ingress::open().await;
    let bytes: Vec<u8> = (0..=255).collect();
    for caller in CALLERS {
        let answer = ingress.answer(caller, &Sent::post(bytes.clone())).await;
        assert_eq!(answer.status, 202, "{caller:?}");
        let stored = ingress.stored();
        let detail = stored.last().expect("an event")["detail"].to_string();
        let Ok(Content::Unreadable(unreadable)) = Content::stored(&detail) else { panic!("{detail}") };
        assert_eq!(unreadable.sha256, tableau::EventId::of_bytes(&bytes), "{caller:?}");
    }
}

#[tokio::test]
async fn a_store_that_does_not_confirm_is_answered_503_with_retry_after_in_every_shape() {
    let ingress = Ingress::open().await;
    for caller in CALLERS {
        ingress.environment.aws.fail_next("EventBridge.PutEvents", 1, Fault::PartialFailure);
        let answer = ingress.answer(caller, &webhook()).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{caller:?}");
        assert_eq!(answer.body, json!({ "error": "try again later" }), "{caller:?}");
    }
    assert!(ingress.stored().is_empty());
}

#[tokio::test]
async fn a_load_balancer_gets_the_description_of_the_status() {
    let ingress = Ingress::open().await;
    for (sent, description) in [
        (webhook(), "202 Accepted"),
        (webhook().path("/webhook"), "403 Forbidden"),
        (webhook().method("GET"), "405 Method Not Allowed"),
        (Sent::post(vec![b'x'; 65_537]), "413 Payload Too Large"),
    ] {
        let answer = ingress.function.invoke(&sent.event(Caller::LoadBalancer)).await.expect("an answer");
        assert_eq!(answer["statusDescription"], description);
    }
}
