//! The web server of the hostile page: the page, its frames, and their reports to the test.

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderName, header};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The listeners whose ports the page's server has at first, in alphabetical order.
pub(crate) const LISTENERS: [&str; 4] = ["api", "aws", "slack", "tableau"];

type Targets = BTreeMap<String, Value>;

struct Shared {
    html: String,
    ready: watch::Sender<BTreeSet<String>>,
    go: watch::Sender<Option<Targets>>,
    reports: watch::Sender<BTreeMap<String, Value>>,
}

pub(crate) struct Page {
    shared: Arc<Shared>,
    port: u16,
    frames: BTreeSet<String>,
    /// The servers on the ports that the listeners get later.
    early: Mutex<Vec<(u16, JoinHandle<()>)>>,
    own: JoinHandle<()>,
}

impl Drop for Page {
    fn drop(&mut self) {
        self.own.abort();
    }
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

/// Pages of every origin may read this answer. Each connection closes after its answer: a kept connection would lead
/// to this server even when a listener has the port.
const HEADERS: [(HeaderName, &str); 2] =
    [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::CONNECTION, "close")];

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/", get(async |State(shared): State<Arc<Shared>>| (HEADERS, Html(shared.html.clone()))))
        .route(
            "/frame",
            get(async |State(shared): State<Arc<Shared>>| {
                let html = shared.html.split("<body>").next().unwrap().to_owned();
                (HEADERS, Html(html))
            }),
        )
        .route(
            "/tries.js",
            get(async || (HEADERS, [(header::CONTENT_TYPE, "text/javascript")], include_str!("tries.js"))),
        )
        .route("/ready", post(ready))
        .route("/go", get(go))
        .route("/report", post(report))
        .with_state(shared)
}

async fn ready(State(shared): State<Arc<Shared>>, body: String) -> impl IntoResponse {
    let name = serde_json::from_str(&body).unwrap();
    shared.ready.send_modify(|ready| {
        ready.insert(name);
    });
    HEADERS
}

/// Answers when the test allows it.
async fn go(State(shared): State<Arc<Shared>>, Query(query): Query<Name>) -> impl IntoResponse {
    let mut go = shared.go.subscribe();
    let targets = go.wait_for(Option::is_some).await.unwrap().clone().unwrap();
    (HEADERS, targets[&query.name].to_string())
}

async fn report(
    State(shared): State<Arc<Shared>>,
    Query(query): Query<Name>,
    body: String,
) -> impl IntoResponse {
    let results = serde_json::from_str(&body).unwrap();
    shared.reports.send_modify(|reports| drop(reports.insert(query.name, results)));
    HEADERS
}

async fn listener() -> (u16, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    (listener.local_addr().unwrap().port(), listener)
}

fn serve(listener: TcpListener, router: Router) -> JoinHandle<()> {
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
}

impl Page {
    pub(crate) async fn start() -> Self {
        let (port, own) = listener().await;
        let mut early = Vec::new();
        for _ in LISTENERS {
            early.push(listener().await);
        }
        let site = crate::SITE;
        let frame = |at: String, name: &str, sandbox: &str| {
            format!("<iframe {sandbox} src=\"http://{at}/frame?name={name}\"></iframe>")
        };
        let mut frames: String = LISTENERS
            .iter()
            .zip(&early)
            .map(|(name, (port, _))| frame(format!("{site}:{port}"), name, ""))
            .collect();
        frames += &frame(format!("127.0.0.1:{port}"), "neighbour", "");
        frames += &frame(format!("{site}:{port}"), "sandbox", "sandbox=\"allow-scripts allow-forms\"");
        let html = include_str!("page.html").replace("FRAMES", &frames);
        let html = html.replace("CONTROL", &format!("http://{site}:{port}"));
        let shared = Arc::new(Shared {
            html,
            ready: watch::Sender::default(),
            go: watch::Sender::default(),
            reports: watch::Sender::default(),
        });
        let serve = |listener| serve(listener, router(Arc::clone(&shared)));
        let early = early.into_iter().map(|(port, listener)| (port, serve(listener))).collect();
        let own = serve(own);
        let names = LISTENERS.iter().chain(&["neighbour", "sandbox", "top"]);
        let frames = names.map(|name| (*name).to_owned()).collect();
        Self { shared, port, frames, early: Mutex::new(early), own }
    }

    pub(crate) fn url(&self, site: &str) -> String {
        format!("http://{site}:{}/", self.port)
    }

    /// The names of all frames.
    pub(crate) fn frames(&self) -> BTreeSet<String> {
        self.frames.clone()
    }

    /// The frames that were loaded: all frames, or those loaded within this time.
    pub(crate) async fn ready(&self, limit: Duration) -> BTreeSet<String> {
        let mut ready = self.shared.ready.subscribe();
        let _ = timeout(limit, ready.wait_for(|ready| ready.len() == self.frames.len())).await;
        self.shared.ready.borrow().clone()
    }

    /// Releases the ports for the listeners.
    pub(crate) async fn leave_ports(&self) -> [u16; 4] {
        let early = std::mem::take(&mut *self.early.lock().unwrap());
        let mut ports = Vec::new();
        for (port, server) in early {
            server.abort();
            // The port is free when the server's task has ended.
            let _ = server.await;
            ports.push(port);
        }
        ports.try_into().unwrap()
    }

    /// Sends each frame its list of requests.
    pub(crate) fn go(&self, targets: &Targets) {
        self.shared.go.send_replace(Some(targets.clone()));
    }

    /// The results of the requests, by frame.
    pub(crate) async fn reports(&self, limit: Duration) -> BTreeMap<String, Value> {
        let mut reports = self.shared.reports.subscribe();
        let all = timeout(limit, reports.wait_for(|reports| reports.len() == self.frames.len())).await;
        let reported: Vec<String> = self.shared.reports.borrow().keys().cloned().collect();
        all.unwrap_or_else(|_| panic!("only {reported:?} have reported")).unwrap().clone()
    }
}
