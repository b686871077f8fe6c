//! Signed requests.

use crate::support::{Environment, last_reason, message};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::simulator::ReceiverFault;
use testkit::{Batch, fixtures, repository};

const ENRICHED: &str = "{ target: own }";
const RAW: &str = "{ target: own, body: raw }";

#[tokio::test]
async fn an_event_is_one_signed_request_with_what_tableau_says_about_it() {
    let environment = Environment::start(ENRICHED).await;
    let function = environment.queued();
    let event = environment.failed();

    assert_eq!(
        function.failures(&message(&event)).await,
        Vec::<String>::new(),
        "{}",
        function.logs().join("\n")
    );
    assert_eq!(function.failures(&message(&event)).await, Vec::<String>::new(), "a second delivery");

    let requests = environment.receiver.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!((requests[0].status, requests[0].method.as_str()), (204, "POST"), "verified by the receiver");
    assert_eq!(requests[0].header("content-type"), "application/json");
    assert!(requests[0].header("webhook-id").starts_with("msg_"));
    let body = requests[0].json();
    assert_eq!(body["type"], "datasource.refresh_failed");
    assert_eq!(body["timestamp"], event["created_at"]);
    let data = &body["data"];
    assert_eq!(data["title"], "Extract refresh failed: Sales Orders");
    assert_eq!(data["rule"], "all");
    assert_eq!(data["object"]["luid"], event["resource_luid"]);
    assert_eq!(data["object"]["kind"], "data source");
    assert_eq!(data["project"]["name"], "Sales");
    assert_eq!(data["cause"]["class"], "Credentials");
    assert!(data["owner"]["email"].as_str().unwrap().ends_with("@example.com"), "{data}");
    assert!(data["object"]["link"].as_str().unwrap().starts_with("http"), "{data}");
    assert_eq!(data["missing"], json!([]));
    environment.assert_no_secret_in(&function);
}

#[tokio::test]
async fn a_weekly_report_is_forwarded_with_its_figures_and_in_lines_for_people() {
    let rules =
        "rules:\n  - name: report\n    on: [WeeklyReport]\n    do:\n      - forward-event: { target: own }\n";
    let environment = Environment::with_rules(rules).await;
    let function = environment.queued();
    let event = fixtures::json("derived/weekly-report.json");
    assert!(function.failures(&message(&event)).await.is_empty(), "{}", function.logs().join("\n"));
    let body = environment.receiver.requests()[0].json();
    assert_eq!(body["type"], "weekly.report");
    let data = &body["data"];
    assert_eq!(data["title"], "Weekly report, 13 to 19 Jan 2025: Marketing");
    assert_eq!((&data["object"]["kind"], &data["object"]["luid"]), (&json!("site"), &event["resource_luid"]));
    let report = &data["report"];
    assert_eq!((&report["first_day"], &report["last_day"]), (&json!("2025-01-13"), &json!("2025-01-19")));
    let figures = [
        "failed",
        "succeeded",
        "opened",
        "resolved",
        "recovery_seconds",
        "messages",
        "messages_in_time",
        "message_p99_ms",
        "given_up",
    ];
    for figure in figures {
        assert_eq!(report[figure], event["report"]["week"][figure], "{figure}");
    }
    assert_eq!(
        report["failed_most"][0],
        "General Ledger (Jonas Weber) – data source, 11 failures, Credentials refused"
    );
    let lines = data["lines"].to_string();
    for part in [
        "Week: 41 of 639 refreshes failed (week before: 23 of 627)",
        "Mean time to recovery: 1 h 55 min (week before: 1 h 15 min)",
        "Customer Master (Priya Nair) – data source, 1 d 5 h, still open · Sat 18 Jan 2025, 18:20 CET (17:20 UTC)",
        "Owners to talk to: Jonas Weber – 22 failures, 3 objects; Priya Nair – 9 failures, 1 object",
    ] {
        assert!(lines.contains(part), "no {part} in {lines}");
    }
    assert_eq!(environment.base.tableau.calls("*"), 0, "Tableau is not asked");
}

