//! A store, timers, a destination and rules that the test controls, and a worker that can die at any call.

use alerting::context::{Context, Lookup};
use alerting::impact::ImpactLookup;
use alerting::incident::{MessageRef, RefreshKind};
use alerting::notification::Notification;
use alerting::notifier::{Delivered, Delivery, Notifier, Occurrence, Routed, Routing, Targeted, Undelivered};
use alerting::{Capabilities, Schedule};
use async_trait::async_trait;
use jiff::Timestamp;
use rules::{Matched, Site};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use store::records::{Change, Commit, Key, Marked, Record, Records};
use tableau::Event;
use tableau_client::{Cause, CauseClass};
use timer::{Timer, TimerError, TimerMessage};
use workflow::{BoxError, Effect, EffectLog, Failure, Invocation};

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

/// When the worker dies, and how many calls it made.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// How many calls succeed before the worker dies.
    pub(crate) left: Option<u32>,
    /// Whether the last call is carried out and only its answer is lost.
    pub(crate) happens: bool,
    pub(crate) is_dead: bool,
    pub(crate) requests: u32,
    /// The kinds of the partitions that were listed.
    pub(crate) listed: BTreeSet<String>,
}

/// The effect of one call.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Step {
    Happens,
    HappensUnheard,
    Fails,
}

/// A worker that dies at a chosen call.
#[derive(Clone, Default)]
pub(crate) struct Worker(pub(crate) Arc<Mutex<Steps>>);

