//! A hundred fresh processes with one personal access token: one sign-in, no failed call. And when the session ends in
//! the middle: one sign-in more.
//!
//! Each process is this test's own binary, started again, and opens its own client as a function does at a cold start.
//! All wait for one signal, and late in their calls for another, so that there is a middle however fast or slow the
//! machine is. They share nothing but the table: of the double, and of the emulator at `AWS_CONTRACT_URL`
//! when that is set.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use local_aws::{Aws, Keys};
use serde_json::{Value, json};
use simulator::{SAMPLE_PAT, TableauSimulator};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tableau_client::{FixedCredential, Settings, TableauClient, TableauCredential, chain};
use testkit::dynamodb::{Emulator, Endpoint, client as dynamodb, say};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

const PROCESSES: u32 = 100;
/// How many calls each process makes.
const CALLS: u32 = 10;
/// How many calls each process makes before the second signal. The remaining calls come after it.
const CALLS_BEFORE_HOLD: u32 = 7;
const TIMEOUT: Duration = Duration::from_secs(120);
/// The environment variable that turns a process into a worker; its value says where the servers are.
const WORKER: &str = "TEST_WORKER";
/// The prefix of a worker's output lines, to tell them from those of the test harness.
const SAYS: &str = "worker says ";

/// Runs as a worker when this test binary was started as one.
#[tokio::test]
async fn a_worker() {
    #[expect(clippy::disallowed_methods, reason = "set by the test that starts this process")]
    let Ok(orders) = std::env::var(WORKER) else { return };
    let orders: Value = serde_json::from_str(&orders).unwrap();
    let order = |name: &str| orders[name].as_str().unwrap();
    let keys = ["id", "secret", "token"].map(order);
    let endpoint = Endpoint::with_keys(order("dynamodb"), keys);
    let credential = TableauCredential::personal_access_token(SAMPLE_PAT.0, SAMPLE_PAT.1);
    let client = TableauClient::new(
        http_client::client(None).unwrap(),
        Settings::new(order("tableau"), "marketing", "").unwrap(),
        Arc::new(FixedCredential::new(credential)),
        session_store::sessions(Some((dynamodb(endpoint), order("table").to_owned()))),
    );
    let workbook = order("workbook").parse().unwrap();

    let hold = || std::io::stdin().read_line(&mut String::new()).unwrap();
    println!("{SAYS}{}", json!("ready"));
    hold();

    let mut failed = Vec::new();
    for made in 0..CALLS {
        if made == CALLS_BEFORE_HOLD {
            hold();
        }
        if let Err(error) = client.workbook(&workbook).await {
            failed.push(chain(&error));
        }
        tokio::time::sleep(Duration::from_millis(fastrand::u64(10..100))).await;
    }
    println!("{SAYS}{}", json!({ "calls": CALLS, "failed": failed }));
}

struct Worker {
    process: Child,
    says: BufReader<ChildStdout>,
}

impl Worker {
    fn start(orders: &Value) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["a_worker", "--exact", "--nocapture"])
            .env(WORKER, orders.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let says = BufReader::new(process.stdout.take().unwrap());
        Self { process, says }
    }

    async fn signal(&mut self) {
        self.process.stdin.as_mut().unwrap().write_all(b"go\n").await.unwrap();
    }

    async fn says(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.says.read_line(&mut line).await.unwrap() > 0, "a worker ended without a word");
            if let Some((_, said)) = line.split_once(SAYS) {
                return serde_json::from_str(said).unwrap();
            }
        }
    }
}

/// The results of the workers.
#[derive(Debug, PartialEq)]
struct Figures {
    processes: u32,
    calls: u64,
    sign_ins: u32,
    failed: Vec<String>,
}

/// Runs many workers at the same time. `ends` says whether the session ends after a third of the calls.
async fn workers(place: &str, url: &str, keys: &Keys, table: &str, ends: bool) -> Figures {
    let tableau = TableauSimulator::sample().start().await.unwrap();
    let workbook = tableau.workbook("Superstore").unwrap();
    let orders = json!({
        "dynamodb": url, "table": table, "tableau": tableau.url(), "workbook": workbook.as_str(),
        "id": keys.access_key_id(), "secret": keys.secret_access_key(), "token": keys.session_token(),
    });
    let mut members: Vec<Worker> = (0..PROCESSES).map(|_| Worker::start(&orders)).collect();
    for worker in &mut members {
        assert_eq!(worker.says().await, "ready");
    }

    let started = Instant::now();
    for worker in &mut members {
        worker.signal().await;
    }
    let made = || tableau.calls("GET /sites/{site}/workbooks/{id}");
    if ends {
        while made() < PROCESSES * CALLS / 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tableau.end_sessions();
        // A call that began before the session ended and was refused counts too: it is repeated.
        assert!(made() <= PROCESSES * (CALLS_BEFORE_HOLD + 1), "no process waits");
    }
    for worker in &mut members {
        worker.signal().await;
        // The session ended while calls were running. The remaining calls need not all run in one instant too, for
        // which an emulator on a busy machine is too slow.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut figures = Figures { processes: 0, calls: 0, sign_ins: 0, failed: Vec::new() };
    for worker in &mut members {
        let said = worker.says().await;
        figures.processes += 1;
        figures.calls += said["calls"].as_u64().unwrap();
        let failed = said["failed"].as_array().unwrap().iter();
        figures.failed.extend(failed.map(|reason| reason.as_str().unwrap().to_owned()));
    }
    figures.sign_ins = tableau.sign_ins(SAMPLE_PAT.0);
    let seconds = started.elapsed().as_secs_f64();
    for worker in &mut members {
        assert!(worker.process.wait().await.unwrap().success());
    }

    let Figures { processes, calls, sign_ins, ref failed } = figures;
    let session = if ends { "ends in the middle" } else { "lasts" };
    say(&format!(
        "{place}, session {session}: {processes} processes, {calls} calls, {sign_ins} sign-ins, {} failed calls, \
         {seconds:.1} s",
        failed.len()
    ));
    figures
}

async fn one_token_serves_a_hundred_processes(place: &str, url: &str, keys: &Keys, table: &str) {
    for (ends, sign_ins) in [(false, 1), (true, 2)] {
        let figures = tokio::time::timeout(TIMEOUT, workers(place, url, keys, table, ends)).await;
        let calls = u64::from(PROCESSES * CALLS);
        let expected = Figures { processes: PROCESSES, calls, sign_ins, failed: Vec::new() };
        assert_eq!(figures.expect("workers that end"), expected);
    }
}

#[tokio::test]
async fn one_token_serves_a_hundred_processes_on_the_double() {
    let aws = Aws::start().await.unwrap();
    testkit::dynamodb::create_table(&aws, "table");
    one_token_serves_a_hundred_processes("double", aws.url(), aws.keys(), "table").await;
}

#[tokio::test]
async fn one_token_serves_a_hundred_processes_on_the_emulator() {
    let Some(emulator) = Emulator::with_table("sessions").await else { return };
    // The emulator accepts any keys.
    let keys = Keys::new();
    one_token_serves_a_hundred_processes("emulator", &emulator.url, &keys, &emulator.table).await;
    emulator.delete_table().await;
}
