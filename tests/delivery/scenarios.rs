//! Incidents over time: refreshes fail, fail again and recover, with faults in every part. Each incident is announced
//! and resolved, no message that a document knows stays red, and every duplicate message has a reason.

use crate::announcements::Ended;
use crate::emulator::Emulator;
use crate::events::{Occurrence, refresh};
use crate::faults::{deliver, poller, trouble, until_nothing_is_left};
use crate::figures::Figures;
use crate::history::ENDS;
use crate::run::{Environment, Size};
use jiff::Timestamp;
use simulator::{Datasource, SlackCall, SlackMessage, Workbook, notes, render};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tableau::EventName;
use tokio::task::JoinSet;

const WORKERS: usize = 5;
/// The number of objects that are announced one by one, in their own channel.
const ALONE: usize = 2;
/// The number of objects that are announced in a group.
const TOGETHER: &str = "data-news";

/// From the fifth incident within a day on, an object is flapping and its alerts are suppressed.
const FLAPPING: usize = 4;
/// The steps of a scenario, in order.
const ROUNDS: [Round; 3] = [Round::Begins, Round::GoesOn, Round::Recovers];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Round {
    Begins,
    GoesOn,
    Recovers,
}

/// An object whose refreshes fail.
#[derive(Clone, Debug)]
struct Object {
    name: String,
    luid: String,
    failed: EventName,
    succeeded: EventName,
}

fn objects(environment: &Environment, number: usize) -> Vec<Object> {
    (0..number + ALONE)
        .map(|n| {
            let alone = n < ALONE;
            let name = if alone { format!("Board {n}") } else { format!("Sales of region {n:03}") };
            let (luid, failed, succeeded) = if alone {
                let luid = environment.tableau.add(Workbook::named(&name)).to_string();
                (luid, EventName::WorkbookRefreshFailed, EventName::WorkbookRefreshSucceeded)
            } else {
                let luid = environment.tableau.add(Datasource::named(&name)).to_string();
                (luid, EventName::DatasourceRefreshFailed, EventName::DatasourceRefreshSucceeded)
            };
            Object { name, luid, failed, succeeded }
        })
        .collect()
}

#[tokio::test]
async fn each_incident_is_announced_and_resolved_whatever_goes_wrong() {
    let Some(emulator) = Emulator::of_this_run() else { return };
    let size = Size::of_this_run();
    let number = (size.events / 40).max(10);
    let cycles = (size.events / 500).clamp(1, FLAPPING);
    let environment = Arc::new(Environment::start(emulator, size.seed).await);
    let objects = objects(&environment, number);
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        workers.push(environment.member_with_token("notify-slack").await);
    }
    let mut ingresses = environment.members("receive-webhook", 2).await;
    ingresses.push(environment.member("notify-slack").await);
    let mut pollers = JoinSet::new();
    for member in &workers {
        pollers.spawn(poller(&environment, &member.slot).poll());
    }

    let began = Instant::now();
    let mut events = 0;
    let mut duplicates = 0;
    let mut wrong = Vec::new();
    for round in (0..cycles).flat_map(|_| ROUNDS) {
        let happened: Vec<Occurrence> =
            objects.iter().map(|object| occurrence(&environment, object, round)).collect();
        events += happened.len();
        let happened = Arc::new(happened);
        environment.random.wake_up();
        let slots = workers.iter().chain(&ingresses).map(|member| Arc::clone(&member.slot)).collect();
        let troubles = tokio::spawn(trouble(Arc::clone(&environment), slots));
        let limit = Duration::from_secs(150) + Duration::from_secs(2) * u32::try_from(number).unwrap();
        let in_time = async {
            let duplicates = deliver(&environment, &happened, &ingresses).await;
            until_nothing_is_left(&environment, &["notify-slack"], happened.len(), limit).await;
            duplicates
        };
        let in_time = tokio::time::timeout(limit, in_time).await;
        environment.random.calm_down();
        troubles.abort();
        duplicates += in_time.unwrap_or_else(|_| panic!("{round:?}: the queues were not empty in time"));
        wrong.extend(
            judge_round(&environment, &objects, round).into_iter().map(|what| format!("{round:?}: {what}")),
        );
    }
    pollers.shutdown().await;

    let sent = Sent::of(&environment);
    wrong.extend(sent.wrong.iter().cloned());
    wrong.extend(lost(&environment, events).await);
    wrong.extend(environment.beyond_roles());
    let counted = |name| environment.history.counted(name);
    let mut figures = Figures::default();
    figures.row("objects", objects.len());
    figures.row("refreshes that fail, fail again, recover", events);
    figures.row("deliveries of them more", duplicates);
    figures.row("times a function was given work", counted("batches"));
    figures.row("kills at random moments", counted("kills at random"));
    figures.row("invocations that died of them", counted("invocations killed"));
    let slack: u64 = ["429", "500", "timeouts", "resets"].into_iter().map(counted).sum();
    figures.row("destination: 429, 500, reset, no answer", slack);
    figures.row("destination: message taken, answer lost", counted("destination's answers lost"));
    figures.row("table: calls throttled", counted("throttled"));
    figures.row("AWS: requests and answers lost", counted("requests lost") + counted("answers lost"));
    figures.row("messages that announce an incident or group", sent.opened);
    figures.row("changes of them", sent.changes);
    figures.row("replies that resolve one", sent.closed);
    figures.row("sent twice", sent.reasons.values().sum::<usize>());
    for (reason, times) in &sent.reasons {
        figures.row(format!("… {reason}"), times);
    }
    figures.row("… for no reason", sent.wrong.len());
    figures.row("left red, since no document knows them", sent.red);
    figures.row("seconds", format!("{:.1}", began.elapsed().as_secs_f64()));
    figures.print(&format!("Scenarios, seed {}", size.seed));
    assert!(wrong.is_empty(), "{wrong:#?}");
    environment.stack.delete().await;
}

