//! The engine with a clock, a queue, timers and a destination that the test controls, and workers that die anywhere.

use alerting::context::{Context, Lookup};
use alerting::incident::{MessageRef, RefreshKind};
use alerting::notification::{Item, Kind, List, Notification};
use alerting::notifier::{Delivered, Delivery, Notifier, Routing, Targeted, Undelivered};
use alerting::records::{Change, Commit, Key, Marked, MemoryRecords, Record, Records};
use alerting::{Capabilities, Engine, Schedule};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rules::Site;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tableau::{Event, Payload};
use tableau_client::{Cause, CauseClass};
use timer::{Timer, TimerError, TimerMessage};
use workflow::{BoxError, Effect, EffectLog, Failure, Invocation, Outcome};

pub(crate) const EDITS: Capabilities =
    Capabilities { edit: true, thread: true, idempotency_key: false, grouping: true };
pub(crate) const POSTS: Capabilities = Capabilities { edit: false, thread: false, ..EDITS };

pub(crate) const FAILED: &str = "DatasourceRefreshFailed";
pub(crate) const SUCCEEDED: &str = "DatasourceRefreshSucceeded";
pub(crate) const DELETED: &str = "DatasourceDeleted";
pub(crate) const UPDATED: &str = "WorkbookUpdated";

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_764_000_000 + second).unwrap()
}

/// When the worker dies, and what it has counted.
#[derive(Debug, Default)]
struct Steps {
    /// So many calls succeed before the worker dies.
    left: Option<u32>,
    /// Whether the last call still happens, and only its answer is lost.
    happens: bool,
    is_dead: bool,
    requests: u32,
}

/// What one call does.
#[derive(Clone, Copy, PartialEq)]
enum Step {
    Happens,
    HappensUnheard,
    Fails,
}

/// A worker that dies at a chosen call.
#[derive(Clone, Default)]
struct Worker(Arc<Mutex<Steps>>);

impl Worker {
    fn step(&self) -> Step {
        let mut steps = self.0.lock().unwrap();
        if steps.is_dead {
            return Step::Fails;
        }
        match &mut steps.left {
            Some(0) => {
                steps.is_dead = true;
                if steps.happens { Step::HappensUnheard } else { Step::Fails }
            }
            Some(left) => {
                *left -= 1;
                Step::Happens
            }
            None => Step::Happens,
        }
    }

    fn hear<T>(step: Step, value: T) -> Result<T, BoxError> {
        if step == Step::Happens { Ok(value) } else { Err("the worker was killed".into()) }
    }
}

struct Store {
    records: MemoryRecords,
    worker: Worker,
}

impl Store {
    fn step(&self) -> Result<Step, BoxError> {
        let step = self.worker.step();
        if step == Step::Fails {
            return Err("the worker was killed".into());
        }
        self.worker.0.lock().unwrap().requests += 1;
        Ok(step)
    }
}

#[async_trait]
impl Records for Store {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Record>>, BoxError> {
        let step = self.step()?;
        Worker::hear(step, self.records.load(keys).await?)
    }

    async fn list(&self, partition: &str) -> Result<Vec<(String, Record)>, BoxError> {
        let step = self.step()?;
        Worker::hear(step, self.records.list(partition).await?)
    }

    async fn commit(&self, changes: &[Change]) -> Result<Commit, BoxError> {
        let step = self.step()?;
        Worker::hear(step, self.records.commit(changes).await?)
    }

    async fn raise_mark(&self, key: &Key, mark: i64, expires_at: Timestamp) -> Result<Marked, BoxError> {
        let step = self.step()?;
        Worker::hear(step, self.records.raise_mark(key, mark, expires_at).await?)
    }

    async fn due(&self, before: Timestamp, limit: usize) -> Result<Vec<Key>, BoxError> {
        let step = self.step()?;
        Worker::hear(step, self.records.due(before, limit).await?)
    }
}

struct Timers {
    set: Arc<Mutex<BTreeMap<TimerMessage, Timestamp>>>,
    fired: Arc<Mutex<BTreeSet<TimerMessage>>>,
    worker: Worker,
}

