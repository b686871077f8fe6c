//! The alerting engine with Slack as its destination, and a clock that the tests move.

use crate::channel;
use alerting::context::{Context, Lookup};
use alerting::notification::{About, Notification, event as announced};
use alerting::notifier::{Occurrence, Routed, Routing, Targeted};
use alerting::{Engine, Schedule};
use async_trait::async_trait;
use destinations::slack::SlackNotifier;
use jiff::{SignedDuration, Timestamp};
use rules::settings::NotifySlack;
use rules::{Matched, Site};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::records::MemoryRecords;
use tableau::{Action, Event, Payload};
use tableau_client::{Cause, CauseClass};
use timer::{MemoryTimer, TimerMessage};
use workflow::{Failure, Invocation, NoEffectLog};

pub(crate) const FAILED: &str = "DatasourceRefreshFailed";
pub(crate) const SUCCEEDED: &str = "DatasourceRefreshSucceeded";

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + second).unwrap()
}

pub(crate) fn event(name: &str, object: &str, second: i64) -> Event {
    let payload = json!({
        "resource": "DATASOURCE", "event_type": name, "resource_name": object, "resource_luid": object,
        "site_luid": "s-1", "created_at": at(second).to_string(),
    });
    Event::try_from(&Payload::parse(payload.to_string().as_bytes()).unwrap()).unwrap()
}

/// A notification with this title, about the object Sales.
pub(crate) fn notification(title: &str) -> Notification {
    let event = event("DatasourceUpdated", "Sales", 0);
    let about = About { event: &event, site: None, context: &Context::default() };
    Notification { title: title.to_owned(), ..announced(&about) }
}

/// Rules that send every event to the channel `data-alerts`, in quiet hours as a digest.
struct Rules {
    quiet: Option<(Timestamp, Timestamp)>,
}

impl Rules {
    fn targeted(&self, now: Timestamp) -> Vec<Targeted<NotifySlack>> {
        let schedule = match self.quiet {
            Some((from, until)) if from <= now && now < until => Schedule::DeferUntil(until),
            _ => Schedule::Now,
        };
        vec![Targeted::new("data-alerts", channel("data-alerts"), schedule)]
    }
}

#[async_trait]
impl Routing<NotifySlack> for Rules {
    async fn route(
        &self,
        event: &Event,
        _: Option<u32>,
        invocation: &Invocation,
    ) -> Result<Routed<NotifySlack>, Failure> {
        let stored = Occurrence { event: event.clone(), matched: None };
        Ok(Routed { targets: self.targets(&stored, invocation.now)?, matched: Matched::default() })
    }

    fn targets(&self, event: &Occurrence, now: Timestamp) -> Result<Vec<Targeted<NotifySlack>>, Failure> {
        let is_named = event.name.action() != Some(Action::RefreshSucceeded);
        Ok(if is_named { self.targeted(now) } else { Vec::new() })
    }

    fn failure_targets(&self, _: &Event, now: Timestamp) -> Result<Vec<Targeted<NotifySlack>>, Failure> {
        Ok(self.targeted(now))
    }

    fn named(&self, key: &str) -> Result<Option<NotifySlack>, Failure> {
        Ok((key == "data-alerts").then(|| channel(key)))
    }

    fn unnamed(&self, key: &str) -> Option<NotifySlack> {
        Some(channel(key))
    }

    fn site(&self, _: &Event) -> Option<Site> {
        None
    }

    async fn context(&self, event: &Event, _: &Invocation) -> Result<Context, Failure> {
        let cause = Cause {
            class: CauseClass::Credentials,
            line: "Login failed.".to_owned(),
            next_step: String::new(),
            job: "j-1".parse().unwrap(),
            refresh: None,
        };
        let has_failed = event.name.action() == Some(Action::RefreshFailed);
        let cause = if has_failed { Lookup::Found(cause) } else { Lookup::NotAsked };
        Ok(Context { cause, ..Context::default() })
    }
}

/// What the function is invoked with.
enum Arrival {
    Event(Box<Event>),
    Timer(TimerMessage),
}

pub(crate) struct Environment {
    engine: Engine<SlackNotifier, Rules>,
    timer: Arc<MemoryTimer>,
    /// The attempts that failed and were retried.
    pub(crate) retries: Mutex<Vec<String>>,
}

impl Environment {
    pub(crate) fn new(notifier: SlackNotifier, quiet: Option<(Timestamp, Timestamp)>) -> Self {
        let timer = Arc::new(MemoryTimer::default());
        let records = Arc::new(MemoryRecords::default());
        let armed = Arc::<MemoryTimer>::clone(&timer);
        let engine = Engine::new("notify-slack", records, Some(armed), notifier, Rules { quiet });
        Self { engine, timer, retries: Mutex::default() }
    }

    /// Handles events and timers at their times until none are left. Temporary failures are retried.
    pub(crate) async fn run(&self, events: Vec<(i64, Event)>) {
        let mut queue = BTreeMap::new();
        let mut attempts: BTreeMap<usize, u32> = BTreeMap::new();
        for (n, (second, event)) in events.into_iter().enumerate() {
            queue.insert((at(second), n), Arrival::Event(Box::new(event)));
        }
        let mut numbers = 1_000_000;
        let mut now = Timestamp::MIN;
        loop {
            let next_event = queue.keys().next().map(|(due, _)| *due);
            let next_timer = self.timer.next_at();
            let Some(due) = [next_event, next_timer].into_iter().flatten().min() else { break };
            now = now.max(due);
            for timer in self.timer.fire(now) {
                numbers += 1;
                queue.insert((now, numbers), Arrival::Timer(timer));
            }
            let Some(((_, number), arrival)) = queue.pop_first() else { continue };
            let attempt = attempts.entry(number).or_default();
            *attempt += 1;
            let invocation = Invocation::new("r", now, Duration::from_secs(60)).repeated(
                *attempt,
                BTreeSet::new(),
                Arc::new(NoEffectLog),
            );
            let result = match &arrival {
                Arrival::Event(event) => self.engine.on_event(event, &invocation).await,
                Arrival::Timer(timer) => self.engine.on_timer(timer, &invocation).await,
            };
            match result {
                Ok(_) => {}
                Err(failure @ Failure::Transient { .. }) => {
                    self.retries.lock().unwrap().push(failure.reason());
                    let Failure::Transient { retry_after, .. } = failure else { continue };
                    let wait =
                        SignedDuration::try_from(retry_after.unwrap_or(Duration::from_secs(15))).unwrap();
                    queue.insert((now + wait, number), arrival);
                }
                Err(failure) => panic!("{}", failure.reason()),
            }
        }
    }
}
