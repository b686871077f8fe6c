//! Stories over time: the workflow with a clock that the test sets, in front of a Tableau and a Slack on the wire.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use async_trait::async_trait;
use circuit::Circuits;
use destinations::slack::{Slack, SlackCredential};
use incidents::documents;
use jiff::{SignedDuration, Timestamp};
use notify_slack::{GuardedSlack, NotifySlack};
use rules::Rules;
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tableau::{Event, Payload};
use tableau_client::{MemorySessionStore, Settings, TableauClient, TableauCredential};
use testkit::simulator::{
    Datasource, SAMPLE_PAT, SlackCall, SlackFault, SlackMessage, SlackRecorder, TableauSimulator, notes,
    render,
};
use workflow::{BoxError, EffectLog, Failure, Fixed, Invocation, Outcome, Workflow};

const RULES: &str = "
rules:
  - name: failures
    on: [DatasourceRefreshFailed]
    do: [{ notify-slack: { channel: data-alerts } }]
  - name: news
    on: [DatasourceRefreshStarted, WorkbookCreated]
    do: [{ notify-slack: { channel: data-news } }]
";

/// What was written down of an event, in all its attempts.
#[derive(Clone, Default)]
struct Effects(Arc<Mutex<BTreeSet<String>>>);

#[async_trait]
impl EffectLog for Effects {
    async fn record(&self, effect: &str) -> Result<(), BoxError> {
        self.0.lock().unwrap().insert(effect.to_owned());
        Ok(())
    }
}

struct World {
    tableau: TableauSimulator,
    slack: SlackRecorder,
    workflow: NotifySlack,
    effects: Mutex<HashMap<String, Effects>>,
}

/// With a bot token, messages can be changed; through webhook URLs they cannot.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    BotToken,
    WebhookUrls,
}

impl World {
    async fn start(by: By, rules: &str) -> Self {
        let tableau = TableauSimulator::empty().start().await.unwrap();
        let slack = SlackRecorder::start().await.unwrap();
        let channels = ["data-alerts", "data-news"].map(|channel| (channel, slack.add_webhook(channel)));
        let credential = match by {
            By::BotToken => json!({ "bot_token": slack.token() }),
            By::WebhookUrls => json!({ "webhook_urls": std::collections::BTreeMap::from(channels) }),
        };
        let credential: SlackCredential = serde_json::from_value(credential).unwrap();
        let http = http_client::client(None).unwrap();
        let pat = TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1);
        let client = TableauClient::new(
            http.clone(),
            Settings::new(&tableau.url(), "marketing", "").unwrap(),
            Arc::new(Fixed::new(pat)),
            Arc::new(MemorySessionStore::default()),
        );
        let documents = documents(None);
        let there = Slack::new(http, slack.api_url(), Arc::new(Fixed::new(credential)));
        let circuits = Circuits::new(documents.clone(), NotifySlack::NAME, "Slack");
        let workflow = NotifySlack {
            tableau: client,
            slack: GuardedSlack::new(there, circuits),
            rules: Arc::new(Ok(Rules::parse(rules).unwrap())),
            documents,
        };
        Self { tableau, slack, workflow, effects: Mutex::default() }
    }

    fn event(&self, name: &str, luid: &str, at: Timestamp) -> Event {
        self.named_event(name, luid, luid, at)
    }

    fn named_event(&self, name: &str, luid: &str, resource_name: &str, at: Timestamp) -> Event {
        let payload = json!({
            "resource": "EXTRACTS", "event_type": name, "resource_name": resource_name, "resource_luid": luid,
            "site_luid": self.tableau.site().as_str(), "created_at": format!("{at:.0}"),
        });
        Event::try_from(&Payload::parse(payload.to_string().as_bytes()).unwrap()).unwrap()
    }

    /// One attempt at an event.
    async fn attempt(&self, event: &Event, now: Timestamp) -> Result<Outcome, Failure> {
        let effects = self.effects.lock().unwrap().entry(event.id.to_string()).or_default().clone();
        let known = effects.0.lock().unwrap().clone();
        let invocation = Invocation::new("r", now, Duration::from_secs(60));
        self.workflow.handle(event, &invocation.repeated(1, known, Arc::new(effects))).await
    }

    /// Handles events at their times, and again when they are put off or fail, as their queue does it. When the last
    /// was done, and how often one was begun.
    async fn run(&self, events: Vec<(Timestamp, Event)>) -> (Timestamp, usize) {
        let mut waiting: std::collections::BTreeMap<(Timestamp, usize), Event> =
            events.into_iter().enumerate().map(|(n, (at, event))| ((at, n), event)).collect();
        let (mut now, mut attempts) = (Timestamp::MIN, 0);
        while let Some(((due, n), event)) = waiting.pop_first() {
            now = now.max(due);
            attempts += 1;
            match self.attempt(&event, now).await {
                Ok(Outcome::Deferred { until, .. }) => {
                    waiting.insert((until + SignedDuration::from_secs(1), n), event);
                }
                Ok(_) => {}
                Err(Failure::Transient { .. }) => {
                    waiting.insert((now + SignedDuration::from_secs(15), n), event);
                }
                Err(failure) => panic!("{}", failure.reason()),
            }
        }
        (now, attempts)
    }

    async fn one(&self, name: &str, luid: &str, minute: i64) -> Outcome {
        self.attempt(&self.event(name, luid, at(minute)), at(minute)).await.unwrap()
    }

    fn said(&self) -> Vec<SlackMessage> {
        self.slack.messages()
    }

    /// Messages that are new in a channel, without changes of earlier ones.
    fn new_messages(&self) -> Vec<String> {
        let said = self.said();
        said.iter().filter(|message| message.call != SlackCall::Update).map(render).collect()
    }
}

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000).unwrap() + SignedDuration::from_mins(minute)
}

