//! Random nights in virtual time: processes die, the table fails, and a destination's answers get lost, some at the
//! same time. At the end no message is red, every failure was announced, and every duplicate message has a reason.

mod hours;
mod judge;
mod table;

use crate::environment::{Arrival, By, Environment, at};
use fastrand::Rng;
use hours::Hours;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use store::records::Records;
use table::{ATTEMPT, Fate, Troubled};
use tableau::Event;
use testkit::simulator::SlackFault;
use timer::TimerMessage;
use tokio::task::JoinSet;
use workflow::{Failure, Outcome};

/// How many nights run per destination, unless `SCENARIO_NIGHTS` sets it. The Slack simulator over HTTP takes longer.
const NIGHTS: u64 = 30;
const NIGHTS_ON_THE_WIRE: u64 = 12;
/// As many attempts as the template's queue allows; here a whole night of faults must end before.
const ATTEMPTS: usize = 60;

/// The channels, and the kind of objects of each channel's messages.
const CHANNELS: [(&str, &str); 2] = [("data-news", "Workbook"), ("data-alerts", "Datasource")];

/// An event being handled, and its outcome.
struct Delivery {
    event: Event,
    object: String,
    channel: &'static str,
    first: Option<usize>,
    /// How many messages had been sent when the event was completed.
    said_before: usize,
    done: Option<(usize, Outcome)>,
    attempts: usize,
    /// Timers that were armed when the event was completed: until they fired, the event's group may not be announced.
    waits_for: Option<BTreeSet<String>>,
    /// When the last of these timers had fired.
    announced: Option<usize>,
}

/// An event or timer that waits for its time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Waiting {
    Event(usize),
    Timer(TimerMessage),
}

/// One night.
struct Night {
    seed: u64,
    by: By,
    environment: Arc<Environment>,
    troubled: Arc<Troubled>,
    rng: Rng,
    hours: BTreeMap<&'static str, Hours>,
    deliveries: Vec<Delivery>,
    /// How many faults happened, by channel.
    wrong: BTreeMap<&'static str, usize>,
    clock: usize,
    timers: usize,
}

