//! Stories while processes die, the table fails and Slack's answers get lost: by chance, in virtual time, some at once.
//! At the end nothing is red, nobody was forgotten, and what was said twice has a reason.

mod hours;
mod judge;
mod table;

use crate::world::{By, World, at};
use fastrand::Rng;
use hours::Hours;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use store::{Documents, Store};
use table::{ATTEMPT, Fate, Troubled};
use tableau::Event;
use testkit::simulator::{SlackCall, SlackFault};
use tokio::task::JoinSet;
use workflow::{Failure, Outcome};

/// How many nights of each kind, unless `STORY_NIGHTS` says otherwise.
const NIGHTS: u64 = 60;
/// As many attempts as the template's queue allows; here a whole night of trouble has to end before.
const ATTEMPTS: usize = 60;

/// Channels, and the kind of objects that each is told of.
const CHANNELS: [(&str, &str); 2] = [("data-news", "Workbook"), ("data-alerts", "Datasource")];

/// An event on its way, and what came of it.
struct Delivery {
    event: Event,
    object: String,
    channel: &'static str,
    first: Option<usize>,
    /// How much had been said then.
    said_before: usize,
    done: Option<(usize, Outcome)>,
    attempts: usize,
}

/// A night.
struct Night {
    seed: u64,
    by: By,
    world: Arc<World>,
    troubled: Arc<Troubled>,
    rng: Rng,
    hours: BTreeMap<&'static str, Hours>,
    deliveries: Vec<Delivery>,
    /// How often something went wrong, by channel.
    wrong: BTreeMap<&'static str, usize>,
    clock: usize,
}

