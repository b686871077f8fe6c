//! Timers and the hourly sweep, through the real binaries and the resources of `template.yaml`.

use crate::site::{DEAD_LETTERS, QUEUE, Site, template, until};
use jiff::{SignedDuration, Timestamp};
use local_aws::StackEvent;
use serde_json::{Value, json};
use simulator::TableauSimulator;
use std::time::Duration;
use testkit::TOKEN;
use testkit::repository::every_rule;
use timer::{TimerMessage, schedule_name};

const LIMIT: Duration = Duration::from_secs(30);

async fn site() -> Site {
    Site::start(&template(), &every_rule(), TableauSimulator::sample(), &[], None).await
}

fn due_in(seconds: i64) -> TimerMessage {
    let at = Timestamp::now() + SignedDuration::from_secs(seconds);
    TimerMessage::new("digest#notify-slack#data-alerts", at, 7)
}

/// The log lines about timers since the last call.
fn lines(site: &mut Site) -> Vec<Value> {
    let lines = site.news().into_iter().filter_map(|event| match event {
        StackEvent::Log { line, .. } => serde_json::from_str::<Value>(&line).ok(),
        _ => None,
    });
    lines.filter(|line| !line["timer.key"].is_null()).collect()
}

/// Waits for a log line about a timer.
async fn line(site: &mut Site, message: &str) -> Value {
    let mut seen = Vec::new();
    let mut found = None;
    until(LIMIT, message, || {
        seen.extend(lines(site));
        found = seen.iter().find(|line| line["message"] == message).cloned();
        found.is_some()
    })
    .await;
    found.unwrap()
}

#[tokio::test]
async fn a_timer_that_comes_early_comes_again_at_its_time_and_is_no_event() {
    let mut site = site().await;
    let timer = due_in(3);
    site.stack.aws().send(QUEUE, timer.to_json()).unwrap();

    let early = line(&mut site, "timer armed again").await;
    let late = line(&mut site, "timer handled").await;

    assert_eq!((&early["timer.hops"], &late["timer.hops"]), (&json!(0), &json!(1)));
    assert_eq!(late["timer.key"], timer.key);
    // No such digest exists.
    assert_eq!(late["outcome"], "skipped");
    assert_eq!(late["reason"], "the digest was sent by another timer");
    assert!(Timestamp::now() >= timer.due, "early");
    until(LIMIT, "the queue is empty", || site.stack.aws().messages(QUEUE).is_empty()).await;
    assert!(site.records("notify-slack").is_empty(), "no claim, and nothing in `events list`");
    assert!(site.stack.aws().messages(DEAD_LETTERS).is_empty());
}

#[tokio::test]
async fn a_timer_of_hours_is_a_schedule_that_comes_back_to_the_same_function() {
    let mut site = site().await;
    let timer = due_in(7_200);
    site.stack.aws().send(QUEUE, timer.to_json()).unwrap();
    line(&mut site, "timer armed again").await;

    let first = site.stack.aws().schedules();
    assert_eq!(first.len(), 1);
    assert_eq!((first[0].queue.as_str(), first[0].group.as_str()), (QUEUE, "TimerGroup"));
    assert_eq!(first[0].dead_letters.as_deref(), Some(DEAD_LETTERS));
    assert_eq!(first[0].name, schedule_name("notify-slack", &timer.again()));
    assert!(first[0].role_arn.ends_with("NotifySlackTimersRole"), "{}", first[0].role_arn);

    // The schedule fires early by the function's clock, so the function arms the timer again under another name.
    assert_eq!(site.stack.aws().fire_schedules(timer.due + SignedDuration::from_secs(1)), 1);
    line(&mut site, "timer armed again").await;
    let second = site.stack.aws().schedules();
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].name, schedule_name("notify-slack", &timer.again().again()));
    assert_eq!(TimerMessage::parse(&second[0].input).unwrap().hops, 2);
}

#[tokio::test]
async fn what_comes_in_at_a_url_is_never_a_timer() {
    let mut site = site().await;
    let http = http_client::client(None).unwrap();
    let bodies = [
        due_in(7_200).to_json(),
        due_in(-60).to_json(),
        json!({ "timer": "nonsense" }).to_string(),
        format!("\u{feff}{}", due_in(7_300).to_json().replacen("timer", "\\u0074imer", 1)),
        json!({ "sweep": {} }).to_string(),
        json!({ "test": {} }).to_string(),
    ];
    for path in ["/webhook", "/webhooks/notify-slack", "/webhooks/update-broadcast"] {
        for body in &bodies {
            let url = format!("{}{path}?token={TOKEN}", site.stack.url());
            let answer = http.post(url).body(body.clone()).send().await.unwrap();
            assert_eq!(answer.status(), 202, "{path}: {body}");
        }
    }
    for workflow in ["notify-slack", "update-broadcast"] {
        until(LIMIT, "every body has a record", || {
            let records = site.records(workflow);
            let ignored = records.values().filter(|record| record["state"]["S"] == "ignored").count();
            ignored == bodies.len()
        })
        .await;
    }
    assert!(site.stack.aws().schedules().is_empty(), "a stranger armed a timer");
    assert_eq!(lines(&mut site), Vec::<Value>::new());
    for queue in [DEAD_LETTERS, "UpdateBroadcastDeadLetters"] {
        assert!(site.stack.aws().messages(queue).is_empty(), "{queue}");
    }
}

#[tokio::test]
async fn a_timer_that_cannot_be_read_is_a_dead_letter_that_says_why() {
    let site = site().await;
    let body = json!({ "timer": { "key": "k", "due": "soon", "generation": 1, "hops": 0 } }).to_string();
    site.stack.aws().send(QUEUE, body.clone()).unwrap();
    until(LIMIT, "the dead letter", || !site.stack.aws().messages(DEAD_LETTERS).is_empty()).await;
    let letter = site.stack.aws().messages(DEAD_LETTERS).remove(0);
    assert_eq!(letter.body, body);
    let reason =
        "the message is not a timer: timer.due: expected a time with its offset, found another string";
    assert_eq!(letter.attributes["reason"], reason);
    assert_eq!(letter.attributes["workflow"], "notify-slack");
}

#[tokio::test]
async fn the_hourly_sweep_reaches_the_functions_that_have_timers_and_no_others() {
    let site = site().await;
    let answers = site.stack.run_schedules("notify-slack").await.unwrap();
    assert_eq!(answers, [json!({ "outcome": "skipped" })]);
    assert!(site.stack.run_schedules("update-broadcast").await.unwrap().is_empty());
    let repeated = &site.stack.plan().repeated;
    let mut functions: Vec<&str> = repeated.iter().map(|hourly| hourly.function.as_str()).collect();
    functions.sort_unstable();
    assert_eq!(
        functions,
        [
            "notify-slack",
            "notify-teams",
            "page-on-call",
            "refresh-extract",
            // Its schedule brings no timers.
            "report-history",
            "request-certification",
            "send-email",
            "send-sms",
            "set-quality-warning",
            "track-servicenow-incident"
        ]
    );
    assert!(repeated.iter().all(|hourly| hourly.every == Duration::from_secs(3_600)));
}