impl Worker {
    pub(crate) fn step(&self) -> Step {
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

    pub(crate) fn hear<T>(step: Step, value: T) -> Result<T, BoxError> {
        if step == Step::Happens { Ok(value) } else { Err("the worker was killed".into()) }
    }
}

pub(crate) struct Store {
    pub(crate) records: Arc<dyn Records>,
    pub(crate) worker: Worker,
}

impl Store {
    pub(crate) fn step(&self) -> Result<Step, BoxError> {
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
        let kind = partition.split('#').next().unwrap_or_default().to_owned();
        self.worker.0.lock().unwrap().listed.insert(kind);
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

pub(crate) struct Timers {
    pub(crate) set: Arc<Mutex<BTreeMap<TimerMessage, Timestamp>>>,
    pub(crate) fired: Arc<Mutex<BTreeSet<TimerMessage>>>,
    pub(crate) worker: Worker,
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
    pub(crate) target: String,
    pub(crate) shown: Notification,
    pub(crate) edits: u32,
    /// Whether the answer about the message was lost: then no document knows the message.
    pub(crate) is_orphan: bool,
    pub(crate) is_closed: bool,
}

#[derive(Default)]
pub(crate) struct Channel {
    pub(crate) messages: Vec<Message>,
    pub(crate) replies: Vec<Notification>,
    pub(crate) failures: u32,
    /// How many of the next notifications arrive while their answers are lost.
    pub(crate) lost_answers: u32,
    /// How many of the next notifications are refused permanently: the app is not in the channel.
    pub(crate) refusals: u32,
    /// The channel whose notifications are refused permanently, and how many were.
    pub(crate) archived: Option<&'static str>,
    pub(crate) refused: u32,
    /// Whether the destination tells no updates.
    pub(crate) tells_ends_only: bool,
    /// Whether the destination finds what has ended by its key.
    pub(crate) ends_by_key: bool,
    /// Ends that changed what the destination found by its key: the ids of the incidents.
    pub(crate) ended: Vec<String>,
}

#[derive(Clone)]
pub(crate) struct Destination {
    pub(crate) channel: Arc<Mutex<Channel>>,
    pub(crate) capabilities: Capabilities,
    pub(crate) worker: Worker,
}

#[async_trait]
impl Notifier for Destination {
    type Target = String;

    async fn capabilities(&self) -> Result<Capabilities, Failure> {
        Ok(self.capabilities)
    }

    fn sends_updates(&self) -> bool {
        !self.channel.lock().unwrap().tells_ends_only
    }

    fn ends_by_key(&self) -> bool {
        self.channel.lock().unwrap().ends_by_key
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
        if channel.refusals > 0 || channel.archived == Some(target.as_str()) {
            channel.refusals = channel.refusals.saturating_sub(1);
            channel.refused += 1;
            let failure = Failure::permanent("not_in_channel");
            return Err(Undelivered { failure, maybe_sent: false });
        }
        let is_lost = channel.lost_answers > 0;
        channel.lost_answers -= u32::from(is_lost);
        let is_heard = step == Step::Happens && !is_lost;
        let mut delivered = Delivered::default();
        let mut post = |channel: &mut Channel| {
            let message = Message {
                target: target.clone(),
                shown: notification.clone(),
                edits: 0,
                is_orphan: !is_heard,
                is_closed: false,
            };
            channel.messages.push(message);
            let id = (channel.messages.len() - 1).to_string();
            let reference = MessageRef { conversation: target.clone(), id };
            delivered = Delivered {
                message: self.capabilities.edit.then_some(reference),
                audible: true,
                note: None,
                skipped: None,
            };
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
            Delivery::Close { message: None, audible: false } => {
                channel.ended.extend(notification.thread.clone());
            }
        }
        if is_heard { Ok(delivered) } else { Err(undelivered(true)) }
    }
}

fn edit(channel: &mut Channel, message: &MessageRef, notification: &Notification) {
    let id: usize = message.id.parse().unwrap();
    channel.messages[id].shown = notification.clone();
    channel.messages[id].edits += 1;
}

/// The questions that Tableau was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) contexts: u32,
    pub(crate) impacts: u32,
    pub(crate) last_refreshes: u32,
    pub(crate) is_down: bool,
}

/// The rules of these tests: every event goes to the same channels, on this schedule.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) asked: Arc<Mutex<Asked>>,
    pub(crate) schedule: Arc<Mutex<Schedules>>,
    pub(crate) kind: Arc<Mutex<RefreshKind>>,
    pub(crate) last_success: Arc<Mutex<Option<Timestamp>>>,
    pub(crate) impact: Arc<Mutex<Option<ImpactLookup>>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Schedules {
    pub(crate) channels: Vec<&'static str>,
    pub(crate) names: Vec<&'static str>,
    pub(crate) quiet: Option<(Timestamp, Timestamp)>,
    pub(crate) muted_until: Option<Timestamp>,
    pub(crate) critical: bool,
    /// The object whose rule is muted, and until when.
    pub(crate) muted_object: Option<(&'static str, Timestamp)>,
    /// Objects whose names begin with this channel's name go to this channel alone.
    pub(crate) by_name: bool,
    /// Whether the destination can close messages at a target that no rule names any more.
    pub(crate) ends_unnamed: bool,
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

    fn channels(&self, now: Timestamp) -> Vec<Targeted<String>> {
        let schedule = self.schedule(now);
        let channels = self.schedule.lock().unwrap().channels.clone();
        let target = |key: &str| Targeted::new(key, key.to_owned(), schedule);
        channels.into_iter().map(target).collect()
    }
}

#[async_trait]
impl Routing<String> for Rules {
    async fn route(
        &self,
        event: &Event,
        _: Option<u32>,
        invocation: &Invocation,
    ) -> Result<Routed<String>, Failure> {
        let stored = Occurrence { event: event.clone(), matched: None };
        Ok(Routed { targets: self.targets(&stored, invocation.now)?, matched: Matched::default() })
    }

    fn targets(&self, event: &Occurrence, now: Timestamp) -> Result<Vec<Targeted<String>>, Failure> {
        let is_named = self.schedule.lock().unwrap().names.contains(&event.name.as_str());
        let mut targets = if is_named { self.channels(now) } else { Vec::new() };
        let schedules = self.schedule.lock().unwrap();
        let object = event.subject.luid();
        if schedules.by_name {
            targets.retain(|target| object.starts_with(&target.key));
        }
        if let Some((_, until)) =
            schedules.muted_object.filter(|(muted, until)| *muted == object && now < *until)
        {
            targets.iter_mut().for_each(|target| target.schedule = Schedule::Muted(until));
        }
        Ok(targets)
    }

    fn failure_targets(&self, _: &Event, now: Timestamp) -> Result<Vec<Targeted<String>>, Failure> {
        Ok(self.channels(now))
    }

    fn named(&self, key: &str) -> Result<Option<String>, Failure> {
        Ok(self.schedule.lock().unwrap().channels.contains(&key).then(|| key.to_owned()))
    }

    fn unnamed(&self, key: &str) -> Option<String> {
        self.schedule.lock().unwrap().ends_unnamed.then(|| key.to_owned())
    }

    fn site(&self, _: &Event) -> Option<Site> {
        None
    }

    async fn context(&self, event: &Event, _: &Invocation) -> Result<Context, Failure> {
        self.asked.lock().unwrap().contexts += 1;
        let cause = Cause {
            class: CauseClass::Credentials,
            line: "Login failed.".to_owned(),
            next_step: String::new(),
            job: "j-1".parse().unwrap(),
            refresh: None,
        };
        let is_failure = event.name.as_str() == FAILED;
        let cause = if is_failure { Lookup::Found(cause) } else { Lookup::NotAsked };
        let refresh = *self.kind.lock().unwrap();
        Ok(Context { cause, refresh, ..Context::default() })
    }

    async fn impact(&self, _: &Event, _: &Context, _: &Invocation) -> Option<ImpactLookup> {
        self.asked.lock().unwrap().impacts += 1;
        self.impact.lock().unwrap().clone()
    }

    async fn last_success(
        &self,
        failure: &Event,
        _: RefreshKind,
        _: &Invocation,
    ) -> Result<Option<Timestamp>, Failure> {
        let mut asked = self.asked.lock().unwrap();
        asked.last_refreshes += 1;
        if asked.is_down {
            return Err(Failure::transient("Tableau does not answer"));
        }
        let failed_at = failure.created_at;
        Ok(self.last_success.lock().unwrap().filter(|at| Some(*at) > failed_at))
    }

    async fn success_kind(&self, _: &Event, _: &Invocation) -> Result<RefreshKind, Failure> {
        Ok(*self.kind.lock().unwrap())
    }
}

/// Notes of an event's outcome, over all its attempts.
#[derive(Clone, Default)]
pub(crate) struct Effects(pub(crate) Arc<Mutex<BTreeSet<Effect>>>, pub(crate) Worker);

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
