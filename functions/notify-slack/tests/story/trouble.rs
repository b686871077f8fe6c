//! Stories while processes die, the table fails and Slack's answers get lost: by chance, in virtual time, some at once.
//! At the end nothing is red, nobody was forgotten, and what was said twice has a reason.

use crate::world::{By, World, at};
use async_trait::async_trait;
use fastrand::Rng;
use incidents::{DocumentStore, Documents, MemoryDocuments};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tableau::{Action, Event};
use testkit::simulator::{SlackCall, SlackFault, SlackMessage, render};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use workflow::{BoxError, Failure, Outcome};

/// How many nights.
const RUNS: u64 = 400;
/// As many attempts as the template's queue allows; here a whole night of trouble has to end before.
const ATTEMPTS: usize = 60;

tokio::task_local! {
    /// The attempt under way.
    static ATTEMPT: Arc<Fate>;
}

/// What becomes of an attempt.
#[derive(Debug, Default)]
pub(crate) struct Fate {
    died: Notify,
    /// How often something went wrong after which nobody knows what was said.
    wrong: AtomicUsize,
}

impl Fate {
    fn fail<T>(&self, why: &str) -> Result<T, BoxError> {
        self.wrong.fetch_add(1, Ordering::SeqCst);
        Err(why.into())
    }

    /// The process ends here.
    async fn die(&self) -> ! {
        self.wrong.fetch_add(1, Ordering::SeqCst);
        self.died.notify_one();
        std::future::pending().await
    }
}

/// A table that fails, and at which processes die.
struct Troubled {
    table: MemoryDocuments,
    rng: Mutex<Rng>,
    calm: AtomicBool,
    /// How bad the night is: one is as bad as it gets.
    mild: u32,
}

impl Troubled {
    /// One of a thousand, in the worst of nights.
    fn draw(&self) -> u32 {
        let drawn = self.rng.lock().unwrap().u32(..1_000 * self.mild);
        if self.calm.load(Ordering::SeqCst) { 1_000 } else { drawn }
    }

