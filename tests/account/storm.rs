//! A storm of events on a new account with ten concurrent executions. receive-webhook shares the executions with two
//! workflows that handle events at the same time: the template refuses a third one before the quota is higher.
//!
//! Lambda refuses a request that finds no execution free in that very moment, so a few hundredths of a second count, and a
//! machine with other work to do delays requests by more. The storm is therefore shown in slow motion: events, executions,
//! Tableau's gaps and the rate of the throttling all take ten times as long, the machine's delays do not. On a machine
//! without other work `STORM_SECOND=1 cargo test -p repository-tests --test account storm -- --nocapture` shows it at
//! its real speed.

use crate::site::{DEAD_LETTERS, QUEUE, Site, template};
use local_aws::template::Template;
use local_aws::{Fault, StackEvent};
use simulator::{Datasource, DeliveryState, TableauSimulator, Workbook};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tableau::{EventId, EventName, Payload};
use testkit::repository::every_rule;
use tokio::time::{Instant, interval};

const EVENTS: usize = 500;
/// The limit of concurrent executions of a new account.
const CONCURRENT_EXECUTIONS: usize = 10;
/// The gaps between delivery attempts, in seconds. Tableau's own gaps are not known, only that they grow. These are
/// shorter than the documented gaps of any sender of webhooks.
const RETRY_GAPS: [u32; 3] = [1, 2, 4];
/// How long EventBridge takes to accept an event, about 20 ms: most of the duration of a receive-webhook execution on
/// Lambda.
const PUT_EVENTS_TAKES: Duration = Duration::from_millis(17);
/// The parameters that switch on the two workflows of the storm.
const WORKFLOWS: [&str; 2] = ["NotifySlackEnabled", "UpdateBroadcastEnabled"];
/// How long a simulated second lasts, in real seconds, unless `STORM_SECOND` sets it.
const SECOND: f64 = 10.0;
const TIMEOUT: Duration = Duration::from_secs(300);

/// The webhooks of a site: one for each event name, all for the common ingress.
const NAMES: [EventName; 5] = [
    EventName::WorkbookCreated,
    EventName::WorkbookUpdated,
    EventName::WorkbookRefreshSucceeded,
    EventName::DatasourceUpdated,
    EventName::DatasourceRefreshFailed,
];

/// How long a simulated second lasts.
fn second(pace: f64) -> Duration {
    Duration::from_secs(1).mul_f64(pace)
}

async fn site(pace: f64) -> Site {
    let template = template();
    let parsed = Template::parse(&template).unwrap();
    let rate =
        parsed.parameters().into_iter().find(|parameter| parameter.name == "ThrottlingRateLimit").unwrap();
    let rate: f64 = rate.default.unwrap().parse().unwrap();
    let tableau = TableauSimulator::sample().retry_gaps(RETRY_GAPS.map(|gap| second(pace) * gap));
    let switches = parsed.everything_on();
    let others = switches.keys().map(String::as_str).filter(|name| name.ends_with("Enabled"));
    let others = others.filter(|name| !WORKFLOWS.contains(name)).map(|name| (name, "false".to_owned()));
    let rate = ("ThrottlingRateLimit", format!("{:.0}", (rate / pace).ceil()));
    let parameters: Vec<_> = others.chain([rate]).collect();
    let site = Site::start(&template, &every_rule(), tableau, &parameters, Some(CONCURRENT_EXECUTIONS)).await;
    assert_eq!(site.stack.plan().mappings.len(), WORKFLOWS.len(), "the workflows that are on");
    site.stack.aws().fail_next(
        "EventBridge.PutEvents",
        EVENTS * 4,
        Fault::Hang(PUT_EVENTS_TAKES.mul_f64(pace)),
    );
    site
}

fn id(payload: &str) -> String {
    EventId::of(&Payload::parse(payload.as_bytes()).unwrap()).as_str().to_owned()
}

/// The results of a storm.
struct Storm {
    site: Site,
    /// The names of the events, by event id. There are fewer when Tableau disabled a webhook meanwhile.
    events: BTreeMap<String, EventName>,
}

/// Fires the events within a second, each about its own object, and waits until Tableau has finished all deliveries.
async fn storm(pace: f64) -> Storm {
    let mut site = site(pace).await;
    NAMES.iter().for_each(|name| site.register(name));
    let objects = (0..EVENTS).zip(NAMES.iter().cycle()).map(|(number, event)| {
        let name = format!("Resource {number}");
        let luid = if event.as_str().starts_with("Workbook") {
            site.tableau.add(Workbook::named(&name)).as_str().to_owned()
        } else {
            site.tableau.add(Datasource::named(&name)).as_str().to_owned()
        };
        (event, luid)
    });
    let objects: Vec<_> = objects.collect();

    let mut events = BTreeMap::new();
    let began = Instant::now();
    let mut ticks = interval(second(pace).div_f64(EVENTS as f64));
    for (event, luid) in objects {
        ticks.tick().await;
        let fired = site.tableau.fire(event, &luid).unwrap();
        if fired.webhooks == 1 {
            events.insert(id(&fired.payload), event.clone());
        }
    }
    let happened = began.elapsed();
    site.tableau.settled(TIMEOUT).await.unwrap();

    let took = site.news().into_iter().filter_map(|event| match event {
        StackEvent::Answered { status: 202, duration, .. } => Some(duration),
        _ => None,
    });
    let took: Vec<Duration> = took.collect();
    let execution = took.iter().sum::<Duration>().div_f64(took.len() as f64);
    println!("a second lasts {pace} s: events within {happened:.1?}, an execution takes {execution:.0?}");
    Storm { site, events }
}

/// The events that are neither in a workflow's queue nor in its records.
fn lost<'a>(
    site: &Site,
    workflow: &str,
    queue: &str,
    events: impl Iterator<Item = &'a String>,
) -> BTreeSet<&'a String> {
    // Read the queue first: an event that leaves the queue has a record by then.
    let waiting: BTreeSet<String> = site.bodies(queue).iter().map(|body| id(body)).collect();
    let records = site.records(workflow);
    events.filter(|id| !waiting.contains(*id) && !records.contains_key(*id)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_events_within_a_second_are_stored_with_ten_concurrent_executions() {
    #[expect(clippy::disallowed_methods, reason = "how fast a run is, is a matter of the run")]
    let pace =
        std::env::var("STORM_SECOND").map_or(SECOND, |seconds| seconds.parse().expect("a number of seconds"));
    let Storm { site, events } = storm(pace).await;

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
    println!("answers {answers:?}, deliveries by their number of tries {tries:?}");
    assert_eq!(events.len(), EVENTS, "Tableau switched a webhook off");
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

    // Meanwhile the workflows used their share of the executions, and no more.
    for mapping in &site.stack.plan().mappings {
        assert!(!site.records(&mapping.function).is_empty(), "{mapping:?}");
        let executions = site.stack.environments(&mapping.function);
        assert!(executions <= mapping.maximum_concurrency.unwrap(), "{executions} {mapping:?}");
    }
    assert!(site.stack.environments("receive-webhook") <= CONCURRENT_EXECUTIONS);
    site.stack.shutdown().await;
}