fn occurrence(environment: &Environment, object: &Object, round: Round) -> Occurrence {
    let name = if round == Round::Recovers { &object.succeeded } else { &object.failed };
    if round != Round::Recovers {
        environment.tableau.fail_refresh(&object.luid, notes::SNOWFLAKE_LOGIN).unwrap();
    }
    refresh(name, &object.name, &object.luid, Timestamp::now())
}

/// The messages that users see in a channel, checked after a round.
fn judge_round(environment: &Environment, objects: &[Object], round: Round) -> Vec<String> {
    let said = environment.slack.messages();
    let mut wrong = Vec::new();
    for object in objects {
        let about = |text: &String| text.contains(&object.name);
        let alone = object.failed == EventName::WorkbookRefreshFailed;
        let named = said.iter().map(render).filter(about).collect::<Vec<_>>();
        let last = named.last().map(String::as_str).unwrap_or_default();
        let right = match round {
            Round::Begins => last.contains('🔴'),
            Round::GoesOn => last.contains('🔴') && (!alone || last.contains("2 failures in a row")),
            Round::Recovers if alone => last.contains("Recovered after 2 failures in "),
            Round::Recovers => {
                let last = said.iter().rfind(|message| message.channel_name == TOGETHER);
                last.is_some_and(|message| render(message).contains("✅"))
            }
        };
        if !right {
            wrong.push(format!("the last word on {} is\n{last}", object.name));
        }
    }
    wrong
}

/// The messages that were sent, and the reasons for duplicates.
#[derive(Debug, Default)]
struct Sent {
    opened: usize,
    changes: usize,
    closed: usize,
    red: usize,
    reasons: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

impl Sent {
    fn of(environment: &Environment) -> Self {
        let mut sent = Self::default();
        let mut closed = HashMap::new();
        let said = environment.slack.messages();
        let is_reply = |message: &&SlackMessage| message.thread_ts.is_some();
        sent.changes = said.iter().filter(|message| message.call == SlackCall::Update).count();
        sent.closed = said.iter().filter(is_reply).count();
        sent.opened = said.len() - sent.changes - sent.closed;
        let channels: BTreeSet<_> = said.iter().map(|message| message.channel_name.clone()).collect();
        for message in channels.iter().flat_map(|channel| environment.slack.channel(channel)) {
            let is_red = render(&message).contains('🔴');
            let known = environment.history.is_known(&message.ts);
            sent.red += usize::from(is_red);
            if is_red && known {
                sent.wrong.push(format!("left red although the table knows it:\n{}", render(&message)));
            }
            let said_again = match &message.thread_ts {
                None if known => None,
                None => Some(message),
                // All replies to the message except the last.
                Some(parent) => closed.insert(parent.clone(), message),
            };
            if let Some(message) = said_again {
                sent.once_more(environment, &message);
            }
        }
        if sent.opened == 0 {
            sent.wrong.push("nothing was announced".to_owned());
        }
        sent
    }

    fn once_more(&mut self, environment: &Environment, message: &SlackMessage) {
        let word = if message.thread_ts.is_some() { ENDS } else { &message.ts };
        match environment.history.reason_of(&message.ts, word) {
            Some(reason) => *self.reasons.entry(reason).or_default() += 1,
            None => self.wrong.push(format!("once more for no reason:\n{}", render(message))),
        }
    }
}

/// Events that are not completed, and dead letters.
async fn lost(environment: &Environment, events: usize) -> Vec<String> {
    let items = environment.stack.emulator.items(environment.stack.table()).await;
    let ended = items.iter().filter(|item| {
        let is_ours = item["pk"]["S"].as_str().is_some_and(|key| key.starts_with("delivery#notify-slack#"));
        is_ours && matches!(item["state"]["S"].as_str(), Some("done" | "skipped"))
    });
    let mut wrong = Vec::new();
    let ended = ended.count();
    if ended != events {
        wrong.push(format!("{ended} of {events} events have come to their end"));
    }
    for (id, letter) in environment.stack.emulator.drain("NotifySlackDeadLetters").await {
        let reason = &letter["MessageAttributes"]["reason"]["StringValue"];
        wrong.push(format!("{id}: a dead letter: {reason}"));
    }
    wrong
}

#[test]
fn every_way_to_end_but_an_answer_is_a_reason() {
    for (how, reason) in [
        (Ended::Killed, Some("worker killed")),
        (Ended::OutOfTime, Some("function out of time")),
        (Ended::Answered, None),
    ] {
        let history = crate::history::History::default();
        history.act("1.2", (1, 1), true);
        history.ended((1, 1), how);
        assert_eq!(history.reason_of("1.2", "1.2"), reason);
        history.not_taken("1.2", (1, 1));
        assert_eq!(history.reason_of("1.2", "1.2"), reason.or(Some("word not taken by the store")));
    }
}