    async fn pause(&self) {
        let others = self.rng.lock().unwrap().u32(..8);
        for _ in 0..others {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl DocumentStore for Troubled {
    async fn read(&self, key: &str) -> Result<(u64, Option<String>), BoxError> {
        self.pause().await;
        match self.draw() {
            0..5 => ATTEMPT.get().die().await,
            5..15 => ATTEMPT.get().fail("throttled"),
            _ => self.table.read(key).await,
        }
    }

    async fn write(&self, key: &str, version: u64, text: &str, end: Timestamp) -> Result<bool, BoxError> {
        self.pause().await;
        let drawn = self.draw();
        match drawn {
            0..20 => ATTEMPT.get().die().await,
            20..40 => return ATTEMPT.get().fail("throttled"),
            _ => {}
        }
        let written = self.table.write(key, version, text, end).await;
        match drawn {
            40..60 => ATTEMPT.get().die().await,
            60..80 => ATTEMPT.get().fail("the answer was lost"),
            _ => written,
        }
    }
}

/// An event on its way, and what came of it.
struct Delivery {
    event: Event,
    object: String,
    channel: String,
    first: Option<usize>,
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
    deliveries: Vec<Delivery>,
    /// How often something went wrong, by channel.
    wrong: BTreeMap<String, usize>,
    clock: usize,
}

impl Night {
    async fn start(seed: u64, by: By) -> Self {
        let mut rng = Rng::with_seed(seed);
        let troubled = Troubled {
            table: MemoryDocuments::default(),
            rng: Mutex::new(rng.fork()),
            calm: AtomicBool::new(seed.is_multiple_of(8)),
            mild: [1, 4, 12][rng.usize(..3)],
        };
        let troubled = Arc::new(troubled);
        let store: Arc<dyn DocumentStore> = Arc::<Troubled>::clone(&troubled);
        let rules = "
rules:
  - name: workbooks
    on: [WorkbookRefreshFailed]
    do: [{ notify-slack: { channel: data-news } }]
  - name: data sources
    on: [DatasourceRefreshFailed]
    do: [{ notify-slack: { channel: data-alerts } }]
";
        let world = World::with(by, rules, Documents::new(store)).await;
        let mut night = Self {
            seed,
            by,
            world: Arc::new(world),
            troubled,
            rng,
            deliveries: Vec::new(),
            wrong: BTreeMap::new(),
            clock: 0,
        };
        night.plan();
        night
    }

    /// Streaks of failures that all end, of a few objects in two channels.
    fn plan(&mut self) {
        let objects = self.rng.usize(1..8);
        let pause = [15, 60, 900][self.rng.usize(..3)];
        for n in 0..objects {
            let (channel, kind) =
                if self.rng.bool() { ("data-news", "Workbook") } else { ("data-alerts", "Datasource") };
            let object = format!("{kind}-{n}");
            let (failed, succeeded) = (format!("{kind}RefreshFailed"), format!("{kind}RefreshSucceeded"));
            let mut time = at(0) + SignedDuration::from_secs(self.rng.i64(0..90));
            for _ in 0..self.rng.usize(1..3) {
                for _ in 0..self.rng.usize(1..4) {
                    self.happens(&failed, &object, channel, time);
                    time += SignedDuration::from_secs(self.rng.i64(1..pause));
                }
                self.happens(&succeeded, &object, channel, time);
                time += SignedDuration::from_secs(self.rng.i64(1..pause));
            }
        }
    }

    fn happens(&mut self, what: &str, object: &str, channel: &str, time: Timestamp) {
        let event = self.world.event(what, object, time);
        let (object, channel) = (object.to_owned(), channel.to_owned());
        self.deliveries.push(Delivery { event, object, channel, first: None, done: None, attempts: 0 });
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
            for (n, again) in self.attempt_at_once(&batch, now).await {
                waiting.insert((again, n));
            }
            if self.clock > 4 * self.deliveries.len() {
                self.troubled.calm.store(true, Ordering::SeqCst);
            }
        }
    }

    /// Attempts at the same time; when to come again, for those that are not done.
    async fn attempt_at_once(&mut self, batch: &[usize], now: Timestamp) -> Vec<(usize, Timestamp)> {
        let mut attempts = JoinSet::new();
        for n in batch {
            self.clock += 1;
            let clock = self.clock;
            let delivery = &mut self.deliveries[*n];
            delivery.first.get_or_insert(clock);
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
            *self.wrong.entry(delivery.channel.clone()).or_default() += wrong;
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

    /// What a person sees in the end, and whether that is right.
    fn judge(&self) {
        for channel in ["data-news", "data-alerts"] {
            let said: Vec<_> =
                self.world.said().into_iter().filter(|message| message.channel_name == channel).collect();
            let unanswered = said.iter().filter(|message| !message.answered).count();
            let wrong = self.wrong.get(channel).copied().unwrap_or_default() + unanswered;
            self.told(channel, &said);
            self.over(channel, &said, wrong);
            self.bounded(channel, &said, wrong);
            self.counted(channel, &said);
        }
        assert!(self.world.slack.refusals().is_empty(), "{:#?}", self.world.slack.refusals());
    }

    fn failed(delivery: &Delivery) -> bool {
        delivery.event.name.action() == Some(Action::RefreshFailed)
    }

    fn of(&self, channel: &str) -> impl Iterator<Item = &Delivery> {
        self.deliveries.iter().filter(move |delivery| delivery.channel == channel)
    }

    fn fail(&self, channel: &str, said: &[SlackMessage], what: &str) -> ! {
        let said: Vec<_> =
            said.iter().map(|m| format!("[{:?} {} {}] {}", m.call, m.ts, m.answered, render(m))).collect();
        let events = self.of(channel).map(|delivery| {
            let (kind, at) = (&delivery.event.name, delivery.event.created_at.unwrap());
            format!("{} {kind} {at} {:?} {:?}", delivery.object, delivery.first, delivery.done)
        });
        panic!(
            "seed {}, {:?}, {channel}: {what}\nwrong: {:?}\n{}\n{}",
            self.seed,
            self.by,
            self.wrong,
            events.collect::<Vec<_>>().join("\n"),
            said.join("\n---\n")
        )
    }

    /// A failure that was done before its object's success came was told.
    fn told(&self, channel: &str, said: &[SlackMessage]) {
        for failure in self.of(channel).filter(|delivery| Self::failed(delivery)) {
            let (done, outcome) = failure.done.as_ref().unwrap();
            let later = |success: &&Delivery| {
                success.object == failure.object
                    && !Self::failed(success)
                    && success.event.created_at >= failure.event.created_at
            };
            let before_its_end = self.of(channel).filter(later).all(|success| *done < success.first.unwrap());
            let is_counted = |reason: &str| reason.starts_with("counted");
            let ours = match outcome {
                Outcome::Done => true,
                Outcome::Skipped(reason) => is_counted(reason),
                _ => false,
            };
            let named = said.iter().map(render).any(|text| text.contains(&failure.object));
            if ours && before_its_end && !named {
                self.fail(channel, said, &format!("nobody was told of {}", failure.object));
            }
        }
    }

    /// Nothing is red at the end, but for what nobody can know of.
    fn over(&self, channel: &str, said: &[SlackMessage], wrong: usize) {
        match self.by {
            By::BotToken => {
                let seen = self.world.slack.channel(channel);
                let red = seen.iter().filter(|message| render(message).contains('🔴')).count();
                if red > wrong {
                    self.fail(channel, said, &format!("{red} messages are red, {wrong} went wrong"));
                }
            }
            By::WebhookUrls => {
                let objects: BTreeSet<_> = self.of(channel).map(|delivery| &delivery.object).collect();
                for object in objects {
                    let last = said
                        .iter()
                        .map(render)
                        .filter(|text| text.contains(object.as_str()) || text.contains("✅ All"));
                    if last.last().is_some_and(|text| text.contains('🔴')) {
                        self.fail(channel, said, &format!("the last word on {object} is red"));
                    }
                }
            }
        }
    }

    /// No failure is counted twice.
    fn counted(&self, channel: &str, said: &[SlackMessage]) {
        for text in said.iter().map(render) {
            let Some((head, rest)) = text.split_once("It had ") else { continue };
            let counted: usize = rest.split(' ').next().unwrap().parse().unwrap();
            let of_object = |delivery: &&Delivery| Self::failed(delivery) && head.contains(&delivery.object);
            let failures = self.of(channel).filter(of_object).count();
            if counted > failures {
                self.fail(channel, said, &format!("{counted} failures counted, and {failures} happened"));
            }
        }
    }

    /// Nobody is flooded: each streak has a message and an end, and what goes wrong may cost one more of each.
    fn bounded(&self, channel: &str, said: &[SlackMessage], wrong: usize) {
        let posts = said.iter().filter(|message| message.call != SlackCall::Update).count();
        let mut most = 2 * wrong;
        for delivery in self.of(channel) {
            let more = matches!(self.by, By::WebhookUrls) || !Self::failed(delivery);
            most += if Self::failed(delivery) { usize::from(more) } else { 2 };
        }
        if posts > most {
            self.fail(channel, said, &format!("{posts} messages, at most {most} expected"));
        }
    }
}

const SLACK_FAULTS: [SlackFault; 4] = [
    SlackFault::ServerError,
    SlackFault::RateLimited { retry_after: 1 },
    SlackFault::Reset,
    SlackFault::AnswerLost,
];

#[tokio::test]
async fn whatever_dies_fails_or_gets_lost_each_story_is_told_and_ends() {
    let (mut wrong, mut attempts) = (0, 0);
    for seed in 0..RUNS {
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
