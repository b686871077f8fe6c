//! A storm of events at a site whose stack runs on a new account, with its ten concurrent executions: receive-webhook
//! shares them with two workflows that work on what has come in already.
//!
//! What counts is how many events come while one execution lasts. On a machine that is busy with other work an execution
//! lasts longer than on Lambda; then everything else takes as much longer too: the second in which the events
//! happen, the gaps between Tableau's tries, and the rate of the API's throttling.

use crate::site::{DEAD_LETTERS, QUEUE, Site, template};
use jiff::Timestamp;
use local_aws::template::Template;
use local_aws::{Fault, StackEvent};
use simulator::{Datasource, DeliveryState, TableauSimulator, Workbook, sample_payload};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tableau::{EventId, EventName, Payload};
use testkit::TOKEN;
use testkit::repository::every_rule;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

const EVENTS: usize = 500;
/// A new account's.
const CONCURRENT_EXECUTIONS: usize = 10;
/// Tableau's own gaps are not known, only that they grow. In seconds, these are shorter than those of any sender of webhooks
/// that says how long its gaps are.
const RETRY_GAPS: [u32; 3] = [1, 2, 4];
/// About what EventBridge takes for an event.
const PUT_EVENTS_TAKES: Duration = Duration::from_millis(10);
/// And an execution of receive-webhook on Lambda, which does little else.
const EXECUTION_TAKES: Duration = Duration::from_millis(20);
/// A machine on which an execution takes more than so many times longer is not fit for this.
const LONGEST_STRETCH: f64 = 20.0;
const PATIENCE: Duration = Duration::from_secs(300);

/// As a site has them: one webhook for each event name, all at the common door.
const NAMES: [EventName; 5] = [
    EventName::WorkbookCreated,
    EventName::WorkbookUpdated,
    EventName::WorkbookRefreshSucceeded,
    EventName::DatasourceUpdated,
    EventName::DatasourceRefreshFailed,
];

/// How long a second takes.
fn second(stretch: f64) -> Duration {
    Duration::from_secs(1).mul_f64(stretch)
}

async fn site(stretch: f64) -> Site {
    let template = template();
    let mut parameters = Template::parse(&template).unwrap().parameters().into_iter();
    let rate = parameters.find(|parameter| parameter.name == "ThrottlingRateLimit").unwrap();
    let rate: f64 = rate.default.unwrap().parse().unwrap();
    let tableau = TableauSimulator::sample().retry_gaps(RETRY_GAPS.map(|gap| second(stretch) * gap));
    let parameters = [("ThrottlingRateLimit", format!("{:.0}", (rate / stretch).ceil()))];
    let site = Site::start(&template, &every_rule(), tableau, &parameters, Some(CONCURRENT_EXECUTIONS)).await;
    site.stack.aws().fail_next("EventBridge.PutEvents", EVENTS * 4, Fault::Hang(PUT_EVENTS_TAKES));
    site
}

/// How much longer than on Lambda an execution of receive-webhook takes here; 1 at least.
async fn stretch() -> f64 {
    let mut site = site(1.0).await;
    let client = http_client::client(None).unwrap();
    let url = format!("{}/webhook?token={TOKEN}", site.stack.url());
    let body = sample_payload(&EventName::LabelDeleted, Timestamp::now()).unwrap();
    let mut took = Vec::new();
    // The first time with a start of each process, which does not count.
    for requests in [1, 10] {
        let mut all = JoinSet::new();
        for _ in 0..CONCURRENT_EXECUTIONS {
            let (client, url, body) = (client.clone(), url.clone(), body.clone());
            all.spawn(async move {
                for _ in 0..requests {
                    client.post(&url).body(body.clone()).send().await.unwrap();
                }
            });
        }
        all.join_all().await;
        took = site.news();
    }
    let took = took.into_iter().filter_map(|event| match event {
        StackEvent::Answered { status: 202, duration, .. } => Some(duration),
        _ => None,
    });
    let mut took: Vec<Duration> = took.collect();
    assert!(took.len() > 50, "{took:?}");
    site.stack.shutdown().await;
    // Three of four are quicker: what else the machine does comes and goes.
    took.sort();
    took[took.len() * 3 / 4].div_duration_f64(EXECUTION_TAKES).max(1.0)
}

fn id(payload: &str) -> String {
    EventId::of(&Payload::parse(payload.as_bytes()).unwrap()).as_str().to_owned()
}

