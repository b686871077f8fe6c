//! The workflow with a clock, a queue and timers that the test controls. The Tableau is a simulator over HTTP; the
//! destination is the Slack simulator over HTTP, or one that records notifications.

use crate::recorder::{Destination, Recorder, Said};
use alerting::{Engine, RulesRouting};
use async_trait::async_trait;
use circuit::Circuits;
use destinations::slack::{Slack, SlackCredential, SlackNotifier};
use guarded_tableau::GuardedTableau;
use jiff::{SignedDuration, Timestamp};
use notify_slack::NotifySlack;
use rules::Rules;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::documents;
use store::records::{MemoryRecords, Records};
use tableau::{Event, Payload};
use tableau_client::{FixedCredential, MemorySessionStore, Settings, TableauClient, TableauCredential};
use testkit::simulator::{
    Fault, SAMPLE_PAT, SlackCall, SlackFault, SlackSimulator, TableauSimulator, render,
};
use timer::{Timer, TimerError, TimerMessage};
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

const NAME: &str = "notify-slack";

/// Notes of an event's outcome, over all its attempts.
#[derive(Clone, Default)]
pub(crate) struct Effects(Arc<Mutex<BTreeSet<Effect>>>);

#[async_trait]
impl EffectLog for Effects {
    async fn record(&self, effect: &Effect) -> Result<(), BoxError> {
        self.0.lock().unwrap().insert(effect.clone());
        Ok(())
    }
}

/// The armed timers. A timer that fired may be armed again by a worker that did not learn of it; then it does not fire
/// again.
#[derive(Clone, Default)]
pub(crate) struct Timers {
    armed: Arc<Mutex<BTreeSet<TimerMessage>>>,
    fired: Arc<Mutex<BTreeSet<TimerMessage>>>,
}

#[async_trait]
impl Timer for Timers {
    async fn ensure(&self, timer: &TimerMessage, _: Timestamp) -> Result<(), TimerError> {
        if !self.fired.lock().unwrap().contains(timer) {
            self.armed.lock().unwrap().insert(timer.clone());
        }
        Ok(())
    }
}

impl Timers {
    /// Removes the timers that are due by this time, the earliest first.
    pub(crate) fn take_due(&self, by: Timestamp) -> Vec<TimerMessage> {
        let mut armed = self.armed.lock().unwrap();
        let mut due: Vec<TimerMessage> = armed.iter().filter(|timer| timer.due <= by).cloned().collect();
        armed.retain(|timer| timer.due > by);
        due.sort_by_key(|timer| timer.due);
        self.fired.lock().unwrap().extend(due.iter().cloned());
        due
    }

    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.armed.lock().unwrap().iter().map(|timer| timer.due).min()
    }

    pub(crate) fn armed(&self) -> BTreeSet<TimerMessage> {
        self.armed.lock().unwrap().clone()
    }
}

/// What the function is invoked with.
#[derive(Clone, Debug)]
pub(crate) enum Arrival {
    Event(Box<Event>),
    Timer(TimerMessage),
}

impl Arrival {
    fn name(&self) -> String {
        match self {
            Self::Event(event) => event.id.to_string(),
            Self::Timer(timer) => format!("{timer:?}"),
        }
    }
}

/// The destination of notifications. With a bot token, messages can be edited; through webhook URLs they cannot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum By {
    BotToken,
    WebhookUrls,
    /// A recording destination whose messages can be edited.
    RecorderOfEdits,
    /// A recording destination whose messages cannot be edited.
    RecorderOfPosts,
}

impl By {
    pub(crate) const ALL: [Self; 4] =
        [Self::BotToken, Self::WebhookUrls, Self::RecorderOfEdits, Self::RecorderOfPosts];
    /// Slack with a bot token: messages can be edited.
    pub(crate) const EDITING: [Self; 2] = [Self::BotToken, Self::RecorderOfEdits];
    /// Slack through webhook URLs: messages cannot be edited.
    pub(crate) const POSTING: [Self; 2] = [Self::WebhookUrls, Self::RecorderOfPosts];

    pub(crate) fn edits(self) -> bool {
        Self::EDITING.contains(&self)
    }

    pub(crate) fn is_slack(self) -> bool {
        matches!(self, Self::BotToken | Self::WebhookUrls)
    }
}

pub(crate) struct Environment {
    pub(crate) by: By,
    pub(crate) tableau: TableauSimulator,
    pub(crate) slack: SlackSimulator,
    pub(crate) timers: Timers,
    recorder: Recorder,
    records: Arc<dyn Records>,
    credential: Value,
    slack_url: String,
    rules: String,
    workflow: NotifySlack<Destination>,
    effects: Mutex<HashMap<String, Effects>>,
    attempts: Mutex<HashMap<String, u32>>,
}

impl Environment {
    pub(crate) async fn start(by: By, rules: &str) -> Self {
        Self::with(by, rules, Arc::new(MemoryRecords::default())).await
    }

