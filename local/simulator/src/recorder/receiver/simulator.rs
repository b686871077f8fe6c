//! The receivers as tests and the local stack use them.

use super::matillion::Client;
use super::serve;
use crate::fault::FaultPlan;
use crate::recorder::log::{Log, TimedOut};
use crate::server::Server;
use crate::tls::Identity;
use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The host name of the receivers. It ends with a name that is reserved for tests, and no name server knows it.
pub const RECEIVER_NAME: &str = "receiver.test";

/// A request that a receiver got.
#[derive(Clone, Debug)]
pub struct Received {
    /// The HTTP method.
    pub method: String,
    /// The path as it was sent, without the query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The bytes of the body.
    pub body: Vec<u8>,
    /// The status that was answered; 0 if there was no answer.
    pub status: u16,
}

impl Received {
    /// A header's value as text; empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// How a request fails.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReceiverFault {
    /// Answers this status, these headers and this body. Nothing is carried out.
    Answer(u16, &'static [(&'static str, &'static str)], &'static str),
    /// Resets the connection. Nothing is carried out.
    Reset,
    /// Never answers.
    Hang,
    /// Carries the request out, then resets the connection.
    AnswerLost,
}

/// What requests have to know.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) hooks: BTreeMap<String, Vec<String>>,
    pub(super) jira: (String, String),
    pub(super) etl: (String, String),
    pub(super) dpc: Client,
    pub(super) slack: String,
    pub(super) snowflake: String,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) requests: Log<Received>,
    faults: Mutex<FaultPlan<ReceiverFault>>,
    keys: Mutex<Keys>,
    issues: AtomicUsize,
}

impl Shared {
    pub(super) fn faults(&self) -> MutexGuard<'_, FaultPlan<ReceiverFault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keys(&self) -> Keys {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn next_issue(&self) -> usize {
        self.issues.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// Receivers on loopback, over TLS. Clones share them; they stop when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct ReceiverSimulator {
    state: Arc<Shared>,
    server: Arc<Server>,
}

fn random(start: &str) -> String {
    format!("{start}{}", uuid::Uuid::new_v4().simple())
}

