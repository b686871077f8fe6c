//! The alerting engine with a clock, a queue, timers and a destination that the test controls, and workers that can
//! die at any call.

use alerting::impact::ImpactLookup;
use alerting::incident::RefreshKind;
use alerting::notification::{Item, Kind, List, Notification};
use alerting::{Capabilities, Engine};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::records::{MemoryRecords, Records};
use tableau::{Event, Payload};
use timer::TimerMessage;
use workflow::{Failure, Invocation, Outcome};

use crate::doubles::{
    Asked, Channel, Destination, Effects, Message, Rules, Schedules, Store, Timers, Worker,
};
pub(crate) use crate::doubles::{DELETED, EDITS, FAILED, POSTS, SUCCEEDED, UPDATED, at};

/// A workflow of the stack, so that keys can be compared with its role.
pub(crate) const WORKFLOW: &str = "notify-slack";

pub(crate) struct Environment {
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
    clock: Timestamp,
    /// What happens when a worker's calls fail: the worker dies and its event returns after the claim expires, or the
    /// attempt fails and the event returns soon.
    pub(crate) survives: bool,
}

/// What the function is invoked with.
enum Arrival {
    Event(Box<Event>),
    Timer(TimerMessage),
}

impl Environment {
    pub(crate) fn new(capabilities: Capabilities) -> Self {
        Self::on(Arc::new(MemoryRecords::default()), capabilities)
    }

