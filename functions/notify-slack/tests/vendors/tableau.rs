//! Answers of Tableau, or of a proxy instead of Tableau.

use crate::outcomes;
use crate::support::{BINARY, failed, inline, message, queued, readable};
use serde_json::{Value, json};
use tableau::JobLuid;
use testkit::simulator::{Fault, Feature, JobShape, SAMPLE_PAT, TableauSimulator, notes};
use testkit::{Batch, Function, Request, TestEnvironment};

#[tokio::test]
async fn an_expired_token_raises_the_alarm_at_once_and_the_message_goes_out_soon_with_advice() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    let event = failed(&environment, notes::SNOWFLAKE_LOGIN);
    environment.tableau.revoke_pat(SAMPLE_PAT.0);
    assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
    assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
    assert!(function.failures(&message(&event)).await.is_empty());
    assert_eq!(outcomes(&function), ["misconfigured", "misconfigured", "done"]);
    let text = readable(&environment);
    assert!(
        text.contains("Tableau refused (401001); check the name and the secret, whether a token has"),
        "{text}"
    );
    assert!(text.contains("15 days without use") && !text.contains("site administrator"), "{text}");
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn a_page_in_place_of_tableaus_answer_is_waited_for_and_then_named() {
    for (fault, content) in [
        (Fault::Html(200), "HTML with status 200"),
        (Fault::Html(403), "HTML with status 403"),
        (Fault::Status(204), "an empty body with status 204"),
    ] {
        let environment = TestEnvironment::start().await;
        let function = queued(&environment);
        let event = failed(&environment, notes::SNOWFLAKE_LOGIN);
        environment.tableau.fail_next("GET /sites/*", 1_000, fault);
        assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
        assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
        assert!(function.failures(&message(&event)).await.is_empty());
        assert_eq!(outcomes(&function), ["transient", "transient", "done"]);
        let text = readable(&environment);
        let said =
            format!("{content} came in place of its answer; a proxy or a login page may stand between");
        assert!(text.contains(&said) && !text.contains("site administrator"), "{text}");
    }
}

#[tokio::test]
async fn a_page_in_place_of_one_answer_keeps_no_other_detail_back() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    let event = failed(&environment, notes::SNOWFLAKE_LOGIN);
    environment.tableau.fail_next("GET /sites/*/jobs", 1_000, Fault::Html(403));
    for failures in [1, 1, 0] {
        assert_eq!(function.failures(&message(&event)).await.len(), failures);
    }
    let text = readable(&environment);
    assert!(
        text.contains("Owner") && text.contains("HTML with status 403 came in place of its answer"),
        "{text}"
    );
}

#[tokio::test]
async fn advice_about_roles_is_for_two_codes_only() {
    for (code, advised) in [("403000", true), ("403079", true), ("403004", false), ("409004", false)] {
        let environment = TestEnvironment::start().await;
        let function = inline(&environment);
        let event = failed(&environment, notes::SNOWFLAKE_LOGIN);
        environment.tableau.fail_next("GET /sites/*/jobs", 2, Fault::Error(code));
        assert_eq!(function.answer(&Request::post(event.to_string())).await.status, 200);
        let text = readable(&environment);
        assert!(text.contains(&format!("Tableau refused ({code})")), "{text}");
        assert_eq!(text.contains("site administrator"), advised, "{text}");
    }
}

#[tokio::test]
async fn a_site_that_tableau_moved_is_signed_in_to_once_and_its_events_notice_nothing() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    assert!(function.failures(&message(&failed(&environment, notes::SNOWFLAKE_LOGIN))).await.is_empty());
    let pods = [
        TableauSimulator::sample().start().await.unwrap(),
        TableauSimulator::sample().start().await.unwrap(),
    ];
    // Redirects from the configured server to a first pod, and from there to a second; then the first is shut down.
    for pod in pods {
        environment.tableau.move_to(Some(&pod.url()));
        for name in ["Inventory Positions", "Shipments"] {
            let luid = pod.datasource(name).unwrap();
            pod.fail_refresh(&luid, notes::NO_SPACE).unwrap();
            let event = json!({
                "resource": "EXTRACTS", "event_type": "DatasourceRefreshFailed", "resource_name": name,
                "site_luid": pod.site().as_str(), "resource_luid": luid.as_str(),
                "created_at": pod.clock().now().to_string(),
            });
            // A new object each time, so that no event is a duplicate and no failure belongs to a known incident.
            let fresh = inline_with_table(&environment);
            let answer = fresh.answer(&Request::post(event.to_string())).await;
            assert_eq!(answer.body["status"], "done", "{}", fresh.logs().join("\n"));
            let text = readable(&environment);
            let last = text.rsplit("---").next().unwrap();
            assert!(last.contains("Out of memory or disk") && last.contains("Owner"), "{last}");
        }
        assert_eq!(pod.sign_ins(SAMPLE_PAT.0), 1);
    }
}

/// The function in inline mode with the stack's table: it shares the Tableau session and groups nothing.
fn inline_with_table(environment: &TestEnvironment) -> Function {
    environment.function("notify-slack", BINARY.as_ref(), &[("TABLE_NAME", "deliveries")])
}

#[tokio::test]
async fn an_event_of_another_site_is_not_looked_up() {
    let rules = "rules: [{ name: n, on: [DatasourceRefreshFailed], do: [{ notify-slack: { channel: data-alerts } }] }]\n";
    let environment = TestEnvironment::with_rules(rules).await;
    let function = inline(&environment);
    let mut event = failed(&environment, notes::SNOWFLAKE_LOGIN);
    event["site_luid"] = json!("00000000-0000-4000-8000-000000000000");
    assert_eq!(function.answer(&Request::post(event.to_string())).await.body["status"], "done");
    let text = readable(&environment);
    assert!(
        text.contains("not available: the event is of another site than the one that Tableau is asked"),
        "{text}"
    );
    assert!(!text.contains("404"), "{text}");
    assert_eq!(environment.tableau.calls("GET /sites/*"), 0);
}

