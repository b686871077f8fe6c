//! The receivers as tests and the local stack use them.

use super::matillion::Client;
use super::serve;
use super::state::{Keys, RECEIVER_NAME, Received, ReceiverFault, Shared};
use crate::recorder::log::TimedOut;
use crate::server::Server;
use crate::tls::Identity;
use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

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
        let state = Arc::new(Shared::new(keys));
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
        change(&mut self.state.keys_to_change());
    }

    /// The entries of the forward secret for the products: `jira`, `matillion-job`, `matillion-pipeline`, `slack`, `snowflake`.
    pub fn products(&self) -> BTreeMap<String, Value> {
        let url = self.url();
        let keys = self.state.keys();
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
