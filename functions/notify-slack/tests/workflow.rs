//! The real binary: requests in, messages in Slack out.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

use serde_json::{Value, json};
use std::time::Duration;
use tableau::JobLuid;
use testkit::simulator::{Fault, Feature, JobShape, SAMPLE_PAT, SlackFault, TableauSimulator, notes, render};
use testkit::{Batch, Function, Request, Stage, fixtures, repository};

const BINARY: &str = env!("CARGO_BIN_EXE_notify-slack");

fn queued(stage: &Stage) -> Function {
    stage.queued("notify-slack", BINARY)
}

fn inline(stage: &Stage) -> Function {
    stage.inline("notify-slack", BINARY)
}

/// A real-looking event about a data source of the sample site, whose job failed with these notes.
fn failed(stage: &Stage, notes: &str) -> Value {
    let luid = stage.tableau.datasource("Sales Orders").expect("the sample has it");
    stage.tableau.fail_refresh(&luid, notes).unwrap();
    json!({
        "resource": "EXTRACTS", "event_type": "DatasourceRefreshFailed", "resource_name": "Sales Orders",
        "site_luid": stage.tableau.site().as_str(), "resource_luid": luid.as_str(),
        "created_at": stage.tableau.clock().now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    })
}

fn message(event: &Value) -> Batch {
    Batch::default().message(&event.to_string())
}

fn readable(stage: &Stage) -> String {
    stage.slack.messages().iter().map(render).collect::<Vec<_>>().join("\n---\n")
}