#[tokio::test]
async fn an_event_about_a_user_does_not_ask_tableau() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    environment.tableau.fail_always("*", Fault::Status(503));
    assert!(function.failures(&Batch::of_fixture("admin-promoted")).await.is_empty());
    assert_eq!((environment.tableau.calls("*"), environment.slack.message_count()), (0, 1));
}

#[tokio::test]
async fn secrets_in_a_jobs_notes_do_not_reach_the_channel_or_the_log() {
    let notes = [
        ("Login failed for https://a.example/b?X-Amz-Signature=hunter2secret", "https://a.…/b?…"),
        ("Login failed: Authorization: Basic hunter2secret", "Authorization: [removed]"),
        ("Login failed for scott/hunter2secret@db", "scott/[removed]@db"),
        ("Login failed: pass\u{200b}code=hunter2secret", "passcode=[removed]"),
        (
            "Login failed\n-----BEGIN PRIVATE KEY-----\nhunter2secret\n-----END PRIVATE KEY-----\n\u{3164}",
            "\nLogin failed\nNext step",
        ),
        ("client_assertion=\nhunter2secret\nLogin failed", "\nLogin failed\nNext step"),
    ];
    for (notes, shown) in notes {
        let environment = TestEnvironment::start().await;
        let function = queued(&environment);
        assert!(function.failures(&message(&failed(&environment, notes))).await.is_empty());
        let text = readable(&environment);
        assert!(text.contains(shown) && text.contains("Credentials refused"), "{text}");
        assert!(!text.contains("hunter2secret"), "{text}");
        assert!(!function.logs().join("\n").contains("hunter2secret"), "{notes}");
    }
}

#[tokio::test]
async fn each_way_of_not_finding_the_reason_has_words_of_its_own() {
    type Prepare = fn(&TestEnvironment, &JobLuid);
    let cases: [(Prepare, &str); 5] = [
        (
            |environment, job| environment.tableau.show_job_as(job, JobShape::StatusNotes),
            "Credentials refused",
        ),
        (
            |environment, job| environment.tableau.show_job_as(job, JobShape::Unreadable),
            "not available: Tableau lists its job, but does not show it (400031)",
        ),
        (
            |environment, _| environment.tableau.allow(Feature::JobLists, false),
            "not available: Tableau refused (403079); the token's user has to be a site administrator",
        ),
        (|_, _| {}, "Credentials refused"),
        (|environment, job| environment.tableau.run_by_bridge(job), "Credentials refused"),
    ];
    for (prepare, words) in cases {
        let environment = TestEnvironment::start().await;
        let function = inline(&environment);
        let event = failed(&environment, notes::SNOWFLAKE_LOGIN);
        let jobs = environment.tableau.jobs();
        prepare(&environment, &jobs.last().unwrap().luid);
        assert_eq!(function.answer(&Request::post(event.to_string())).await.status, 200);
        assert!(readable(&environment).contains(words), "no {words} in\n{}", readable(&environment));
    }
    for (notes, words) in
        [(Some(" "), "its job has no text about the failure"), (None, "lists no failed job for it")]
    {
        let environment = TestEnvironment::start().await;
        let function = inline(&environment);
        let luid = environment.tableau.datasource("General Ledger").unwrap();
        if let Some(notes) = notes {
            environment.tableau.fail_refresh(&luid, notes).unwrap();
        }
        let event = json!({
            "resource": "EXTRACTS", "event_type": "DatasourceRefreshFailed", "resource_name": "General Ledger",
            "site_luid": environment.tableau.site().as_str(), "resource_luid": luid.as_str(),
            "created_at": environment.tableau.clock().now().to_string(),
        });
        assert_eq!(function.answer(&Request::post(event.to_string())).await.status, 200);
        assert!(readable(&environment).contains(words), "no {words} in\n{}", readable(&environment));
    }
}

// shared/session-store/tests/client.rs shows how a session in the table ends.
#[tokio::test]
async fn the_longest_use_of_a_session_is_a_setting_in_minutes() {
    let environment = TestEnvironment::start().await;
    let event = failed(&environment, notes::SNOWFLAKE_LOGIN).to_string();
    let with = |minutes: &str| {
        let settings = [("TABLE_NAME", "deliveries"), ("TABLEAU_SESSION_MINUTES", minutes)];
        environment.function("notify-slack", BINARY.as_ref(), &settings)
    };
    for minutes in ["", "0", "60"] {
        assert_eq!(with(minutes).answer(&Request::post(event.clone())).await.status, 200);
        assert_eq!(environment.tableau.sign_ins(SAMPLE_PAT.0), 1, "{minutes}");
    }
    let mut items = environment.aws.items("deliveries").into_iter();
    let session = items.find(|item| item["pk"]["S"].as_str().unwrap().starts_with("session#"));
    let session: Value = serde_json::from_str(session.unwrap()["document"]["S"].as_str().unwrap()).unwrap();
    assert!(session["session"]["signed_in_at"].is_string());
    let wrong = with("an hour");
    let answer = wrong.answer(&Request::post(event)).await;
    assert_eq!((answer.status, &answer.body["failure"]), (502, &json!("misconfigured")));
    let reason = answer.body["reason"].as_str().unwrap();
    assert!(reason.contains("TABLEAU_SESSION_MINUTES") && reason.contains("such as 60"), "{reason}");
}