#[async_trait]
impl Timer for Timers {
    async fn ensure(&self, timer: &TimerMessage, _: Timestamp) -> Result<(), TimerError> {
        let killed = || TimerError::not_confirmed("the worker was killed");
        let step = self.worker.step();
        if step == Step::Fails {
            return Err(killed());
        }
        if !self.fired.lock().unwrap().contains(timer) {
            self.set.lock().unwrap().entry(timer.clone()).or_insert(timer.due);
        }
        if step == Step::Happens { Ok(()) } else { Err(killed()) }
    }
}

/// A message in the channel.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) shown: Notification,
    pub(crate) edits: u32,
    /// Whether the answer about it was lost: no document knows it.
    pub(crate) is_orphan: bool,
    pub(crate) is_closed: bool,
}

#[derive(Default)]
pub(crate) struct Channel {
    pub(crate) messages: Vec<Message>,
    pub(crate) replies: Vec<Notification>,
    failures: u32,
}

#[derive(Clone)]
struct Destination {
    channel: Arc<Mutex<Channel>>,
    capabilities: Capabilities,
    worker: Worker,
}

#[async_trait]
impl Notifier for Destination {
    type Target = String;

    async fn capabilities(&self) -> Result<Capabilities, Failure> {
        Ok(self.capabilities)
    }

    async fn deliver(
        &self,
        target: &String,
        delivery: Delivery<'_>,
        notification: &Notification,
        _: &Invocation,
    ) -> Result<Delivered, Undelivered> {
        let undelivered =
            |maybe_sent| Undelivered { failure: Failure::transient("the destination is down"), maybe_sent };
        let step = self.worker.step();
        let mut channel = self.channel.lock().unwrap();
        if step == Step::Fails {
            return Err(undelivered(false));
        }
        if channel.failures > 0 {
            channel.failures -= 1;
            return Err(undelivered(false));
        }
        let is_heard = step == Step::Happens;
        let mut delivered = Delivered::default();
        let mut post = |channel: &mut Channel| {
            let message =
                Message { shown: notification.clone(), edits: 0, is_orphan: !is_heard, is_closed: false };
            channel.messages.push(message);
            let id = (channel.messages.len() - 1).to_string();
            let reference = MessageRef { conversation: target.clone(), id };
            delivered = Delivered { message: self.capabilities.edit.then_some(reference), audible: true };
        };
        match delivery {
            Delivery::Post => post(&mut channel),
            Delivery::Edit { message, .. } => edit(&mut channel, message, notification),
            Delivery::Close { message: Some(message), audible } => {
                edit(&mut channel, message, notification);
                let id: usize = message.id.parse().unwrap();
                channel.messages[id].is_closed = true;
                if audible {
                    channel.replies.push(notification.clone());
                }
            }
            Delivery::Close { message: None, audible: true } => post(&mut channel),
            Delivery::Close { message: None, audible: false } => {}
        }
        if is_heard { Ok(delivered) } else { Err(undelivered(true)) }
    }
}

fn edit(channel: &mut Channel, message: &MessageRef, notification: &Notification) {
    let id: usize = message.id.parse().unwrap();
    channel.messages[id].shown = notification.clone();
    channel.messages[id].edits += 1;
}

/// The rules of these tests: everything goes to one channel, on this schedule.
#[derive(Clone)]
struct Rules {
    schedule: Arc<Mutex<Schedules>>,
    kind: Arc<Mutex<RefreshKind>>,
    lookups: Arc<Mutex<u32>>,
    last_success: Arc<Mutex<Option<Timestamp>>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Schedules {
    pub(crate) names: Vec<&'static str>,
    pub(crate) quiet: Option<(Timestamp, Timestamp)>,
    pub(crate) muted_until: Option<Timestamp>,
    pub(crate) critical: bool,
}

impl Rules {
    fn schedule(&self, now: Timestamp) -> Schedule {
        let schedules = self.schedule.lock().unwrap();
        if schedules.critical {
            return Schedule::Critical;
        }
        if let Some(until) = schedules.muted_until.filter(|until| now < *until) {
            return Schedule::Muted(until);
        }
        match schedules.quiet {
            Some((from, until)) if from <= now && now < until => Schedule::DeferUntil(until),
            _ => Schedule::Now,
        }
    }

