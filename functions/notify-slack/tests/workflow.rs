//! The real binary: HTTP requests in, Slack messages out.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use serde_json::{Value, json};
use std::time::Duration;
use support::{BINARY, failed, inline, message, metrics, queued, readable};
use testkit::simulator::{Fault, SlackFault, notes, render};
use testkit::{Batch, Request, TestEnvironment, fixtures, repository};

#[tokio::test]
async fn a_request_becomes_a_message_in_the_queue() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    let answer = function.answer(&Request::of_fixture("datasource-refresh-failed")).await;
    assert_eq!((answer.status, &answer.body["status"]), (202, &json!("accepted")));
    let queued = environment.aws.messages("queue");
    assert_eq!(queued.len(), 1);
    let body: Value = serde_json::from_str(&queued[0].body).unwrap();
    assert_eq!(body, fixtures::json("tableau/datasource-refresh-failed.json"));
    assert!(environment.slack.messages().is_empty(), "the work is done later");
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn a_queued_event_becomes_a_message_with_cause_owner_and_project() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    let event = failed(&environment, notes::SNOWFLAKE_LOGIN);

    assert_eq!(function.failures(&message(&event)).await, Vec::<String>::new());

    let text = readable(&environment);
    for part in
        ["Extract refresh failed: Sales Orders", "Credentials refused", "Next step", "Project", "Sales"]
    {
        assert!(text.contains(part), "no {part} in\n{text}");
    }
    assert!(text.contains("@example.com"), "no owner in\n{text}");
    assert!(text.contains("Open in Tableau (http"), "no link in\n{text}");
    assert_eq!(environment.slack.messages()[0].channel_name, "data-alerts");
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn a_message_says_how_bad_it_is_and_its_recovery_what_it_was() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    let event = failed(&environment, notes::SNOWFLAKE_LOGIN);
    for minute in 0..5 {
        let mut event = event.clone();
        let at: jiff::Timestamp = event["created_at"].as_str().unwrap().parse().unwrap();
        event["created_at"] = json!((at + jiff::SignedDuration::from_mins(minute - 6)).to_string());
        assert_eq!(function.failures(&message(&event)).await, Vec::<String>::new());
    }
    let shown: Vec<String> = environment.slack.messages().iter().map(render).collect();
    let job = environment.tableau.jobs().last().map(|job| job.luid.to_string()).unwrap();
    for (n, parts) in [
        (
            0,
            [
                "First failure",
                "Tableau suspends the scheduled refresh at the earliest after 4 more failures",
                &job,
            ],
        ),
        (2, ["4 failures in a row within 3 min, since ", "after 1 more failure in a row", &job]),
        (3, ["5 failures in a row", "Tableau has probably suspended the scheduled refresh.", "Resume"]),
    ] {
        for part in parts {
            assert!(shown[n].contains(part), "no {part} in\n{}", shown[n]);
        }
        assert!(shown[n].find("Cause – ") < shown[n].find("Next step – "), "{}", shown[n]);
        assert!(shown[n].find("Next step – ") < shown[n].find("Owner"), "{}", shown[n]);
        assert!(shown[n].find("Owner") < shown[n].find("in a row"), "{}", shown[n]);
    }

    let mut end = event;
    let at: jiff::Timestamp = end["created_at"].as_str().unwrap().parse().unwrap();
    end["event_type"] = json!("DatasourceRefreshSucceeded");
    end["created_at"] = json!((at + jiff::SignedDuration::from_mins(1)).to_string());
    assert_eq!(function.failures(&message(&end)).await, Vec::<String>::new());
    let messages: Vec<String> = environment.slack.messages().iter().map(render).collect();
    let last = messages.iter().find(|message| message.starts_with("✅ Recovered")).unwrap();
    for part in [
        "Recovered after 5 failures in 7 min: Sales Orders",
        "It was – Credentials refused",
        "It had 5 failures, from ",
    ] {
        assert!(last.contains(part), "no {part} in\n{last}");
    }
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn the_same_event_twice_is_one_message() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    let event = failed(&environment, notes::SNOWFLAKE_LOGIN);
    let twice = message(&event).message(&event.to_string());

    assert!(function.failures(&twice).await.is_empty());
    assert!(function.failures(&message(&event)).await.is_empty());

    assert_eq!(environment.slack.message_count(), 1);
    let outcomes = function.logs().iter().filter(|line| line.contains(r#""outcome":"duplicate""#)).count();
    assert!(outcomes >= 2, "{}", function.logs().join("\n"));
}

#[tokio::test]
async fn inline_mode_answers_with_the_outcome() {
    let environment = TestEnvironment::start().await;
    let function = inline(&environment);
    let event = failed(&environment, notes::POSTGRES_REFUSED);

    let done = function.answer(&Request::post(event.to_string())).await;
    let again = function.answer(&Request::post(event.to_string())).await;

    assert_eq!((done.status, &done.body["status"]), (200, &json!("done")));
    assert_eq!((again.status, &again.body["reason"]), (200, &json!("the event was handled before")));
    assert!(readable(&environment).contains("Source unreachable"));
}

#[tokio::test]
async fn inline_mode_answers_with_the_failure() {
    let environment = TestEnvironment::start().await;
    let function = inline(&environment);
    environment.slack.fail_next(1, SlackFault::ServerError);
    let answer = function.answer(&Request::of_fixture("workbook-created")).await;
    assert_eq!((answer.status, &answer.body["failure"]), (502, &json!("transient")));
    let reason = answer.body["reason"].as_str().unwrap();
    assert!(reason.starts_with("Slack refused with 500"), "{reason}");
    environment.assert_no_secret_in(&[answer.body.to_string()]);
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn sign_ins_and_failing_calls_are_counted_in_the_stacks_namespace_however_little_is_logged() {
    let environment = TestEnvironment::start().await;
    let settings = [("METRICS_NAMESPACE", "my-stack"), ("LOG_LEVEL", "error")];
    let function = environment.function("notify-slack", BINARY.as_ref(), &settings);
    environment.slack.fail_next(1, SlackFault::ServerError);
    function.answer(&Request::post(failed(&environment, notes::POSTGRES_REFUSED).to_string())).await;

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
    let environment = TestEnvironment::start().await;
    // In queue mode the second failure would wait for its group.
    let function = inline(&environment);
    let files: Vec<_> = std::fs::read_dir(repository::root().join("events/tableau")).unwrap().collect();
    let mut names: Vec<String> = files
        .into_iter()
        .filter_map(|file| {
            file.unwrap().file_name().into_string().ok()?.strip_suffix(".json").map(str::to_owned)
        })
        .collect();
    assert_eq!(names.len(), 22);
    // The events are about the same objects: a start event after the end would be late.
    names.sort_by_key(|name| (!name.ends_with("started"), name.clone()));
    for name in &names {
        let event = fixtures::json(&format!("tableau/{name}.json"));
        let answer = function.answer(&Request::post(event.to_string())).await;
        assert_eq!(answer.body["status"], "done", "{name}");
    }
    // Two of the events resolve an incident, which is also announced in the channel of the failures.
    assert_eq!(environment.slack.message_count(), 22 + 2, "{:?}", environment.slack.refusals());
}

#[tokio::test]
async fn no_odd_payload_breaks_the_function_or_slack() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    let folder = repository::root().join("events/tableau/odd");
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let Ok(body) = String::from_utf8(std::fs::read(&path).unwrap()) else { continue };
        let failures = function.failures(&Batch::default().message(&body)).await;
        assert!(failures.is_empty(), "{}: {failures:?}", path.display());
    }
    assert!(environment.slack.refusals().is_empty(), "{:?}", environment.slack.refusals());
    for message in environment.slack.messages() {
        assert!(message.mentions().is_empty(), "{:?}", message.mentions());
    }
}

