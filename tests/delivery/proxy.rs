//! A proxy that reads HTTP/1.1 requests as bytes and can break a connection at any point.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A received request.
#[derive(Debug)]
pub(crate) struct Asked {
    method: String,
    /// The path with the query.
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What the proxy does with a request.
#[derive(Debug)]
pub(crate) enum Reply {
    Answer(Answer),
    /// Resets the TCP connection.
    Reset,
}

/// An HTTP response.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A running proxy. It and its connections end when dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    /// Starts a proxy on a free loopback port. `handle` answers every request.
    pub(crate) async fn listen<H, F>(handle: H) -> Self
    where
        H: Fn(Asked) -> F + Send + Sync + 'static,
        F: Future<Output = Reply> + Send,
    {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let handle = Arc::new(handle);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = socket.accept().await {
                let handle = Arc::clone(&handle);
                connections.spawn(async move {
                    // Ignore errors: the client may have disconnected.
                    let _ = serve(stream, handle.as_ref()).await;
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn serve<F: Future<Output = Reply>>(
    stream: TcpStream,
    handle: &impl Fn(Asked) -> F,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(asked) = read(&mut stream).await? {
        let Reply::Answer(answer) = handle(asked).await else {
            return stream.get_ref().set_zero_linger();
        };
        let mut head =
            format!("HTTP/1.1 {} Said\r\ncontent-length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(&[head.as_bytes(), &answer.body].concat()).await?;
    }
    Ok(())
}

/// The next request on a connection; `None` at its end.
async fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Asked>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut first = lines.first().map(String::as_str).unwrap_or_default().split(' ');
    let method = first.next().unwrap_or_default();
    let path = first.next().unwrap_or_default();
    let headers = lines.iter().skip(1).filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    let mut asked = Asked { method: method.to_owned(), path: path.to_owned(), headers, body: Vec::new() };
    assert!(asked.header("transfer-encoding").is_none(), "a body without a length");
    let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    asked.body = vec![0; length];
    stream.read_exact(&mut asked.body).await?;
    Ok(Some(asked))
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Forwards a request to the real server and returns the answer; `None` when the connection broke.
    pub(crate) async fn forward(&self, http: &reqwest::Client, server: &str) -> Option<Answer> {
        let of_connections = ["connection", "content-length", "host", "transfer-encoding"];
        let method = self.method.parse().unwrap();
        let mut request = http.request(method, format!("{server}{}", self.path)).body(self.body.clone());
        for (name, value) in self.headers.iter().filter(|(name, _)| !of_connections.contains(&name.as_str()))
        {
            request = request.header(name, value);
        }
        let response = request.send().await.ok()?;
        let mut answer = Answer::new(response.status().as_u16(), Vec::new());
        for (name, value) in response.headers() {
            if !of_connections.contains(&name.as_str()) {
                answer = answer.with(name.as_str(), value.to_str().unwrap());
            }
        }
        answer.body = response.bytes().await.ok()?.to_vec();
        Some(answer)
    }
}
