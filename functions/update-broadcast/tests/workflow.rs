//! The real binary: events in, Broadcasts overwritten.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use serde_json::{Value, json};
use tableau_client::BroadcastOptions;
use testkit::simulator::{Fault, SAMPLE_PAT, Workbook};
use testkit::{Batch, Request, TestEnvironment};

const BINARY: &str = env!("CARGO_BIN_EXE_update-broadcast");

/// A person sends the Broadcast of a view.
async fn send(environment: &TestEnvironment, view: &str, options: BroadcastOptions) {
    let view = environment.tableau.view(view).unwrap();
    let http = http_client::client(None).unwrap();
    let settings = tableau_client::Settings::new(&environment.tableau.url(), "marketing", "").unwrap();
    let credential = tableau_client::TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1);
    let credentials = std::sync::Arc::new(tableau_client::FixedCredential::new(credential));
    let sessions = std::sync::Arc::new(tableau_client::MemorySessionStore::default());
    let client = tableau_client::TableauClient::new(http, settings, credentials, sessions);
    client.overwrite_broadcast(&view, options).await.unwrap();
}

/// A workbook with one broadcast view and one view that is not broadcast, and an event about the workbook.
async fn broadcast(environment: &TestEnvironment, event_type: &str) -> Value {
    let workbook = environment
        .tableau
        .add(Workbook::named("Weekly").with_view("Weekly overview").with_view("Weekly details"));
    send(environment, "Weekly overview", BroadcastOptions::default()).await;
    json!({
        "resource": "WORKBOOK", "event_type": event_type, "resource_name": "Weekly",
        "site_luid": environment.tableau.site().as_str(), "resource_luid": workbook.as_str(),
        "created_at": "2025-01-15T17:14:45Z",
    })
}

fn times_sent(environment: &TestEnvironment) -> u32 {
    environment.tableau.calls("POST */broadcasts/views")
}

#[tokio::test]
async fn the_broadcasts_of_a_refreshed_workbook_are_overwritten_once() {
    let environment = TestEnvironment::start().await;
    let function = environment.queued("update-broadcast", BINARY);
    let event = broadcast(&environment, "WorkbookRefreshSucceeded").await;
    let before = times_sent(&environment);
    let batch = Batch::default().message(&event.to_string());
    assert!(function.failures(&batch).await.is_empty());
    assert!(function.failures(&batch).await.is_empty());
    assert_eq!(times_sent(&environment), before + 1, "{}", function.logs().join("\n"));
    assert_eq!(environment.tableau.broadcasts().len(), 1);
    environment.assert_no_secret_in(&function.logs());
}

// Issue 19, 4
#[tokio::test]
async fn every_broadcast_keeps_its_settings_but_for_what_a_rule_says() {
    const VIEWS: usize = 130;
    for (said, changed) in [("{}", None), ("{ downloads: false, tabs: true }", Some((true, false)))] {
        let rules =
            format!("rules: [{{ name: n, on: [WorkbookUpdated], do: [{{ update-broadcast: {said} }}] }}]\n");
        let environment = TestEnvironment::with_rules(&rules).await;
        let function = environment.queued("update-broadcast", BINARY);
        let views = (0..VIEWS).map(|n| format!("Region {n}"));
        let wide = views.clone().fold(Workbook::named("Regions"), |workbook, view| workbook.with_view(&view));
        let workbook = environment.tableau.add(wide);
        let of = |n: usize| BroadcastOptions {
            watermark: n.is_multiple_of(2),
            tabs: n.is_multiple_of(3),
            downloads: n.is_multiple_of(5),
        };
        for (n, view) in views.enumerate() {
            send(&environment, &view, of(n)).await;
        }
        let mut event = broadcast(&environment, "WorkbookUpdated").await;
        event["resource_luid"] = json!(workbook.as_str());
        let batch = Batch::default().message(&event.to_string());
        assert!(function.failures(&batch).await.is_empty(), "{}", function.logs().join("\n"));

        let all = environment.tableau.broadcasts();
        let ours: Vec<_> = all.iter().filter(|broadcast| broadcast.workbook == workbook).collect();
        assert_eq!(ours.len(), VIEWS);
        for (n, broadcast) in ours.into_iter().enumerate() {
            let BroadcastOptions { watermark, tabs, downloads } = of(n);
            let (tabs, downloads) = changed.unwrap_or((tabs, downloads));
            let has = (broadcast.show_watermark, broadcast.show_tabs, broadcast.allow_downloads);
            assert_eq!((broadcast.times, has), (2, (watermark, tabs, downloads)), "{said} {n}");
        }
        let other = all.iter().find(|broadcast| broadcast.workbook != workbook).unwrap();
        assert_eq!(other.times, 1, "the Broadcast of another workbook");
    }
}