#[tokio::test]
async fn a_message_that_is_no_event_goes_to_the_dead_letters_with_the_reason() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    assert!(function.failures(&Batch::default().message("not JSON")).await.is_empty());
    let dead = environment.aws.messages("dead-letters");
    assert_eq!((dead.len(), dead[0].body.as_str()), (1, "not JSON"));
    assert!(dead[0].attributes["reason"].contains("not JSON, at line 1"), "{:?}", dead[0].attributes);
}

#[tokio::test]
async fn one_bad_message_does_not_hold_back_its_batch() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    environment.slack.fail_next(1, SlackFault::ServerError);
    let one = String::from_utf8(fixtures::bytes("tableau/workbook-created.json")).unwrap();
    let two = String::from_utf8(fixtures::bytes("tableau/workbook-updated.json")).unwrap();
    let failures = function.failures(&Batch::default().message(&one).message("[]").message(&two)).await;
    assert_eq!(failures, ["m-1"]);
    assert_eq!(environment.slack.message_count(), 1);
    assert_eq!(environment.aws.messages("dead-letters").len(), 1);
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_again_and_then_done_once() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    let batch = Batch::of_fixture("workbook-created");
    for fault in [SlackFault::ServerError, SlackFault::Reset] {
        environment.slack.fail_next(1, fault);
        assert_eq!(function.failures(&batch).await, ["m-1"]);
    }
    assert!(function.failures(&batch).await.is_empty());
    assert_eq!(environment.slack.message_count(), 1);
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn a_channel_that_was_archived_goes_to_the_dead_letters_with_advice() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    environment.slack.fail_next(1, SlackFault::Archived);
    assert!(function.failures(&Batch::of_fixture("workbook-created")).await.is_empty());
    let dead = environment.aws.messages("dead-letters");
    assert_eq!(dead[0].attributes["workflow"], "notify-slack");
    assert!(
        dead[0].attributes["reason"].contains("the channel is archived: name another one in the rule"),
        "{:?}",
        dead[0].attributes
    );
    environment.assert_no_secret_in(&function.logs());
    environment.assert_no_secret_in(&[format!("{dead:?}")]);
}

