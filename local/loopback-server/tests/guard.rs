//! Sends raw requests to a real listener.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use loopback_server::{bind, guarded};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

struct Listener {
    address: SocketAddr,
    /// How many requests passed the guard and reached a route or the fallback.
    served: Arc<AtomicUsize>,
}

async fn listener(at: &str) -> Listener {
    let socket = bind(at.parse().unwrap()).await.unwrap();
    let address = socket.local_addr().unwrap();
    let served = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&served);
    let answer = move |_: Bytes| {
        count.fetch_add(1, Ordering::SeqCst);
        async { "a secret" }
    };
    let router = Router::new().route("/known", post(answer.clone())).fallback(answer);
    tokio::spawn(async move { axum::serve(socket, guarded(router, address.port())).await });
    Listener { address, served }
}

impl Listener {
    /// Sends `lines`, with `PORT` replaced by the listener's port, and returns the whole answer.
    async fn send(&self, lines: &[&str]) -> String {
        let text = lines.join("\r\n").replace("PORT", &self.address.port().to_string());
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(format!("{text}\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        timeout(Duration::from_secs(10), read).await.unwrap().unwrap();
        answer
    }
}

const HOST: &str = "Host: 127.0.0.1:PORT";

#[tokio::test]
async fn programs_and_pages_of_the_address_itself_are_let_in() {
    let listener = listener("127.0.0.1:0").await;
    for lines in [
        &["GET / HTTP/1.1", HOST][..],
        &["GET /known HTTP/1.1", "host: localhost:PORT"],
        &["POST /known HTTP/1.1", "HOST: [::1]:PORT"],
        &["GET / HTTP/1.1", "Host: LOCALHOST:PORT"],
        &["GET /known HTTP/1.1", "Host: LocalHost:PORT"],
        &["POST /known HTTP/1.1", "Host: LOCALHOST:PORT", "Origin: http://localhost:PORT"],
        &["GET / HTTP/1.1", HOST, "Referer: http://LocalHost:PORT/simulator"],
        &["GET http://LOCALHOST:PORT/ HTTP/1.1", "Host: localhost:PORT"],
        &["GET http://127.0.0.1:PORT/ HTTP/1.1", HOST],
        &["POST /known HTTP/1.1", HOST, "Origin: http://127.0.0.1:PORT"],
        &["POST /known HTTP/1.1", HOST, "Origin: https://127.0.0.1:PORT"],
        &["POST /known HTTP/1.1", "Host: localhost:PORT", "Origin: http://localhost:PORT"],
        &["GET / HTTP/1.1", HOST, "Referer: http://127.0.0.1:PORT"],
        &["GET / HTTP/1.1", HOST, "Referer: http://127.0.0.1:PORT/simulator?a=http://evil.example/"],
        &["GET / HTTP/1.1", HOST, "Referer: http://127.0.0.1:49152/api/3.29/auth/signin"],
        &["GET / HTTP/1.1", HOST, "Referer: http://localhost/"],
        &["GET / HTTP/1.1", HOST, "Sec-Fetch-Site: same-origin"],
        &["POST /known HTTP/1.1", HOST, "Origin: null", "Sec-Fetch-Site: same-origin"],
        &["GET / HTTP/1.1", HOST, "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate"],
    ] {
        let before = listener.served.load(Ordering::SeqCst);
        let answer = listener.send(lines).await;
        let is_served = listener.served.load(Ordering::SeqCst) == before + 1;
        // `GET /known` uses a wrong method: the router answers, so the guard let the request pass.
        assert!(is_served || answer.starts_with("HTTP/1.1 405"), "{lines:?}: {answer}");
    }
}

#[tokio::test]
async fn another_host_or_origin_is_refused_on_every_path_and_method() {
    let listener = listener("127.0.0.1:0").await;
    for lines in [
        &["GET / HTTP/1.1"][..],
        &["GET / HTTP/1.0"],
        &["GET / HTTP/1.0", HOST],
        &["GET / HTTP/1.1", "Host:"],
        &["GET / HTTP/1.1", "Host: evil.example"],
        &["GET / HTTP/1.1", "Host: evil.example:PORT"],
        &["GET / HTTP/1.1", "Host: 127.0.0.1"],
        &["GET / HTTP/1.1", "Host: 127.0.0.1:1"],
        &["GET / HTTP/1.1", "Host: 127.0.0.1:0PORT"],
        &["GET / HTTP/1.1", "Host: 127.0.0.1:PORT0"],
        &["GET / HTTP/1.1", "Host: 127.0.0.1:+PORT"],
        &["GET / HTTP/1.1", "Host: 127.0.0.2:PORT"],
        &["GET / HTTP/1.1", "Host: 127.1:PORT"],
        &["GET / HTTP/1.1", "Host: 0.0.0.0:PORT"],
        &["GET / HTTP/1.1", "Host: 2130706433:PORT"],
        &["GET / HTTP/1.1", "Host: ::1:PORT"],
        &["GET / HTTP/1.1", "Host: [0:0:0:0:0:0:0:1]:PORT"],
        &["GET / HTTP/1.1", "Host: [::ffff:127.0.0.1]:PORT"],
        &["GET / HTTP/1.1", "Host: localhost.:PORT"],
        &["GET / HTTP/1.1", "Host: LOCALHOST.:PORT"],
        &["GET / HTTP/1.1", "Host: LocalHost:9"],
        &["GET / HTTP/1.1", "Host: LOCALHOST"],
        &["GET / HTTP/1.1", "Host: localhost.evil.com"],
        &["GET / HTTP/1.1", "Host: localhost.evil.com:PORT"],
        &["GET / HTTP/1.1", "Host: LOCALHOST.EVIL.COM:PORT"],
        &["GET / HTTP/1.1", "Host: 127.0.0.1.evil.com:PORT"],
        &["GET / HTTP/1.1", "Host: evil@127.0.0.1:PORT"],
        &["GET / HTTP/1.1", "Host: evil:PORT@127.0.0.1:PORT"],
        &["GET / HTTP/1.1", "Host: localhos\u{17f}:PORT"],
        &["GET / HTTP/1.1", "Host: [::1]"],
        &["GET / HTTP/1.1", "Host: [::1].evil.com:PORT"],
        &["GET / HTTP/1.1", "Host: ", "Host: localhost:PORT"],
        &["GET / HTTP/1.1", "Host: LOCALHOST:PORT", "Host: localhost:PORT"],
        &["GET http://evil.com/ HTTP/1.1", "Host: LOCALHOST:PORT"],
        &["GET http://localhost.evil.com:PORT/ HTTP/1.1", "Host: localhost:PORT"],
        &["GET http://evil@localhost:PORT/ HTTP/1.1", "Host: localhost:PORT"],
        &["GET / HTTP/1.1", "Host: 127.0.0.1.:PORT"],
        &["GET / HTTP/1.1", "Host: localhost"],
        &["GET / HTTP/1.1", "Host: evil.localhost:PORT"],
        &["GET / HTTP/1.1", "Host: localhost.evil.example:PORT"],
        &["GET / HTTP/1.1", "Host: localhost:PORT.evil.example"],
        &["GET / HTTP/1.1", "Host: localhost:PORT@evil.example"],
        &["GET / HTTP/1.1", "Host: evil.example@localhost:PORT"],
        &["GET / HTTP/1.1", "Host: localhost:PORT, evil.example"],
        &["GET / HTTP/1.1", "Host: localhost:PORT/"],
        &["GET / HTTP/1.1", "Host: http://localhost:PORT"],
        &["GET / HTTP/1.1", HOST, HOST],
        &["GET / HTTP/1.1", HOST, "Host: evil.example"],
        &["GET / HTTP/1.1", "Host: evil.example", HOST],
        &["GET http://evil.example/ HTTP/1.1", HOST],
        &["GET http://evil.example:PORT/ HTTP/1.1", "Host: evil.example:PORT"],
        &["GET http://localhost:PORT/ HTTP/1.1", HOST],
        &["GET http://ana@127.0.0.1:PORT/ HTTP/1.1", HOST],
        &["CONNECT evil.example:443 HTTP/1.1", HOST],
        &["POST /known HTTP/1.1", HOST, "Origin: http://evil.example"],
        &["POST /known HTTP/1.1", HOST, "Origin: http://evil.example:PORT"],
        &["POST /known HTTP/1.1", HOST, "Origin: null"],
        &["POST /known HTTP/1.1", HOST, "Origin: null", "Sec-Fetch-Site: cross-site"],
        &["POST /known HTTP/1.1", HOST, "Origin: null", "Sec-Fetch-Site: same-site"],
        &["POST /known HTTP/1.1", HOST, "Origin: null", "Sec-Fetch-Site: none"],
        &["POST /known HTTP/1.1", HOST, "Origin:"],
        &["POST /known HTTP/1.1", HOST, "Origin: http://127.0.0.1"],
        &["POST /known HTTP/1.1", HOST, "Origin: http://127.0.0.1:1"],
        &["POST /known HTTP/1.1", HOST, "Origin: http://localhost:PORT"],
        &["POST /known HTTP/1.1", HOST, "Origin: http://127.0.0.1:PORT.evil.example"],
        &["POST /known HTTP/1.1", HOST, "Origin: http://127.0.0.1:PORT/"],
        &["POST /known HTTP/1.1", HOST, "Origin: ftp://127.0.0.1:PORT"],
        &["POST /known HTTP/1.1", HOST, "Origin: 127.0.0.1:PORT"],
        &["POST /known HTTP/1.1", HOST, "Origin: HTTP://127.0.0.1:PORT"],
        &["POST /known HTTP/1.1", HOST, "Origin: http://127.0.0.1:PORT", "Origin: http://evil.example"],
        &["GET / HTTP/1.1", HOST, "Referer: http://evil.example/"],
        &["GET / HTTP/1.1", HOST, "Referer: http://127.0.0.1:PORT.evil.example/"],
        &["GET / HTTP/1.1", HOST, "Referer: http://127.0.0.1:PORT@evil.example/"],
        &["GET / HTTP/1.1", HOST, "Referer: http://evil.example/?http://127.0.0.1:PORT/"],
        &["GET / HTTP/1.1", HOST, "Referer: http://evil.localhost:PORT/"],
        &["GET / HTTP/1.1", HOST, "Referer: http://localhost:x@evil.example/"],
        &["GET / HTTP/1.1", HOST, "Referer: http://localhost:1", "Referer: http://localhost:2"],
        &["GET / HTTP/1.1", HOST, "Referer: http://localhost:3000/", "Origin: http://localhost:3000"],
        &["GET / HTTP/1.1", HOST, "Referer: http://localhost:3000/", "Sec-Fetch-Site: same-site"],
        &["GET / HTTP/1.1", HOST, "Referer: about:blank"],
        &["GET / HTTP/1.1", HOST, "Sec-Fetch-Site: cross-site"],
        &["GET / HTTP/1.1", HOST, "Sec-Fetch-Site: same-site"],
        &["GET / HTTP/1.1", HOST, "Sec-Fetch-Site: new-kind"],
        &["GET / HTTP/1.1", HOST, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"],
        &["GET / HTTP/1.1", HOST, "Origin: http://127.0.0.1:PORT", "Sec-Fetch-Site: cross-site"],
        &[
            "OPTIONS /known HTTP/1.1",
            HOST,
            "Origin: http://evil.example",
            "Access-Control-Request-Method: POST",
        ],
        &["DELETE /known HTTP/1.1", HOST, "Origin: http://evil.example"],
        &["PUT /unknown HTTP/1.1", HOST, "Origin: http://evil.example"],
        &[
            "GET / HTTP/1.1",
            HOST,
            "Origin: http://evil.example",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        ],
    ] {
        let answer = listener.send(lines).await;
        let is_refused = answer.starts_with("HTTP/1.1 403") || answer.starts_with("HTTP/1.0 403");
        assert!(is_refused, "{lines:?}: {answer}");
        let head = answer.to_ascii_lowercase();
        assert!(!head.contains("access-control-") && !head.contains("a secret"), "{lines:?}: {answer}");
    }
    assert_eq!(listener.served.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_refusal_comes_before_the_body_is_sent() {
    let listener = listener("127.0.0.1:0").await;
    for expect in ["X-Nothing: 1", "Expect: 100-continue"] {
        let mut stream = TcpStream::connect(listener.address).await.unwrap();
        let head = format!(
            "POST /known HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 1000000\r\n{expect}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        // The connection closes too: the server does not wait for a body it did not ask for.
        timeout(Duration::from_secs(10), read).await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    }
}

#[tokio::test]
async fn a_listener_on_the_other_loopback_address_has_the_same_guard() {
    // Machines without IPv6 have no `::1` address.
    if bind("[::1]:0".parse().unwrap()).await.is_err() {
        return;
    }
    let listener = listener("[::1]:0").await;
    assert!(listener.send(&["GET / HTTP/1.1", "Host: [::1]:PORT"]).await.starts_with("HTTP/1.1 200"));
    assert!(listener.send(&["GET / HTTP/1.1", "Host: evil.example:PORT"]).await.starts_with("HTTP/1.1 403"));
}

#[tokio::test]
async fn an_address_that_other_machines_reach_is_not_listened_on() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:0.0.0.0]:0"] {
        let error = bind(address.parse().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{address}");
    }
    let twice = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let error = bind(twice.local_addr().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}