/// Lets the events happen within `second`, each about an object of its own; gives their ids and names.
async fn happen(tableau: &TableauSimulator, second: Duration) -> BTreeMap<String, EventName> {
    let objects = (0..EVENTS).zip(NAMES.iter().cycle()).map(|(number, event)| {
        let name = format!("Resource {number}");
        let luid = if event.as_str().starts_with("Workbook") {
            tableau.add(Workbook::named(&name)).as_str().to_owned()
        } else {
            tableau.add(Datasource::named(&name)).as_str().to_owned()
        };
        (event, luid)
    });
    let objects: Vec<_> = objects.collect();
    let mut ids = BTreeMap::new();
    let mut pace = interval(second.div_f64(EVENTS as f64));
    for (event, luid) in objects {
        pace.tick().await;
        let fired = tableau.fire(event, &luid).unwrap();
        assert_eq!(fired.webhooks, 1, "Tableau has switched the webhook for {event} off");
        ids.insert(id(&fired.payload), event.clone());
    }
    ids
}

/// Which of the events are neither in a workflow's queue nor on its record.
fn lost<'a>(
    site: &Site,
    workflow: &str,
    queue: &str,
    events: impl Iterator<Item = &'a String>,
) -> BTreeSet<&'a String> {
    // First the queue: what leaves it has a record by then.
    let waiting: BTreeSet<String> = site.bodies(queue).iter().map(|body| id(body)).collect();
    let records = site.records(workflow);
    events.filter(|id| !waiting.contains(*id) && !records.contains_key(*id)).collect()
}

// 11-A2
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_events_within_a_second_are_stored_with_ten_concurrent_executions() {
    let stretch = stretch().await;
    assert!(stretch < LONGEST_STRETCH, "this machine is too busy: {stretch:.1}");
    let site = site(stretch).await;
    NAMES.iter().for_each(|name| site.register(name));

    let began = Instant::now();
    let events = happen(&site.tableau, second(stretch)).await;
    let happened = began.elapsed();
    site.tableau.settled(PATIENCE).await.unwrap();

    let deliveries = site.tableau.deliveries();
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    let mut tries: BTreeMap<usize, usize> = BTreeMap::new();
    for delivery in &deliveries {
        *tries.entry(delivery.attempts.len()).or_default() += 1;
        for attempt in &delivery.attempts {
            let status = attempt.status.as_ref().map_or_else(Clone::clone, u16::to_string);
            *answers.entry(status).or_default() += 1;
        }
    }
    println!("a second lasts {stretch:.1} s, the events came within {happened:.1?}");
    println!("answers {answers:?}, deliveries by their number of tries {tries:?}");
    assert_eq!(events.len(), EVENTS);
    assert!(deliveries.iter().all(|delivery| delivery.state == DeliveryState::Delivered), "{tries:?}");
    assert!(site.tableau.webhooks().iter().all(|webhook| webhook.enabled));
    assert!(answers.keys().all(|status| ["202", "429", "503"].contains(&status.as_str())), "{answers:?}");
    assert!(
        answers["202"] == EVENTS && answers.len() > 1,
        "the limit was felt, and nothing lost: {answers:?}"
    );

    let taken = events
        .iter()
        .filter(|(_, name)| [EventName::WorkbookUpdated, EventName::WorkbookRefreshSucceeded].contains(name));
    let taken: Vec<&String> = taken.map(|(id, _)| id).collect();
    assert_eq!(lost(&site, "notify-slack", QUEUE, events.keys()), BTreeSet::new());
    assert_eq!(lost(&site, "update-broadcast", "UpdateBroadcastQueue", taken.into_iter()), BTreeSet::new());
    assert!(site.bodies(DEAD_LETTERS).is_empty() && site.bodies("UpdateBroadcastDeadLetters").is_empty());

    // Meanwhile the workflows had their share, and no more.
    for mapping in &site.stack.plan().mappings {
        assert!(!site.records(&mapping.function).is_empty(), "{mapping:?}");
        let executions = site.stack.environments(&mapping.function);
        assert!(executions <= mapping.maximum_concurrency.unwrap(), "{executions} {mapping:?}");
    }
    assert!(site.stack.environments("receive-webhook") <= CONCURRENT_EXECUTIONS);
    site.stack.shutdown().await;
}