impl ReceiverSimulator {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// The system's error when no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await
    }

    /// Starts at this address.
    ///
    /// # Errors
    /// The system's error when the address cannot be bound.
    pub async fn start_at(address: SocketAddr) -> io::Result<Self> {
        let client = Client { id: random("client-"), secret: random("dpc-"), token: random("eyJ-") };
        let keys = Keys {
            hooks: BTreeMap::new(),
            jira: ("bi@example.com".to_owned(), random("ATATT-")),
            etl: ("ops".to_owned(), random("etl-")),
            dpc: client,
            slack: random("T0-"),
            snowflake: random("pat-"),
        };
        let state = Arc::new(Shared {
            requests: Log::default(),
            faults: Mutex::default(),
            keys: Mutex::new(keys),
            issues: AtomicUsize::new(0),
        });
        let router = Router::new().fallback(serve::serve).with_state(Arc::clone(&state));
        let identity = Identity::named(Timestamp::now(), &[RECEIVER_NAME])?;
        let server = Server::serve_named(identity, loopback_server::bind(address).await?, router)?;
        Ok(Self { state, server: Arc::new(server) })
    }

    /// The receivers' URL without a trailing slash: `https://receiver.test:49152`.
    pub fn url(&self) -> String {
        format!("https://{RECEIVER_NAME}:{}", self.server.address().port())
    }

    /// The certificate authority to trust, as PEM.
    pub fn authority(&self) -> String {
        self.server.identity().map(|identity| identity.authority().to_owned()).unwrap_or_default()
    }

    /// Adds a receiver of Standard Webhooks. Returns its entry in the forward secret.
    pub fn add_hook(&self, name: &str) -> Value {
        let secret = self.new_secret();
        self.set_hook_secrets(name, &[&secret]);
        json!({ "url": format!("{}/hooks/{name}", self.url()), "secrets": [secret] })
    }

    /// A signing secret that no receiver knows yet.
    pub fn new_secret(&self) -> String {
        let key = [uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes()].concat();
        format!("whsec_{}", STANDARD.encode(key))
    }

    /// The secrets with which a receiver verifies.
    pub fn set_hook_secrets(&self, name: &str, secrets: &[&str]) {
        let secrets = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        self.change(|keys| keys.hooks.insert(name.to_owned(), secrets));
    }

    /// Gives Jira's user another token.
    pub fn rotate_jira(&self) {
        self.change(|keys| keys.jira.1 = random("ATATT-"));
    }

    fn change<T>(&self, change: impl FnOnce(&mut Keys) -> T) {
        change(&mut self.state.keys.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The entries of the forward secret for the products: `jira`, `matillion-job`, `matillion-pipeline`, `slack`, `snowflake`.
    pub fn products(&self) -> BTreeMap<String, Value> {
        let (url, keys) = (self.url(), self.state.keys());
        let basic = |(user, password): &(String, String)| json!({ "user": user, "password": password });
        let job =
            "/rest/v1/group/name/BI/project/name/Sales/version/name/default/job/name/Load%20Sales%2FEU/run";
        let snowflake = json!({
            "Authorization": format!("Bearer {}", keys.snowflake),
            "X-Snowflake-Authorization-Token-Type": "PROGRAMMATIC_ACCESS_TOKEN",
        });
        let oauth = json!({
            "token_url": format!("{url}/oauth/dpc/token"), "client_id": keys.dpc.id, "client_secret": keys.dpc.secret,
            "audience": "https://api.matillion.com",
        });
        let pipelines = format!("{url}/dpc/v1/projects/5a1f/pipeline-executions");
        BTreeMap::from([
            (
                "jira".to_owned(),
                json!({ "url": format!("{url}/rest/api/3/issue"), "basic": basic(&keys.jira) }),
            ),
            (
                "matillion-job".to_owned(),
                json!({ "url": format!("{url}{job}?environmentName=Prod"), "basic": basic(&keys.etl) }),
            ),
            ("matillion-pipeline".to_owned(), json!({ "url": pipelines, "oauth": oauth })),
            ("slack".to_owned(), json!({ "url": format!("{url}/services/{}", keys.slack) })),
            (
                "snowflake".to_owned(),
                json!({ "url": format!("{url}/api/v2/statements"), "headers": snowflake }),
            ),
        ])
    }

    /// Everything that no log may have.
    pub fn secrets(&self) -> Vec<String> {
        let keys = self.state.keys();
        let mut all =
            vec![keys.jira.1, keys.etl.1, keys.dpc.secret, keys.dpc.token, keys.slack, keys.snowflake];
        all.extend(
            keys.hooks.into_values().flatten().map(|secret| secret.trim_start_matches("whsec_").to_owned()),
        );
        all
    }

    /// Makes the next `times` requests fail.
    pub fn fail_next(&self, times: u32, fault: ReceiverFault) {
        self.state.faults().add("*", times, fault);
    }

    /// Makes the next `times` requests to a path fail.
    pub fn fail_next_of(&self, path: &str, times: u32, fault: ReceiverFault) {
        self.state.faults().add(path, times, fault);
    }

    /// Clears all faults.
    pub fn recover(&self) {
        self.state.faults().clear(None);
    }

    /// All requests, oldest first.
    pub fn requests(&self) -> Vec<Received> {
        self.state.requests.all()
    }

    /// The requests after the first `n` ones.
    pub fn requests_since(&self, n: usize) -> Vec<Received> {
        self.state.requests.since(n)
    }

    /// The requests that were taken.
    pub fn taken(&self) -> Vec<Received> {
        self.requests().into_iter().filter(|request| (200..300).contains(&request.status)).collect()
    }

    /// Waits until there were `n` requests, and returns all of them.
    ///
    /// # Errors
    /// [`TimedOut`] when there were fewer within `timeout`.
    pub async fn wait_for(&self, n: usize, timeout: Duration) -> Result<Vec<Received>, TimedOut> {
        self.state.requests.wait_for(n, timeout).await
    }
}