#[tokio::test]
async fn a_bot_token_posts_to_the_rules_channel() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    environment.aws.create_secret("slack", json!({ "bot_token": environment.slack.token() }));
    environment.slack.add_channel("data-news", true);
    assert!(function.failures(&Batch::of_fixture("workbook-created")).await.is_empty());
    assert_eq!(environment.slack.message_count(), 1, "{:?}", environment.slack.refusals());
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn a_channel_that_is_not_there_goes_to_the_dead_letters_at_once_with_advice() {
    let rules =
        "rules: [{ name: n, on: [WorkbookCreated], do: [{ notify-slack: { channel: data-nwes } }] }]\n";
    let environment = TestEnvironment::with_rules(rules).await;
    let function = queued(&environment);
    environment.aws.create_secret("slack", json!({ "bot_token": environment.slack.token() }));
    assert!(function.failures(&Batch::of_fixture("workbook-created")).await.is_empty());
    let dead = environment.aws.messages("dead-letters");
    let reason = "Slack refused with 200 `channel_not_found` for `data-nwes`: there is no such channel, or it is or has \
                  become private and the app is not in it; in the channel, write /invite @ and the app's name";
    assert_eq!((dead.len(), dead[0].attributes["reason"].as_str()), (1, reason));
    assert_eq!(environment.slack.calls(), 1);
}

#[tokio::test]
async fn an_event_without_a_rule_is_skipped() {
    let environment = TestEnvironment::with_rules("rules: []\n").await;
    let function = inline(&environment);
    let answer = function.answer(&Request::of_fixture("workbook-created")).await;
    assert_eq!(answer.body["reason"], "no rule matches this WorkbookCreated");
}

#[tokio::test]
async fn two_channels_of_which_one_fails_get_one_message_each_in_the_end() {
    let rules = "rules:\n  - name: both\n    on: [WorkbookCreated]\n    do:\n      - notify-slack: { channel: data-alerts }\n      \
                 - notify-slack: { channel: data-news }\n";
    let environment = TestEnvironment::with_rules(rules).await;
    let function = queued(&environment);
    let batch = Batch::of_fixture("workbook-created");
    environment.slack.fail_next(1, SlackFault::ServerError);
    assert_eq!(function.failures(&batch).await, ["m-1"]);
    assert_eq!(environment.slack.message_count(), 1);
    assert!(function.failures(&batch).await.is_empty());
    let mut channels: Vec<_> = environment.slack.messages().into_iter().map(|m| m.channel_name).collect();
    channels.sort();
    assert_eq!(channels, ["data-alerts", "data-news"]);
}

#[tokio::test]
async fn tableau_in_trouble_delays_the_message_and_then_lets_it_go_without_details() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    let event = failed(&environment, notes::SNOWFLAKE_LOGIN);
    environment.tableau.fail_next("*", 1_000, Fault::Html(503));
    assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
    assert_eq!(function.failures(&message(&event)).await, ["m-1"]);
    assert!(function.failures(&message(&event)).await.is_empty());
    let text = readable(&environment);
    assert!(text.contains("not available: Tableau did not answer"), "{text}");
    environment.assert_no_secret_in(&function.logs());
}