    fn channel(&self, now: Timestamp) -> Vec<Targeted<String>> {
        let schedule = self.schedule(now);
        vec![Targeted { key: "data".to_owned(), settings: "data".to_owned(), schedule }]
    }
}

#[async_trait]
impl Routing<String> for Rules {
    fn targets(&self, event: &Event, now: Timestamp) -> Result<Vec<Targeted<String>>, Failure> {
        let is_named = self.schedule.lock().unwrap().names.contains(&event.name.as_str());
        Ok(if is_named { self.channel(now) } else { Vec::new() })
    }

    fn failure_targets(&self, _: &Event, now: Timestamp) -> Result<Vec<Targeted<String>>, Failure> {
        Ok(self.channel(now))
    }

    fn named(&self, key: &str) -> Result<Option<String>, Failure> {
        Ok((key == "data").then(|| key.to_owned()))
    }

    fn unnamed(&self, key: &str) -> Option<String> {
        Some(key.to_owned())
    }

    fn site(&self, _: &Event) -> Option<Site> {
        None
    }

    async fn context(&self, event: &Event, _: &Invocation) -> Result<Context, Failure> {
        *self.lookups.lock().unwrap() += 1;
        let cause = Cause {
            class: CauseClass::Credentials,
            line: "Login failed.".to_owned(),
            job: "j-1".parse().unwrap(),
        };
        let is_failure = event.name.as_str() == FAILED;
        let cause = if is_failure { Lookup::Found(cause) } else { Lookup::NotAsked };
        Ok(Context { content: Lookup::NotAsked, cause })
    }

    async fn last_success(&self, failure: &Event, _: &Invocation) -> Result<Option<Timestamp>, Failure> {
        let failed_at = failure.created_at;
        Ok(self.last_success.lock().unwrap().filter(|at| Some(*at) > failed_at))
    }

    async fn refresh_kind(&self, _: &Event, _: &Invocation) -> Result<RefreshKind, Failure> {
        Ok(*self.kind.lock().unwrap())
    }
}

/// What was written down of an event in all its attempts.
#[derive(Clone, Default)]
struct Effects(Arc<Mutex<BTreeSet<Effect>>>, Worker);

#[async_trait]
impl EffectLog for Effects {
    async fn record(&self, effect: &Effect) -> Result<(), BoxError> {
        let step = self.1.step();
        if step == Step::Fails {
            return Err("the worker was killed".into());
        }
        self.0.lock().unwrap().insert(effect.clone());
        Worker::hear(step, ())
    }
}

pub(crate) struct World {
    engine: Engine<Destination, Rules>,
    worker: Worker,
    channel: Arc<Mutex<Channel>>,
    rules: Rules,
    timers: Arc<Mutex<BTreeMap<TimerMessage, Timestamp>>>,
    fired: Arc<Mutex<BTreeSet<TimerMessage>>>,
    effects: BTreeMap<String, Effects>,
    attempts: BTreeMap<String, u32>,
    pub(crate) timer_messages: u32,
    capabilities: Capabilities,
    has_died: bool,
}

/// What comes to the function.
enum Arrival {
    Event(Box<Event>),
    Timer(TimerMessage),
}

impl World {
    pub(crate) fn new(capabilities: Capabilities) -> Self {
        let worker = Worker::default();
        let channel = Arc::new(Mutex::new(Channel::default()));
        let timers = Arc::new(Mutex::new(BTreeMap::new()));
        let fired = Arc::new(Mutex::new(BTreeSet::new()));
        let schedules = Schedules { names: vec![FAILED], quiet: None, muted_until: None, critical: false };
        let rules = Rules {
            schedule: Arc::new(Mutex::new(schedules)),
            kind: Arc::default(),
            lookups: Arc::default(),
            last_success: Arc::default(),
        };
        let destination = Destination { channel: Arc::clone(&channel), capabilities, worker: worker.clone() };
        let timer = Timers { set: Arc::clone(&timers), fired: Arc::clone(&fired), worker: worker.clone() };
        let store = Store { records: MemoryRecords::default(), worker: worker.clone() };
        let engine =
            Engine::new("notify-test", Arc::new(store), Some(Arc::new(timer)), destination, rules.clone());
        Self {
            engine,
            worker,
            channel,
            rules,
            timers,
            fired,
            effects: BTreeMap::new(),
            attempts: BTreeMap::new(),
            timer_messages: 0,
            capabilities,
            has_died: false,
        }
    }

    pub(crate) fn rules(&self, change: impl FnOnce(&mut Schedules)) {
        change(&mut self.rules.schedule.lock().unwrap());
    }

