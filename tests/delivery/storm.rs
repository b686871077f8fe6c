//! A storm: many objects begin to fail at about the same time, for one reason. Users get one message that grows, and
//! one at the end, not one per object.

use crate::emulator::Emulator;
use crate::events::refresh;
use crate::faults::poller;
use crate::figures::Figures;
use crate::run::{Environment, Size};
use crate::workers::Worker;
use jiff::Timestamp;
use simulator::{Datasource, SlackCall, SlackMessage, notes, render};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tableau::EventName;
use testkit::Request;
use tokio::task::JoinSet;

const WORKERS: usize = 5;
/// The number of objects in a full storm.
const MOST: usize = 500;

/// The new messages in the channel, without edits.
fn posts(said: &[SlackMessage]) -> Vec<&SlackMessage> {
    said.iter().filter(|message| message.call != SlackCall::Update).collect()
}

/// Delivers the events to the ingresses, one after another at each ingress.
async fn deliver_to(environment: &Arc<Environment>, bodies: Vec<String>, ingresses: &[Worker]) {
    let mut senders = JoinSet::new();
    for (at, ingress) in ingresses.iter().enumerate() {
        let bodies: Vec<_> = bodies.iter().skip(at).step_by(ingresses.len()).cloned().collect();
        let environment = Arc::clone(environment);
        let slot = Arc::clone(&ingress.slot);
        senders.spawn(async move {
            for body in bodies {
                let answer = slot.invoke(&Request::post(body.as_bytes()).event(), &environment.history).await;
                assert_eq!(answer.expect("the ingress answers")["statusCode"], 202);
            }
        });
    }
    while let Some(sender) = senders.join_next().await {
        sender.unwrap();
    }
}

async fn until_empty(environment: &Environment) {
    let queue =
        environment.stack.plan.mappings.iter().find(|mapping| mapping.function == "notify-slack").unwrap();
    // Check twice in a row: a message that is sent anew is in neither queue for a moment.
    let mut empty = 0;
    while empty < 2 {
        let depth = environment.stack.emulator.depth(&queue.queue).await;
        empty = if depth == 0 { empty + 1 } else { 0 };
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test]
async fn a_storm_is_a_message_that_opens_one_that_grows_and_one_that_closes() {
    let Some(emulator) = Emulator::of_this_run() else { return };
    let size = Size::of_this_run();
    let count = (size.events / 4).min(MOST);
    let environment = Arc::new(Environment::start(emulator, size.seed).await);
    environment.random.calm_down();
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        workers.push(environment.member_with_token("notify-slack").await);
    }
    let ingresses = environment.members("receive-webhook", 2).await;
    let mut tasks = JoinSet::new();
    for member in &workers {
        tasks.spawn(poller(&environment, &member.slot).poll());
    }

    let names: Vec<String> = (0..count).map(|n| format!("Sales of region {n:03}")).collect();
    let luids: Vec<_> = names.iter().map(|name| environment.tableau.add(Datasource::named(name))).collect();
    for luid in &luids {
        environment.tableau.fail_refresh(luid, notes::SNOWFLAKE_LOGIN).unwrap();
    }
    let run = async {
        let began = Instant::now();
        let now = Timestamp::now();
        let failed = names
            .iter()
            .zip(&luids)
            .map(|(name, luid)| refresh(&EventName::DatasourceRefreshFailed, name, luid.as_str(), now).body);
        deliver_to(&environment, failed.collect(), &ingresses).await;
        let delivered = began.elapsed();
        until_empty(&environment).await;
        let said = environment.slack.messages();
        let announced = began.elapsed();

        let now = Timestamp::now();
        let recovered = names.iter().zip(&luids).map(|(name, luid)| {
            refresh(&EventName::DatasourceRefreshSucceeded, name, luid.as_str(), now).body
        });
        deliver_to(&environment, recovered.collect(), &ingresses).await;
        until_empty(&environment).await;
        (said, delivered, announced)
    };
    let (failing, delivered, announced) =
        tokio::time::timeout(Duration::from_secs(400), run).await.expect("a storm that comes to an end");
    tasks.shutdown().await;
    let said = environment.slack.messages();

    let last = render(failing.last().unwrap());
    let named: BTreeSet<_> = names.iter().filter(|name| last.contains(*name)).collect();
    let more = last.split("… and ").nth(1).and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
    let accounted = named.len() + more.unwrap_or(0);
    let invocations = workers.iter().map(|member| member.slot.invocation().1).sum::<u64>();
    let mut figures = Figures::default();
    figures.row("objects that fail", count);
    figures.row("seconds until all were delivered", format!("{:.1}", delivered.as_secs_f64()));
    figures.row("seconds until all were announced", format!("{:.1}", announced.as_secs_f64()));
    figures.row("messages while it lasts", posts(&failing).len());
    figures.row("messages with the end", posts(&said).len());
    figures.row("changes of a message", said.len() - posts(&said).len());
    figures.row("objects named in it", named.len());
    figures.row("objects accounted for", accounted);
    figures.row("times a function was given work", invocations);
    figures.print(&format!("Storm, seed {}", size.seed));
    assert!(posts(&said).len() <= 3, "{:#?}", posts(&said).iter().map(|m| render(m)).collect::<Vec<_>>());
    assert_eq!(accounted, count, "{last}");
    assert!(last.contains(&format!("{count} extract refreshes failed")), "{last}");
    let end = render(posts(&said).last().unwrap());
    assert!(end.contains(&format!("All {count} recovered")), "{end}");
    assert_eq!(environment.beyond_roles(), Vec::<String>::new());
    environment.stack.delete().await;
}
