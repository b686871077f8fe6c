//! Every row of the ingress's contract, on the real binary. All functions share the ingress's code; this function
//! publishes events on the bus.

use deliveries::Content;
use serde_json::{Value, json};
use std::time::Duration;
use tableau::EventId;
use testkit::local_aws::Fault;
use testkit::{Function, Request, TOKEN, TestEnvironment};

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

    /// The status and body of the answer.
    async fn answer(&self, request: Request) -> (u64, Value) {
        let answer = self.function.answer(&request).await;
        (answer.status, answer.body)
    }

    /// How often a metric was reported.
    fn counted(&self, metric: &str) -> usize {
        let lines =
            self.function.logs().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        lines.filter(|line| line[metric] == 1.0).count()
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

fn forbidden() -> (u64, Value) {
    (403, json!({ "error": "forbidden" }))
}

#[tokio::test]
async fn a_known_event_with_the_token_is_stored_and_answered_202() {
    let ingress = Ingress::open().await;
    let (status, body) = ingress.answer(Request::of_fixture("datasource-refresh-failed")).await;
    assert_eq!((status, &body["status"]), (202, &json!("accepted")));
    assert_eq!(body["event_id"].as_str().unwrap().len(), 64);
    let stored = ingress.stored();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0]["source"], "tableau.webhooks");
    assert_eq!(stored[0]["detail-type"], "DatasourceRefreshFailed");
    assert_eq!(stored[0]["detail"], testkit::fixtures::json("tableau/datasource-refresh-failed.json"));
}

#[tokio::test]
async fn an_unknown_event_and_a_missing_field_are_stored_too() {
    let ingress = Ingress::open().await;
    let site = "8b2a95d8-52b9-40a4-8712-cd6da771bd1b";
    for body in [
        json!({"event_type": "FlowRunFailed", "site_luid": site, "resource_luid": "1"}),
        json!({"event_type": "WorkbookUpdated"}),
        json!({"resource_name": "an event without a name"}),
        json!({"event_type": "x".repeat(5_000)}),
        json!({"event_type": " ", "resource_name": "a blank name"}),
        json!({"event_type": "a\u{0}b"}),
    ] {
        let (status, _) = ingress.answer(Request::post(body.to_string())).await;
        assert_eq!(status, 202, "{body}");
    }
    let stored = ingress.stored();
    let names: Vec<_> = stored.iter().map(|event| event["detail-type"].as_str().unwrap()).collect();
    assert_eq!(names, ["FlowRunFailed", "WorkbookUpdated", "Unknown", "Unknown", "Unknown", "Unknown"]);
}