#[tokio::test]
async fn refusals_are_told_apart_by_their_code() {
    for (code, outcome, said) in [
        ("404044", "skipped", "the workbook's Broadcasts are gone"),
        ("404011", "skipped", "the workbook's Broadcasts are gone"),
        ("403004", "misconfigured", "let it be an administrator, or the owner of the workbook"),
        ("403151", "permanent", "a site administrator can allow Broadcasts in the settings of the site"),
        ("500002", "transient", "500002"),
    ] {
        let environment = TestEnvironment::start().await;
        let function = environment.inline("update-broadcast", BINARY);
        let event = broadcast(&environment, "WorkbookUpdated").await;
        environment.tableau.fail_always("POST */broadcasts/views*", Fault::Error(code));
        let answer = function.answer(&Request::post(event.to_string())).await;
        let answered = answer.body["failure"].as_str().or_else(|| answer.body["status"].as_str());
        assert_eq!(answered, Some(outcome), "{code}: {:?}", answer.body);
        let logs = function.logs().join("\n");
        assert!(answer.body.to_string().contains(said) || logs.contains(said), "{code}: {logs}");
        assert_eq!(environment.tableau.broadcasts()[0].times, 1);
    }
}

#[tokio::test]
async fn a_user_who_may_not_list_broadcasts_is_a_person_to_help() {
    let environment = TestEnvironment::start().await;
    let function = environment.inline("update-broadcast", BINARY);
    let event = broadcast(&environment, "WorkbookUpdated").await;
    environment.tableau.fail_always("GET */broadcasts/views*", Fault::Error("403004"));
    let answer = function.answer(&Request::post(event.to_string())).await;
    assert_eq!(answer.body["failure"], "misconfigured", "{:?}", answer.body);
}

#[tokio::test]
async fn a_workbook_without_a_broadcast_is_skipped() {
    let environment = TestEnvironment::start().await;
    let function = environment.inline("update-broadcast", BINARY);
    let answer = function.answer(&Request::of_fixture("workbook-updated")).await;
    assert_eq!((answer.status, &answer.body["reason"]), (200, &json!("the workbook has no Broadcast")));
}

#[tokio::test]
async fn an_event_that_changes_no_view_is_skipped_without_asking_tableau() {
    let environment = TestEnvironment::start().await;
    let function = environment.inline("update-broadcast", BINARY);
    for name in
        ["workbook-deleted", "datasource-refresh-succeeded", "label-updated", "workbook-refresh-failed"]
    {
        let answer = function.answer(&Request::of_fixture(name)).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!("skipped")), "{name}");
    }
    assert_eq!(environment.tableau.sign_ins(SAMPLE_PAT.0), 0);
}

#[tokio::test]
async fn nothing_happens_without_a_rule() {
    let environment = TestEnvironment::with_rules("rules: []\n").await;
    let function = environment.inline("update-broadcast", BINARY);
    let event = broadcast(&environment, "WorkbookUpdated").await;
    let answer = function.answer(&Request::post(event.to_string())).await;
    assert_eq!(answer.body["reason"], "no rule updates Broadcasts on WorkbookUpdated");
}

#[tokio::test]
async fn a_site_that_forbids_broadcasts_is_a_permanent_failure_with_tableaus_reason() {
    let environment = TestEnvironment::start().await;
    let function = environment.queued("update-broadcast", BINARY);
    let event = broadcast(&environment, "WorkbookUpdated").await;
    environment.tableau.allow_broadcasts(false);
    assert!(function.failures(&Batch::default().message(&event.to_string())).await.is_empty());
    let dead = environment.aws.messages("dead-letters");
    assert!(dead[0].attributes["reason"].contains("403151"), "{:?}", dead[0].attributes);
}

#[tokio::test]
async fn a_tableau_that_is_down_is_counted_among_the_failing_destinations() {
    let environment = TestEnvironment::start().await;
    let function = environment.inline("update-broadcast", BINARY);
    let event = broadcast(&environment, "WorkbookUpdated").await;
    environment.tableau.fail_next("*", 20, Fault::Status(503));
    let answer = function.answer(&Request::post(event.to_string())).await;
    assert_eq!((answer.status, &answer.body["failure"]), (502, &json!("transient")));
    let lines = function.logs().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let counted = lines.filter(|line| line["DestinationFailures"] == 1.0 && line["destination"] == "Tableau");
    assert_eq!(counted.count(), 1, "{}", function.logs().join("\n"));
}

