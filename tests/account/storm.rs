//! A storm of events at a site whose stack runs on a new account, with its ten concurrent executions: receive-webhook
//! shares them with two workflows that work on what has come in already.

use crate::site::{DEAD_LETTERS, QUEUE, Site, template, until};
use local_aws::{Fault, StackEvent};
use simulator::{Datasource, DeliveryState, TableauSimulator, Workbook};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tableau::{EventId, EventName, Payload};
use testkit::repository::every_rule;
use tokio::time::{Instant, interval};

const EVENTS: usize = 500;
/// A new account's.
const CONCURRENT_EXECUTIONS: usize = 10;
/// Tableau's own gaps are not known, only that they grow: these are shorter than those of any sender of webhooks that
/// says how long its gaps are.
const RETRY_GAPS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// About what EventBridge takes for an event. Without it an execution on this machine would be over sooner than on Lambda,
/// and more of them would fit into a second.
const PUT_EVENTS_TAKES: Duration = Duration::from_millis(15);
const PATIENCE: Duration = Duration::from_secs(120);

/// As a site has them: one webhook for each event name, all at the common door.
const NAMES: [EventName; 5] = [
    EventName::WorkbookCreated,
    EventName::WorkbookUpdated,
    EventName::WorkbookRefreshSucceeded,
    EventName::DatasourceUpdated,
    EventName::DatasourceRefreshFailed,
];

fn id(payload: &str) -> String {
    EventId::of(&Payload::parse(payload.as_bytes()).unwrap()).as_str().to_owned()
}

/// Lets the events happen within a second, each about an object of its own; gives their ids, and the names of all.
async fn happen(tableau: &TableauSimulator) -> BTreeMap<String, EventName> {
    let objects: Vec<(EventName, String)> = (0..EVENTS)
        .zip(NAMES.iter().cycle())
        .map(|(number, event)| {
            let name = format!("Resource {number}");
            let luid = if event.as_str().starts_with("Workbook") {
                tableau.add(Workbook::named(&name)).as_str().to_owned()
            } else {
                tableau.add(Datasource::named(&name)).as_str().to_owned()
            };
            (event.clone(), luid)
        })
        .collect();
    let mut ids = BTreeMap::new();
    let mut pace = interval(Duration::from_millis(20));
    for some in objects.chunks(EVENTS / 50) {
        pace.tick().await;
        for (event, luid) in some {
            let fired = tableau.fire(event, luid).unwrap();
            assert_eq!(fired.webhooks, 1);
            ids.insert(id(&fired.payload), event.clone());
        }
    }
    ids
}

/// Which of the events are neither in a queue nor on record.
fn lost(site: &Site, workflow: &str, queue: &str, events: &BTreeMap<String, EventName>) -> BTreeSet<String> {
    // First the queue: what leaves it has a record by then.
    let waiting: BTreeSet<String> = site.bodies(queue).iter().map(|body| id(body)).collect();
    let records = site.records(workflow);
    let is_lost = |id: &&String| !waiting.contains(*id) && !records.contains_key(*id);
    events.keys().filter(is_lost).cloned().collect()
}

// 11-A2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_events_of_one_second_are_stored_with_ten_concurrent_executions() {
    let tableau = TableauSimulator::sample().retry_gaps(RETRY_GAPS);
    let mut site = Site::start(&template(), &every_rule(), tableau, Some(CONCURRENT_EXECUTIONS)).await;
    site.stack.aws().fail_next("EventBridge.PutEvents", EVENTS * 4, Fault::Hang(PUT_EVENTS_TAKES));
    NAMES.iter().for_each(|name| site.register(name));

    let began = Instant::now();
    let events = happen(&site.tableau).await;
    let happened = began.elapsed();
    site.tableau.settled(PATIENCE).await.unwrap();
    let settled = began.elapsed();

    let deliveries = site.tableau.deliveries();
    let tries: Vec<_> = deliveries.iter().flat_map(|delivery| &delivery.attempts).collect();
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    for attempt in &tries {
        *answers.entry(format!("{:?}", attempt.status)).or_default() += 1;
    }
    let mut attempts: BTreeMap<usize, usize> = BTreeMap::new();
    for delivery in &deliveries {
        *attempts.entry(delivery.attempts.len()).or_default() += 1;
    }
    eprintln!("{happened:?} {settled:?} {answers:?} {attempts:?}");
    let done = |site: &Site| {
        let mut states: BTreeMap<String, usize> = BTreeMap::new();
        for record in site.records("notify-slack").values() {
            *states.entry(record["state"]["S"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        states
    };
    eprintln!("{:?}", done(&site));
    for name in ["receive-webhook", "notify-slack", "update-broadcast"] {
        eprintln!("{name} {}", site.stack.environments(name));
    }
    eprintln!("lost {:?}", lost(&site, "notify-slack", QUEUE, &events).len());
    until(PATIENCE, "all", || done(&site).get("done").copied().unwrap_or(0) > 495).await;
    eprintln!("{:?} {:?}", began.elapsed(), done(&site));
    let throttled = site.news().iter().filter(|event| matches!(event, StackEvent::Throttled { .. })).count();
    eprintln!("throttled {throttled} {:?}", DeliveryState::Failed);
    let _ = DEAD_LETTERS;
}
