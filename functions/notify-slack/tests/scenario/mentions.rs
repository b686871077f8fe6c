//! Whom messages call over time: in groups, in reminders, and not in edits, recoveries and digests.

use crate::environment::{By, Environment, FAILED, SUCCEEDED, at};
use jiff::{SignedDuration, Timestamp};
use tableau::Event;
use testkit::simulator::{Datasource, SlackCall};

/// Failures whose owners are called.
const OWNERS: &str = "
rules:
  - name: failures
    on: [DatasourceRefreshFailed]
    do: [{ notify-slack: { channel: data-alerts, mention: owner, mention_if_unknown: here } }]
";

/// Data sources named `name 0`, `name 1`, …, one of each of these owners, who are also in Slack.
fn owned(environment: &Environment, name: &str, owners: &[&str]) -> Vec<(String, String)> {
    let add = |(n, owner): (usize, &&str)| {
        environment.slack.add_person(&format!("{owner}@example.com"), owner);
        let name = format!("{name} {n}");
        let luid = environment.tableau.add(Datasource::named(&name).owned_by(owner));
        (name, luid.to_string())
    };
    owners.iter().enumerate().map(add).collect()
}

/// These events about all of them, one a second from `from`.
fn all(
    environment: &Environment,
    kind: &str,
    objects: &[(String, String)],
    from: Timestamp,
) -> Vec<(Timestamp, Event)> {
    let event = |((name, luid), second): (&(String, String), i64)| {
        let happened = from + SignedDuration::from_secs(second);
        (happened, environment.named_event(kind, luid, name, happened))
    };
    objects.iter().zip(0..).map(event).collect()
}

/// Whom each call mentions, with the kind of the call.
fn calls(environment: &Environment) -> Vec<(SlackCall, Vec<String>)> {
    environment.slack.messages().iter().map(|message| (message.call, message.mentions())).collect()
}

fn ids(environment: &Environment, names: &[&str]) -> Vec<String> {
    let id = |name: &&str| environment.slack.person(&format!("{name}@example.com")).unwrap();
    names.iter().map(|name| format!("@{}", id(name))).collect()
}

// 15, item 1
#[tokio::test]
async fn a_groups_first_message_calls_each_owner_once_and_five_at_most_and_no_edit_or_recovery_does() {
    let environment = Environment::start(By::BotToken, OWNERS).await;
    let owners = ["first", "kim", "kim", "lee", "lee", "lee", "max", "noa", "oli", "pat"];
    let objects = owned(&environment, "Orders", &owners);
    let (end, _) = environment.run(all(&environment, FAILED, &objects, at(0))).await;
    let later = owned(&environment, "Late", &["quinn"]);
    let soon = end + SignedDuration::from_secs(5);
    let (end, _) = environment.run(all(&environment, FAILED, &later, soon)).await;
    let everything = [objects, later].concat();
    let (end, _) =
        environment.run(all(&environment, SUCCEEDED, &everything, end + SignedDuration::from_secs(60))).await;

    let calls = calls(&environment);
    let calling: Vec<&(SlackCall, Vec<String>)> =
        calls.iter().filter(|(_, mentions)| !mentions.is_empty()).collect();
    assert_eq!(calling.len(), 2, "{end}: {calls:?}");
    assert!(calling.iter().all(|(call, _)| *call == SlackCall::PostMessage), "{calling:?}");
    assert_eq!(calling[0].1, ids(&environment, &["first"]));
    // Those of most objects come first; the owner of the first object has been called.
    assert_eq!(calling[1].1, ids(&environment, &["lee", "kim", "max", "noa", "oli"]));
    let group =
        environment.new_messages().into_iter().find(|text| text.contains("refreshes failed")).unwrap();
    assert!(group.contains("and 1 more owner"), "{group}");
    assert!(calls.iter().any(|(call, _)| *call == SlackCall::Update), "{calls:?}");
    assert_eq!(environment.slack.lookups().len(), 6);
}