    pub(crate) fn refresh_kind(&self, kind: RefreshKind) {
        *self.rules.kind.lock().unwrap() = kind;
    }

    /// Tableau's job list has a success at this time, whose event never came.
    pub(crate) fn lost_success(&self, second: i64) {
        *self.rules.last_success.lock().unwrap() = Some(at(second));
    }

    /// All timers that are set are lost: their queue was replaced.
    pub(crate) fn lose_timers(&self) {
        self.timers.lock().unwrap().clear();
    }

    pub(crate) async fn sweep(&self, second: i64) -> Result<Outcome, Failure> {
        let invocation = Invocation::new("sweep", at(second), Duration::from_secs(60)).repeated(
            1,
            BTreeSet::new(),
            Arc::new(Effects(Arc::default(), self.worker.clone())),
        );
        self.engine.on_sweep(&invocation).await
    }

    pub(crate) fn fail_next_deliveries(&self, count: u32) {
        self.channel.lock().unwrap().failures = count;
    }

    /// The worker that handles the next arrival dies after so many calls.
    pub(crate) fn die_after(&self, calls: u32, happens: bool) {
        let mut steps = self.worker.0.lock().unwrap();
        *steps = Steps { left: Some(calls), happens, is_dead: false, requests: steps.requests };
    }

    pub(crate) fn requests(&self) -> u32 {
        self.worker.0.lock().unwrap().requests
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        self.channel.lock().unwrap().messages.clone()
    }

    pub(crate) fn replies(&self) -> Vec<Notification> {
        self.channel.lock().unwrap().replies.clone()
    }

    /// The headlines of new messages and replies, in their order of kinds: messages first.
    pub(crate) fn headlines(&self) -> Vec<String> {
        self.messages().iter().map(|message| message.shown.headline()).collect()
    }

    async fn attempt(&mut self, arrival: &Arrival, now: Timestamp) -> Result<Outcome, Failure> {
        let name = match arrival {
            Arrival::Event(event) => event.id.to_string(),
            Arrival::Timer(timer) => format!("{timer:?}"),
        };
        let attempt = self.attempts.entry(name.clone()).or_default();
        *attempt += 1;
        let effects =
            self.effects.entry(name).or_insert_with(|| Effects(Arc::default(), self.worker.clone())).clone();
        let known = effects.0.lock().unwrap().clone();
        let invocation =
            Invocation::new("r", now, Duration::from_secs(60)).repeated(*attempt, known, Arc::new(effects));
        match arrival {
            Arrival::Event(event) => self.engine.on_event(event, &invocation).await,
            Arrival::Timer(timer) => self.engine.on_timer(timer, &invocation).await,
        }
    }

    /// Handles events at their times, and timers at theirs, until nothing is left before `end`. Arrivals that fail come
    /// again after 15 seconds; those whose worker died, after 90. `deaths`: at which arrival, counted from 0, after how
    /// many calls, and whether the last call happens.
    pub(crate) async fn run(
        &mut self,
        events: Vec<(i64, Event)>,
        deaths: &BTreeMap<usize, (u32, bool)>,
        end: Timestamp,
    ) -> Timestamp {
        let mut queue: BTreeMap<(Timestamp, usize), Arrival> = BTreeMap::new();
        for (n, (second, event)) in events.into_iter().enumerate() {
            queue.insert((at(second), n), Arrival::Event(Box::new(event)));
        }
        let mut numbers = 1_000_000;
        let mut arrivals = 0;
        let mut now = Timestamp::MIN;
        loop {
            for (timer, due) in std::mem::take(&mut *self.timers.lock().unwrap()) {
                numbers += 1;
                self.timer_messages += 1;
                self.fired.lock().unwrap().insert(timer.clone());
                queue.insert((due, numbers), Arrival::Timer(timer));
            }
            let Some(((due, _), arrival)) = queue.pop_first() else { break };
            now = now.max(due);
            if now > end {
                break;
            }
            let death = deaths.get(&arrivals).copied();
            arrivals += 1;
            match death {
                Some((calls, happens)) => self.die_after(calls, happens),
                None => self.worker.0.lock().unwrap().left = None,
            }
            let result = self.attempt(&arrival, now).await;
            let is_dead = {
                let mut steps = self.worker.0.lock().unwrap();
                steps.left = None;
                std::mem::take(&mut steps.is_dead)
            };
            self.has_died |= is_dead;
            numbers += 1;
            match result {
                _ if is_dead => {
                    queue.insert((now + SignedDuration::from_secs(90), numbers), arrival);
                }
                Ok(_) => {}
                Err(Failure::Transient { retry_after, .. }) => {
                    let wait = retry_after.unwrap_or(Duration::from_secs(15));
                    queue.insert((now + SignedDuration::try_from(wait).unwrap(), numbers), arrival);
                }
                Err(failure) => panic!("{}", failure.reason()),
            }
        }
        now
    }

