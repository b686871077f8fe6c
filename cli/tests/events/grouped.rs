//! Events that an alert group or digest announces, and the timers of groups and digests.

use crate::delivery::{Delivery, HOUR, ago};
use crate::environment::{Environment, body, id, stderr, stdout};
use alerting::group::{GroupHead, Member, Pending, Placement};
use alerting::incident::MessageRef;
use deliveries::End;
use jiff::Timestamp;
use serde_json::Value;
use store::records::{Change, Commit, DynamoDbRecords, Key, Records, Write};
use workflow::{SharedMessage, Why};

const GROUP: &str = "group#notify-slack#data-alerts#64c87bd200d1";
const TIMER: &str = r#"{"timer":{"due":"2026-11-28T22:00:00Z","generation":1,"hops":0,"key":"group#notify-slack#data-alerts#64c87bd200d1"}}"#;

fn message() -> SharedMessage {
    SharedMessage::Group { id: "64c87bd200d1".to_owned(), target: "data-alerts".to_owned() }
}

async fn grouped(environment: &Environment, name: &str, why: Why) {
    let delivery = Delivery::of(environment, "notify-slack", &body(name));
    delivery.attempt(HOUR, End::Skipped(message().reason(why))).await;
}

/// Writes a document as the workflow writes it.
async fn write(environment: &Environment, sort: &str, document: &impl serde::Serialize) {
    let client = aws_sdk_dynamodb::Client::new(&environment.config);
    let records = DynamoDbRecords::new(client, "DeliveryTable", "notify-slack");
    let write = Write {
        text: serde_json::to_string(document).unwrap(),
        expires_at: ago(-HOUR),
        due: None,
        is_active: false,
    };
    let key = Key { partition: GROUP.to_owned(), sort: sort.to_owned() };
    let written = records.commit(&[Change { key, expected: None, write: Some(write) }]).await.unwrap();
    assert!(matches!(written, Commit::Done(_)));
}

async fn run(environment: &Environment, arguments: &[&str]) -> String {
    let output = environment.run(arguments).await;
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    stdout(&output)
}

