//! A process that is killed between any two steps loses nothing: timers alone bring each stored request to its end, with one job.

use crate::stage::{Stage, everything, of_datasource};
use crate::time::Time;
use serde_json::Value;
use std::time::Duration;
use testkit::ApiCall;
use testkit::local_aws::Fault;
use testkit::simulator::{self, Datasource};

/// The calls that write something.
const WRITES: [&str; 4] =
    ["DynamoDB.TransactWriteItems", "DynamoDB.PutItem", "DynamoDB.UpdateItem", "SQS.SendMessage"];

/// What happens meanwhile.
#[derive(Clone, Copy, Debug)]
enum Story {
    /// Tableau takes the start.
    Plain,
    /// The answer to the start is lost.
    Lost,
    /// Tableau does not know the content at first.
    Published,
    /// Tableau's limit is reached at first.
    Limited,
    /// A second request needs newer data, while the first refresh runs.
    Fresh,
    /// The caller cancels while the refresh runs.
    Cancelled,
}

impl Story {
    /// The status that each stored request ends with.
    fn end(self) -> &'static str {
        if matches!(self, Self::Cancelled) { "cancelled" } else { "succeeded" }
    }

    /// The request, or requests, of callers who never ask again.
    async fn ask(self, stage: &Stage, key: &str, luid: &str) {
        let mut body = of_datasource(luid);
        let call = ApiCall::new("POST", "/refreshes").key(key).json(&body);
        let answer = stage.function.invoke(&call.event()).await;
        match self {
            Self::Fresh => {
                // Tableau begins it, if it has it.
                if stage.tableau().jobs().iter().any(|job| job.target.as_deref() == Some(luid)) {
                    stage.tableau().start_refresh(luid).unwrap();
                }
                body["fresh"] = serde_json::json!(true);
                let call = ApiCall::new("POST", "/refreshes").key(key).json(&body);
                let _ = stage.function.invoke(&call.event()).await;
            }
            Self::Cancelled => {
                let Ok(answer) = answer else { return };
                let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
                let path = format!("/refreshes/{}", body["id"].as_str().unwrap());
                let call = ApiCall::new("DELETE", &path).key(key);
                let _ = stage.function.invoke(&call.event()).await;
            }
            _ => {}
        }
    }
}

/// One run, in which the process is killed when it makes the call with this number. Whether it came to that.
async fn run(operation: &str, number: usize, story: Story) -> bool {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance")).to_string();
    let key = stage.key("nightly load", everything()).await;
    let fault = match story {
        Story::Lost => Some(simulator::Fault::Lost),
        Story::Published => Some(simulator::Fault::Error("404004")),
        Story::Limited => Some(simulator::Fault::TooManyRequests { retry_after: Some(120) }),
        Story::Plain | Story::Fresh | Story::Cancelled => None,
    };
    if let Some(fault) = fault {
        stage.tableau().fail_next("POST */refresh", 1, fault);
    }
    let aws = &stage.environment.aws;
    let before = aws.calls(operation);
    // The calls before it go through.
    aws.fail_next(operation, number, Fault::Hang(Duration::ZERO));
    aws.fail_next(operation, 1, Fault::Hang(Duration::from_secs(60)));
    let case = format!("{operation} {number}, {story:?}");
    let is_reached = || aws.calls(operation) > before + number;
    let killer = async {
        while !is_reached() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stage.function.process().kill().await;
        std::future::pending::<()>().await;
    };
    let story = async {
        story.ask(&stage, &key, &luid).await;
        let mut time = Time::of(&stage);
        for _ in 0..80 {
            let is_open = stage.tableau().jobs().iter().any(|job| job.completed_at.is_none());
            let is_wanted = requests(&stage).iter().any(|request| request["outcome"].is_null());
            // A job that is to be cancelled must not end by itself.
            if is_open && is_wanted {
                stage.tableau().succeed_refresh(&luid).unwrap();
            }
            if is_settled(&stage) || !time.next().await {
                break;
            }
        }
        assert!(is_settled(&stage), "{case}: {:?} {}", requests(&stage), stage.log());
        let ends: Vec<Value> =
            requests(&stage).iter().map(|request| request["outcome"]["status"].clone()).collect();
        // A request whose cancelling did not get through succeeds.
        assert!(ends.iter().all(|end| *end == story.end() || *end == "succeeded"), "{case}: {ends:?}");
        let jobs = stage.tableau().jobs();
        let jobs = jobs.iter().filter(|job| job.target.as_deref() == Some(luid.as_str())).count();
        assert!(
            jobs <= ends.len() && (jobs > 0 || ends.is_empty() || story.end() == "cancelled"),
            "{case}: {jobs} jobs, {ends:?} {}",
            stage.log()
        );
    };
    tokio::select! {
        () = killer => {}
        () = story => {}
    }
    is_reached()
}

/// The requests in the table.
fn requests(stage: &Stage) -> Vec<Value> {
    let items = stage.environment.aws.items("deliveries");
    let requests =
        items.iter().filter(|item| item["pk"]["S"].as_str().is_some_and(|key| key.starts_with("refresh#")));
    requests.map(|item| serde_json::from_str(item["document"]["S"].as_str().unwrap()).unwrap()).collect()
}

/// Whether each request that was stored has its result, and no job is open.
fn is_settled(stage: &Stage) -> bool {
    requests(stage).iter().all(|request| request["outcome"].is_object())
        && stage.tableau().jobs().iter().all(|job| job.completed_at.is_some())
}

async fn every_step(story: Story) {
    let mut kills = 0;
    for operation in WRITES {
        let mut number = 0;
        while run(operation, number, story).await {
            number += 1;
        }
        kills += number;
    }
    assert!(kills >= 10, "{kills} steps of {story:?}");
}

#[tokio::test]
async fn a_process_that_is_killed_at_any_step_loses_no_request_and_starts_no_second_refresh() {
    every_step(Story::Plain).await;
}

#[tokio::test]
async fn nor_if_the_answer_to_the_start_is_lost_as_well() {
    every_step(Story::Lost).await;
}

#[tokio::test]
async fn nor_if_tableau_refuses_the_start_at_first() {
    every_step(Story::Published).await;
    every_step(Story::Limited).await;
}

#[tokio::test]
async fn nor_if_a_newer_refresh_has_to_follow() {
    every_step(Story::Fresh).await;
}

#[tokio::test]
async fn a_job_is_cancelled_though_the_process_is_killed_at_any_step() {
    every_step(Story::Cancelled).await;
}