    pub(crate) async fn with(by: By, rules: &str, records: Arc<dyn Records>) -> Self {
        let tableau = TableauSimulator::empty().start().await.unwrap();
        // Otherwise each failure without a job at Tableau waits for a second lookup.
        tableau.fail_always("GET */jobs*", Fault::Error("403000"));
        let slack = SlackSimulator::start().await.unwrap();
        let channels = ["data-alerts", "data-news"].map(|channel| (channel, slack.add_webhook(channel)));
        let credential = match by {
            By::WebhookUrls => json!({ "webhook_urls": BTreeMap::from(channels) }),
            _ => json!({ "bot_token": slack.token() }),
        };
        let recorder = Recorder::new(by.edits());
        let timers = Timers::default();
        let slack_url = slack.api_url();
        let rules = rules.to_owned();
        let workflow = workflow(&Parts {
            tableau: &tableau,
            recorder: (!by.is_slack()).then_some(&recorder),
            credential: &credential,
            slack_url: &slack_url,
            rules: &rules,
            records: &records,
            timers: &timers,
        });
        Self {
            by,
            tableau,
            slack,
            timers,
            recorder,
            records,
            credential,
            slack_url,
            rules,
            workflow,
            effects: Mutex::default(),
            attempts: Mutex::default(),
        }
    }

    fn restarted(mut self) -> Self {
        self.workflow = workflow(&Parts {
            tableau: &self.tableau,
            recorder: (!self.by.is_slack()).then_some(&self.recorder),
            credential: &self.credential,
            slack_url: &self.slack_url,
            rules: &self.rules,
            records: &self.records,
            timers: &self.timers,
        });
        self
    }

    /// The environment with Slack at this URL.
    pub(crate) fn with_slack_at(mut self, api_url: String) -> Self {
        self.slack_url = api_url;
        self.restarted()
    }

    /// The environment after a change of the rules.
    pub(crate) fn with_rules(mut self, rules: &str) -> Self {
        rules.clone_into(&mut self.rules);
        self.restarted()
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
        self.arrive(&Arrival::Event(Box::new(event.clone())), now).await
    }

    /// One attempt at an event or a timer.
    pub(crate) async fn arrive(&self, arrival: &Arrival, now: Timestamp) -> Result<Outcome, Failure> {
        let name = arrival.name();
        let effects = self.effects.lock().unwrap().entry(name.clone()).or_default().clone();
        let number = {
            let mut attempts = self.attempts.lock().unwrap();
            let number = attempts.entry(name).or_default();
            *number += 1;
            *number
        };
        let known = effects.0.lock().unwrap().clone();
        let invocation = Invocation::new("r", now, Duration::from_secs(60));
        let invocation = invocation.repeated(number, known, Arc::new(effects));
        match arrival {
            Arrival::Event(event) => self.workflow.handle(event, &invocation).await,
            Arrival::Timer(timer) => self.workflow.on_timer(timer, &invocation).await,
        }
    }

    /// Handles events and timers at their times, and retries failed ones, until none are left. Returns when the last
    /// was completed, and how many timers fired.
    pub(crate) async fn run(&self, events: Vec<(Timestamp, Event)>) -> (Timestamp, usize) {
        let events = events.into_iter().map(|(at, event)| (at, Arrival::Event(Box::new(event))));
        self.run_until(events.collect(), Timestamp::MAX).await
    }

    async fn run_until(&self, arrivals: Vec<(Timestamp, Arrival)>, end: Timestamp) -> (Timestamp, usize) {
        let mut waiting: BTreeMap<(Timestamp, usize), Arrival> =
            arrivals.into_iter().enumerate().map(|(n, (at, arrival))| ((at, n), arrival)).collect();
        let mut now = Timestamp::MIN;
        let mut numbers = waiting.len();
        let mut fired = 0;
        loop {
            let next = waiting.first_key_value().map(|((at, _), _)| *at);
            let Some(next) = next.into_iter().chain(self.timers.next_due()).min() else { break };
            if next > end {
                break;
            }
            for timer in self.timers.take_due(next.max(now)) {
                (numbers, fired) = (numbers + 1, fired + 1);
                waiting.insert((timer.due.max(now), numbers), Arrival::Timer(timer));
            }
            let Some(((due, _), arrival)) = waiting.pop_first() else { continue };
            now = now.max(due);
            match self.arrive(&arrival, now).await {
                Ok(Outcome::Deferred { .. }) => panic!("nothing is put off: {arrival:?}"),
                Ok(_) => {}
                Err(Failure::Transient { retry_after, .. }) => {
                    let wait = retry_after.map_or(SignedDuration::from_secs(15), |wait| {
                        SignedDuration::try_from(wait).unwrap() + SignedDuration::from_secs(1)
                    });
                    numbers += 1;
                    waiting.insert((now + wait, numbers), arrival);
                }
                Err(failure) => panic!("{}", failure.reason()),
            }
        }
        (now, fired)
    }