    /// One event, and the timers that are due at the same second.
    pub(crate) async fn one(&mut self, name: &str, object: &str, second: i64) -> Outcome {
        let event = event(name, object, second);
        self.attempt(&Arrival::Event(Box::new(event)), at(second)).await.unwrap()
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// The objects that the channel shows as failing. A message that cannot be edited stays
    /// as it is, and a later one says that the object, or all of a group, recovered.
    /// Messages about many for which `is_waiting` holds do not count.
    pub(crate) fn shown_failing(&self, is_waiting: impl Fn(&[String]) -> bool) -> BTreeSet<String> {
        let messages = self.messages();
        let mut failing = BTreeSet::new();
        for (n, message) in messages.iter().enumerate().filter(|(_, message)| !message.is_closed) {
            let later = &messages[n + 1..];
            let ends = |kind| later.iter().filter(move |message| message.shown.kind == kind);
            let ends_in_digest = |end: &Message, name: &String| {
                let items = end.shown.lists.iter().flat_map(|list| &list.items);
                let is_end = |item: &Item| {
                    item.what.as_ref().is_some_and(|what| what.contains("succeeded") || what == "Recovered")
                };
                items.filter(|item| is_end(item)).any(|item| item.name == *name)
            };
            let is_over = |name: &String| {
                ends(Kind::Resolved).any(|end| end.shown.subject.as_ref() == Some(name))
                    || ends(Kind::Digest).any(|end| ends_in_digest(end, name))
                    || ends(Kind::GroupOpened).any(|group| names_failing(&group.shown).contains(name))
            };
            let names = names_failing(&message.shown);
            let is_of_many = message.shown.subject.is_none();
            if is_of_many && is_waiting(&names) {
                continue;
            }
            let ends_a_group = |end: &Message| {
                let items = end.shown.lists.iter().flat_map(|list| &list.items);
                items.filter(|item| item.what.as_deref() == Some("Recovered")).count() > 0
            };
            let is_group_over =
                ends(Kind::GroupResolved).next().is_some() || ends(Kind::Digest).any(ends_a_group);
            // A digest is followed by the group of those that it named, and a message whose sender died before it could
            // write its receipt by one more.
            let is_superseded = (message.shown.kind == Kind::Digest || self.has_died)
                && (ends(Kind::GroupUpdated).next().is_some() || ends(Kind::GroupOpened).next().is_some());
            if is_of_many && (is_group_over || is_superseded) {
                continue;
            }
            failing.extend(names.into_iter().filter(|name| !is_over(name)));
        }
        failing
    }
}

/// The objects that a message shows as failing.
fn names_failing(shown: &Notification) -> Vec<String> {
    let names = |items: &[Item]| items.iter().map(|item| item.name.clone()).collect();
    match shown.kind {
        Kind::Opened | Kind::Updated => shown.subject.iter().cloned().collect(),
        Kind::GroupOpened | Kind::GroupUpdated => shown.lists.iter().flat_map(names_of).collect(),
        Kind::Digest if shown.lists.len() > 1 => names(&shown.lists[0].items),
        _ => Vec::new(),
    }
}

fn names_of(list: &List) -> Vec<String> {
    list.items.iter().map(|item| item.name.clone()).collect()
}

pub(crate) fn event(name: &str, object: &str, second: i64) -> Event {
    let payload = json!({
        "resource": "EXTRACTS", "event_type": name, "resource_name": object, "resource_luid": object,
        "site_luid": "s-1", "created_at": at(second).to_string(),
    });
    Event::try_from(&Payload::parse(payload.to_string().as_bytes()).unwrap()).unwrap()
}

pub(crate) const FOR_EVER: i64 = 30 * 24 * 3_600;