#[tokio::test]
async fn a_disabled_webhook_is_forwarded_with_all_that_the_event_says() {
    let rules = "rules:\n  - name: webhooks\n    on: [WebhookDisabled]\n    do:\n      - forward-event: { target: own }\n";
    let environment = Environment::with_rules(rules).await;
    let function = environment.queued();
    let event = fixtures::json("derived/webhook-disabled.json");
    assert!(function.failures(&message(&event)).await.is_empty(), "{}", function.logs().join("\n"));
    let body = environment.receiver.requests()[0].json();
    assert_eq!(body["type"], "webhook.disabled");
    let data = &body["data"];
    assert_eq!(
        data["title"],
        "Webhook disabled, no WorkbookRefreshFailed events arrive: tableau-webhooks WorkbookRefreshFailed"
    );
    assert_eq!(
        (&data["object"]["kind"], &data["object"]["luid"]),
        (&json!("webhook"), &event["resource_luid"])
    );
    let mut webhook = event["webhook"].clone();
    webhook["enabled_again"] = Value::Null;
    assert_eq!(data["webhook"], webhook);
    assert_eq!(data["missing"], json!([]));
    let lines = data["lines"].to_string();
    for part in [
        "Next step: Its URL does not answer. ",
        "Events: WorkbookRefreshFailed",
        "Registered by: Bea Larsson",
        "Reason at Tableau: Webhook disabled after 4 failed delivery attempts",
        "No deliveries: since some time between Wed 15 Jan 2025, 18:55 UTC and Wed 15 Jan 2025, 19:10 UTC. ",
    ] {
        assert!(lines.contains(part), "no {part} in {lines}");
    }
    assert_eq!(environment.base.tableau.calls("*"), 0, "Tableau is not asked");
}

// D092
#[tokio::test]
async fn the_signed_bytes_are_the_sent_bytes_whatever_the_body_holds() {
    let environment = Environment::start(RAW).await;
    let function = environment.queued();
    for (number, name) in
        ["\u{e9} \u{1f600}", "a\"b\\c\n", "<!channel> & </script>", ""].into_iter().enumerate()
    {
        let mut event = environment.event("DatasourceUpdated");
        event["resource_name"] = json!(name);
        event["zeta"] = json!(1.0);
        event["alpha"] = json!({ "b": [1.50, 1e3], "a": null, "number": number });
        assert!(function.failures(&message(&event)).await.is_empty(), "{}", function.logs().join("\n"));
        let received = environment.receiver.requests().pop().unwrap();
        // The receiver has verified the bytes that came, before it read them.
        assert_eq!(received.status, 204);
        assert_eq!(received.json(), event);
    }
}

// D093
#[tokio::test]
async fn each_attempt_has_its_own_time_and_signature_and_the_same_id() {
    let environment = Environment::start(ENRICHED).await;
    let function = environment.queued();
    let event = environment.failed();
    environment.receiver.fail_next(1, ReceiverFault::Answer(500, &[], "busy"));
    assert_eq!(function.failures(&message(&event)).await.len(), 1);
    // A timestamp counts in seconds.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(function.failures(&message(&event).received(2)).await.is_empty(), "{}", last_reason(&function));
    let requests = environment.receiver.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
    assert_ne!(requests[0].header("webhook-timestamp"), requests[1].header("webhook-timestamp"));
    assert_ne!(requests[0].header("webhook-signature"), requests[1].header("webhook-signature"));
    assert_eq!(requests[0].body, requests[1].body);
}