#[tokio::test]
async fn a_test_request_is_answered_200_and_not_stored() {
    let ingress = Ingress::open().await;
    for request in [
        Request::post("").without_body(),
        Request::post(""),
        Request::post("{}"),
        Request::post("null"),
        Request::post(r#"{"event_type":"Test"}"#),
        Request::post("{}").in_base64(),
    ] {
        assert_eq!(ingress.answer(request.clone()).await, (200, json!({ "status": "test" })), "{request:?}");
    }
    assert!(ingress.stored().is_empty());
}

#[tokio::test]
async fn no_token_and_a_wrong_one_are_answered_403_without_a_reason() {
    let ingress = Ingress::open().await;
    let event = Request::of_fixture("workbook-created");
    let wrong = TOKEN.replace("local", "LOCAL");
    assert_eq!(wrong.len(), TOKEN.len());
    for request in [
        event.clone().query_token(None),
        event.clone().query_token(Some("")),
        event.clone().query_token(Some(&wrong)),
        event.clone().query_token(Some(&TOKEN[1..])),
        event.clone().path_token(&wrong),
        Request::post("not JSON").query_token(Some(&wrong)),
        Request::post(vec![b' '; 100_000]).query_token(Some(&wrong)),
    ] {
        assert_eq!(ingress.answer(request).await, forbidden());
    }
    assert!(ingress.stored().is_empty());
}

// After four answers of 4xx, Tableau disables the webhook.
#[tokio::test]
async fn an_event_of_a_site_that_the_rules_do_not_list_is_stored() {
    let ingress = Ingress::open().await;
    let body = json!({"event_type": "WorkbookCreated", "site_luid": "other", "resource_luid": "1"});
    assert_eq!(ingress.answer(Request::post(body.to_string())).await.0, 202);
    assert_eq!(ingress.stored()[0]["detail"], body);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_stored_whole_answered_202_and_counted() {
    let ingress = Ingress::open().await;
    let cases: [(Vec<u8>, &str); 11] = [
        (b"hunter2".to_vec(), "body: not JSON, at line 1, column 1: expected value"),
        (b"{\"resource_name\":\"\xf0\x9f\x98\"}".to_vec(), "body: not UTF-8 from byte 18 on"),
        (
            br#"{"resource_name":"\ud83d"}"#.to_vec(),
            "body: not JSON, at line 1, column 25: unexpected end of hex escape",
        ),
        (b"{\"size\":1e400}".to_vec(), "body: not JSON, at line 1, column 13: number out of range"),
        (b"[1]".to_vec(), "body: expected a JSON object, found an array"),
        (b"{\"event_type\":7}".to_vec(), "event_type: expected a string, found a number"),
        (b"{\"site_luid\":{}}".to_vec(), "site_luid: expected a string, found an object"),
        ("[".repeat(60_000).into_bytes(), "body: not JSON, at line 1, column 128: recursion limit exceeded"),
        (b"\x1f\x8b\x08\x00\x00".to_vec(), "body: compressed with gzip; send plain JSON"),
        (b"a=1&b=2".to_vec(), "body: not JSON, at line 1, column 1: expected value"),
        (vec![0x01; 65_536], "body: not JSON, at line 1, column 1: expected value"),
    ];
    for (body, reason) in &cases {
        let (status, answer) = ingress.answer(Request::post(body.clone())).await;
        let sha256 = EventId::of_bytes(body);
        assert_eq!((status, &answer["status"]), (202, &json!("accepted")), "{reason}");
        assert_eq!(answer["event_id"], sha256.as_str());
        let stored = ingress.stored();
        let event = stored.last().unwrap();
        assert_eq!(event["detail-type"], "Unreadable");
        let Ok(Content::Unreadable(unreadable)) = Content::stored(&event["detail"].to_string()) else {
            panic!("{event}");
        };
        assert_eq!((unreadable.reason.as_str(), &unreadable.sha256), (*reason, &sha256));
        assert_eq!(unreadable.text(), String::from_utf8_lossy(body));
    }
    assert_eq!(ingress.counted("Unreadable"), cases.len());
    let mut event = Request::post("{}").in_base64().event();
    event["body"] = json!("***");
    assert_eq!(ingress.function.answer_to(&event).await.status, 202, "said to be base64, and is not");
}

#[tokio::test]
async fn a_byte_order_mark_before_an_event_is_removed() {
    let ingress = Ingress::open().await;
    let plain = Request::of_fixture("workbook-created");
    let marked =
        [b"\xef\xbb\xbf".as_slice(), &testkit::fixtures::bytes("tableau/workbook-created.json")].concat();
    assert_eq!(ingress.answer(Request::post(marked)).await, ingress.answer(plain).await);
    assert_eq!(ingress.stored()[0]["detail-type"], "WorkbookCreated");
}

#[tokio::test]
async fn a_body_over_64_kib_is_answered_413() {
    let ingress = Ingress::open().await;
    let too_large = (413, json!({ "error": "body: over 65536 bytes" }));
    let of = |size: usize| {
        let mut body = json!({"event_type": "WorkbookCreated", "x": ""}).to_string();
        let padding = "y".repeat(size - body.len());
        body.insert_str(body.len() - 2, &padding);
        assert_eq!(body.len(), size);
        body
    };
    assert_eq!(ingress.answer(Request::post(of(65_536))).await.0, 202);
    assert_eq!(ingress.answer(Request::post(of(65_537))).await, too_large);
    assert_eq!(ingress.answer(Request::post(of(65_536)).in_base64()).await.0, 202);
    assert_eq!(ingress.answer(Request::post(of(65_537)).in_base64()).await, too_large);
    assert_eq!(ingress.answer(Request::post(of(10 * 1024 * 1024))).await, too_large);
    assert_eq!(ingress.answer(Request::post(of(10 * 1024 * 1024)).in_base64()).await, too_large);
}

#[tokio::test]
async fn another_method_is_answered_405() {
    let ingress = Ingress::open().await;
    for method in ["GET", "PUT", "DELETE", "HEAD"] {
        let answer = ingress.function.answer(&Request::of_fixture("workbook-created").method(method)).await;
        assert_eq!((answer.status, &answer.headers["allow"]), (405, &json!("POST")), "{method}");
    }
}

#[tokio::test]
async fn a_store_that_does_not_confirm_is_answered_503_with_retry_after() {
    let ingress = Ingress::open().await;
    let event = Request::of_fixture("workbook-created");
    for (fault, times) in [(Fault::InternalError, 3), (Fault::Throttled, 3), (Fault::PartialFailure, 1)] {
        ingress.environment.aws.fail_next("EventBridge.PutEvents", times, fault);
        let answer = ingress.function.answer(&event).await;
        assert_eq!((answer.status, &answer.headers["retry-after"]), (503, &json!("5")), "{fault:?}");
        assert_eq!(answer.body, json!({ "error": "try again later" }));
    }
    assert!(ingress.stored().is_empty());
    assert_eq!(ingress.answer(event).await.0, 202);
}

#[tokio::test]
async fn a_token_that_cannot_be_checked_is_answered_503() {
    let environment = TestEnvironment::start().await;
    let binary = env!("CARGO_BIN_EXE_receive-webhook");
    let variables = [("EVENT_BUS_NAME", "events"), ("WEBHOOK_SECRET", "no-such-secret")];
    let function = environment.function("receive-webhook", binary.as_ref(), &variables);
    let answer = function.answer(&Request::of_fixture("workbook-created")).await;
    assert_eq!(answer.status, 503);
    let logs = function.logs().join("\n");
    assert!(logs.contains("cannot read the secret `no-such-secret`"), "{logs}");
}

/// It may be the new token of a rotation. The secret is read again when a token is refused, if the last read was some seconds ago.
#[tokio::test]
async fn a_token_that_is_not_known_is_answered_503_while_the_secret_cannot_be_read() {
    let ingress = Ingress::open().await;
    let event = Request::of_fixture("workbook-created");
    let new = "n".repeat(43);
    assert_eq!(ingress.answer(event.clone()).await.0, 202);
    ingress.environment.aws.create_secret("webhook", json!({ "current": new, "previous": TOKEN }));
    tokio::time::sleep(Duration::from_secs(6)).await;
    ingress.environment.aws.fail_next("SecretsManager.GetSecretValue", 3, Fault::InternalError);
    let unknown = ingress.function.answer(&event.clone().query_token(Some(&new))).await;
    assert_eq!((unknown.status, &unknown.headers["retry-after"]), (503, &json!("5")));
    assert_eq!(ingress.answer(event.clone()).await.0, 202, "a known token is taken");
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(ingress.answer(event.clone().query_token(Some(&new))).await.0, 202);
    assert_eq!(ingress.answer(event.query_token(Some(&"x".repeat(43)))).await.0, 403);
}

#[tokio::test]
async fn a_body_in_base64_and_a_token_in_the_path_are_taken() {
    let ingress = Ingress::open().await;
    let event = Request::of_fixture("workbook-created");
    let plain = ingress.answer(event.clone()).await;
    assert_eq!(ingress.answer(event.clone().in_base64()).await, plain);
    assert_eq!(ingress.answer(event.path_token(TOKEN)).await, plain);
    assert_eq!(plain.0, 202);
}

#[tokio::test]
async fn both_tokens_are_valid_while_they_are_rotated() {
    let ingress = Ingress::open().await;
    let new = "n".repeat(43);
    ingress.environment.aws.create_secret("webhook", json!({ "current": new, "previous": TOKEN }));
    let event = Request::of_fixture("workbook-created");
    assert_eq!(ingress.answer(event.clone()).await.0, 202);
    assert_eq!(ingress.answer(event.clone().query_token(Some(&new))).await.0, 202);
    assert_eq!(ingress.answer(event.query_token(Some(&"x".repeat(43)))).await.0, 403);
}

#[tokio::test]
async fn a_name_full_of_markup_is_stored_as_it_is() {
    let ingress = Ingress::open().await;
    let name = "<>&|*_~ <!channel> <@U1> \"quoted\"\n`code` 🧨";
    let body = json!({"event_type": "WorkbookCreated", "resource_name": name});
    assert_eq!(ingress.answer(Request::post(body.to_string())).await.0, 202);
    assert_eq!(ingress.stored()[0]["detail"]["resource_name"], name);
}

#[tokio::test]
async fn duplicates_have_one_event_id() {
    let ingress = Ingress::open().await;
    let event = Request::of_fixture("workbook-created");
    assert_eq!(ingress.answer(event.clone()).await, ingress.answer(event).await);
}

#[tokio::test]
async fn without_a_bus_the_event_is_checked_and_the_outcome_answered() {
    let environment = TestEnvironment::start().await;
    let function = environment.inline("receive-webhook", env!("CARGO_BIN_EXE_receive-webhook"));
    let answer = function.answer(&Request::of_fixture("workbook-created")).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("skipped")));
    assert_eq!(answer.body["reason"], "checked, not stored: EVENT_BUS_NAME is not set");
}

