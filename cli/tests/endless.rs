//! The program limits how much it reads of an answer that never ends.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tableau-webhooks");

/// A server that starts every answer correctly, never ends it, and counts the bytes that it sent.
fn endless() -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            std::thread::spawn(move || answer(stream, &count));
        }
    });
    (url, sent)
}

/// Sends until the client closes the connection.
fn answer(mut stream: TcpStream, sent: &AtomicU64) {
    let mut request = [0; 16 * 1024];
    let _ = stream.read(&mut request);
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\n\r\n";
    let chunk = [b'['; 64 * 1024];
    let mut next = stream.write_all(head);
    while next.is_ok() {
        next = stream.write_all(&chunk);
        sent.fetch_add(chunk.len() as u64, Ordering::SeqCst);
    }
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_clear().env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test").output().unwrap()
}

#[test]
fn an_answer_to_an_event_that_does_not_end_is_one_clear_line() {
    let (url, sent) = endless();
    let token = "t".repeat(43);
    let output = run(&["send", "AdminPromoted", "--to", &format!("{url}/webhook/{token}")]);
    let expected = format!(
        "error: {url}/webhook answered 200 with more than 64 KiB, which the ingress never does; check --to\n"
    );
    assert_eq!(
        (output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()),
        (Some(1), &*expected)
    );
    // Bytes in the buffers of both sockets count as sent too.
    assert!(sent.load(Ordering::SeqCst) < 32 * 1024 * 1024);
}

#[test]
fn an_answer_in_place_of_aws_that_does_not_end_is_one_clear_line() {
    for command in [&["events", "list"][..], &["events", "show", "717bbc05a8f9"], &["events", "replay"]] {
        let (url, sent) = endless();
        let output = run(&[command, &["--endpoint-url", &url]].concat());
        let expected = format!(
            "error: us-east-1 at {url} answered cloudformation:ListStackResources with more than 16 MiB: that is not AWS; \
             check --endpoint-url\n"
        );
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), said), (Some(1), expected), "{command:?}");
        // The SDK makes three attempts.
        assert!(sent.load(Ordering::SeqCst) < 3 * 32 * 1024 * 1024, "{command:?}");
    }
}