#[tokio::test]
async fn a_request_becomes_a_message_in_the_queue() {
    let stage = Stage::start().await;
    let function = queued(&stage);
    let answer = function.answer(&Request::of_fixture("datasource-refresh-failed")).await;
    assert_eq!((answer.status, &answer.body["status"]), (202, &json!("accepted")));
    let queued = stage.aws.messages("queue");
    assert_eq!(queued.len(), 1);
    let body: Value = serde_json::from_str(&queued[0].body).unwrap();
    assert_eq!(body, fixtures::json("tableau/datasource-refresh-failed.json"));
    assert!(stage.slack.messages().is_empty(), "the work is done later");
    stage.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn a_queued_event_becomes_a_message_with_cause_owner_and_project() {
    let stage = Stage::start().await;
    let function = queued(&stage);
    let event = failed(&stage, notes::SNOWFLAKE_LOGIN);

    assert_eq!(function.failures(&message(&event)).await, Vec::<String>::new());

    let text = readable(&stage);
    for part in
        ["Extract refresh failed: Sales Orders", "Credentials refused", "Next step", "Project", "Sales"]
    {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert!(text.contains("@example.com"), "no owner in\n{text}");
    assert!(text.contains("Open in Tableau (http"), "no link in\n{text}");
    assert_eq!(stage.slack.messages()[0].channel_name, "data-alerts");
    stage.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn the_same_event_twice_is_one_message() {
    let stage = Stage::start().await;
    let function = queued(&stage);
    let event = failed(&stage, notes::SNOWFLAKE_LOGIN);
    let twice = message(&event).message(&event.to_string());

    assert!(function.failures(&twice).await.is_empty());
    assert!(function.failures(&message(&event)).await.is_empty());

    assert_eq!(stage.slack.messages().len(), 1);
    let outcomes = function.logs().iter().filter(|line| line.contains(r#""outcome":"duplicate""#)).count();
    assert!(outcomes >= 2, "{}", function.logs().join("\n"));
}

#[tokio::test]
async fn inline_mode_answers_with_the_outcome() {
    let stage = Stage::start().await;
    let function = inline(&stage);
    let event = failed(&stage, notes::POSTGRES_REFUSED);

    let done = function.answer(&Request::post(event.to_string())).await;
    let again = function.answer(&Request::post(event.to_string())).await;

    assert_eq!((done.status, &done.body["status"]), (200, &json!("done")));
    assert_eq!((again.status, &again.body["reason"]), (200, &json!("the event was handled before")));
    assert!(readable(&stage).contains("Database unreachable"));
}

#[tokio::test]
async fn inline_mode_answers_with_the_failure() {
    let stage = Stage::start().await;
    let function = inline(&stage);
    stage.slack.fail_next(1, SlackFault::ServerError);
    let answer = function.answer(&Request::of_fixture("workbook-created")).await;
    assert_eq!((answer.status, &answer.body["failure"]), (502, &json!("transient")));
    let reason = answer.body["reason"].as_str().unwrap();
    assert!(reason.starts_with("Slack refused with 500"), "{reason}");
    stage.assert_no_secret_in(&[answer.body.to_string()]);
    stage.assert_no_secret_in(&function.logs());
}

/// The metrics of `name` that the function reported, without their time.
fn metrics(function: &Function, name: &str) -> Vec<Value> {
    let lines = function.logs().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let lines = lines.filter(|line| line["_aws"].is_object() && line[name].is_number());
    lines
        .map(|mut line| {
            line["_aws"]["Timestamp"].take();
            line
        })
        .collect()
}

#[tokio::test]
async fn sign_ins_and_failing_calls_are_counted_in_the_stacks_namespace_however_little_is_logged() {
    let stage = Stage::start().await;
    let settings = [("METRICS_NAMESPACE", "my-stack"), ("LOG_LEVEL", "error")];
    let function = stage.function("notify-slack", BINARY.as_ref(), &settings);
    stage.slack.fail_next(1, SlackFault::ServerError);
    function.answer(&Request::post(failed(&stage, notes::POSTGRES_REFUSED).to_string())).await;

    let defined = |name: &str, dimensions: &[&str]| {
        let metrics = json!([{ "Name": name, "Unit": "Count" }]);
        let definition = json!({ "Namespace": "my-stack", "Dimensions": [dimensions], "Metrics": metrics });
        json!({ "Timestamp": null, "CloudWatchMetrics": [definition] })
    };
    let sign_in =
        json!({ "_aws": defined("SignIns", &["function"]), "function": "notify-slack", "SignIns": 1.0 });
    assert_eq!(metrics(&function, "SignIns"), [sign_in], "{}", function.logs().join("\n"));
    let failure = json!({
        "_aws": defined("DestinationFailures", &["destination", "failure"]),
        "destination": "Slack", "failure": "transient", "DestinationFailures": 1.0,
    });
    assert_eq!(metrics(&function, "DestinationFailures"), [failure]);
    assert!(!function.logs().iter().any(|line| line.contains("signed in")), "LOG_LEVEL is for lines");
}

#[tokio::test]
async fn every_event_name_gets_a_message_that_slack_takes() {
    let stage = Stage::start().await;
    // In a queue the second that fails would wait a moment for others.
    let function = inline(&stage);
    let files: Vec<_> = std::fs::read_dir(repository::root().join("events/tableau")).unwrap().collect();
    let mut names: Vec<String> = files
        .into_iter()
        .filter_map(|file| {
            file.unwrap().file_name().into_string().ok()?.strip_suffix(".json").map(str::to_owned)
        })
        .collect();
    assert_eq!(names.len(), 22);
    // They are about the same objects: a start after its end would be late.
    names.sort_by_key(|name| (!name.ends_with("started"), name.clone()));
    for name in &names {
        let event = fixtures::json(&format!("tableau/{name}.json"));
        let answer = function.answer(&Request::post(event.to_string())).await;
        assert_eq!(answer.body["status"], "done", "{name}");
    }
    // Two of them end a story, which their own channel is told as well.
    assert_eq!(stage.slack.messages().len(), 22 + 2, "{:?}", stage.slack.refusals());
}

#[tokio::test]
async fn no_odd_payload_breaks_the_function_or_slack() {
    let stage = Stage::start().await;
    let function = queued(&stage);
    let folder = repository::root().join("events/tableau/odd");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let Ok(body) = String::from_utf8(std::fs::read(&path).unwrap()) else { continue };
        let failures = function.failures(&Batch::default().message(&body)).await;
        assert!(failures.is_empty(), "{}: {failures:?}", path.display());
    }
    assert!(stage.slack.refusals().is_empty(), "{:?}", stage.slack.refusals());
    for message in stage.slack.messages() {
        assert!(message.mentions().is_empty(), "{:?}", message.mentions());
    }
}

#[tokio::test]
async fn a_message_that_is_no_event_goes_to_the_dead_letters_with_the_reason() {
    let stage = Stage::start().await;
    let function = queued(&stage);
    assert!(function.failures(&Batch::default().message("not JSON")).await.is_empty());
    let dead = stage.aws.messages("dead-letters");
    assert_eq!((dead.len(), dead[0].body.as_str()), (1, "not JSON"));
    assert!(dead[0].attributes["reason"].contains("not JSON, at line 1"), "{:?}", dead[0].attributes);
}

#[tokio::test]
async fn one_bad_message_does_not_hold_back_its_batch() {
    let stage = Stage::start().await;
    let function = queued(&stage);
    stage.slack.fail_next(1, SlackFault::ServerError);
    let one = String::from_utf8(fixtures::bytes("tableau/workbook-created.json")).unwrap();
    let two = String::from_utf8(fixtures::bytes("tableau/workbook-updated.json")).unwrap();
    let failures = function.failures(&Batch::default().message(&one).message("[]").message(&two)).await;
    assert_eq!(failures, ["m-1"]);
    assert_eq!(stage.slack.messages().len(), 1);
    assert_eq!(stage.aws.messages("dead-letters").len(), 1);
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_again_and_then_done_once() {
    let stage = Stage::start().await;
    let function = queued(&stage);
    let batch = Batch::of_fixture("workbook-created");
    for fault in [SlackFault::ServerError, SlackFault::Reset] {
        stage.slack.fail_next(1, fault);
        assert_eq!(function.failures(&batch).await, ["m-1"]);
    }
    assert!(function.failures(&batch).await.is_empty());
    assert_eq!(stage.slack.messages().len(), 1);
    stage.assert_no_secret_in(&function.logs());
}

/// The outcomes of the attempts that the function reported.
fn outcomes(function: &Function) -> Vec<String> {
    let attempts = metrics(function, "Attempts");
    attempts.iter().map(|line| line["outcome"].as_str().unwrap().to_owned()).collect()
}

// 11-B3
#[tokio::test]
async fn a_revoked_webhook_or_token_keeps_events_waiting_until_the_secret_is_fixed() {
    for by_token in [false, true] {
        let stage = Stage::start().await;
        let function = queued(&stage);
        stage.slack.add_channel("data-news", true);
        if by_token {
            stage.aws.create_secret("slack", json!({ "bot_token": stage.slack.token() }));
        }
        stage.slack.fail_next(2, SlackFault::Revoked);
        let batch = Batch::of_fixture("workbook-created");
        assert_eq!(function.failures(&batch).await, ["m-1"]);
        assert_eq!(function.failures(&batch).await, ["m-1"]);
        assert_eq!(outcomes(&function), ["misconfigured", "misconfigured"]);
        let logs = function.logs().join("\n");
        assert!(logs.contains("put a valid credential into the secret"), "{logs}");
        assert!(stage.aws.messages("dead-letters").is_empty());

        assert!(function.failures(&batch).await.is_empty());
        assert_eq!(stage.slack.messages().len(), 1);
        stage.assert_no_secret_in(&function.logs());
    }
}

#[tokio::test]
async fn a_channel_that_was_archived_goes_to_the_dead_letters_with_advice() {
    let stage = Stage::start().await;
    let function = queued(&stage);
    stage.slack.fail_next(1, SlackFault::Archived);
    assert!(function.failures(&Batch::of_fixture("workbook-created")).await.is_empty());
    let dead = stage.aws.messages("dead-letters");
    assert_eq!(dead[0].attributes["workflow"], "notify-slack");
    assert!(dead[0].attributes["reason"].contains("check the channel"), "{:?}", dead[0].attributes);
    stage.assert_no_secret_in(&function.logs());
    stage.assert_no_secret_in(&[format!("{dead:?}")]);
}

// 11-B9
#[tokio::test]
async fn a_layout_that_slack_refuses_goes_out_as_plain_text_and_is_counted() {
    let stage = Stage::start().await;
    let function = queued(&stage);
    stage.slack.fail_next(1, SlackFault::Blocks("invalid_blocks"));
    let event = failed(&stage, notes::SNOWFLAKE_LOGIN);
    assert!(function.failures(&message(&event)).await.is_empty());
    let messages = stage.slack.messages();
    assert_eq!((messages.len(), messages[0].blocks.len()), (1, 0));
    for part in ["Extract refresh failed: Sales Orders", "Credentials refused", "Next step", "Owner"] {
        assert!(messages[0].text.contains(part), "no {part} in\n{}", messages[0].text);
    }
    let counted = metrics(&function, "DestinationFailures");
    assert_eq!((counted.len(), &counted[0]["failure"]), (1, &json!("layout")));
    let logs = function.logs().join("\n");
    assert!(logs.contains("refuses the layout") && logs.contains("invalid_blocks"), "{logs}");
}

// 11-B8
#[tokio::test]
async fn a_page_of_a_proxy_in_place_of_slacks_answer_is_tried_again() {
    let stage = Stage::start().await;
    let function = queued(&stage);
    let batch = Batch::of_fixture("workbook-created");
    for fault in [SlackFault::Html(200), SlackFault::Empty(204), SlackFault::Html(302), SlackFault::Html(403)]
    {
        stage.slack.fail_next(1, fault);
        assert_eq!(function.failures(&batch).await, ["m-1"]);
    }
    assert_eq!(outcomes(&function), ["transient"; 4]);
    assert!(
        function.logs().iter().any(|line| line.contains("the answer is not Slack's: HTML with status 200"))
    );
    assert!(function.failures(&batch).await.is_empty());
    assert_eq!((stage.slack.messages().len(), stage.aws.messages("dead-letters").len()), (1, 0));
}

#[tokio::test]
async fn a_bot_token_posts_to_the_rules_channel() {
    let stage = Stage::start().await;
    let function = queued(&stage);
    stage.aws.create_secret("slack", json!({ "bot_token": stage.slack.token() }));
    stage.slack.add_channel("data-news", true);
    assert!(function.failures(&Batch::of_fixture("workbook-created")).await.is_empty());
    assert_eq!(stage.slack.messages().len(), 1, "{:?}", stage.slack.refusals());
    stage.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn a_channel_that_is_not_there_goes_to_the_dead_letters_at_once_with_advice() {
    let rules =
        "rules: [{ name: n, on: [WorkbookCreated], do: [{ notify-slack: { channel: data-nwes } }] }]\n";
    let stage = Stage::with_rules(rules).await;
    let function = queued(&stage);
    stage.aws.create_secret("slack", json!({ "bot_token": stage.slack.token() }));
    assert!(function.failures(&Batch::of_fixture("workbook-created")).await.is_empty());
    let dead = stage.aws.messages("dead-letters");
    let reason = "Slack refused with 200 `channel_not_found` for `data-nwes`: check the channel, and that the app may \
                  post to it";
    assert_eq!((dead.len(), dead[0].attributes["reason"].as_str()), (1, reason));
    assert_eq!(stage.slack.calls(), 1);
}

#[tokio::test]
async fn an_event_without_a_rule_is_skipped() {
    let stage = Stage::with_rules("rules: []\n").await;
    let function = inline(&stage);
    let answer = function.answer(&Request::of_fixture("workbook-created")).await;
    assert_eq!(answer.body["reason"], "no rule sends WorkbookCreated to Slack");
}

#[tokio::test]
async fn two_channels_of_which_one_fails_get_one_message_each_in_the_end() {
    let rules = "rules:\n  - name: both\n    on: [WorkbookCreated]\n    do:\n      - notify-slack: { channel: data-alerts }\n      \
                 - notify-slack: { channel: data-news }\n";
    let stage = Stage::with_rules(rules).await;
    let function = queued(&stage);
    let batch = Batch::of_fixture("workbook-created");
    stage.slack.fail_next(1, SlackFault::ServerError);
    assert_eq!(function.failures(&batch).await, ["m-1"]);
    assert_eq!(stage.slack.messages().len(), 1);
    assert!(function.failures(&batch).await.is_empty());
    let mut channels: Vec<_> = stage.slack.messages().into_iter().map(|m| m.channel_name).collect();
    channels.sort();
    assert_eq!(channels, ["data-alerts", "data-news"]);
}

#[tokio::test]
async fn tableau_in_trouble_delays_the_message_and_then_lets_it_go_without_details() {
    let stage = Stage::start().await;
    let function = queued(&stage);
    let event = failed(&stage, notes::SNOWFLAKE_LOGIN);
    stage.tableau.fail_next("*", 1_000, Fault::Html(503));
    assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
    assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
    assert!(function.failures(&message(&event)).await.is_empty());
    let text = readable(&stage);
    assert!(text.contains("not available: Tableau did not answer"), "{text}");
    stage.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn a_tableau_that_hangs_does_not_keep_the_message_back() {
    let stage = Stage::start().await;
    let function = inline(&stage);
    let event = failed(&stage, notes::SNOWFLAKE_LOGIN);
    stage.tableau.fail_next("*", 1_000, Fault::Delay(Duration::from_secs(60)));
    let answer = function.answer(&Request::post(event.to_string())).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("done")));
    assert!(readable(&stage).contains("not available: Tableau did not answer"));
}

// 11-B3, 11-B8
#[tokio::test]
async fn an_expired_token_raises_the_alarm_at_once_and_the_message_goes_out_soon_with_advice() {
    let stage = Stage::start().await;
    let function = queued(&stage);
    let event = failed(&stage, notes::SNOWFLAKE_LOGIN);
    stage.tableau.revoke_pat(SAMPLE_PAT.0);
    assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
    assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
    assert!(function.failures(&message(&event)).await.is_empty());
    assert_eq!(outcomes(&function), ["misconfigured", "misconfigured", "done"]);
    let text = readable(&stage);
    assert!(
        text.contains("Tableau refused (401001); check the name and the secret, whether a token has"),
        "{text}"
    );
    assert!(text.contains("15 days without use") && !text.contains("site administrator"), "{text}");
    stage.assert_no_secret_in(&function.logs());
}

// 11-B8
#[tokio::test]
async fn a_page_in_place_of_tableaus_answer_is_waited_for_and_then_named() {
    for (fault, content) in [
        (Fault::Html(200), "HTML with status 200"),
        (Fault::Html(403), "HTML with status 403"),
        (Fault::Status(204), "an empty body with status 204"),
    ] {
        let stage = Stage::start().await;
        let function = queued(&stage);
        let event = failed(&stage, notes::SNOWFLAKE_LOGIN);
        stage.tableau.fail_next("GET /sites/*", 1_000, fault);
        assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
        assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
        assert!(function.failures(&message(&event)).await.is_empty());
        assert_eq!(outcomes(&function), ["transient", "transient", "done"]);
        let text = readable(&stage);
        let said =
            format!("{content} came in place of its answer; a proxy or a login page may stand between");
        assert!(text.contains(&said) && !text.contains("site administrator"), "{text}");
    }
}

// 11-B8
#[tokio::test]
async fn advice_about_roles_is_for_two_codes_only() {
    for (code, advised) in [("403000", true), ("403079", true), ("403004", false), ("409004", false)] {
        let stage = Stage::start().await;
        let function = inline(&stage);
        let event = failed(&stage, notes::SNOWFLAKE_LOGIN);
        stage.tableau.fail_next("GET /sites/*/jobs", 2, Fault::Error(code));
        assert_eq!(function.answer(&Request::post(event.to_string())).await.status, 200);
        let text = readable(&stage);
        assert!(text.contains(&format!("Tableau refused ({code})")), "{text}");
        assert_eq!(text.contains("site administrator"), advised, "{text}");
    }
}

// 11-B10
#[tokio::test]
async fn a_site_that_tableau_moved_is_signed_in_to_once_and_its_events_notice_nothing() {
    let stage = Stage::start().await;
    let function = queued(&stage);
    assert!(function.failures(&message(&failed(&stage, notes::SNOWFLAKE_LOGIN))).await.is_empty());
    let pods = [
        TableauSimulator::sample().start().await.unwrap(),
        TableauSimulator::sample().start().await.unwrap(),
    ];
    // From the configured server to one pod, and from there to another; the first is shut down.
    for pod in pods {
        stage.tableau.move_to(Some(&pod.url()));
        for name in ["Inventory Positions", "Shipments"] {
            let luid = pod.datasource(name).unwrap();
            pod.fail_refresh(&luid, notes::NO_SPACE).unwrap();
            let event = json!({
                "resource": "EXTRACTS", "event_type": "DatasourceRefreshFailed", "resource_name": name,
                "site_luid": pod.site().as_str(), "resource_luid": luid.as_str(),
                "created_at": pod.clock().now().to_string(),
            });
            // An event of its own each time, for the table and for the burst.
            let fresh = inline_with_table(&stage);
            let answer = fresh.answer(&Request::post(event.to_string())).await;
            assert_eq!(answer.body["status"], "done", "{}", fresh.logs().join("\n"));
            let text = readable(&stage);
            let last = text.rsplit("---").next().unwrap();
            assert!(last.contains("Out of memory or disk") && last.contains("Owner"), "{last}");
        }
        assert_eq!(pod.sign_ins(SAMPLE_PAT.0), 1);
    }
}

/// The function in inline mode, with the stack's table: it shares the session with others, and waits for no one.
fn inline_with_table(stage: &Stage) -> Function {
    stage.function("notify-slack", BINARY.as_ref(), &[("TABLE_NAME", "deliveries")])
}

// 11-B10
#[tokio::test]
async fn an_event_of_another_site_is_not_looked_up() {
    let rules = "rules: [{ name: n, on: [DatasourceRefreshFailed], do: [{ notify-slack: { channel: data-alerts } }] }]\n";
    let stage = Stage::with_rules(rules).await;
    let function = inline(&stage);
    let mut event = failed(&stage, notes::SNOWFLAKE_LOGIN);
    event["site_luid"] = json!("00000000-0000-4000-8000-000000000000");
    assert_eq!(function.answer(&Request::post(event.to_string())).await.body["status"], "done");
    let text = readable(&stage);
    assert!(
        text.contains("not available: the event is of another site than the one that Tableau is asked"),
        "{text}"
    );
    assert!(!text.contains("404"), "{text}");
    assert_eq!(stage.tableau.calls("GET /sites/*"), 0);
}

// 11-B11
#[tokio::test]
async fn each_way_of_not_finding_the_reason_has_words_of_its_own() {
    type Prepare = fn(&Stage, &JobLuid);
    let cases: [(Prepare, &str); 5] = [
        (|stage, job| stage.tableau.show_job_as(job, JobShape::StatusNotes), "Credentials refused"),
        (
            |stage, job| stage.tableau.show_job_as(job, JobShape::Unreadable),
            "not available: Tableau lists its job, but does not show it (400031)",
        ),
        (
            |stage, _| stage.tableau.allow(Feature::JobLists, false),
            "not available: Tableau refused (403079); the token's user has to be a site administrator",
        ),
        (|_, _| {}, "Credentials refused"),
        (|stage, job| stage.tableau.run_by_bridge(job), "Credentials refused"),
    ];
    for (prepare, words) in cases {
        let stage = Stage::start().await;
        let function = inline(&stage);
        let event = failed(&stage, notes::SNOWFLAKE_LOGIN);
        let jobs = stage.tableau.jobs();
        prepare(&stage, &jobs.last().unwrap().luid);
        assert_eq!(function.answer(&Request::post(event.to_string())).await.status, 200);
        assert!(readable(&stage).contains(words), "no {words} in\n{}", readable(&stage));
    }
    for (notes, words) in
        [(Some(" "), "its job has no text about the failure"), (None, "lists no failed job for it")]
    {
        let stage = Stage::start().await;
        let function = inline(&stage);
        let luid = stage.tableau.datasource("General Ledger").unwrap();
        if let Some(notes) = notes {
            stage.tableau.fail_refresh(&luid, notes).unwrap();
        }
        let event = json!({
            "resource": "EXTRACTS", "event_type": "DatasourceRefreshFailed", "resource_name": "General Ledger",
            "site_luid": stage.tableau.site().as_str(), "resource_luid": luid.as_str(),
            "created_at": stage.tableau.clock().now().to_string(),
        });
        assert_eq!(function.answer(&Request::post(event.to_string())).await.status, 200);
        assert!(readable(&stage).contains(words), "no {words} in\n{}", readable(&stage));
    }
}

// 11-B13; that sessions end is shown where the table is: shared/session-store/tests/client.rs
#[tokio::test]
async fn the_longest_use_of_a_session_is_a_setting_in_minutes() {
    let stage = Stage::start().await;
    let event = failed(&stage, notes::SNOWFLAKE_LOGIN).to_string();
    let with = |minutes: &str| {
        let settings = [("TABLE_NAME", "deliveries"), ("TABLEAU_SESSION_MINUTES", minutes)];
        stage.function("notify-slack", BINARY.as_ref(), &settings)
    };
    for minutes in ["", "0", "60"] {
        assert_eq!(with(minutes).answer(&Request::post(event.clone())).await.status, 200);
        assert_eq!(stage.tableau.sign_ins(SAMPLE_PAT.0), 1, "{minutes}");
    }
    let item = stage.aws.items("deliveries").into_iter().find(|item| item["signed_in_at_ms"].is_object());
    assert!(item.is_some_and(|item| item["pk"]["S"].as_str().unwrap().starts_with("session#")));
    let wrong = with("an hour");
    wrong.invoke(&Request::post(event).event()).await.unwrap_err();
    assert!(wrong.logs().join("\n").contains("must be a whole number of minutes, such as 60"));
}

#[tokio::test]
async fn a_token_without_the_rights_is_named_in_the_message() {
    let stage = Stage::start().await;
    let function = inline(&stage);
    let event = failed(&stage, notes::SNOWFLAKE_LOGIN);
    stage.tableau.fail_next("GET /sites/*/jobs", 2, Fault::Error("403000"));
    assert_eq!(function.answer(&Request::post(event.to_string())).await.status, 200);
    assert!(
        readable(&stage)
            .contains("Tableau refused (403000); the token's user has to be a site administrator")
    );
}

#[tokio::test]
async fn a_killed_process_gives_its_claim_up_by_itself() {
    let stage = Stage::start().await;
    let mut slow = stage.function(
        "notify-slack",
        BINARY.as_ref(),
        &[
            ("QUEUE_URL", &stage.aws.queue_url("queue")),
            ("DEAD_LETTER_QUEUE_URL", &stage.aws.queue_url("dead-letters")),
            ("TABLE_NAME", "deliveries"),
        ],
    );
    let batch = Batch::of_fixture("workbook-created");
    stage.slack.fail_next(1, SlackFault::Hang);
    let killed = async {
        while stage.aws.items("deliveries").is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        slow.process().kill().await;
    };
    let event = batch.event();
    let (invoked, ()) = tokio::join!(slow.invoke(&event), killed);
    assert!(invoked.is_err());
    let item = &stage.aws.items("deliveries")[0];
    assert_eq!(item["state"]["S"], "claimed");
    // The claim lasts until the killed invocation's deadline; until then the message is put off.
    slow = queued(&stage);
    assert_eq!(slow.failures(&batch).await, ["m-1"]);
    assert!(slow.logs().iter().any(|line| line.contains(r#""outcome":"busy""#)), "{:?}", slow.logs());
}