const FAILED: &str = "DatasourceRefreshFailed";
const SUCCEEDED: &str = "DatasourceRefreshSucceeded";
const STARTED: &str = "DatasourceRefreshStarted";

#[tokio::test]
async fn a_story_is_one_message_that_follows_it_and_says_how_long_it_took() {
    let world = World::start(By::BotToken, RULES).await;
    for minute in [0, 60, 120] {
        assert_eq!(world.one(FAILED, "Sales", minute).await, Outcome::Done);
    }
    assert_eq!(world.one(SUCCEEDED, "Sales", 130).await, Outcome::Done);

    let said = world.said();
    let calls: Vec<SlackCall> = said.iter().map(|message| message.call).collect();
    use SlackCall::{PostMessage, Update};
    assert_eq!(calls, [PostMessage, Update, Update, Update, PostMessage]);
    assert!(said[1..4].iter().all(|update| update.ts == said[0].ts));
    assert!(render(&said[2]).contains("failure no. 3 since"), "{}", render(&said[2]));
    for message in &said[3..] {
        let text = render(message);
        assert!(text.contains("Recovered after 2 h 10 min: Sales"), "{text}");
        assert!(text.contains("3 failures since"), "{text}");
    }
    assert_eq!((said[4].thread_ts.as_ref(), said[4].reply_broadcast), (Some(&said[0].ts), true));
}

#[tokio::test]
async fn where_messages_cannot_be_changed_there_are_more_when_failures_have_doubled() {
    let world = World::start(By::WebhookUrls, RULES).await;
    let counted = Outcome::skipped("counted: it is part of a story that was told");
    for (n, told) in (0..5).zip([true, true, false, true, false]) {
        let expected = if told { Outcome::Done } else { counted.clone() };
        assert_eq!(world.one(FAILED, "Sales", n * 10).await, expected);
    }
    world.one(SUCCEEDED, "Sales", 60).await;
    let said = world.new_messages();
    assert_eq!(said.len(), 4, "{said:#?}");
    assert!(said[1].contains("failure no. 2") && said[2].contains("failure no. 4"), "{said:#?}");
    assert!(said[3].contains("Recovered after 1 h: Sales") && said[3].contains("5 failures"), "{said:#?}");
}