    /// An environment whose documents are stored in `records`.
    pub(crate) fn on(records: Arc<dyn Records>, capabilities: Capabilities) -> Self {
        let worker = Worker::default();
        let channel = Arc::new(Mutex::new(Channel::default()));
        let timers = Arc::new(Mutex::new(BTreeMap::new()));
        let fired = Arc::new(Mutex::new(BTreeSet::new()));
        let schedules = Schedules {
            channels: vec!["data"],
            names: vec![FAILED],
            quiet: None,
            muted_until: None,
            critical: false,
            muted_object: None,
            by_name: false,
            ends_unnamed: true,
        };
        let rules = Rules {
            asked: Arc::default(),
            schedule: Arc::new(Mutex::new(schedules)),
            kind: Arc::default(),
            last_success: Arc::default(),
            impact: Arc::default(),
        };
        let destination = Destination { channel: Arc::clone(&channel), capabilities, worker: worker.clone() };
        let timer = Timers { set: Arc::clone(&timers), fired: Arc::clone(&fired), worker: worker.clone() };
        let store = Store { records, worker: worker.clone() };
        let engine =
            Engine::new(WORKFLOW, Arc::new(store), Some(Arc::new(timer)), destination, rules.clone());
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
            clock: Timestamp::MIN,
            survives: false,
        }
    }

    pub(crate) fn rules(&self, change: impl FnOnce(&mut Schedules)) {
        change(&mut self.rules.schedule.lock().unwrap());
    }

    pub(crate) fn refresh_kind(&self, kind: RefreshKind) {
        *self.rules.kind.lock().unwrap() = kind;
    }

    /// What Tableau says about the workbooks that use any data source.
    pub(crate) fn impact_is(&self, impact: ImpactLookup) {
        *self.rules.impact.lock().unwrap() = Some(impact);
    }

    pub(crate) fn asked(&self) -> Asked {
        *self.rules.asked.lock().unwrap()
    }

    pub(crate) fn tableau_is_down(&self, is_down: bool) {
        self.rules.asked.lock().unwrap().is_down = is_down;
    }

    /// Tableau's job list has a success at this time whose event never arrived.
    pub(crate) fn lost_success(&self, second: i64) {
        *self.rules.last_success.lock().unwrap() = Some(at(second));
    }

    /// All armed timers are lost, as if their queue had been replaced.
    pub(crate) fn lose_timers(&self) {
        self.timers.lock().unwrap().clear();
    }

    pub(crate) async fn sweep(&mut self, second: i64) -> Result<Outcome, Failure> {
        self.clock = self.clock.max(at(second));
        // As in the runtime: a failed sweep is not retried.
        let invocation = Invocation::new("sweep", at(second), Duration::from_secs(60));
        self.engine.on_sweep(&invocation).await
    }

    pub(crate) fn fail_next_deliveries(&self, count: u32) {
        self.channel.lock().unwrap().failures = count;
    }

    pub(crate) fn channel(&self, change: impl FnOnce(&mut Channel)) {
        change(&mut self.channel.lock().unwrap());
    }

    pub(crate) fn lose_next_answers(&self, count: u32) {
        self.channel.lock().unwrap().lost_answers = count;
    }

    /// Revives the worker.
    pub(crate) fn revive(&self) {
        let mut steps = self.worker.0.lock().unwrap();
        steps.left = None;
        steps.is_dead = false;
    }

    /// How many timers are armed.
    pub(crate) fn timers(&self) -> usize {
        self.timers.lock().unwrap().len()
    }

    /// The worker that handles the next invocation dies after this many calls.
    pub(crate) fn die_after(&self, calls: u32, happens: bool) {
        let mut steps = self.worker.0.lock().unwrap();
        steps.left = Some(calls);
        steps.happens = happens;
        steps.is_dead = false;
    }

    /// The kinds of the partitions that were listed.
    pub(crate) fn listed(&self) -> BTreeSet<String> {
        self.worker.0.lock().unwrap().listed.clone()
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

    /// The headlines of new messages and replies: messages first.
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

    /// Handles events and timers at their times until none are left before `end`. Failed invocations return after 15
    /// seconds; those whose worker died, after 90 seconds. `deaths` says at which invocation (from 0) and after how
    /// many calls a worker dies, and whether the last call is carried out.
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
        let mut now = self.clock;
        loop {
            for (timer, due) in std::mem::take(&mut *self.timers.lock().unwrap()) {
                numbers += 1;
                self.timer_messages += 1;
                self.fired.lock().unwrap().insert(timer.clone());
                queue.insert((due, numbers), Arrival::Timer(timer));
            }
            let Some(((due, _), arrival)) = queue.pop_first() else { break };
            if now.max(due) > end {
                // Keep the timers for the rest of the test.
                queue.insert((due, 0), arrival);
                for ((due, _), arrival) in queue {
                    if let Arrival::Timer(timer) = arrival {
                        self.fired.lock().unwrap().remove(&timer);
                        self.timers.lock().unwrap().insert(timer, due);
                    }
                }
                break;
            }
            now = now.max(due);
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
                    let wait = SignedDuration::from_secs(if self.survives { 15 } else { 90 });
                    queue.insert((now + wait, numbers), arrival);
                }
                Ok(_) => {}
                Err(Failure::Transient { retry_after, .. }) => {
                    let wait = retry_after.unwrap_or(Duration::from_secs(15));
                    queue.insert((now + SignedDuration::try_from(wait).unwrap(), numbers), arrival);
                }
                // The message becomes a dead letter.
                Err(Failure::Permanent { .. }) => {}
                Err(failure) => panic!("{}", failure.reason()),
            }
        }
        self.clock = now;
        now
    }

    /// Handles one event, and the timers that are due in the same second.
    pub(crate) async fn one(&mut self, name: &str, object: &str, second: i64) -> Outcome {
        let event = event(name, object, second);
        self.attempt(&Arrival::Event(Box::new(event)), at(second)).await.unwrap()
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// The objects that the channel shows as failing. A message that cannot be edited stays, and a later message says
    /// that the object or the whole group recovered. Messages about many objects for which `is_waiting` holds do not
    /// count.
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
            // A digest is followed by the group of the objects that it named. A message whose sender died before it
            // wrote the receipt is followed by a second message.
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
pub(crate) fn names_failing(shown: &Notification) -> Vec<String> {
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
