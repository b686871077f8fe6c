//! Connections of a process that Lambda froze between two events. A blocking sleep in the only thread stops all other
//! work, as in a frozen process.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use http_client::{IDLE_TIMEOUT, client};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many requests a connection answers, and what happens to it afterwards.
#[derive(Clone, Copy)]
enum Then {
    /// Answers any number of requests.
    Answers,
    /// Answers one request; then the connection stays open without answers, as when a router drops its state.
    IsSilent,
    /// Answers one request; then closes when idle for this long.
    Closes(Duration),
}

/// A server, and how many connections it accepted.
fn serve(then: Then) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&connections);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || answer(stream.unwrap(), then));
        }
    });
    (url, connections)
}

fn answer(mut stream: TcpStream, then: Then) {
    let mut answered = 0;
    let mut buffer = [0; 4_096];
    while let Ok(1..) = stream.read(&mut buffer) {
        if answered > 0 && matches!(then, Then::IsSilent) {
            continue;
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
        answered += 1;
        if let Then::Closes(after) = then {
            std::thread::sleep(after);
            return;
        }
    }
}

async fn post(client: &reqwest::Client, url: &str) -> u16 {
    let answer = client.post(url).body("an event").send().await.unwrap();
    let status = answer.status().as_u16();
    assert_eq!(answer.text().await.unwrap(), "ok");
    status
}

#[tokio::test(flavor = "current_thread")]
async fn a_connection_that_was_idle_while_the_process_was_frozen_is_not_used_again() {
    let (url, connections) = serve(Then::IsSilent);
    let client = client(None).unwrap();
    assert_eq!(post(&client, &url).await, 200);
    std::thread::sleep(IDLE_TIMEOUT + Duration::from_millis(100));
    let started = Instant::now();
    assert_eq!(post(&client, &url).await, 200);
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "current_thread")]
async fn a_connection_that_was_closed_meanwhile_fails_no_request() {
    let (url, connections) = serve(Then::Closes(Duration::from_millis(20)));
    let client = client(None).unwrap();
    for _ in 0..5 {
        assert_eq!(post(&client, &url).await, 200);
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(post(&client, &url).await, 200);
    std::thread::sleep(IDLE_TIMEOUT + Duration::from_millis(100));
    assert_eq!(post(&client, &url).await, 200);
    assert_eq!(connections.load(Ordering::SeqCst), 7);
}

#[tokio::test(flavor = "current_thread")]
async fn a_connection_that_is_in_use_is_used_again() {
    let (url, connections) = serve(Then::Answers);
    let client = client(None).unwrap();
    for _ in 0..5 {
        assert_eq!(post(&client, &url).await, 200);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}
