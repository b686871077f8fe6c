//! A test server that gives scripted answers, byte for byte.

use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tableau_client::{FixedCredential, MemorySessionStore, Settings, TableauClient, TableauCredential};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// A received request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// The method and path; the path without `/api/3.29/sites/s-1`.
    pub(crate) call: String,
    pub(crate) query: HashMap<String, String>,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A scripted answer.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A status, headers and a body.
    Full(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// No answer: the server closes the connection.
    Nothing,
    /// A head that promises a longer body, then the end of the connection.
    CutOff,
    /// Half of the body, then silence.
    Stuck,
    /// A Tableau error that repeats the request's body.
    Repeat,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::Full(status, Vec::new(), body.to_string().into_bytes())
    }

    pub(crate) fn error(code: &str, detail: &str) -> Self {
        let error = json!({ "error": { "summary": "Refused", "detail": detail, "code": code } });
        Self::json(code[..3].parse().unwrap(), &error)
    }

    pub(crate) fn html(status: u16) -> Self {
        Self::Full(status, Vec::new(), b"<html><body>Service Unavailable</body></html>".to_vec())
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        let head = |status: u16, length: usize, more: &str| {
            format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{more}\r\n")
        };
        match self {
            Self::Full(status, headers, body) => {
                let more: String =
                    headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
                // 204 has no body.
                let body = if *status == 204 { &[] } else { body.as_slice() };
                Some([head(*status, body.len(), &more).as_bytes(), body].concat())
            }
            Self::Nothing | Self::Repeat => None,
            Self::CutOff | Self::Stuck => Some([head(200, 100, "").as_bytes(), b"{\"workbook\":"].concat()),
        }
    }
}

#[derive(Default)]
struct Script {
    replies: HashMap<String, VecDeque<Reply>>,
    requests: Vec<Request>,
}

/// A server with scripted answers.
#[derive(Clone)]
pub(crate) struct Tableau {
    script: Arc<Mutex<Script>>,
    accepting: Arc<Mutex<Option<AbortHandle>>>,
    pub(crate) url: String,
}

impl Tableau {
    /// Accepts every sign-in. Every other call is unknown until a test sets its answer.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let tableau = Self { script: Arc::default(), accepting: Arc::default(), url };
        let signed_in = json!({"credentials": {"site": {"id": "s-1", "contentUrl": "marketing"},
            "user": {"id": "u-1"}, "token": "HvZM|5fI6=:_-|a946", "estimatedTimeToExpiration": "90:00:00:00"}});
        tableau.says("POST /auth/signin", Reply::json(200, &signed_in));
        let served = tableau.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let served = served.clone();
                tokio::spawn(async move { served.serve(stream).await });
            }
        });
        *tableau.accepting.lock().unwrap() = Some(accepting.abort_handle());
        tableau
    }

    /// Sets the next answer to a call, such as `GET /workbooks/w-1`. The last answer is repeated.
    pub(crate) fn says(&self, call: &str, reply: Reply) -> &Self {
        self.script.lock().unwrap().replies.entry(call.to_owned()).or_default().push_back(reply);
        self
    }

    /// Sets an answer with status 200.
    pub(crate) fn knows(&self, call: &str, body: &Value) -> &Self {
        self.says(call, Reply::json(200, body))
    }

    /// Answers a call with an error that repeats the request's body.
    pub(crate) fn repeats(&self, call: &str) -> &Self {
        self.forgets(call).says(call, Reply::Repeat)
    }

    /// Removes the scripted answers to a call.
    pub(crate) fn forgets(&self, call: &str) -> &Self {
        self.script.lock().unwrap().replies.remove(call);
        self
    }

    /// Closes the port: connections are refused from now on.
    pub(crate) async fn shut_down(&self) {
        let accepting = self.accepting.lock().unwrap().take();
        accepting.unwrap().abort();
        tokio::task::yield_now().await;
    }

    /// The requests of a call so far.
    pub(crate) fn heard(&self, call: &str) -> Vec<Request> {
        self.script.lock().unwrap().requests.iter().filter(|r| r.call == call).cloned().collect()
    }

    pub(crate) fn settings(&self, version: &str) -> Settings {
        Settings::new(&self.url, "marketing", version).unwrap()
    }

    pub(crate) fn client(&self) -> TableauClient {
        client(self.settings("3.29"), TableauCredential::personal_access_token("n", "s"))
    }

    async fn serve(&self, mut stream: TcpStream) {
        let Some(request) = read(&mut stream).await else { return };
        let reply = {
            let mut script = self.script.lock().unwrap();
            let replies = script.replies.entry(request.call.clone()).or_default();
            let reply = if replies.len() > 1 { replies.pop_front() } else { replies.front().cloned() };
            let unknown = || Reply::error("404003", &format!("no test expects {}", request.call));
            let reply = match reply.unwrap_or_else(unknown) {
                Reply::Repeat => Reply::error("400006", &request.body),
                reply => reply,
            };
            script.requests.push(request);
            reply
        };
        if let Some(bytes) = reply.bytes() {
            let _ = stream.write_all(&bytes).await;
        }
        if matches!(reply, Reply::Stuck) {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        let _ = stream.shutdown().await;
    }
}

pub(crate) fn client(settings: Settings, credential: TableauCredential) -> TableauClient {
    let http = http_client::client(None).unwrap();
    let credentials = Arc::new(FixedCredential::new(credential));
    TableauClient::new(http, settings, credentials, Arc::new(MemorySessionStore::default()))
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let method = first.next()?;
    let target = first.next()?;
    let headers: HashMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while bytes.len() < head + 4 + length {
        stream.read_buf(&mut bytes).await.ok()?;
    }
    let url = url::Url::parse("http://x").unwrap().join(target).unwrap();
    let path = ["/api/3.29/sites/s-1", "/api/3.29", "/api"]
        .iter()
        .find_map(|prefix| url.path().strip_prefix(prefix))
        .unwrap_or(url.path());
    Some(Request {
        call: format!("{method} {path}"),
        query: url.query_pairs().into_owned().collect(),
        headers,
        body: String::from_utf8(bytes[head + 4..].to_vec()).unwrap(),
    })
}
