//! The workflow with a clock that the test sets, in front of a Tableau and a Slack on the wire.

use async_trait::async_trait;
use circuit::Circuits;
use destinations::slack::{Slack, SlackCredential};
use jiff::{SignedDuration, Timestamp};
use notify_slack::{GuardedSlack, NotifySlack};
use rules::Rules;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{Documents, documents};
use tableau::{Event, Payload};
use tableau_client::{MemorySessionStore, Settings, TableauClient, TableauCredential};
use testkit::simulator::{
    Fault, SAMPLE_PAT, SlackCall, SlackMessage, SlackRecorder, TableauSimulator, render,
};
use workflow::{BoxError, Effect, EffectLog, Failure, Fixed, Invocation, Outcome, Workflow};

pub(crate) const RULES: &str = "
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
pub(crate) struct Effects(Arc<Mutex<BTreeSet<Effect>>>);

#[async_trait]
impl EffectLog for Effects {
    async fn record(&self, effect: &Effect) -> Result<(), BoxError> {
        self.0.lock().unwrap().insert(effect.clone());
        Ok(())
    }
}

pub(crate) struct World {
    pub(crate) tableau: TableauSimulator,
    pub(crate) slack: SlackRecorder,
    workflow: NotifySlack,
    credential: Value,
    effects: Mutex<HashMap<String, Effects>>,
}

fn guarded(api_url: String, credential: &Value, documents: &Documents) -> GuardedSlack {
    let credential: SlackCredential = serde_json::from_value(credential.clone()).unwrap();
    let http = http_client::client(None).unwrap();
    let circuits = Circuits::new(documents.clone(), NotifySlack::NAME, "Slack");
    GuardedSlack::new(Slack::new(http, api_url.parse().unwrap(), Arc::new(Fixed::new(credential))), circuits)
}

/// With a bot token, messages can be changed; through webhook URLs they cannot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum By {
    BotToken,
    WebhookUrls,
}

impl World {
    pub(crate) async fn start(by: By, rules: &str) -> Self {
        Self::with(by, rules, documents(None)).await
    }

    pub(crate) async fn with(by: By, rules: &str, documents: Documents) -> Self {
        let tableau = TableauSimulator::empty().start().await.unwrap();
        // Else each failure without a job waits for a second look.
        tableau.fail_always("GET */jobs*", Fault::Error("403000"));
        let slack = SlackRecorder::start().await.unwrap();
        let channels = ["data-alerts", "data-news"].map(|channel| (channel, slack.add_webhook(channel)));
        let credential = match by {
            By::BotToken => json!({ "bot_token": slack.token() }),
            By::WebhookUrls => json!({ "webhook_urls": std::collections::BTreeMap::from(channels) }),
        };
        let http = http_client::client(None).unwrap();
        let pat = TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1);
        let client = TableauClient::new(
            http,
            Settings::new(&tableau.url(), "marketing", "").unwrap(),
            Arc::new(Fixed::new(pat)),
            Arc::new(MemorySessionStore::default()),
        );
        let workflow = NotifySlack {
            tableau: client,
            slack: guarded(slack.api_url(), &credential, &documents),
            rules: Arc::new(Ok(Rules::parse(rules).unwrap())),
            documents,
        };
        Self { tableau, slack, workflow, credential, effects: Mutex::default() }
    }

    /// The same, with a Slack at this URL.
    pub(crate) fn with_slack_at(mut self, api_url: String) -> Self {
        self.workflow.slack = guarded(api_url, &self.credential, &self.workflow.documents);
        self
    }

    /// The same, after somebody changed the rules.
    pub(crate) fn with_rules(mut self, rules: &str) -> Self {
        self.workflow.rules = Arc::new(Ok(Rules::parse(rules).unwrap()));
        self
    }

    pub(crate) fn event(&self, name: &str, luid: &str, at: Timestamp) -> Event {
        self.named_event(name, luid, luid, at)
    }

    pub(crate) fn named_event(&self, name: &str, luid: &str, resource_name: &str, at: Timestamp) -> Event {
        let payload = json!({
            "resource": "EXTRACTS", "event_type": name, "resource_name": resource_name, "resource_luid": luid,
            "site_luid": self.tableau.site().as_str(), "created_at": format!("{at:.0}"),
        });
        Event::try_from(&Payload::parse(payload.to_string().as_bytes()).unwrap()).unwrap()
    }

    /// One attempt at an event.
    pub(crate) async fn attempt(&self, event: &Event, now: Timestamp) -> Result<Outcome, Failure> {
        let effects = self.effects.lock().unwrap().entry(event.id.to_string()).or_default().clone();
        let known = effects.0.lock().unwrap().clone();
        let invocation = Invocation::new("r", now, Duration::from_secs(60));
        self.workflow.handle(event, &invocation.repeated(1, known, Arc::new(effects))).await
    }

    /// Handles events at their times, and again when they are put off or fail, as their queue does it. When the last
    /// was done, and how often one was begun.
    pub(crate) async fn run(&self, events: Vec<(Timestamp, Event)>) -> (Timestamp, usize) {
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

    pub(crate) async fn one(&self, name: &str, luid: &str, minute: i64) -> Outcome {
        self.attempt(&self.event(name, luid, at(minute)), at(minute)).await.unwrap()
    }

    pub(crate) fn said(&self) -> Vec<SlackMessage> {
        self.slack.messages()
    }

    /// Messages that are new in a channel, without changes of earlier ones.
    pub(crate) fn new_messages(&self) -> Vec<String> {
        let said = self.said();
        said.iter().filter(|message| message.call != SlackCall::Update).map(render).collect()
    }
}

pub(crate) fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000).unwrap() + SignedDuration::from_mins(minute)
}

pub(crate) const FAILED: &str = "DatasourceRefreshFailed";
pub(crate) const SUCCEEDED: &str = "DatasourceRefreshSucceeded";
pub(crate) const STARTED: &str = "DatasourceRefreshStarted";
