//! The ingress flood: many requests at the same time. Every accepted event is stored; an event that cannot be stored
//! is not accepted.

use crate::emulator::Emulator;
use crate::events::{Occurrence, bodies};
use crate::figures::Figures;
use crate::run::{Environment, Size};
use crate::store::Outage;
use crate::workers::Worker;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::Request;
use tokio::task::JoinSet;

/// The number of processes of each of the two ingresses.
const INGRESSES: usize = 4;
/// The number of requests of each process during an outage.
const IN_OUTAGE: usize = 3;
const LEAST_REQUESTS: usize = 600;
const DEADLINE: Duration = Duration::from_secs(300);
/// How long a log line may take from a process to the test.
const LINES_ARRIVE: Duration = Duration::from_secs(5);

/// An ingress's answer.
#[derive(Debug)]
struct Answered {
    ingress: String,
    event: String,
    status: u64,
    retry_after: bool,
    took: Duration,
}

#[tokio::test]
async fn what_an_ingress_accepts_is_stored_and_what_cannot_be_stored_is_not_accepted() {
    let Some(emulator) = Emulator::of_this_run() else { return };
    let size = Size::of_this_run();
    let environment = Environment::start(emulator, size.seed).await;
    tokio::time::timeout(DEADLINE, run(environment, size)).await.expect("a flood that ends");
}

async fn run(environment: Environment, size: Size) {
    let requests = size.events.max(LEAST_REQUESTS);
    let mut ingresses = environment.members("receive-webhook", INGRESSES).await;
    ingresses.extend(environment.members("notify-slack", INGRESSES).await);
    let mut figures = Figures::default();
    figures.row("processes", ingresses.len());

    let flaky = flood(&ingresses, bodies(0, requests / 4)).await;
    environment.random.calm_down();
    let began = Instant::now();
    let fair = flood(&ingresses, bodies(requests / 4, requests)).await;
    let per_second = requests as f64 / began.elapsed().as_secs_f64();
    let stored: Vec<_> = environment.stack.emulator.drain("NotifySlackQueue").await;
    let stored: BTreeSet<String> = stored.iter().map(|(id, _)| id.to_string()).collect();
    figures.row("requests while calls are throttled, late and lost", flaky.len());
    figures.row("… accepted", accepted(&flaky).len());
    figures.row("… stored", accepted(&flaky).intersection(&stored).count());
    figures.row("requests in fair weather", fair.len());
    figures.row("… accepted", accepted(&fair).len());
    figures.row("… stored", accepted(&fair).intersection(&stored).count());
    figures.row("… answered per second", format!("{per_second:.0}"));
    latencies(&fair, &mut figures);

    let mut refused = Vec::new();
    for (number, outage) in [Outage::Errors, Outage::Refuses].into_iter().enumerate() {
        environment.store.set_outage(outage);
        // One of the processes has not read its secret yet.
        ingresses.push(environment.member("receive-webhook").await);
        let requests = ingresses.len() * IN_OUTAGE;
        refused.extend(flood(&ingresses, bodies(1_000_000 * (number + 1), requests)).await);
    }
    environment.store.set_outage(Outage::None);
    let with_retry_after = refused.iter().filter(|answer| answer.status == 503 && answer.retry_after).count();
    figures.row("requests while AWS answers 500 or nothing", refused.len());
    figures.row("… answered 503 with Retry-After", with_retry_after);
    figures.row("… stored all the same", environment.stack.emulator.drain("NotifySlackQueue").await.len());
    let all = accepted(&flaky).len() + accepted(&fair).len();
    let (lines, counted) = lines_of_accepted(&ingresses, all).await;
    let in_log = refused.iter().filter(|answer| lines.contains(&answer.event)).count();
    figures.row("… in a log as accepted", in_log);
    figures.print(&format!("Ingress flood, seed {}", size.seed));

    for answers in [&flaky, &fair] {
        let lost: Vec<_> = accepted(answers).difference(&stored).cloned().collect();
        assert!(lost.is_empty(), "accepted and not stored: {lost:?}");
        assert!(answers.iter().all(|a| a.status == 202 || a.status == 503), "{answers:?}");
    }
    assert_eq!(accepted(&fair).len(), requests, "fair weather");
    assert_eq!(with_retry_after, refused.len(), "{refused:?}");
    assert_eq!((lines.len(), counted, in_log), (all, all, 0), "lines and metrics of what was accepted");
    assert!(environment.stack.emulator.drain("NotifySlackQueue").await.is_empty());
    assert_eq!(environment.beyond_roles(), Vec::<String>::new());
    environment.stack.delete().await;
}

fn accepted(answers: &[Answered]) -> BTreeSet<String> {
    answers.iter().filter(|answer| answer.status == 202).map(|answer| answer.event.clone()).collect()
}

/// Sends all of these requests to each ingress, one after another.
async fn flood(ingresses: &[Worker], events: Vec<Occurrence>) -> Vec<Answered> {
    let events = Arc::new(Mutex::new(events));
    let mut senders = JoinSet::new();
    for ingress in ingresses {
        let events = Arc::clone(&events);
        let process = ingress.slot.process().clone();
        senders.spawn(async move {
            let mut answers = Vec::new();
            loop {
                let Some(event) = events.lock().unwrap().pop() else { return answers };
                let request = Request::post(event.body).event();
                let began = Instant::now();
                let answer = process.invoke(&request).await.expect("an answer");
                let took = began.elapsed();
                let status = answer["statusCode"].as_u64().expect("a status");
                let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
                if status == 202 {
                    assert_eq!(body["event_id"], event.id.as_str());
                }
                let retry_after = answer["headers"]["retry-after"].is_string();
                let ingress = process.name().to_owned();
                let event = event.id.to_string();
                answers.push(Answered { ingress, event, status, retry_after, took });
            }
        });
    }
    senders.join_all().await.into_iter().flatten().collect()
}

fn latencies(answers: &[Answered], figures: &mut Figures) {
    let ingresses: BTreeSet<&str> = answers.iter().map(|answer| answer.ingress.as_str()).collect();
    for ingress in ingresses {
        let of_ingress = answers.iter().filter(|answer| answer.ingress == ingress);
        let mut took: Vec<_> = of_ingress.map(|answer| answer.took.as_secs_f64() * 1_000.0).collect();
        took.sort_by(f64::total_cmp);
        for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
            let at = ((took.len() - 1) as f64 * share).round() as usize;
            figures.row(format!("{ingress}: {name} in ms"), format!("{:.0}", took[at]));
        }
    }
}

/// Waits until the logs and the metrics report this many accepted events, and returns both.
async fn lines_of_accepted(ingresses: &[Worker], number: usize) -> (BTreeSet<String>, usize) {
    let began = Instant::now();
    loop {
        let logs = ingresses.iter().flat_map(|ingress| ingress.slot.process().logs());
        let lines: Vec<Value> = logs.filter_map(|line| serde_json::from_str(&line).ok()).collect();
        let counted = lines.iter().filter(|line| line["Accepted"] == 1.0).count();
        let accepted = lines.iter().filter(|line| line["message"] == "event accepted");
        let accepted: BTreeSet<_> =
            accepted.map(|line| line["event.id"].as_str().unwrap().to_owned()).collect();
        if (accepted.len() >= number && counted >= number) || began.elapsed() > LINES_ARRIVE {
            return (accepted, counted);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
