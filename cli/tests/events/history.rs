//! `events list` and `events show`, on records that the runtime's own code wrote.

use crate::delivery::{Delivery, HOUR, ago, failed};
use crate::environment::{Environment, body, id, stderr, stdout};
use aws_sdk_dynamodb::types::AttributeValue;
use deliveries::{ClaimStore, End, Ended};
use jiff::Timestamp;
use local_aws::Fault;
use serde_json::Value;
use std::process::Stdio;

async fn list(environment: &Environment, arguments: &[&str]) -> String {
    let output = environment.run(&[&["events", "list"], arguments].concat()).await;
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    stdout(&output)
}

/// One event per outcome, the newest first, and one event of three days ago.
async fn busy() -> Environment {
    let environment = Environment::start().await;
    let slack = |name: &str| Delivery::of(&environment, "notify-slack", &body(name));
    slack("running").claim(10).await;
    slack("failed").attempt(HOUR, failed()).await;
    slack("waiting").attempt(2 * HOUR, End::Released("Slack: 500".to_owned())).await;
    slack("deferred").attempt(3 * HOUR, End::Deferred("until the refresh has ended".to_owned())).await;
    slack("lost").claim(4 * HOUR).await;
    slack("done").attempt(5 * HOUR, End::Done).await;
    let broadcast = Delivery::of(&environment, "update-broadcast", &body("done"));
    broadcast.attempt(6 * HOUR, End::Skipped("no rule".to_owned())).await;
    slack("old").attempt(72 * HOUR, End::Done).await;
    environment
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_day_is_listed_the_newest_first() {
    let environment = busy().await;
    let shown = list(&environment, &["--wide"]).await;
    let lines: Vec<&str> = shown.lines().collect();
    let expected = [
        ("running", "working", ""),
        ("failed", "failed", "Slack does not know the channel #data-alerts: channel_not_found"),
        ("waiting", "waiting", "Slack: 500"),
        ("deferred", "waiting", "until the refresh has ended"),
        ("lost", "interrupted", "no end was recorded"),
        ("done", "done", ""),
        ("done", "skipped", "no rule"),
    ];
    assert!(lines[0].starts_with("SEEN (UTC)        WORKFLOW"), "{shown}");
    assert_eq!(lines.len(), expected.len() + 2, "{shown}");
    for (line, (name, outcome, reason)) in lines[1..].iter().zip(expected) {
        let id = id(&body(name));
        let rest = format!("SiteUpdated {name} {outcome} {} {reason}", id.short());
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(line.ends_with(rest.trim_end()), "no {rest} in\n{line}");
    }
    assert_eq!(lines.last(), Some(&"7 deliveries of 6 events"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_of_what_was_asked_for() {
    let environment = busy().await;
    for (arguments, expected) in [
        (&["--since", "4d", "--until", "2d"][..], &["old"][..]),
        (&["--until", "49h"], &["old"]),
        (&["--since", "90min"], &["running", "failed"]),
        (&["--since", "90min", "--until", "2099-01-01"], &["running", "failed"]),
        (&["--since", "2098-01-01"], &[]),
        (&["--since", "2019-01-01", "--until", "2020-01-01"], &[]),
        (&["--outcome", "waiting,failed"], &["failed", "waiting", "deferred"]),
        (&["--outcome", "interrupted", "--outcome", "working"], &["running", "lost"]),
        (&["--workflow", "update-broadcast"], &["done"]),
        (&["--resource", "AIT"], &["waiting"]),
        (&["--event", "SiteDeleted"], &[]),
        (&["--limit", "2"], &["running", "failed"]),
    ] {
        let shown = list(&environment, &[arguments, &["--json"]].concat()).await;
        let events = shown.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let names: Vec<String> =
            events.map(|event| event["resource_name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(names, expected, "{arguments:?}");
    }
    let shown = list(&environment, &["--limit", "2"]).await;
    assert!(
        shown.ends_with("\n2 events; there are more: take a larger --limit, or an earlier --until\n"),
        "{shown}"
    );
    let nothing = list(&environment, &["--event", "SiteDeleted", "--outcome", "failed, done"]).await;
    assert!(
        nothing.starts_with("no event matches: outcome failed or done, event SiteDeleted, since 20"),
        "{nothing}"
    );
    let kept = "\nrecords are kept for 30 days after their last change\n";
    assert!(
        list(&environment, &["--since", "40d"]).await.ends_with(&format!("8 deliveries of 7 events{kept}"))
    );
    assert!(!list(&environment, &["--since", "29d"]).await.contains(kept));
}

#[tokio::test(flavor = "multi_thread")]
async fn json_has_the_documented_fields_and_no_others() {
    let environment = Environment::start().await;
    Delivery::of(&environment, "notify-slack", &body("\u{9b}31m")).attempt(HOUR, failed()).await;
    let shown = list(&environment, &["--json"]).await;
    let event: Value = serde_json::from_str(&shown).unwrap();
    let fields: Vec<&str> = event.as_object().unwrap().keys().map(String::as_str).collect();
    let mut documented = [
        "event_id",
        "workflow",
        "event_name",
        "outcome",
        "attempts",
        "reason",
        "cause",
        "resource",
        "resource_name",
        "site",
        "created_at",
        "first_seen_at",
        "updated_at",
        "next_at",
    ];
    documented.sort_unstable();
    assert_eq!(fields, documented);
    assert_eq!((&event["resource_name"], &event["attempts"]), (&"\u{9b}31m".into(), &1.into()));
    let seen = event["first_seen_at"].as_str().unwrap();
    assert!(seen.parse::<Timestamp>().is_ok() && seen.len() == "2026-11-22T14:44:03.000Z".len(), "{seen}");
    assert!(!shown.contains('\u{9b}'), "what a terminal would obey is escaped");
}

/// Writes a record directly: the ids of real events cannot be chosen.
pub(crate) async fn record(environment: &Environment, id: &str, seen_at: Timestamp) {
    let put = aws_sdk_dynamodb::Client::new(&environment.config).put_item().table_name("DeliveryTable");
    let put = [
        ("pk", format!("delivery#notify-slack#{id}")),
        ("sk", "-".to_owned()),
        ("day", seen_at.strftime("%Y-%m-%d").to_string()),
        ("first_seen_at", format!("{seen_at:.3}")),
        ("workflow", "notify-slack".to_owned()),
        ("event_name", "SiteUpdated".to_owned()),
        ("event_id", id.to_owned()),
    ]
    .into_iter()
    .fold(put, |put, (name, value)| put.item(name, AttributeValue::S(value)));
    put.send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_read_page_by_page_without_its_payloads() {
    let environment = Environment::start().await;
    for n in 0..1_005 {
        record(&environment, &format!("{n:064x}"), ago(n)).await;
    }
    let shown = list(&environment, &["--limit", "2000"]).await;
    assert!(shown.ends_with("\n1005 events\n"), "{shown}");
    assert_eq!(
        (environment.aws.calls("DynamoDB.GetItem"), environment.aws.calls("DynamoDB.Query") > 1),
        (0, true)
    );
    let shown = list(&environment, &[]).await;
    assert!(shown.lines().count() == 102 && shown.contains("\n100 events; there are more"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_of_an_event_has_every_attempt_with_its_error() {
    let environment = Environment::start().await;
    let body = body("Marketing");
    let delivery = Delivery::of(&environment, "notify-slack", &body);
    let delivery = delivery.claim(3 * HOUR).await.effect(1, "notified/data-news").await;
    let delivery = delivery.end(1, 3 * HOUR, End::Released("Slack: 500".to_owned())).await;
    // The worker of the second attempt dies.
    let delivery = delivery.claim(2 * HOUR).await.claim(HOUR).await;
    delivery.end(3, HOUR, failed()).await;
    Delivery::of(&environment, "update-broadcast", &body)
        .attempt(HOUR, End::Skipped("no rule".to_owned()))
        .await;
    environment.dead_letter("NotifySlackDeadLetters", &body, "channel_not_found").await;
    let id = id(&body);

    // Finds the event by its whole id and by the first digits.
    for id in [id.as_str(), id.short()] {
        let output = environment.run(&["events", "show", id]).await;
        let shown = stdout(&output);
        assert!(output.status.success(), "{shown}{}", stderr(&output));
        for part in [
            "name            SiteUpdated\n",
            "resource        Marketing\n",
            "\"resource_name\": \"Marketing\"",
            "\nnotify-slack: failed permanently, 3 attempts\n",
            "UTC, 2.0 s, failed temporarily: Slack: 500\n",
            "attempt 2     no end was recorded: the process died or ran out of time\n",
            "UTC, 2.0 s, failed permanently: Slack does not know the channel #data-alerts: channel_not_found\n",
            "sent to       data-news\n",
            "dead letters  1 in the workflow's queue; `events dead-letters list ",
            "\nupdate-broadcast: skipped: no rule, 1 attempt\n",
        ] {
            assert!(shown.contains(part), "no {part} in\n{shown}");
        }
    }
    let output = environment.run(&["events", "show", id.short(), "--json"]).await;
    let lines: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    let slack = lines.iter().find(|line| line["workflow"] == "notify-slack").unwrap();
    let outcomes: Vec<&Value> = slack["history"].as_array().unwrap().iter().map(|a| &a["outcome"]).collect();
    assert_eq!(outcomes, [&"released".into(), &Value::Null, &"failed".into()]);
    assert_eq!((&slack["history"][0]["duration_ms"], &slack["outcome"]), (&2_000.into(), &"failed".into()));
    assert_eq!(
        (&slack["payload"]["resource"], &slack["dead_letters_of_workflow"]),
        (&"SITE".into(), &1.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_says_until_when_in_the_list_in_its_way_and_in_json() {
    let environment = Environment::start().await;
    let delivery = Delivery::of(&environment, "notify-slack", &body("a")).claim(HOUR).await;
    let began = ago(HOUR);
    let until = ago(-HOUR);
    let end = End::Deferred("the Broadcast is being overwritten".to_owned());
    let ended = Ended { attempt: 1, began, at: began, end, next_at: Some(until), cause: None };
    delivery.claims.end(&delivery.key, &ended).await.unwrap();

    let listed = list(&environment, &["--wide"]).await;
    let expected = format!("until {}: the Broadcast is being overwritten", until.strftime("%Y-%m-%d %H:%M"));
    assert!(listed.contains(&expected), "{listed}");
    let shown = stdout(&environment.run(&["events", "show", delivery.key.event.short()]).await);
    let at = until.strftime("%Y-%m-%d %H:%M:%S UTC");
    for part in [format!("notify-slack: waits until {at}: the"), format!("deferred until {at}: the")] {
        assert!(shown.contains(&part), "no {part} in\n{shown}");
    }
    let json = environment.run(&["events", "show", delivery.key.event.short(), "--json"]).await;
    let json: Value = serde_json::from_str(&stdout(&json)).unwrap();
    let at = format!("{until:.3}");
    assert_eq!(
        (&json["next_at"], &json["history"][0]["next_at"]),
        (&at.as_str().into(), &at.as_str().into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_record_is_listed_and_shown_with_what_is_damaged_and_what_is_not_known_stands_as_it_is() {
    let environment = Environment::start().await;
    let delivery = Delivery::of(&environment, "notify-slack", &body("Marketing")).claim(HOUR).await;
    let delivery = delivery.effect(1, "notified/data-news").await.effect(1, "page/on-call").await;
    let delivery = delivery.end(1, HOUR, failed()).await;
    let update = aws_sdk_dynamodb::Client::new(&environment.config).update_item().table_name("DeliveryTable");
    update
        .key("pk", AttributeValue::S(delivery.key.to_string()))
        .key("sk", AttributeValue::S("-".to_owned()))
        .update_expression("SET #history = :x, #updated_at = :x, #failures = :x")
        .expression_attribute_names("#history", "history")
        .expression_attribute_names("#updated_at", "updated_at")
        .expression_attribute_names("#failures", "failures")
        .expression_attribute_values(":x", AttributeValue::S("x".to_owned()))
        .send()
        .await
        .unwrap();

    let listed = list(&environment, &["--json"]).await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!((&listed["outcome"], &listed["updated_at"]), (&"failed".into(), &Value::Null));
    let shown = stdout(&environment.run(&["events", "show", delivery.key.event.short()]).await);
    for part in [
        "\nnotify-slack: failed permanently, 1 attempt\n",
        "\n  last change   unknown\n",
        "\n  sent to       data-news\n",
        "\n  effects       page/on-call\n",
        "\n  damaged       updated_at, failures, history\n",
    ] {
        assert!(shown.contains(part), "no {part} in\n{shown}");
    }
    let json = stdout(&environment.run(&["events", "show", delivery.key.event.short(), "--json"]).await);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["effects"], serde_json::json!(["notified/data-news", "page/on-call"]));
    assert!(json.get("damaged").is_none(), "the fields of JSON stay: {json}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_has_is_found_by_the_beginning_of_its_id() {
    let environment = Environment::start().await;
    let id = "a".repeat(64);
    record(&environment, &id, ago(45 * 24 * HOUR)).await;
    assert!(list(&environment, &["--since", "50d", "--wide"]).await.contains(&id[..12]));
    let shown = environment.run(&["events", "show", &id[..12]]).await;
    assert!(shown.status.success(), "{}", stderr(&shown));
}

#[tokio::test(flavor = "multi_thread")]
async fn workflows_are_shown_in_the_order_in_which_the_event_came_to_them() {
    let environment = Environment::start().await;
    let of = |workflow, name| Delivery::of(&environment, workflow, &body(name));
    of("update-broadcast", "a").attempt(2 * HOUR, End::Done).await;
    of("notify-slack", "a").attempt(HOUR, End::Done).await;
    for id in [id(&body("a")).as_str(), id(&body("a")).short()] {
        let shown = stdout(&environment.run(&["events", "show", id]).await);
        let place_of = |name: &str| shown.find(name).unwrap();
        assert!(place_of("\nupdate-broadcast: done") < place_of("\nnotify-slack: done"), "{shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_nowhere_says_where_else_to_look() {
    let environment = Environment::start().await;
    for id in ["00000000", &"0".repeat(64)] {
        let output = environment.run(&["events", "show", id]).await;
        assert_eq!(output.status.code(), Some(1));
        let expected = format!("error: there is no record of an event {id}; records are kept for 30 days ");
        assert!(stderr(&output).starts_with(&expected), "{}", stderr(&output));
        assert!(stderr(&output).contains("`events dead-letters list`"), "{}", stderr(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_beginning_of_several_ids_says_which_they_are() {
    let environment = Environment::start().await;
    for end in ["1", "2"] {
        record(&environment, &format!("{}{end}", "a".repeat(63)), ago(60)).await;
    }
    let output = environment.run(&["events", "show", "aaaaaaaa"]).await;
    assert_eq!(output.status.code(), Some(1));
    let expected = "error: 2 ids begin with aaaaaaaa: ";
    assert!(stderr(&output).starts_with(expected), "{}", stderr(&output));
    assert!(
        stderr(&output).contains(&format!("{}2 (SiteUpdated of –)", "a".repeat(63))),
        "{}",
        stderr(&output)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_question_is_one_clear_line() {
    let environment = Environment::start().await;
    let error = stderr(&environment.run(&["events", "list", "--workflow", "notify-slak"]).await);
    let expected = "has no workflow `notify-slak`; there are: notify-slack, update-broadcast\n";
    assert!(error.ends_with(expected), "{error}");
    for (arguments, expected) in [
        (&["--event", "SiteUpdatd"][..], "`SiteUpdatd` is not an event name; did you mean `SiteUpdated`?"),
        (&["--since", "last week"], "how long ago it was (90min, 2h, 3d)"),
        (
            &["--outcome", "fine"],
            "[possible values: waiting, working, interrupted, done, grouped, skipped, ignored, failed, dropped]",
        ),
        (&["--limit", "0"], "0 is not in 1.."),
    ] {
        let output = environment.run(&[&["events", "list"], arguments].concat()).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
    }
    environment.aws.fail_next("DynamoDB.Query", 1, Fault::AccessDenied);
    let error = stderr(&environment.run(&["events", "list"]).await);
    let expected = "error: these AWS credentials have no permission for dynamodb:Query: User: ";
    assert!(error.starts_with(expected) && error.lines().count() == 1, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_count_dead_letters_sees_the_rest() {
    let environment = Environment::start().await;
    Delivery::of(&environment, "notify-slack", &body("x")).attempt(HOUR, failed()).await;
    environment.aws.fail_next("SQS.GetQueueAttributes", 1, Fault::AccessDenied);
    let output = environment.run(&["events", "show", id(&body("x")).short()]).await;
    let expected =
        "dead letters  unknown: these AWS credentials have no permission for sqs:GetQueueAttributes";
    assert!(output.status.success() && stdout(&output).contains(expected), "{}", stdout(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_away_ends_a_list_without_a_word() {
    let environment = busy().await;
    let event = id(&body("failed"));
    for arguments in
        [&["events", "list"][..], &["events", "list", "--json"], &["events", "show", event.short()]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = environment.command(arguments);
        command.stdout(writer).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{arguments:?}");
    }
}