#[tokio::test]
async fn what_comes_late_changes_nothing() {
    let world = World::start(By::BotToken, RULES).await;
    world.one(SUCCEEDED, "Sales", 10).await;
    let failed = world.event(FAILED, "Sales", at(5));
    let started = world.event(STARTED, "Sales", at(4));
    for (event, reason) in
        [(failed, "a later refresh has succeeded since"), (started, "the refresh has ended since")]
    {
        assert_eq!(world.attempt(&event, at(11)).await.unwrap(), Outcome::skipped(reason));
    }
    assert_eq!(world.one(FAILED, "Orders", 20).await, Outcome::Done);
    let late = world.event(SUCCEEDED, "Orders", at(19));
    let skipped = Outcome::skipped("a later refresh has failed since");
    assert_eq!(world.attempt(&late, at(21)).await.unwrap(), skipped);
    assert_eq!(world.said().len(), 1, "only the failure of Orders is told");
}

#[tokio::test]
async fn an_event_that_is_tried_again_tells_nothing_twice() {
    for by in [By::BotToken, By::WebhookUrls] {
        let world = World::start(by, RULES).await;
        let (failed, succeeded) =
            (world.event(FAILED, "Sales", at(0)), world.event(SUCCEEDED, "Sales", at(5)));
        for event in [&failed, &failed, &succeeded, &succeeded, &failed] {
            world.attempt(event, at(6)).await.unwrap();
        }
        assert_eq!(world.new_messages().len(), 2, "{by:?}");
    }
}

#[tokio::test]
async fn a_slack_that_fails_is_told_later_by_whoever_comes_again() {
    let world = World::start(By::BotToken, RULES).await;
    world.slack.fail_next(2, SlackFault::ServerError);
    let event = world.event(FAILED, "Sales", at(0));
    let (_, attempts) = world.run(vec![(at(0), event)]).await;
    assert_eq!((attempts, world.new_messages().len()), (3, 1));
}

#[tokio::test]
async fn an_object_that_flaps_is_told_so_and_then_no_more() {
    let world = World::start(By::BotToken, RULES).await;
    for n in 0..8 {
        world.one(FAILED, "Sales", n * 20).await;
        world.one(SUCCEEDED, "Sales", n * 20 + 10).await;
    }
    let said = world.new_messages();
    assert_eq!(said.len(), 8, "four failures, four recoveries: {said:#?}");
    assert!(said[6].contains("It flaps"), "{}", said[6]);
    world.one(FAILED, "Sales", 48 * 60).await;
    assert_eq!(world.new_messages().len(), 9, "after a quiet day it is told again");
}

#[tokio::test]
async fn a_muted_rule_says_nothing_and_a_critical_one_speaks_in_quiet_hours() {
    let rules = "
rules:
  - name: muted
    mute_until: 2027-01-01T00:00:00Z
    on: [DatasourceRefreshFailed]
    do: [{ notify-slack: { channel: data-news } }]
  - name: critical
    critical: true
    quiet: { from: 00:00, to: 23:59 }
    on: [DatasourceRefreshFailed, WorkbookCreated]
    do: [{ notify-slack: { channel: data-alerts } }]
  - name: muted too
    mute_until: 2027-01-01T00:00:00Z
    on: [SiteUpdated]
    do: [{ notify-slack: { channel: data-news } }]
";
    let world = World::start(By::WebhookUrls, rules).await;
    assert_eq!(world.one(FAILED, "Sales", 0).await, Outcome::Done);
    assert_eq!(world.one("WorkbookCreated", "Sales", 1).await, Outcome::Done);
    let muted = world.one("SiteUpdated", "Sales", 2).await;
    let reason = "every rule for SiteUpdated is muted, until 2027-01-01T00:00:00Z at most";
    assert_eq!(muted, Outcome::skipped(reason));
    assert!(world.said().iter().all(|message| message.channel_name == "data-alerts"));
    assert_eq!(world.said().len(), 2);
}