impl Night {
    async fn start(seed: u64, by: By) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mild = [1, 4, 12][rng.usize(..3)];
        let troubled = Arc::new(Troubled::new(rng.fork(), seed.is_multiple_of(8), mild));
        let records: Arc<dyn Records> = Arc::<Troubled>::clone(&troubled);
        let hours = CHANNELS.map(|(channel, _)| (channel, Hours::by_chance(&mut rng)));
        let mut rules = "rules:\n".to_owned();
        for ((channel, kind), (_, hours)) in CHANNELS.iter().zip(&hours) {
            rules += &format!(
                "  - name: {kind}s\n{}    on: [{kind}RefreshFailed]\n    do: [{{ notify-slack: {{ channel: {channel} }} }}]\n",
                hours.in_rules(),
            );
        }
        let hours = BTreeMap::from(hours);
        let environment = Environment::with(by, &rules, records).await;
        let mut night = Self {
            seed,
            by,
            environment: Arc::new(environment),
            troubled,
            rng,
            hours,
            deliveries: Vec::new(),
            wrong: BTreeMap::new(),
            clock: 0,
            timers: 0,
        };
        night.plan();
        night
    }

    /// Series of failures of a few objects in two channels. Every series ends with a success.
    fn plan(&mut self) {
        let objects = self.rng.usize(1..12);
        let streaks = [2, 2, 2, 8][self.rng.usize(..4)];
        let pause = [15, 60, 900][self.rng.usize(..3)];
        for n in 0..objects {
            let (channel, kind) = CHANNELS[self.rng.usize(..CHANNELS.len())];
            let object = format!("{kind}-{n:02}");
            let failed = format!("{kind}RefreshFailed");
            let succeeded = format!("{kind}RefreshSucceeded");
            let mut time = at(0) + SignedDuration::from_secs(self.rng.i64(0..90));
            for _ in 0..self.rng.usize(1..=streaks) {
                for _ in 0..self.rng.usize(1..4) {
                    self.happens(&failed, &object, channel, time);
                    time += SignedDuration::from_secs(self.rng.i64(1..pause));
                }
                self.happens(&succeeded, &object, channel, time);
                time += SignedDuration::from_secs(self.rng.i64(1..pause));
            }
        }
    }

    fn happens(&mut self, what: &str, object: &str, channel: &'static str, time: Timestamp) {
        let event = self.environment.event(what, object, time);
        let object = object.to_owned();
        self.deliveries.push(Delivery {
            event,
            object,
            channel,
            first: None,
            said_before: 0,
            done: None,
            attempts: 0,
            waits_for: None,
            announced: None,
        });
    }

    /// Handles every event at or shortly after its time, every timer at its time, and each again when it fails or its
    /// worker dies.
    async fn run(&mut self) {
        let late = |rng: &mut Rng| SignedDuration::from_secs(rng.i64(0..40));
        let mut waiting: BTreeSet<(Timestamp, Waiting)> = BTreeSet::new();
        for (n, delivery) in self.deliveries.iter().enumerate() {
            waiting.insert((delivery.event.created_at.unwrap() + late(&mut self.rng), Waiting::Event(n)));
        }
        let mut now = Timestamp::MIN;
        loop {
            let next = waiting.first().map(|(due, _)| *due);
            let Some(next) = next.into_iter().chain(self.environment.timers.next_due()).min() else { break };
            now = now.max(next);
            for timer in self.environment.timers.take_due(now) {
                self.timers += 1;
                waiting.insert((timer.due, Waiting::Timer(timer)));
            }
            let most = self.rng.usize(1..4);
            let batch: Vec<(Timestamp, Waiting)> =
                waiting.iter().take_while(|(due, _)| *due <= now).take(most).cloned().collect();
            waiting.retain(|one| !batch.contains(one));
            let before = self.environment.said().len();
            let batch = batch.into_iter().map(|(_, what)| what).collect();
            for (again, what) in self.attempt_at_once(batch, now).await {
                waiting.insert((again, what));
            }
            self.hear(before, now);
            self.note_announced(&waiting);
            if self.clock > 4 * self.deliveries.len() {
                self.troubled.calm.store(true, Ordering::SeqCst);
            }
        }
    }

    /// No message mentions users during quiet hours.
    fn hear(&self, before: usize, now: Timestamp) {
        for said in &self.environment.said()[before..] {
            let is_quiet = self.hours[said.channel.as_str()].are_quiet(now);
            if is_quiet && !said.is_edit {
                self.fail(&said.channel, &self.said(&said.channel), &format!("a new message at {now}"));
            }
        }
    }

    /// The groups whose timers are armed or being handled.
    fn pending(&self, waiting: &BTreeSet<(Timestamp, Waiting)>) -> BTreeSet<String> {
        let on_their_way = waiting.iter().filter_map(|(_, what)| match what {
            Waiting::Timer(timer) => Some(timer.key.clone()),
            Waiting::Event(_) => None,
        });
        self.environment.timers.armed().into_iter().map(|timer| timer.key).chain(on_their_way).collect()
    }

    fn note_announced(&mut self, waiting: &BTreeSet<(Timestamp, Waiting)>) {
        let pending = self.pending(waiting);
        for delivery in self.deliveries.iter_mut().filter(|delivery| delivery.announced.is_none()) {
            if delivery.done.is_none() {
                continue;
            }
            let waits_for = delivery.waits_for.get_or_insert_with(|| pending.clone());
            waits_for.retain(|key| pending.contains(key));
            if waits_for.is_empty() {
                delivery.announced = Some(self.clock);
            }
        }
    }

    /// Runs attempts at the same time. Returns when the unfinished ones must be retried.
    async fn attempt_at_once(&mut self, batch: Vec<Waiting>, now: Timestamp) -> Vec<(Timestamp, Waiting)> {
        let mut attempts = JoinSet::new();
        // Clear the faults that no call met last time.
        self.environment.recover();
        for what in batch {
            self.clock += 1;
            let clock = self.clock;
            let arrival = match &what {
                Waiting::Timer(timer) => Arrival::Timer(timer.clone()),
                Waiting::Event(n) => {
                    let said = self.environment.said().len();
                    let delivery = &mut self.deliveries[*n];
                    if delivery.first.is_none() {
                        (delivery.first, delivery.said_before) = (Some(clock), said);
                    }
                    delivery.attempts += 1;
                    let attempts = delivery.attempts;
                    assert!(attempts < ATTEMPTS, "seed {}: {} never ends", self.seed, delivery.event.id);
                    Arrival::Event(Box::new(delivery.event.clone()))
                }
            };
            if !self.troubled.calm.load(Ordering::SeqCst) && self.rng.u32(..100 * self.troubled.mild) < 12 {
                let fault = &FAULTS[self.rng.usize(..FAULTS.len())];
                self.environment.fail_next(1, fault);
            }
            let environment = Arc::clone(&self.environment);
            attempts.spawn(async move {
                let fate = Arc::new(Fate::default());
                let attempt = ATTEMPT.scope(Arc::clone(&fate), environment.arrive(&arrival, now));
                let ended = tokio::select! {
                    ended = attempt => Some(ended),
                    () = fate.died.notified() => None,
                };
                (what, ended, fate.wrong.load(Ordering::SeqCst))
            });
        }
        let mut again = Vec::new();
        while let Some(attempt) = attempts.join_next().await {
            let (what, ended, wrong) = attempt.unwrap();
            self.clock += 1;
            *self.wrong.entry(self.channel_of(&what)).or_default() += wrong;
            let in_seconds = |seconds| now + SignedDuration::from_secs(seconds);
            match ended {
                // The claim or lease of the dead worker must expire first.
                None => again.push((in_seconds(90), what)),
                Some(Err(Failure::Transient { retry_after, .. })) => {
                    let wait = retry_after.map_or(5, |wait| i64::try_from(wait.as_secs()).unwrap() + 1);
                    again.push((in_seconds(wait.max(self.rng.i64(5..15))), what));
                }
                Some(Err(failure)) => panic!("seed {}: {}", self.seed, failure.reason()),
                Some(Ok(Outcome::Deferred { .. })) => panic!("seed {}: nothing is put off", self.seed),
                Some(Ok(outcome)) => {
                    if let Waiting::Event(n) = what {
                        self.deliveries[n].done = Some((self.clock, outcome));
                    }
                }
            }
        }
        again
    }

    fn channel_of(&self, what: &Waiting) -> &'static str {
        match what {
            Waiting::Event(n) => self.deliveries[*n].channel,
            Waiting::Timer(timer) => {
                let of_key = CHANNELS.iter().find(|(channel, _)| timer.key.contains(channel));
                // The timer of an incident has the object's kind in its key.
                let of_object = CHANNELS.iter().find(|(_, kind)| timer.key.contains(kind));
                of_key.or(of_object).unwrap().0
            }
        }
    }
}

const FAULTS: [SlackFault; 4] = [
    SlackFault::ServerError,
    SlackFault::RateLimited { retry_after: 1 },
    SlackFault::Reset,
    SlackFault::AnswerLost,
];

#[expect(clippy::disallowed_methods, reason = "how many nights there are is a matter of the run")]
fn nights(by: By) -> u64 {
    let usual = if by.is_slack() { NIGHTS_ON_THE_WIRE } else { NIGHTS };
    std::env::var("SCENARIO_NIGHTS").map_or(usual, |text| text.parse().unwrap())
}

#[tokio::test]
async fn whatever_dies_fails_or_gets_lost_each_incident_is_announced_and_ends() {
    let mut wrong = 0;
    let mut attempts = 0;
    let mut timers = 0;
    for by in By::ALL {
        for seed in 0..nights(by) {
            let mut night = Night::start(seed, by).await;
            night.run().await;
            night.judge();
            wrong += night.wrong.values().sum::<usize>();
            timers += night.timers;
            attempts += night.deliveries.iter().map(|delivery| delivery.attempts).sum::<usize>();
        }
    }
    println!("{attempts} attempts at events, {timers} timers, {wrong} calls went wrong");
    assert!(wrong > 0, "nothing went wrong");
}