impl Night {
    async fn start(seed: u64, by: By) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mild = [1, 4, 12][rng.usize(..3)];
        let troubled = Arc::new(Troubled::new(rng.fork(), seed.is_multiple_of(8), mild));
        let store: Arc<dyn Store> = Arc::<Troubled>::clone(&troubled);
        let hours = CHANNELS.map(|(channel, _)| (channel, Hours::by_chance(&mut rng)));
        let mut rules = "rules:\n".to_owned();
        for ((channel, kind), (_, hours)) in CHANNELS.iter().zip(&hours) {
            rules += &format!(
                "  - name: {kind}s\n{}    on: [{kind}RefreshFailed]\n    do: [{{ notify-slack: {{ channel: {channel} }} }}]\n",
                hours.in_rules(),
            );
        }
        let hours = BTreeMap::from(hours);
        let world = World::with(by, &rules, Documents::new(store)).await;
        let mut night = Self {
            seed,
            by,
            world: Arc::new(world),
            troubled,
            rng,
            hours,
            deliveries: Vec::new(),
            wrong: BTreeMap::new(),
            clock: 0,
        };
        night.plan();
        night
    }

    /// Streaks of failures that all end, of a few objects in two channels.
    fn plan(&mut self) {
        let objects = self.rng.usize(1..12);
        let streaks = [2, 2, 2, 8][self.rng.usize(..4)];
        let pause = [15, 60, 900][self.rng.usize(..3)];
        for n in 0..objects {
            let (channel, kind) = CHANNELS[self.rng.usize(..CHANNELS.len())];
            let object = format!("{kind}-{n:02}");
            let (failed, succeeded) = (format!("{kind}RefreshFailed"), format!("{kind}RefreshSucceeded"));
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
        let event = self.world.event(what, object, time);
        let object = object.to_owned();
        self.deliveries.push(Delivery {
            event,
            object,
            channel,
            first: None,
            said_before: 0,
            done: None,
            attempts: 0,
        });
    }

    /// Every event at its time or a little later, and again when it is put off, fails or dies.
    async fn run(&mut self) {
        let late = |rng: &mut Rng| SignedDuration::from_secs(rng.i64(0..40));
        let mut waiting: BTreeSet<(Timestamp, usize)> = BTreeSet::new();
        for (n, delivery) in self.deliveries.iter().enumerate() {
            waiting.insert((delivery.event.created_at.unwrap() + late(&mut self.rng), n));
        }
        let mut now = Timestamp::MIN;
        while let Some((due, _)) = waiting.first().copied() {
            now = now.max(due);
            let most = self.rng.usize(1..4);
            let batch: Vec<usize> =
                waiting.iter().take_while(|(due, _)| *due <= now).take(most).map(|(_, n)| *n).collect();
            waiting.retain(|(_, n)| !batch.contains(n));
            let before = self.world.said().len();
            for (n, again) in self.attempt_at_once(&batch, now).await {
                waiting.insert((again, n));
            }
            self.hear(before, now);
            if self.clock > 4 * self.deliveries.len() {
                self.troubled.calm.store(true, Ordering::SeqCst);
            }
        }
    }

    /// In quiet hours nobody is called.
    fn hear(&self, before: usize, now: Timestamp) {
        for message in &self.world.said()[before..] {
            let is_quiet = self.hours[message.channel_name.as_str()].are_quiet(now);
            if is_quiet && message.call != SlackCall::Update {
                let said = self.said(&message.channel_name);
                self.fail(&message.channel_name, &said, &format!("a new message at {now}"));
            }
        }
    }

    /// Attempts at the same time; when to come again, for those that are not done.
    async fn attempt_at_once(&mut self, batch: &[usize], now: Timestamp) -> Vec<(usize, Timestamp)> {
        let mut attempts = JoinSet::new();
        // Those that nobody met last time.
        self.world.slack.recover();
        for n in batch {
            self.clock += 1;
            let clock = self.clock;
            let delivery = &mut self.deliveries[*n];
            if delivery.first.is_none() {
                (delivery.first, delivery.said_before) = (Some(clock), self.world.said().len());
            }
            delivery.attempts += 1;
            assert!(delivery.attempts < ATTEMPTS, "seed {}: {} never ends", self.seed, delivery.event.id);
            if !self.troubled.calm.load(Ordering::SeqCst) && self.rng.u32(..100 * self.troubled.mild) < 12 {
                self.world.slack.fail_next(1, SLACK_FAULTS[self.rng.usize(..SLACK_FAULTS.len())].clone());
            }
            let (n, world, event) = (*n, Arc::clone(&self.world), delivery.event.clone());
            attempts.spawn(async move {
                let fate = Arc::new(Fate::default());
                let attempt = ATTEMPT.scope(Arc::clone(&fate), world.attempt(&event, now));
                let ended = tokio::select! {
                    ended = attempt => Some(ended),
                    () = fate.died.notified() => None,
                };
                (n, ended, fate.wrong.load(Ordering::SeqCst))
            });
        }
        let mut again = Vec::new();
        while let Some(attempt) = attempts.join_next().await {
            let (n, ended, wrong) = attempt.unwrap();
            self.clock += 1;
            let delivery = &mut self.deliveries[n];
            *self.wrong.entry(delivery.channel).or_default() += wrong;
            let in_seconds = |seconds| now + SignedDuration::from_secs(seconds);
            match ended {
                // The claim of one that died has to end first.
                None => again.push((n, in_seconds(90))),
                Some(Err(Failure::Transient { retry_after, .. })) => {
                    let wait = retry_after.map_or(5, |wait| i64::try_from(wait.as_secs()).unwrap() + 1);
                    again.push((n, in_seconds(wait.max(self.rng.i64(5..15)))));
                }
                Some(Err(failure)) => panic!("seed {}: {}", self.seed, failure.reason()),
                Some(Ok(Outcome::Deferred { until, .. })) => again.push((n, until.max(in_seconds(1)))),
                Some(Ok(outcome)) => delivery.done = Some((self.clock, outcome)),
            }
        }
        again
    }
}

const SLACK_FAULTS: [SlackFault; 4] = [
    SlackFault::ServerError,
    SlackFault::RateLimited { retry_after: 1 },
    SlackFault::Reset,
    SlackFault::AnswerLost,
];

#[expect(clippy::disallowed_methods, reason = "how many nights there are is a matter of the run")]
fn nights() -> u64 {
    std::env::var("STORY_NIGHTS").map_or(NIGHTS, |text| text.parse().unwrap())
}

#[tokio::test]
async fn whatever_dies_fails_or_gets_lost_each_story_is_told_and_ends() {
    let (mut wrong, mut attempts) = (0, 0);
    for seed in 0..nights() {
        for by in [By::BotToken, By::WebhookUrls] {
            let mut night = Night::start(seed, by).await;
            night.run().await;
            night.judge();
            wrong += night.wrong.values().sum::<usize>();
            attempts += night.deliveries.iter().map(|delivery| delivery.attempts).sum::<usize>();
        }
    }
    println!("{attempts} attempts, {wrong} of them went wrong");
    assert!(wrong > 0, "nothing went wrong");
}