#[tokio::test]
async fn a_tableau_that_is_down_is_not_called_after_ten_failures_in_a_row() {
    let environment = TestEnvironment::start().await;
    let function = environment.queued("update-broadcast", BINARY);
    let event = broadcast(&environment, "WorkbookRefreshSucceeded").await;
    let batch = Batch::default().message(&event.to_string());
    environment.tableau.fail_next("GET */broadcasts/views*", 1_000, Fault::Error("500000"));
    for _ in 0..10 {
        assert_eq!(function.failures(&batch).await, ["m-1"]);
    }
    let calls = environment.tableau.calls("GET */broadcasts/views*");
    assert_eq!(function.failures(&batch).await, ["m-1"]);
    assert_eq!(environment.tableau.calls("GET */broadcasts/views*"), calls);
    let logs = function.logs().join("\n");
    assert!(logs.contains("circuit open, Tableau is not called until") && calls >= 10, "{calls}\n{logs}");
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn an_event_of_another_site_is_skipped_and_nothing_is_looked_up() {
    let rules = "rules: [{ name: n, on: [WorkbookRefreshSucceeded], do: [{ update-broadcast: {} }] }]\n";
    let environment = TestEnvironment::with_rules(rules).await;
    let function = environment.inline("update-broadcast", BINARY);
    let mut event = broadcast(&environment, "WorkbookRefreshSucceeded").await;
    let calls = environment.tableau.calls("GET *");
    event["site_luid"] = json!("00000000-0000-4000-8000-000000000000");
    let answer = function.answer(&Request::post(event.to_string())).await;
    assert_eq!(
        answer.body["reason"],
        "the event is of another site than the one that Tableau is asked about"
    );
    // The sign-in asks for the server's version; no other call is made.
    assert_eq!(environment.tableau.calls("GET *"), calls + 1);
}

#[tokio::test]
async fn an_expired_token_keeps_the_event_waiting_until_the_secret_is_fixed() {
    let environment = TestEnvironment::start().await;
    let function = environment.queued("update-broadcast", BINARY);
    let event = broadcast(&environment, "WorkbookRefreshSucceeded").await;
    let batch = Batch::default().message(&event.to_string());
    let sent = times_sent(&environment);
    environment
        .aws
        .create_secret("tableau", json!({ "token_name": SAMPLE_PAT.0, "token_secret": "expired" }));
    for _ in 0..2 {
        assert_eq!(function.failures(&batch).await, ["m-1"]);
    }
    let logs = function.logs().join("\n");
    assert!(logs.contains(r#""outcome":"misconfigured""#) && logs.contains("15 days without use"), "{logs}");
    environment
        .aws
        .create_secret("tableau", json!({ "token_name": SAMPLE_PAT.0, "token_secret": SAMPLE_PAT.1 }));
    // Simulates the end of the minutes for which a secret is cached.
    let function = environment.queued("update-broadcast", BINARY);
    assert!(function.failures(&batch).await.is_empty(), "{}", function.logs().join("\n"));
    assert_eq!(times_sent(&environment), sent + 1);
    assert!(environment.aws.messages("dead-letters").is_empty());
}

#[tokio::test]
async fn a_page_in_place_of_tableaus_answer_is_tried_again() {
    let environment = TestEnvironment::start().await;
    let function = environment.queued("update-broadcast", BINARY);
    let event = broadcast(&environment, "WorkbookRefreshSucceeded").await;
    let batch = Batch::default().message(&event.to_string());
    for (fault, times) in
        // A redirect may mean that the site has moved, so the call is repeated once after a new sign-in.
        [(Fault::Html(200), 1), (Fault::Html(403), 1), (Fault::Status(204), 1), (Fault::Html(302), 2)]
    {
        environment.tableau.fail_next("GET */broadcasts/views*", times, fault);
        assert_eq!(function.failures(&batch).await, ["m-1"]);
    }
    let logs = function.logs().join("\n");
    assert!(logs.contains("the answer is not Tableau's: HTML with status 403"), "{logs}");
    assert!(function.failures(&batch).await.is_empty());
    assert!(environment.aws.messages("dead-letters").is_empty());
}

// 15, item 2: a Broadcast is public, so what is not known publishes nothing.
#[tokio::test]
async fn while_a_condition_is_not_known_no_broadcast_is_overwritten() {
    for (conditions, fault, failure) in [
        ("unless: { owner: bea@example.com }", Fault::Status(503), "transient"),
        ("where: { owner: bea@example.com }", Fault::Status(503), "transient"),
        ("unless: { owner: bea@example.com }", Fault::Error("403004"), "misconfigured"),
    ] {
        let rules = format!(
            "rules: [{{ name: n, on: [WorkbookUpdated], {conditions}, do: [{{ update-broadcast: {{}} }}] }}]\n"
        );
        let environment = TestEnvironment::with_rules(&rules).await;
        let function = environment.inline("update-broadcast", BINARY);
        let event = broadcast(&environment, "WorkbookUpdated").await;
        let sent = times_sent(&environment);
        environment.tableau.fail_always("GET /sites/*/users/*", fault);
        let answer = function.answer(&Request::post(event.to_string())).await;
        assert_eq!(answer.body["failure"], failure, "{conditions}: {:?}", answer.body);
        assert_eq!(times_sent(&environment), sent, "{conditions}");
    }
}

// 15, item 2
#[tokio::test]
async fn an_event_of_another_site_is_skipped_also_when_a_rule_has_conditions() {
    let rules = "rules: [{ name: n, on: [WorkbookUpdated], where: { tags: { any: [x] } }, do: [{ update-broadcast: {} }] }]\n";
    let environment = TestEnvironment::with_rules(rules).await;
    let function = environment.inline("update-broadcast", BINARY);
    let mut event = broadcast(&environment, "WorkbookUpdated").await;
    event["site_luid"] = json!("00000000-0000-4000-8000-000000000000");
    let answer = function.answer(&Request::post(event.to_string())).await;
    assert_eq!(
        answer.body["reason"],
        "the event is of another site than the one that Tableau is asked about"
    );
}
