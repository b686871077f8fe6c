//! The recorder of any requests.

mod support;

use simulator::{Fault, Recorder};
use std::time::Duration;
use support::{SOON, client};

#[tokio::test]
async fn a_request_is_remembered_with_all_its_parts() {
    let recorder = Recorder::start().await.unwrap();
    recorder.answer(201, "{\"id\":1}");

    let url = format!("{}/v1/events?x=1", recorder.url());
    let answer = client().put(url).header("webhook-id", "e-1").body("hello").send().await.unwrap();

    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (201, "{\"id\":1}"));
    let request = recorder.wait_for(1, SOON).await.unwrap().remove(0);
    assert_eq!(
        (request.method.as_str(), request.path.as_str(), request.query.as_str()),
        ("PUT", "/v1/events", "x=1")
    );
    assert_eq!((request.header("webhook-id"), request.text().as_str()), (Some("e-1"), "hello"));
}

#[tokio::test]
async fn a_planned_fault_fails_the_call_and_the_call_is_recorded() {
    let recorder = Recorder::start().await.unwrap();
    recorder.fail_next(1, Fault::TooManyRequests { retry_after: Some(5) });
    recorder.fail_next(1, Fault::Status(410));
    let http = client();
    let post = async || http.post(recorder.url()).send().await.unwrap();

    let busy = post().await;
    assert_eq!((busy.status().as_u16(), busy.headers()["retry-after"].to_str().unwrap()), (429, "5"));
    assert_eq!(post().await.status().as_u16(), 410);
    assert_eq!(post().await.status().as_u16(), 200);
    assert_eq!(recorder.requests().len(), 3);
}

#[tokio::test]
async fn a_recorder_that_is_dropped_is_gone_for_old_connections_too() {
    let recorder = Recorder::start().await.unwrap();
    let http = client();
    let url = recorder.url();
    assert!(http.post(&url).send().await.is_ok());

    drop(recorder);

    assert!(http.post(&url).send().await.is_err());
}

#[tokio::test]
async fn waiting_ends_with_what_was_found() {
    let recorder = Recorder::start().await.unwrap();

    let error = recorder.wait_for(1, Duration::from_millis(5)).await.unwrap_err();

    assert_eq!(error.to_string(), "timed out waiting for 1 entries, found 0");
}
