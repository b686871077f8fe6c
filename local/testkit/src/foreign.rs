//! Requests that a web page of others would send to a listener of this machine.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const TIMEOUT: Duration = Duration::from_secs(5);

/// What browsers send for pages of others, and what else is not a program of this machine. HOST stands for the listener's
/// address, PORT for its port.
pub const FOREIGN: [&[&str]; 14] = [
    &["Host: evil.example"],
    &["Host: evil.example:PORT"],
    &["Host: evil.example:PORT", "Origin: http://evil.example:PORT", "Referer: http://evil.example:PORT/"],
    &["Host: HOST", "Origin: http://evil.example"],
    &["Host: HOST", "Origin: http://evil.example:PORT", "Sec-Fetch-Site: cross-site"],
    &["Host: HOST", "Origin: null"],
    &["Host: HOST", "Origin: http://localhost:1"],
    &["Host: HOST", "Referer: http://evil.example/"],
    &["Host: HOST", "Sec-Fetch-Site: cross-site"],
    &["Host: HOST", "Sec-Fetch-Site: same-site"],
    &["Host: HOST", "Host: evil.example"],
    &["Host: LOCALHOST:PORT"],
    &["Host: localhost.:PORT"],
    &[],
];

/// The answer to a request with these headers and no others, all of it as text. Panics when there is none within five seconds.
pub async fn ask(at: SocketAddr, start_line: &str, headers: &[&str], body: &str) -> String {
    let mut stream = TcpStream::connect(at).await.expect("a listener");
    let length = body.len();
    let mut head = format!("{start_line} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n");
    for header in headers {
        head.push_str(&header.replace("HOST", &at.to_string()).replace("PORT", &at.port().to_string()));
        head.push_str("\r\n");
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).await.expect("a listener that reads");
    let mut answer = String::new();
    let read = timeout(TIMEOUT, stream.read_to_string(&mut answer)).await;
    read.expect("an answer in time").expect("an answer of text");
    answer
}

/// The address in a URL such as `http://127.0.0.1:8090`.
pub fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().expect("an address")
}