// 15, item 1
#[tokio::test]
async fn a_reminder_calls_the_owner_again_of_an_incident_and_of_a_group() {
    for owners in [&["kim"][..], &["kim", "lee", "max", "noa"][..]] {
        let environment = Environment::start(By::BotToken, OWNERS).await;
        let objects = owned(&environment, "Orders", owners);
        let (end, _) = environment.run(all(&environment, FAILED, &objects, at(0))).await;
        let before = environment.slack.message_count();
        environment.sweep(end + SignedDuration::from_hours(25)).await;

        let calls = calls(&environment);
        let expected = vec![(SlackCall::PostMessage, ids(&environment, owners))];
        assert_eq!(calls[before..], expected, "{:?}", environment.new_messages());
    }
}

// 15, item 1
#[tokio::test]
async fn through_webhook_urls_only_the_first_of_an_incidents_messages_calls_people() {
    let environment = Environment::start(By::WebhookUrls, OWNERS).await;
    let objects = owned(&environment, "Orders", &["kim"]);
    for minute in [0, 10, 20, 30] {
        environment.run(all(&environment, FAILED, &objects, at(minute))).await;
    }
    environment.run(all(&environment, SUCCEEDED, &objects, at(40))).await;
    let mentions: Vec<Vec<String>> = calls(&environment).into_iter().map(|(_, mentions)| mentions).collect();
    assert!(mentions.len() >= 3, "{mentions:?}");
    assert_eq!(mentions[0], ["!here"]);
    assert!(mentions[1..].iter().all(Vec::is_empty), "{mentions:?}");
    assert!(environment.slack.lookups().is_empty());
}

// 15, item 1
#[tokio::test]
async fn a_digest_calls_no_one_and_the_first_message_after_it_calls_the_owner() {
    let quiet = OWNERS.replace("    on:", "    quiet: { from: 16:00, to: 17:00 }\n    on:");
    let environment = Environment::start(By::BotToken, &quiet).await;
    let objects = owned(&environment, "Orders", &["kim"]);
    // 16:00 UTC.
    let (end, _) = environment.run(all(&environment, FAILED, &objects, at(0))).await;
    assert_eq!(calls(&environment), [(SlackCall::PostMessage, Vec::new())], "{end}");
    let again = end + SignedDuration::from_secs(60);
    environment.run(all(&environment, FAILED, &objects, again)).await;
    let after = calls(&environment);
    assert_eq!(after[1..], [(SlackCall::PostMessage, ids(&environment, &["kim"]))]);
}

/// Two rules for one channel, each with a mention and words of its own.
const TWO: &str = "
rules:
  - name: orders
    on: [DatasourceRefreshFailed]
    where: { name: 'Orders*' }
    message: { title: 'ours: {{ name }}' }
    do: [{ notify-slack: { channel: data-alerts, mention: S0000000001 } }]
  - name: stock
    on: [DatasourceRefreshFailed]
    where: { name: 'Stock*' }
    message: { title: 'theirs: {{ name }}' }
    do: [{ notify-slack: { channel: data-alerts, mention: S0000000002 } }]
";

// 15, item 1
#[tokio::test]
async fn a_member_that_is_announced_alone_is_announced_by_its_own_rule() {
    let environment = Environment::start(By::BotToken, TWO).await;
    let orders = owned(&environment, "Orders", &["kim", "kim"]);
    let stock = owned(&environment, "Stock", &["kim"]);
    environment.run(all(&environment, FAILED, &[orders, stock].concat(), at(0))).await;
    for message in environment.slack.messages() {
        let expected = match message.text.contains("Orders") {
            true => ("ours: Orders", "!subteam^S0000000001"),
            false => ("theirs: Stock", "!subteam^S0000000002"),
        };
        assert!(message.text.contains(expected.0), "{}", message.text);
        assert_eq!(message.mentions(), [expected.1], "{}", message.text);
    }
    assert_eq!(environment.slack.message_count(), 3);
}

// 15, item 1
#[tokio::test]
async fn a_group_calls_those_whom_the_rules_of_its_members_call_each_once() {
    let environment = Environment::start(By::BotToken, TWO).await;
    let orders = owned(&environment, "Orders", &["kim"; 4]);
    let stock = owned(&environment, "Stock", &["kim"; 3]);
    environment.run(all(&environment, FAILED, &[orders, stock].concat(), at(0))).await;
    let mut mentions = environment.slack.messages().last().unwrap().mentions();
    mentions.sort();
    assert_eq!(mentions, ["!subteam^S0000000001", "!subteam^S0000000002"]);
}