#[tokio::test]
async fn while_a_secret_is_rotated_both_sign_and_a_new_one_is_used_without_a_restart() {
    let environment = Environment::start(RAW).await;
    let receiver = &environment.receiver;
    let own = receiver.add_hook("own");
    let old = own["secrets"][0].clone();
    let new = receiver.new_secret();
    let function = environment.queued();
    let event = |n: usize| {
        let mut event = environment.event("DatasourceUpdated");
        event["n"] = json!(n);
        message(&event)
    };
    environment.put_secret([("own", own.clone())]);
    assert!(function.failures(&event(1)).await.is_empty(), "{}", last_reason(&function));

    // The receiver has another secret: the event waits for a person, and then goes on.
    receiver.set_hook_secrets("own", &[&new]);
    assert_eq!(function.failures(&event(2)).await.len(), 1);
    let reason = last_reason(&function);
    assert!(
        reason.contains("the target `own` answered 401") && reason.contains("fill in its credential"),
        "{reason}"
    );
    environment.put_secret([("own", json!({ "url": own["url"], "secrets": [new, old] }))]);
    // A secret that was read less than five seconds ago is not read again.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(function.failures(&event(2).received(2)).await.is_empty(), "{}", last_reason(&function));
    let last = receiver.requests().pop().unwrap();
    assert_eq!(last.header("webhook-signature").split(' ').count(), 2);
    environment.assert_no_secret_in(&function);
}

#[tokio::test]
async fn every_event_and_every_odd_payload_is_forwarded_or_ignored() {
    let environment = Environment::start(ENRICHED).await;
    let function = environment.inline();
    let mut names: Vec<String> = std::fs::read_dir(repository::root().join("events/tableau"))
        .unwrap()
        .filter_map(|file| {
            file.unwrap().file_name().into_string().ok()?.strip_suffix(".json").map(str::to_owned)
        })
        .collect();
    names.sort();
    assert_eq!(names.len(), 22);
    for name in &names {
        let event = fixtures::json(&format!("tableau/{name}.json"));
        let answer = function.answer(&testkit::Request::post(event.to_string())).await;
        assert_eq!(answer.body["status"], "done", "{name}: {:?}", answer.body);
    }
    let requests = environment.receiver.requests();
    assert_eq!(requests.len(), 22);
    assert!(requests.iter().all(|request| request.status == 204));
    for request in requests {
        let body: Value = request.json();
        assert!(body["type"].as_str().unwrap().contains('.'), "{body}");
        assert!(body["data"]["lines"].as_array().is_some_and(|lines| !lines.is_empty()), "{body}");
    }
    let queued = environment.queued();
    for file in std::fs::read_dir(repository::root().join("events/tableau/odd")).unwrap() {
        let path = file.unwrap().path();
        let Ok(body) = String::from_utf8(std::fs::read(&path).unwrap()) else { continue };
        let failures = queued.failures(&Batch::default().message(&body)).await;
        assert!(failures.is_empty(), "{}: {failures:?}", path.display());
    }
    assert!(environment.receiver.requests().iter().all(|request| request.status == 204));
}

#[tokio::test]
async fn the_fixture_for_a_local_invoke_is_a_request() {
    let environment = Environment::start(ENRICHED).await;
    let function = environment.inline();
    let answer = function.answer_to(&fixtures::json("http/forward-event.json")).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("done")), "{:?}", answer.body);
    assert_eq!(environment.receiver.taken().len(), 1);
}

#[tokio::test]
async fn an_event_that_no_rule_takes_and_a_muted_rule_send_nothing() {
    let rules = "rules:\n  - name: later\n    on: [WorkbookCreated]\n    mute_until: 2999-01-01T00:00:00Z\n    do:\n      - forward-event: { target: own }\n";
    let environment = Environment::with_rules(rules).await;
    let function = environment.inline();
    let answer = function.answer(&testkit::Request::of_fixture("admin-demoted")).await;
    assert_eq!(answer.body["reason"], "no rule forwards this AdminDemoted");
    let answer = function.answer(&testkit::Request::of_fixture("workbook-created")).await;
    assert_eq!(answer.body["reason"], "the rule `later` is muted until 2999-01-01T00:00:00Z");
    assert!(environment.receiver.requests().is_empty());
}