#[tokio::test]
async fn no_file_that_is_broken_or_missing_keeps_events_out() {
    let environment = TestEnvironment::with_rules("rules: 5\n").await;
    let binary = env!("CARGO_BIN_EXE_receive-webhook");
    let variables = [
        ("EVENT_BUS_NAME", "events"),
        ("EXTRA_CA_FILE", "/opt/mistyped.pem"),
        ("TABLEAU_SERVER_URL", "not a URL"),
        ("LOG_LEVEL", "loud"),
    ];
    let function = environment.function("receive-webhook", binary.as_ref(), &variables);
    assert_eq!(function.answer(&Request::of_fixture("workbook-created")).await.status, 202);
    assert_eq!(environment.aws.archive("events").len(), 1);
}

#[tokio::test]
async fn missing_settings_are_named_at_the_start() {
    let environment = TestEnvironment::start().await;
    let binary = env!("CARGO_BIN_EXE_receive-webhook");
    let function = environment.function("receive-webhook", binary.as_ref(), &[("WEBHOOK_SECRET", "")]);
    assert!(function.invoke(&Request::of_fixture("workbook-created").event()).await.is_err());
    let logs = function.logs().join("\n");
    assert!(logs.contains("missing settings: WEBHOOK_SECRET"), "{logs}");
}