#[tokio::test]
async fn what_happens_in_quiet_hours_is_one_digest_in_the_morning() {
    // 2025-11-24T16:00:00Z is minute 0.
    let rules = "
rules:
  - name: quiet
    quiet: { from: 15:00, to: 23:00 }
    on: [DatasourceRefreshFailed, DatasourceRefreshSucceeded, WorkbookCreated]
    do: [{ notify-slack: { channel: data-alerts } }]
";
    for by in [By::BotToken, By::WebhookUrls] {
        let world = World::start(by, rules).await;
        let happened = [
            (FAILED, "Sales", 0),
            (FAILED, "Sales", 30),
            (FAILED, "Orders", 31),
            (SUCCEEDED, "Sales", 40),
            ("WorkbookCreated", "Board", 50),
        ];
        let events: Vec<_> = happened
            .iter()
            .map(|(name, luid, minute)| (at(*minute), world.event(name, luid, at(*minute))))
            .collect();
        for (now, event) in &events {
            let outcome = world.attempt(event, *now).await.unwrap();
            assert!(
                matches!(outcome, Outcome::Deferred { until, .. } if until == at(6 * 60 + 60)),
                "{outcome:?}"
            );
        }
        assert!(world.said().is_empty());
        world.run(events.into_iter().map(|(_, event)| (at(7 * 60), event)).collect()).await;

        let said = world.new_messages();
        assert_eq!(said.len(), 1, "{said:#?}");
        for part in [
            "5 events in quiet hours",
            "Extract refresh failed: Sales",
            "2 times",
            "Orders",
            "Board",
            "succeeded",
        ] {
            assert!(said[0].contains(part), "no {part} in\n{}", said[0]);
        }
        // Orders still fails: its recovery is told.
        world.one(SUCCEEDED, "Orders", 8 * 60).await;
        assert!(world.new_messages().last().unwrap().contains("Recovered after 7 h 29 min: Orders"));
    }
}

