//! The fault run: many events, with faults in every part. At the end no event is lost, and no action was repeated
//! without a reason.

use crate::emulator::Emulator;
use crate::events::{Occurrence, happen};
use crate::figures::Figures;
use crate::findings::judge;
use crate::run::{Environment, Size};
use crate::workers::{FunctionSlot, Poller, Worker};
use local_aws::template::Mapping;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::Request;
use testkit::dynamodb::say;
use tokio::task::JoinSet;

/// The template's `MaximumConcurrency`.
const WORKERS: usize = 5;
/// The number of events that Tableau delivers more than once.
const DUPLICATED_PERCENT: usize = 30;
/// The number of delivery attempts. Tableau makes four and then disables the webhook; here senders never give up
/// before an event is accepted.
const TRIES: usize = 40;

/// How long faults continue after the last event, so that they hit the timers of groups.
const TROUBLE_GOES_ON: Duration = Duration::from_secs(20);

/// The time limit of a run.
fn deadline(events: usize) -> Duration {
    Duration::from_secs(170) + Duration::from_millis(400).saturating_mul(u32::try_from(events).unwrap())
}

#[tokio::test]
async fn nothing_is_lost_and_nothing_acts_twice_but_for_a_reason() {
    let Some(emulator) = Emulator::of_this_run() else { return };
    let size = Size::of_this_run();
    let environment = Arc::new(Environment::start(emulator, size.seed).await);
    let events = Arc::new(happen(&environment.tableau, size.events).await);
    // With a bot token the messages of groups can be edited, so no member is left for a message five minutes later.
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        workers.push(environment.member_with_token("notify-slack").await);
    }
    let updaters = environment.members("update-broadcast", 2).await;
    let mut ingresses = environment.members("receive-webhook", 2).await;
    ingresses.push(environment.member("notify-slack").await);

    sweep(&environment, &ingresses).await;
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for member in workers.iter().chain(&updaters) {
        tasks.spawn(poller(&environment, &member.slot).poll());
    }
    let all = workers.iter().chain(&updaters).chain(&ingresses);
    tasks.spawn(trouble(Arc::clone(&environment), all.map(|member| Arc::clone(&member.slot)).collect()));
    let in_time = async {
        let duplicates = deliver(&environment, &events, &ingresses).await;
        let left = deadline(size.events).saturating_sub(started.elapsed());
        until_nothing_is_left(&environment, &["notify-slack", "update-broadcast"], size.events, left).await;
        duplicates
    };
    let duplicates = tokio::time::timeout(deadline(size.events), in_time).await;
    let seconds = started.elapsed().as_secs_f64();
    environment.random.calm_down();
    tasks.shutdown().await;

    let judged = judge(&environment, &events).await;
    let mut figures = Figures::default();
    figures.row("events", size.events);
    figures.row("deliveries of them more", duplicates.as_ref().map_or("?".to_owned(), usize::to_string));
    let members = workers.iter().chain(&updaters).chain(&ingresses);
    let logs: Vec<String> = members.flat_map(|member| member.slot.process().logs()).collect();
    let busy = logs.iter().filter(|line| line.contains(r#""outcome":"busy","reason""#)).count();
    figures.row("put off: another worker had it", busy);
    judged.add_to(&mut figures, &environment);
    figures.row("seconds", format!("{seconds:.1}"));
    figures.print(&format!("Fault run, seed {}", size.seed));
    for permission in environment.unused_permissions() {
        say(&format!("not used in this run: {permission}"));
    }
    for wrong in &judged.wrong {
        let about = wrong.split(':').next().unwrap_or_default();
        let lines: Vec<_> = logs.iter().filter(|line| line.contains(about)).map(String::as_str).collect();
        eprintln!("WRONG: {wrong}\n{}", lines.join("\n"));
    }
    assert!(duplicates.is_ok(), "the queues were not empty in time");
    assert!(judged.wrong.is_empty(), "{:#?}", judged.wrong);
    environment.stack.delete().await;
}

/// Runs the hourly sweep once, so that its requests to the index are checked against the role. It runs before the
/// events: a later sweep would arm again the lost timers that the run must find.
async fn sweep(environment: &Environment, ingresses: &[Worker]) {
    environment.random.calm_down();
    let of_timers = ingresses.iter().find(|ingress| ingress.slot.process().name() == "notify-slack").unwrap();
    let answer = of_timers.slot.invoke(&json!({ "sweep": {} }), &environment.history).await;
    answer.expect("the sweep ends");
    environment.random.wake_up();
}

pub(crate) fn poller(environment: &Environment, slot: &Arc<FunctionSlot>) -> Poller {
    let name = slot.process().name();
    let mapping = environment.stack.plan.mappings.iter().find(|mapping| mapping.function == name).unwrap();
    Poller {
        emulator: environment.stack.emulator.clone(),
        mapping: mapping.clone(),
        slot: Arc::clone(slot),
        random: environment.random.fork(),
        history: Arc::clone(&environment.history),
    }
}

/// Kills processes at random, ends Tableau's sessions, and makes the table refuse writes for a while.
pub(crate) async fn trouble(environment: Arc<Environment>, slots: Vec<Arc<FunctionSlot>>) {
    let kills = async {
        while !environment.random.is_calm() {
            environment.random.pause(400..2_400).await;
            let slot = &slots[environment.random.below(slots.len())];
            if !environment.random.is_calm() && slot.process().pid().is_some() {
                environment.history.count("kills at random");
                slot.process().kill().await;
            }
        }
    };
    let sessions = async {
        while !environment.random.is_calm() {
            environment.random.pause(1_000..6_000).await;
            environment.history.count("sessions ended");
            environment.tableau.end_sessions();
        }
    };
    let storms = async {
        while !environment.random.is_calm() {
            environment.random.pause(4_000..12_000).await;
            environment.history.count("storms");
            environment.store.storm(Duration::from_millis(2_500));
        }
    };
    tokio::join!(kills, sessions, storms);
}

/// Delivers every event in random order, some more than once, and repeats each delivery until it is accepted. Returns
/// the number of duplicates.
pub(crate) async fn deliver(
    environment: &Arc<Environment>,
    events: &Arc<Vec<Occurrence>>,
    ingresses: &[Worker],
) -> usize {
    let mut order: Vec<usize> = (0..events.len()).collect();
    environment.random.shuffle(&mut order);
    let twice: Vec<_> = order[..events.len() * DUPLICATED_PERCENT / 100].to_vec();
    // Half of the duplicates are sent at the same time, so that two workers meet; the others at random times.
    let (at_once, late) = twice.split_at(twice.len() / 2);
    order.extend(late);
    environment.random.shuffle(&mut order);
    // A workflow's own ingress serves only this workflow.
    let goes_to_own_ingress = |at: &usize| {
        events[*at].broadcast.is_none() && !at_once.contains(at) && environment.random.below(4) == 0
    };
    let (own, common): (Vec<_>, Vec<_>) = order.into_iter().partition(goes_to_own_ingress);
    let own = Arc::new(Mutex::new(own));
    let common = Arc::new(Mutex::new(common));
    let mut senders = JoinSet::new();
    for (ingress, other) in ingresses.iter().zip(ingresses.iter().skip(1).chain(ingresses)) {
        let is_own = ingress.slot.process().name() == "notify-slack";
        let letters = Arc::clone(if is_own { &own } else { &common });
        let environment = Arc::clone(environment);
        let events = Arc::clone(events);
        let at_once = at_once.to_vec();
        let slot = Arc::clone(&ingress.slot);
        let other = Arc::clone(&other.slot);
        senders.spawn(async move {
            loop {
                let Some(at) = letters.lock().unwrap().pop() else { return };
                let copy = async {
                    if at_once.contains(&at) {
                        send(&environment, &other, &events[at]).await;
                    }
                };
                tokio::join!(send(&environment, &slot, &events[at]), copy);
                environment.random.pause(0..150).await;
            }
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender.unwrap();
    }
    twice.len()
}

async fn send(environment: &Environment, slot: &FunctionSlot, event: &Occurrence) {
    for _ in 0..TRIES {
        let request = Request::post(event.body.as_bytes()).event();
        match slot.invoke(&request, &environment.history).await {
            Some(answer) if answer["statusCode"] == 202 => return,
            Some(answer) => {
                assert_eq!(answer["statusCode"], 503, "{answer}");
                environment.history.count("not accepted");
            }
            None => environment.history.count("ingresses killed"),
        }
        environment.random.pause(50..300).await;
    }
    panic!("{} was never accepted", event.id);
}

/// Waits until the queues of these functions are empty. The faults stop when few events are left or most of the time
/// has passed, so that the last events complete too.
pub(crate) async fn until_nothing_is_left(
    environment: &Environment,
    functions: &[&str],
    events: usize,
    limit: Duration,
) {
    let started = Instant::now();
    // Check twice in a row: a message that is sent anew, such as a timer, is in neither queue for a moment.
    let mut empty = 0;
    loop {
        let mut left = 0;
        let ours = |mapping: &&Mapping| functions.contains(&mapping.function.as_str());
        for mapping in environment.stack.plan.mappings.iter().filter(ours) {
            left += environment.stack.emulator.depth(&mapping.queue).await;
        }
        empty = if left == 0 { empty + 1 } else { 0 };
        if empty == 3 {
            return;
        }
        let timers_meet_trouble = started.elapsed() > TROUBLE_GOES_ON.min(limit / 4);
        if (left <= events / 10 && timers_meet_trouble) || started.elapsed() > limit.mul_f64(0.7) {
            environment.random.calm_down();
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
