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

/// One run, in which the process is killed when it makes the call with this number. Whether it came to that.
async fn run(operation: &str, number: usize, loses_answer: bool) -> bool {
    let stage = Stage::start().await;
    let luid = stage.tableau().add(Datasource::named("Orders").in_project("Finance")).to_string();
    let key = stage.key("nightly load", everything()).await;
    if loses_answer {
        stage.tableau().fail_next("POST */refresh", 1, simulator::Fault::Lost);
    }
    let aws = &stage.environment.aws;
    let before = aws.calls(operation);
    // The calls before it go through.
    aws.fail_next(operation, number, Fault::Hang(Duration::ZERO));
    aws.fail_next(operation, 1, Fault::Hang(Duration::from_secs(60)));
    let case = format!("{operation} {number}, loses_answer: {loses_answer}");
    let is_reached = || aws.calls(operation) > before + number;
    let killer = async {
        while !is_reached() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stage.function.process().kill().await;
        std::future::pending::<()>().await;
    };
    let story = async {
        // The caller never asks again.
        let call = ApiCall::new("POST", "/refreshes").key(&key).json(&of_datasource(&luid));
        let _ = stage.function.invoke(&call.event()).await;
        let mut time = Time::of(&stage);
        for _ in 0..60 {
            let jobs = stage.tableau().jobs();
            if jobs.iter().any(|job| job.completed_at.is_none()) {
                stage.tableau().succeed_refresh(&luid).unwrap();
            }
            if is_settled(&stage) || !time.next().await {
                break;
            }
        }
        assert!(is_settled(&stage), "{case}: {:?} {}", requests(&stage), stage.log());
        let jobs = stage.tableau().jobs();
        let jobs = jobs.iter().filter(|job| job.target.as_deref() == Some(luid.as_str())).count();
        assert_eq!(jobs, requests(&stage).len(), "{case}: {}", stage.log());
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

/// Whether each request that was stored has succeeded.
fn is_settled(stage: &Stage) -> bool {
    requests(stage).iter().all(|request| request["outcome"]["status"] == "succeeded")
}

async fn every_step(loses_answer: bool) {
    let mut kills = 0;
    for operation in WRITES {
        let mut number = 0;
        while run(operation, number, loses_answer).await {
            number += 1;
        }
        kills += number;
    }
    assert!(kills >= 12, "{kills} steps");
}

#[tokio::test]
async fn a_process_that_is_killed_at_any_step_loses_no_request_and_starts_no_second_refresh() {
    every_step(false).await;
}

#[tokio::test]
async fn nor_if_the_answer_to_the_start_is_lost_as_well() {
    every_step(true).await;
}
