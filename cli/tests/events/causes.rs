//! Causes of failed refreshes in `events list` and `events show`.

use crate::delivery::{Delivery, HOUR};
use crate::environment::{Environment, body, id, stderr, stdout};
use deliveries::End;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use local_aws::Fault;
use serde_json::Value;
use std::collections::BTreeSet;

fn failure(name: &str) -> String {
    format!(r#"{{"resource":"EXTRACTS","event_type":"DatasourceRefreshFailed","resource_name":"{name}"}}"#)
}

/// Four failed refreshes, the newest first, and an event of another kind. The last failure is a record of an earlier version.
async fn environment() -> Environment {
    let environment = Environment::start().await;
    for (at, name, cause) in [
        (1, "wrong password", Some("Credentials")),
        (2, "no credits", Some("Quota")),
        (3, "no job", Some("NotFound")),
        (4, "before", None),
    ] {
        let delivery = Delivery::of(&environment, "notify-slack", &failure(name)).claim(at * HOUR).await;
        delivery.end_with(1, at * HOUR, End::Done, cause).await;
    }
    Delivery::of(&environment, "notify-slack", &body("Marketing")).attempt(HOUR, End::Done).await;
    environment
}

/// The day in UTC so many seconds ago.
fn day(seconds: i64) -> Date {
    let at = Timestamp::now().checked_sub(SignedDuration::from_secs(seconds)).unwrap();
    at.to_zoned(TimeZone::UTC).date()
}

async fn listed(environment: &Environment, arguments: &[&str]) -> Vec<(String, Value)> {
    let output = environment.run(&[&["events", "list", "--json"], arguments].concat()).await;
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    let text = stdout(&output);
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    events
        .map(|event| (event["resource_name"].as_str().unwrap().to_owned(), event["cause"].clone()))
        .collect()
}

// Issue 16, 4
#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_of_the_causes_that_were_asked_for_and_json_has_every_cause() {
    let environment = environment().await;
    for (arguments, expected) in [
        (&["--cause", "credentials"][..], &["wrong password"][..]),
        (&["--cause", "Quota, NotFound"], &["no credits", "no job"]),
        (&["--cause", "Busy"], &[]),
        (&["--cause", "Quota", "--cause", "Credentials", "--limit", "1"], &["wrong password"]),
        (&["--cause", "Quota", "--event", "SiteUpdated"], &[]),
        (&["--cause", "Quota", "--outcome", "failed"], &[]),
    ] {
        let names: Vec<String> =
            listed(&environment, arguments).await.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, expected, "{arguments:?}");
    }
    let all = listed(&environment, &["--event", "DatasourceRefreshFailed"]).await;
    let causes: Vec<&Value> = all.iter().map(|(_, cause)| cause).collect();
    assert_eq!(causes, [&Value::from("Credentials"), &"Quota".into(), &"NotFound".into(), &Value::Null]);

    let output = environment.run(&["events", "list", "--cause", "Busy,Engine"]).await;
    assert!(
        stdout(&output).starts_with("no event matches: cause Busy or Engine, since 20"),
        "{}",
        stdout(&output)
    );
    let output = environment.run(&["events", "list", "--cause", "timeout"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("did you mean `TimeLimit`?"), "{}", stderr(&output));
}

// Issue 16, 4
#[tokio::test(flavor = "multi_thread")]
async fn records_are_read_only_of_failed_refreshes_and_only_where_causes_are_asked_for() {
    let environment = environment().await;
    let calls = || environment.aws.calls("DynamoDB.BatchGetItem");
    let output = environment.run(&["events", "list"]).await;
    assert!(stdout(&output).ends_with("\n5 events\n"), "{}", stdout(&output));
    assert_eq!(calls(), 0);
    listed(&environment, &["--event", "SiteUpdated"]).await;
    assert_eq!(calls(), 0, "such an event has no cause");
    assert_eq!(listed(&environment, &["--cause", "Quota"]).await.len(), 1);
    // The index is read day by day, and midnight in UTC may be among the last four hours.
    let days: BTreeSet<Date> = (1..=4).map(|at| day(at * HOUR)).collect();
    let requests = days.len();
    assert_eq!(calls(), requests, "one request for the failures of a day");

    // A busy table leaves one out, which is asked for again.
    environment.aws.fail_next("DynamoDB.BatchGetItem", 1, Fault::PartialFailure);
    assert_eq!(listed(&environment, &["--cause", "Credentials,Quota"]).await.len(), 2);
    assert_eq!(calls(), 2 * requests + 1);
}

// Issue 16, 4
#[tokio::test(flavor = "multi_thread")]
async fn without_the_permission_for_causes_a_list_goes_without_them_and_a_filter_says_what_is_missing() {
    let environment = environment().await;
    let refuse = || environment.aws.fail_next("DynamoDB.BatchGetItem", 1, Fault::AccessDenied);
    refuse();
    let output = environment.run(&["events", "list", "--json"]).await;
    assert!(output.status.success() && stdout(&output).lines().count() == 5, "{}", stdout(&output));
    assert!(stdout(&output).lines().all(|line| line.contains(r#""cause":null"#)), "{}", stdout(&output));
    assert!(stderr(&output).starts_with("the causes are not shown: "), "{}", stderr(&output));
    refuse();
    let output = environment.run(&["events", "list", "--cause", "Quota"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("dynamodb:BatchGetItem"), "{}", stderr(&output));
}

// Issue 16, 4
#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_shown_with_its_cause() {
    let environment = environment().await;
    for (name, line, json) in [
        ("no credits", Some("\n  cause         Quota\n"), Value::from("Quota")),
        ("no job", Some("\n  cause         not found\n"), "NotFound".into()),
        ("before", None, Value::Null),
    ] {
        let id = id(&failure(name));
        let shown = stdout(&environment.run(&["events", "show", id.as_str()]).await);
        assert!(shown.contains(line.unwrap_or("\n  attempt 1 ")), "{name}: {shown}");
        assert_eq!(shown.contains("\n  cause "), line.is_some(), "{name}: {shown}");
        let shown = stdout(&environment.run(&["events", "show", id.as_str(), "--json"]).await);
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap()["cause"], json, "{name}");
    }
}