#[tokio::test]
async fn a_tableau_that_hangs_does_not_keep_the_message_back() {
    let environment = TestEnvironment::start().await;
    let function = inline(&environment);
    let event = failed(&environment, notes::SNOWFLAKE_LOGIN);
    environment.tableau.fail_next("*", 1_000, Fault::Delay(Duration::from_secs(60)));
    let answer = function.answer(&Request::post(event.to_string())).await;
    assert_eq!((answer.status, &answer.body["status"]), (200, &json!("done")));
    assert!(readable(&environment).contains("not available: Tableau did not answer"));
}

#[tokio::test]
async fn a_token_without_the_rights_is_named_in_the_message() {
    let environment = TestEnvironment::start().await;
    let function = inline(&environment);
    let event = failed(&environment, notes::SNOWFLAKE_LOGIN);
    environment.tableau.fail_next("GET /sites/*/jobs", 2, Fault::Error("403000"));
    assert_eq!(function.answer(&Request::post(event.to_string())).await.status, 200);
    assert!(
        readable(&environment)
            .contains("Tableau refused (403000); the token's user has to be a site administrator")
    );
}

/// The record of the only event, once there is one.
fn record(environment: &TestEnvironment) -> Option<Value> {
    let mut items = environment.aws.items("deliveries").into_iter();
    items.find(|item| item["pk"]["S"].as_str().is_some_and(|key| key.starts_with("delivery#")))
}

#[tokio::test]
async fn a_killed_process_gives_its_claim_up_by_itself() {
    let environment = TestEnvironment::start().await;
    let mut slow = environment.function(
        "notify-slack",
        BINARY.as_ref(),
        &[
            ("QUEUE_URL", &environment.aws.queue_url("queue")),
            ("DEAD_LETTER_QUEUE_URL", &environment.aws.queue_url("dead-letters")),
            ("TABLE_NAME", "deliveries"),
        ],
    );
    let batch = Batch::of_fixture("workbook-created");
    environment.slack.fail_next(1, SlackFault::Hang);
    let killed = async {
        while record(&environment).is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        slow.process().kill().await;
    };
    let event = batch.event();
    let (invoked, ()) = tokio::join!(slow.invoke(&event), killed);
    assert!(invoked.is_err());
    assert_eq!(record(&environment).unwrap()["state"]["S"], "claimed");
    // The claim lasts until the killed invocation's deadline; until then the message is deferred.
    slow = queued(&environment);
    assert_eq!(slow.failures(&batch).await, ["m-1"]);
    assert!(slow.logs().iter().any(|line| line.contains(r#""outcome":"busy""#)), "{:?}", slow.logs());
}

#[tokio::test]
async fn a_test_notification_is_posted_at_once_and_a_refusal_is_slacks() {
    let environment = TestEnvironment::start().await;
    let function = queued(&environment);
    environment.aws.create_secret("slack", json!({ "bot_token": environment.slack.token() }));
    environment.slack.add_channel("data-alerts", true);
    environment.slack.add_channel("data-news", true);

    let answer = function.invoke(&json!({ "test": { "target": "data-news" } })).await.unwrap();
    let targets = answer["targets"].as_array().unwrap();
    assert_eq!((targets.len(), &targets[0]["outcome"]), (1, &json!("accepted")), "{answer}");
    let messages = environment.slack.messages();
    assert_eq!((messages.len(), messages[0].channel_name.as_str()), (1, "data-news"));
    let answer = targets[0]["answer"].as_str().unwrap();
    assert!(answer.contains(&messages[0].ts), "{answer}");
    let text = readable(&environment);
    assert!(text.contains("Test") && text.contains("Nothing has happened in Tableau"), "{text}");
    assert!(environment.aws.messages("queue").is_empty(), "it is not queued");

    environment.slack.fail_next(1, SlackFault::Archived);
    let answer = function.invoke(&json!({ "test": { "target": "data-news" } })).await.unwrap();
    let tested = &answer["targets"][0];
    assert_eq!(tested["outcome"], "permanent");
    assert!(tested["answer"].as_str().unwrap().contains("is_archived"), "{tested}");
    let answer = function.invoke(&json!({ "test": { "target": "hunter2" } })).await.unwrap();
    assert_eq!(answer["outcome"], "permanent");
    let reason = answer["reason"].as_str().unwrap();
    assert!(reason.starts_with("no rule names this target") && !reason.contains("hunter2"), "{reason}");
    environment.assert_no_secret_in(&function.logs());
}