    /// Fires the timers that are due by this time.
    pub(crate) async fn wait_until(&self, at: Timestamp) {
        self.run_until(Vec::new(), at).await;
    }

    /// Fires all timers, whenever they are due.
    pub(crate) async fn settle(&self) {
        self.run_until(Vec::new(), Timestamp::MAX).await;
    }

    /// The hourly sweep at this time.
    pub(crate) async fn sweep(&self, at: Timestamp) {
        let invocation = Invocation::new("sweep", at, Duration::from_secs(60));
        self.workflow.on_sweep(&invocation).await.unwrap();
    }

    /// Handles an event at once, after the timers that are due before it.
    pub(crate) async fn one(&self, name: &str, luid: &str, minute: i64) -> Outcome {
        self.wait_until(at(minute)).await;
        self.attempt(&self.event(name, luid, at(minute)), at(minute)).await.unwrap()
    }

    pub(crate) fn fail_next(&self, times: u32, fault: &SlackFault) {
        if self.by.is_slack() {
            self.slack.fail_next(times, fault.clone());
        } else {
            self.recorder.fail_next(times, fault);
        }
    }

    /// Clears faults that no call met.
    pub(crate) fn recover(&self) {
        self.slack.recover();
        self.recorder.recover();
    }

    /// A user deletes a message.
    pub(crate) fn delete(&self, said: &Said) {
        if self.by.is_slack() {
            let message = self.slack.messages().into_iter().find(|message| message.ts == said.id).unwrap();
            self.slack.delete(&message.channel, &message.ts);
        } else {
            self.recorder.delete(&said.id);
        }
    }

    pub(crate) fn said(&self) -> Vec<Said> {
        if !self.by.is_slack() {
            return self.recorder.said();
        }
        let said = self.slack.messages().into_iter().map(|message| Said {
            text: render(&message),
            channel: message.channel_name,
            id: message.ts,
            is_edit: message.call == SlackCall::Update,
            reply_to: message.thread_ts,
            is_broadcast: message.reply_broadcast,
            answered: message.answered,
        });
        said.collect()
    }

    /// What a channel shows: each message in its last edited form.
    pub(crate) fn seen(&self, channel: &str) -> Vec<String> {
        let mut seen: Vec<Said> = Vec::new();
        for said in self.said().into_iter().filter(|said| said.channel == channel) {
            match seen.iter_mut().find(|earlier| said.is_edit && earlier.id == said.id) {
                Some(earlier) => earlier.text = said.text,
                None => seen.push(said),
            }
        }
        seen.into_iter().map(|said| said.text).collect()
    }

    /// The new messages in a channel, without edits of earlier ones.
    pub(crate) fn new_messages(&self) -> Vec<String> {
        self.said().into_iter().filter(|said| !said.is_edit).map(|said| said.text).collect()
    }
}

struct Parts<'a> {
    tableau: &'a TableauSimulator,
    recorder: Option<&'a Recorder>,
    credential: &'a Value,
    slack_url: &'a str,
    rules: &'a str,
    records: &'a Arc<dyn Records>,
    timers: &'a Timers,
}

fn workflow(parts: &Parts<'_>) -> NotifySlack<Destination> {
    let http = http_client::client(None).unwrap();
    let pat = TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1);
    let client = TableauClient::new(
        http.clone(),
        Settings::new(&parts.tableau.url(), "marketing", "").unwrap(),
        Arc::new(FixedCredential::new(pat)),
        Arc::new(MemorySessionStore::default()),
    );
    let tableau = GuardedTableau::new(client, Circuits::new(documents(None), NAME, "Tableau"));
    let destination = match parts.recorder {
        Some(recorder) => Destination::Recorder(recorder.clone()),
        None => {
            let credential: SlackCredential = serde_json::from_value(parts.credential.clone()).unwrap();
            let url = parts.slack_url.parse().unwrap();
            let slack = Slack::new(http, url, Arc::new(Fixed::new(credential)));
            Destination::Slack(Box::new(SlackNotifier::new(
                slack,
                Circuits::new(documents(None), NAME, "Slack"),
            )))
        }
    };
    let rules = Rules::parse(parts.rules).unwrap();
    let routing = RulesRouting::new(rules.into(), tableau, Arc::clone(parts.records));
    let timer: Arc<dyn Timer> = Arc::new(parts.timers.clone());
    let records = Arc::clone(parts.records);
    NotifySlack { engine: Engine::new(NAME, records, Some(timer), destination, routing) }
}

pub(crate) fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000).unwrap() + SignedDuration::from_mins(minute)
}

pub(crate) const FAILED: &str = "DatasourceRefreshFailed";
pub(crate) const SUCCEEDED: &str = "DatasourceRefreshSucceeded";
pub(crate) const STARTED: &str = "DatasourceRefreshStarted";
