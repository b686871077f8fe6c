//! Many callers for few objects, with a quota that must not be exceeded.

use crate::stage::{BINARY, NO_RULES, Stage, everything, of_datasource};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use testkit::simulator::{Datasource, Fault, TableauSimulator};
use testkit::{ApiCall, Batch, Function};
use tokio::task::JoinSet;

const CALLERS: usize = 20;
const OBJECTS: usize = 60;
const REQUESTS: usize = 500;
const INSTANCES: usize = 5;
const QUOTA: u32 = 60;
/// How many starts may be interrupted in a run that kills processes.
const INTERRUPTED: u32 = 20;

/// The instances of the function, which share the work.
struct Instances {
    all: Vec<Function>,
    next: AtomicUsize,
    /// How many invocations ended with their process.
    interrupted: AtomicUsize,
}

impl Instances {
    fn next(&self) -> &Function {
        &self.all[self.next.fetch_add(1, Ordering::Relaxed) % self.all.len()]
    }

    /// The answer to a request. A caller whose connection breaks sends the same request again.
    async fn answer(&self, call: &ApiCall) -> (u64, Value) {
        for _ in 0..20 {
            let Ok(response) = self.next().invoke(&call.event()).await else {
                self.interrupted.fetch_add(1, Ordering::Relaxed);
                continue;
            };
            let status = response["statusCode"].as_u64().unwrap();
            let body: Value = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
            if status != 503 {
                return (status, body);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        panic!("no answer to {call:?}");
    }

    /// Hands a message over, again if the process died or asks for it, as the queue does.
    async fn message(&self, body: &str) {
        // A process that was killed holds its claim of the event for as long as it might have run.
        for _ in 0..200 {
            let batch = Batch::default().message(body).event();
            let Ok(response) = self.next().invoke(&batch).await else { continue };
            if response["batchItemFailures"].as_array().is_some_and(Vec::is_empty) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        panic!("the message is not handled: {body}");
    }
}

/// Ends what runs at Tableau, and hands over the events and the timers that are due, until it is told to stop.
async fn work(stage: Arc<Stage>, instances: Arc<Instances>, luids: Arc<Vec<String>>, stop: Arc<AtomicBool>) {
    let mut handled = BTreeSet::new();
    while !stop.load(Ordering::SeqCst) {
        let open: Vec<_> =
            stage.tableau().jobs().into_iter().filter(|job| job.completed_at.is_none()).collect();
        let mut messages = JoinSet::new();
        for job in open.into_iter().take(6) {
            let Some(luid) = job.target else { continue };
            let Some(number) = luids.iter().position(|one| *one == luid) else { continue };
            let name = if number.is_multiple_of(7) {
                stage.tableau().fail_refresh(&luid, "Login failed for user").unwrap();
                "DatasourceRefreshFailed"
            } else {
                stage.tableau().succeed_refresh(&luid).unwrap();
                "DatasourceRefreshSucceeded"
            };
            let event = json!({
                "resource": "EXTRACTS", "event_type": name, "resource_name": "n",
                "site_luid": stage.tableau().site().as_str(), "resource_luid": luid,
                "created_at": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
            });
            let instances = Arc::clone(&instances);
            messages.spawn(async move { instances.message(&event.to_string()).await });
        }
        for queued in stage.environment.aws.messages("queue") {
            let body: Value = serde_json::from_str(&queued.body).unwrap();
            let due = body["timer"]["due"].as_str().and_then(|due| due.parse::<Timestamp>().ok());
            if due.is_some_and(|due| due <= Timestamp::now()) && handled.insert(queued.body.clone()) {
                let instances = Arc::clone(&instances);
                messages.spawn(async move { instances.message(&queued.body).await });
            }
        }
        messages.join_all().await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// 500 requests of 20 callers for 60 objects. `is_killing`: a process is killed every 0.7 s while requests come, and every 3 s until
/// all have their result. `lost`: how many answers to starts are lost.
async fn crowd(is_killing: bool, lost: u32) {
    let tableau = TableauSimulator::sample().refreshes_per_hour(QUOTA.try_into().unwrap());
    // A start whose process was killed between its count and its call is counted again when it is sent.
    let quota = if is_killing { QUOTA + INTERRUPTED } else { QUOTA }.to_string();
    let limits = [("REFRESHES_PER_HOUR", quota.as_str()), ("REFRESHES_AT_ONCE", "12")];
    let stage = Arc::new(Stage::with(NO_RULES, tableau, &limits).await);
    let luids: Vec<String> = (0..OBJECTS)
        .map(|n| {
            stage.tableau().add(Datasource::named(&format!("Orders {n}")).in_project("Finance")).to_string()
        })
        .collect();
    let luids = Arc::new(luids);
    let mut keys = Vec::new();
    for n in 0..CALLERS {
        keys.push(stage.key(&format!("caller {n}"), everything()).await);
    }
    let all =
        (0..INSTANCES).map(|_| stage.environment.queued_with("refresh-extract", BINARY, &limits)).collect();
    let instances = Arc::new(Instances { all, next: AtomicUsize::new(0), interrupted: AtomicUsize::new(0) });

    let began = Instant::now();
    let mut requests = JoinSet::new();
    for n in 0..REQUESTS {
        let instances = Arc::clone(&instances);
        let luid = luids[n % OBJECTS].clone();
        let key = keys[(n / OBJECTS + n) % CALLERS].clone();
        requests.spawn(async move {
            // Spread over some seconds, as callers are.
            tokio::time::sleep(Duration::from_millis(u64::try_from(n).unwrap() * 8)).await;
            let call = ApiCall::new("POST", "/refreshes")
                .key(&key)
                .header("idempotency-key", &format!("run-{n}"))
                .json(&of_datasource(&luid));
            let (status, body) = instances.answer(&call).await;
            assert_eq!(status, 202, "{body}");
            (key, luid, body["id"].as_str().unwrap().to_owned())
        });
    }
    stage.tableau().fail_next("POST */refresh", lost, Fault::Lost);
    let stop = Arc::new(AtomicBool::new(false));
    let are_in = Arc::new(AtomicBool::new(false));
    let killer = tokio::spawn({
        let (instances, stop, are_in) = (Arc::clone(&instances), Arc::clone(&stop), Arc::clone(&are_in));
        async move {
            let mut kills = 0;
            while is_killing && !stop.load(Ordering::SeqCst) {
                let pause = if are_in.load(Ordering::SeqCst) { 3_000 } else { 700 };
                tokio::time::sleep(Duration::from_millis(pause)).await;
                instances.all[kills % INSTANCES].process().kill().await;
                kills += 1;
            }
            kills
        }
    });
    let accepted = requests.join_all().await;
    let taken = began.elapsed();
    are_in.store(true, Ordering::SeqCst);
    let worker =
        tokio::spawn(work(Arc::clone(&stage), Arc::clone(&instances), Arc::clone(&luids), Arc::clone(&stop)));

    let mut results: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut joined = 0;
    let until = Instant::now() + Duration::from_secs(240);
    for (key, luid, id) in &accepted {
        let path = format!("/refreshes/{id}");
        let result = loop {
            let (status, body) = instances.answer(&ApiCall::new("GET", &path).key(key)).await;
            assert_eq!(status, 200, "{body}");
            if body["ended_at"].is_string() {
                break body;
            }
            assert!(Instant::now() < until, "{body}");
            tokio::time::sleep(Duration::from_millis(300)).await;
        };
        joined += usize::from(result["joined"] == true);
        let same = json!([
            result["status"],
            result["job"],
            result["started_at"],
            result["ended_at"],
            result["message"]
        ]);
        results.entry(luid.clone()).or_default().insert(same.to_string());
    }
    stop.store(true, Ordering::SeqCst);
    worker.await.unwrap();
    let kills = killer.await.unwrap();

    assert!(taken < Duration::from_secs(60), "the requests took {taken:?}");
    let interrupted = instances.interrupted.load(Ordering::Relaxed);
    assert_eq!(
        (interrupted > 0, kills > 5),
        (is_killing, is_killing),
        "{interrupted} invocations ended with their process"
    );
    assert_eq!(results.len(), OBJECTS);
    for (luid, result) in &results {
        assert_eq!(result.len(), 1, "{luid}: {result:?}");
        let failed = luids.iter().position(|one| one == luid).unwrap().is_multiple_of(7);
        let expected = if failed { "failed" } else { "succeeded" };
        assert!(result.first().unwrap().starts_with(&format!("[\"{expected}\"")), "{result:?}");
    }
    let mut jobs: BTreeMap<String, usize> = BTreeMap::new();
    for luid in stage.tableau().jobs().into_iter().filter_map(|job| job.target) {
        *jobs.entry(luid).or_default() += 1;
    }
    let started: Vec<usize> = luids.iter().map(|luid| jobs.get(luid).copied().unwrap_or_default()).collect();
    assert_eq!(started, [1; OBJECTS], "each object starts once");
    assert_eq!(stage.starts(), QUOTA, "no start was refused, and none was sent twice");
    assert_eq!(joined, REQUESTS - OBJECTS);
    for function in &instances.all {
        let logs = function.logs();
        stage.environment.assert_no_secret_in(&logs);
        for key in &keys {
            assert!(!logs.iter().any(|line| line.contains(&key[17..])), "a key is in the log");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_requests_start_each_of_sixty_objects_once() {
    crowd(false, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_requests_start_each_object_once_while_processes_are_killed() {
    crowd(true, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_requests_start_each_object_once_though_answers_are_lost() {
    crowd(false, 12).await;
}