#[tokio::test]
async fn a_storm_of_five_hundred_failures_is_three_messages_and_accounts_for_each() {
    for (by, count) in [(By::BotToken, 500), (By::WebhookUrls, 150)] {
        let world = World::start(by, RULES).await;
        let names: Vec<String> = (0..count).map(|n| format!("Sales of region {n:03}")).collect();
        let luids: Vec<_> = names.iter().map(|name| world.tableau.add(Datasource::named(name))).collect();
        for luid in &luids {
            world.tableau.fail_refresh(luid, notes::SNOWFLAKE_LOGIN).unwrap();
        }
        // After the jobs have ended.
        let now = Timestamp::now() + SignedDuration::from_secs(1);
        let storm = luids.iter().zip(&names).zip(0_i64..).map(|((luid, name), n)| {
            let happened = now + SignedDuration::from_millis(n * 120);
            (happened, world.named_event(FAILED, luid.as_str(), name, happened))
        });
        let storm: Vec<_> = storm.collect();

        let (end, attempts) = world.run(storm.clone()).await;

        let told = world.new_messages();
        assert_eq!(told.len(), 2, "{by:?}: {}", told.join("\n---\n"));
        let seconds = end.duration_since(now).as_secs();
        assert!(seconds < 300, "{by:?}: all is told after {seconds} s");
        let last = world.said().iter().rev().map(render).next().unwrap();
        assert!(last.contains(&format!("{count} extract refreshes failed")), "{last}");
        assert!(last.contains(&format!("Credentials refused – {count}")), "{last}");
        let named = names.iter().filter(|name| last.contains(*name)).count();
        let more = last.split("… and ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
        assert_eq!(named + more.unwrap_or(0), count, "{last}");

        let recovery = storm.iter().zip(0_i64..).map(|((_, event), n)| {
            let happened = end + SignedDuration::from_secs(600) + SignedDuration::from_millis(n * 50);
            (happened, world.event(SUCCEEDED, event.subject.luid(), happened))
        });
        world.run(recovery.collect()).await;
        let told = world.new_messages();
        assert_eq!(told.len(), 3, "{by:?}: {}", told.join("\n---\n"));
        assert!(told[2].contains(&format!("All {count} recovered after")), "{}", told[2]);
        println!(
            "{by:?}: {count} failures, {} messages, {} changes, {attempts} attempts",
            told.len(),
            world.said().len() - told.len()
        );
    }
}

const QUIET: &str = "
rules:
  - name: quiet
    quiet: { from: 17:00, to: 23:00 }
    on: [DatasourceRefreshFailed, WorkbookUpdated]
    do: [{ notify-slack: { channel: data-alerts } }]
";

#[tokio::test]
async fn a_story_that_is_open_calls_nobody_in_quiet_hours_and_ends_in_the_digest() {
    // 2025-11-24T16:00:00Z is minute 0.
    for (by, changes) in [(By::BotToken, 2), (By::WebhookUrls, 0)] {
        let world = World::start(by, QUIET).await;
        assert_eq!(world.one(FAILED, "Sales", 0).await, Outcome::Done);
        let events =
            [(90, world.event(FAILED, "Sales", at(90))), (120, world.event(SUCCEEDED, "Sales", at(120)))];
        for (minute, event) in &events {
            world.attempt(event, at(*minute)).await.unwrap();
        }
        assert_eq!(world.new_messages().len(), 1, "{by:?}");
        assert_eq!(world.said().len() - 1, changes, "{by:?}: changed in place");
        world.run(events.into_iter().map(|(_, event)| (at(421), event)).collect()).await;
        let said = world.new_messages();
        assert_eq!(said.len(), 2, "{by:?}: {said:#?}");
        assert!(said[1].contains("in quiet hours") && said[1].contains("succeeded"), "{}", said[1]);
    }
}

#[tokio::test]
async fn a_digest_of_a_bad_night_is_taken_by_slack_and_counts_what_it_cannot_name() {
    let world = World::start(By::BotToken, QUIET).await;
    let names =
        (0..120).map(|n| format!("Выручка по региону и очень длинное название {n:03} {}", "ю".repeat(60)));
    let mut events = Vec::new();
    for (name, n) in names.zip(0..) {
        for minute in [90, 150] {
            let event = world.named_event("WorkbookUpdated", &format!("luid-{n}"), &name, at(minute));
            assert!(matches!(world.attempt(&event, at(minute)).await.unwrap(), Outcome::Deferred { .. }));
            events.push((at(421), event));
        }
    }
    world.run(events).await;
    let said = world.new_messages();
    assert_eq!(said.len(), 1, "{:?}", world.slack.refusals());
    assert!(said[0].contains("240 events in quiet hours") && said[0].contains(" more"), "{}", said[0]);
}

#[tokio::test]
async fn a_message_that_was_deleted_is_posted_anew_once() {
    let world = World::start(By::BotToken, RULES).await;
    world.one(FAILED, "Sales", 0).await;
    let first = world.said()[0].clone();
    world.slack.delete(&first.channel, &first.ts);
    for minute in [10, 20, 30] {
        world.one(FAILED, "Sales", minute).await;
    }
    assert_eq!(world.new_messages().len(), 2, "{:#?}", world.new_messages());
}

#[tokio::test]
async fn a_streak_that_lasts_is_told_although_the_object_flapped_before() {
    let world = World::start(By::BotToken, RULES).await;
    for n in 0..4 {
        world.one(FAILED, "Sales", n * 20).await;
        world.one(SUCCEEDED, "Sales", n * 20 + 10).await;
    }
    let before = world.new_messages().len();
    assert!(matches!(world.one(FAILED, "Sales", 100).await, Outcome::Skipped(_)));
    assert_eq!(world.one(FAILED, "Sales", 180).await, Outcome::Done);
    world.one(SUCCEEDED, "Sales", 200).await;
    assert_eq!(world.new_messages().len(), before + 2);
}

#[tokio::test]
async fn one_channel_keeps_no_other_from_hearing_of_a_recovery() {
    let rules = format!(
        "{RULES}  - name: successes\n    on: [DatasourceRefreshSucceeded]\n    do: [{{ notify-slack: {{ channel: data-news }} }}]\n"
    );
    let world = World::start(By::BotToken, &rules).await;
    world.one(FAILED, "Sales", 0).await;
    world.slack.fail_next(1, SlackFault::ServerError);
    let event = world.event(SUCCEEDED, "Sales", at(5));
    assert!(world.attempt(&event, at(5)).await.is_err());
    let news = world.said().iter().filter(|message| message.channel_name == "data-news").count();
    assert_eq!(news, 1, "data-news was told although data-alerts could not be");
    world.run(vec![(at(6), event)]).await;
    let news = world.said().iter().filter(|message| message.channel_name == "data-news").count();
    assert_eq!((news, world.new_messages().len()), (1, 3));
}