fn json(shown: &str) -> Vec<Value> {
    shown.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_a_group_or_digest_has_is_grouped_in_the_list_its_filter_and_its_way() {
    let environment = Environment::start().await;
    grouped(&environment, "one", Why::OtherIncidents).await;
    grouped(&environment, "two", Why::ItsFailure).await;
    grouped(&environment, "three", Why::OtherEvents).await;
    grouped(&environment, "known", Why::ItsIncident).await;
    let until = "2026-11-29T07:00:00Z".parse().unwrap();
    let digest = SharedMessage::Digest { until, target: "data-alerts".to_owned() };
    let delivery = Delivery::of(&environment, "notify-slack", &body("night"));
    delivery.attempt(HOUR, End::Skipped(digest.reason(Why::QuietHours))).await;
    Delivery::of(&environment, "notify-slack", &body("none"))
        .attempt(HOUR, End::Skipped("no rule".to_owned()))
        .await;

    for (outcome, expected) in
        [("grouped", vec!["night", "one", "three", "two"]), ("skipped", vec!["known", "none"])]
    {
        let listed = run(&environment, &["events", "list", "--outcome", outcome, "--json"]).await;
        let events = json(&listed);
        assert!(events.iter().all(|event| event["outcome"] == outcome), "{listed}");
        let mut names: Vec<&str> =
            events.iter().map(|event| event["resource_name"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, expected);
    }
    let shown = run(&environment, &["events", "show", id(&body("night")).short()]).await;
    let expected = "notify-slack: grouped: in the digest of the quiet hours until 2026-11-29T07:00:00Z in data-alerts, 1";
    assert!(shown.contains(expected), "{shown}");
    let shown = run(&environment, &["events", "show", id(&body("one")).short()]).await;
    let attempt = "UTC, 2.0 s, grouped: grouped with other incidents of the same time: group 64c87bd200d1 in data-alerts";
    assert!(shown.contains(attempt), "{shown}");
    let history = run(&environment, &["events", "show", id(&body("one")).short(), "--json"]).await;
    assert_eq!(json(&history)[0]["history"][0]["outcome"], "grouped");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_of_a_grouped_event_leads_to_its_message() {
    let environment = Environment::start().await;
    grouped(&environment, "one", Why::OtherIncidents).await;
    let event = id(&body("one"));
    let show = async || run(&environment, &["events", "show", event.short()]).await;
    let line = "\n  group         64c87bd200d1 in data-alerts: ";
    let shown = show().await;
    assert!(shown.contains(&format!("{line}no longer recorded\n")), "{shown}");

    let due = ago(-60);
    let pending = Some(Pending { due, generation: 1, armed: true });
    let mut head = GroupHead::default();
    head.generation = 1;
    head.pending = pending;
    write(&environment, "head", &head).await;
    let shown = show().await;
    let expected = format!("{line}its message is due at {}\n", due.strftime("%Y-%m-%d %H:%M:%S UTC"));
    assert!(shown.contains(&expected), "{shown}");

    // The group's timer fires, and its attempt fails.
    head.pending = None;
    write(&environment, "head", &head).await;
    environment.dead_letter("NotifySlackDeadLetters", TIMER, "Slack: channel_not_found").await;
    let shown = show().await;
    for part in [
        "has fired, and its work is not done",
        "\n  dead letters  1 in the workflow's queue",
        "`events replay`",
    ] {
        assert!(shown.contains(part), "no {part} in\n{shown}");
    }

    let at: Timestamp = "2026-11-28T22:00:10Z".parse().unwrap();
    let id = MessageRef { conversation: "C1".to_owned(), id: "1764.1".to_owned() };
    head.done_generation = 1;
    head.sent = 1;
    head.last_sent = Some(at);
    head.message = Some(id);
    write(&environment, "head", &head).await;
    let shown = show().await;
    let expected = "its message was sent or edited last at 2026-11-28 22:00:10 UTC (message 1764.1 in C1)\n";
    assert!(shown.contains(&format!("{line}{expected}")), "{shown}");
    let facts = run(&environment, &["events", "show", event.short(), "--json"]).await;
    let facts = &json(&facts)[0]["shared_messages"][0];
    let expected = serde_json::json!({
        "kind": "group", "id": "64c87bd200d1", "until": null, "target": "data-alerts", "due_at": null,
        "sent_at": "2026-11-28T22:00:10.000Z", "conversation": "C1", "message": "1764.1",
    });
    assert_eq!(*facts, expected);

    let alone = Member { placement: Placement::Alone, ..Member::new(event.short(), "one", None, at) };
    write(&environment, &format!("member#{}", event.short()), &alone).await;
    let shown = show().await;
    assert!(shown.contains("this event has a message of its own; "), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_that_failed_for_good_is_listed_as_what_it_is_and_sent_again() {
    let environment = Environment::start().await;
    grouped(&environment, "one", Why::OtherIncidents).await;
    environment.dead_letter("NotifySlackDeadLetters", TIMER, "Slack: channel_not_found").await;
    environment.dead_letter("NotifySlackDeadLetters", &body("failed"), "Slack: 500").await;
    let words = ["timer of group 64c87bd200d1  data-alerts", "failed", "Slack: channel_not_found"];

    for arguments in [
        &["--outcome", "failed"][..],
        &[],
        &["--outcome", "failed,waiting", "--resource", "64c87bd"],
        &["--outcome", "failed", "--workflow", "notify-slack", "--resource", "data-alerts"],
    ] {
        let listed = run(&environment, &[&["events", "list", "--wide"], arguments].concat()).await;
        let line = listed.lines().find(|line| line.contains("timer of group")).expect(&listed);
        assert!(words.iter().all(|word| line.contains(word)) && line.contains("message "), "{listed}");
        assert!(listed.contains("1 timer\n"), "{listed}");
    }
    for arguments in [
        &["--outcome", "done"][..],
        &["--event", "SiteUpdated"],
        &["--workflow", "update-broadcast"],
        &["--resource", "sales"],
        &["--until", "2d"],
    ] {
        let listed = run(&environment, &[&["events", "list"], arguments].concat()).await;
        assert!(!listed.contains("timer"), "{arguments:?}: {listed}");
    }
    let listed = json(&run(&environment, &["events", "list", "--outcome", "failed", "--json"]).await);
    let timer = &listed[0];
    assert_eq!(
        (&timer["event_name"], &timer["outcome"], &timer["resource"], &timer["event_id"]),
        (&"timer".into(), &"failed".into(), &GROUP.into(), &"".into())
    );
    assert_eq!(timer["resource_name"], "timer of group 64c87bd200d1 in data-alerts");

    let letters = run(&environment, &["events", "dead-letters", "list", "--wide"]).await;
    assert!(letters.contains(words[0]) && letters.ends_with("\n1 dead letter and 1 timer\n"), "{letters}");
    let letters = run(&environment, &["events", "dead-letters", "list", "--json"]).await;
    let timer = json(&letters).into_iter().find(|letter| letter["event_name"] == "timer").expect(&letters);
    assert_eq!((&timer["resource"], &timer["reason"]), (&GROUP.into(), &words[2].into()));

    let replayed = stdout(&environment.replay(&["--wide"]).await);
    assert!(
        replayed.contains(words[0]) && replayed.ends_with("\n1 event and 1 timer replayed\n"),
        "{replayed}"
    );
    let mut bodies = environment.bodies("NotifySlackQueue");
    bodies.sort();
    assert_eq!(bodies, [body("failed"), TIMER.to_owned()]);
    assert_eq!(environment.bodies("NotifySlackDeadLetters"), Vec::<String>::new());
    let listed = run(&environment, &["events", "list", "--outcome", "failed"]).await;
    assert!(listed.starts_with("no event matches: outcome failed"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_is_replayed_or_dropped_by_its_message_and_left_where_an_event_is_asked_for() {
    let environment = Environment::start().await;
    environment.dead_letter("NotifySlackDeadLetters", TIMER, "Slack: channel_not_found").await;
    let listed = json(&run(&environment, &["events", "dead-letters", "list", "--json"]).await);
    let message = listed[0]["message_id"].as_str().unwrap().to_owned();
    let by_event = stdout(&environment.replay(&["--event", "SiteUpdated"]).await);
    assert_eq!(by_event, "0 events replayed\n");
    let dry = stdout(&environment.replay(&["--dry-run"]).await);
    assert!(dry.ends_with("\n1 timer would be replayed\n"), "{dry}");
    let replayed = stdout(&environment.replay(&[&message[..8]]).await);
    assert!(replayed.ends_with("\n1 timer replayed\n"), "{replayed}");
    assert_eq!(environment.bodies("NotifySlackQueue"), [TIMER]);

    environment.dead_letter("NotifySlackDeadLetters", TIMER, "Slack: channel_not_found").await;
    let listed = json(&run(&environment, &["events", "dead-letters", "list", "--json"]).await);
    let message = listed[0]["message_id"].as_str().unwrap();
    let dropped = run(&environment, &["events", "dead-letters", "drop", message, "--yes"]).await;
    assert!(dropped.contains("timer of group") && dropped.ends_with("\n1 timer dropped\n"), "{dropped}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_look_at_dead_letters_sees_the_records_and_what_is_missing() {
    let environment = Environment::start().await;
    grouped(&environment, "one", Why::OtherIncidents).await;
    environment.aws.fail_next("SQS.GetQueueAttributes", 1, local_aws::Fault::AccessDenied);
    let output = environment.run(&["events", "list"]).await;
    assert!(output.status.success() && stdout(&output).ends_with("\n1 event\n"), "{}", stdout(&output));
    let expected = "timers among the dead letters of notify-slack are not listed: these AWS credentials have no permission for \
                    sqs:GetQueueAttributes";
    assert!(stderr(&output).starts_with(expected), "{}", stderr(&output));
}
