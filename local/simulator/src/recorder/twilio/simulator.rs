//! The Twilio simulator as tests and the local stack use it.

use super::admin_api;
use super::message::{TwilioMessage, TwilioRefusal, TwilioRequest};
use super::serve;
use super::state::{Account, Shared, TwilioFault};
use crate::recorder::log::TimedOut;
use crate::server::Server;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use uuid::Uuid;

/// The account.
pub const SAMPLE_ACCOUNT: &str = "AC00000000000000000000000000000001";
/// Its number.
pub const SAMPLE_SENDER: &str = "+15005550006";
/// Its messaging service.
pub const SAMPLE_SERVICE: &str = "MG00000000000000000000000000000001";

/// An account of Twilio on loopback, which checks requests as Twilio does, and records the texts.
///
/// Clones share the account; it stops when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct TwilioSimulator {
    state: Arc<Shared>,
    server: Arc<Server>,
}

impl TwilioSimulator {
    /// Starts on a free port of 127.0.0.1, with a token that is new each time.
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
        let state = Arc::new(Shared::default());
        *state.account() = Account {
            sid: SAMPLE_ACCOUNT.to_owned(),
            passwords: BTreeMap::from([(SAMPLE_ACCOUNT.to_owned(), secret())]),
            senders: BTreeSet::from([SAMPLE_SENDER.to_owned(), "MGM Desk".to_owned()]),
            services: BTreeSet::from([SAMPLE_SERVICE.to_owned()]),
            ..Account::default()
        };
        let router = admin_api::routes().fallback(serve::serve).with_state(Arc::clone(&state));
        let server = Server::serve(loopback_server::bind(address).await?, router)?;
        Ok(Self { state, server: Arc::new(server) })
    }

    /// The server's URL, such as `http://127.0.0.1:49152`, without a trailing slash.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// The account's token.
    pub fn token(&self) -> String {
        self.state.account().passwords.get(SAMPLE_ACCOUNT).cloned().unwrap_or_default()
    }

    /// The secret with which the account sends from its number.
    pub fn secret(&self) -> Value {
        json!({ "account_sid": SAMPLE_ACCOUNT, "auth_token": self.token(), "from": SAMPLE_SENDER })
    }

    /// Makes an API key. Returns its id and its secret.
    pub fn add_key(&self) -> (String, String) {
        let sid = format!("SK{}", Uuid::new_v4().simple());
        let key = secret();
        self.state.account().passwords.insert(sid.clone(), key.clone());
        (sid, key)
    }

    /// Gives the account a new token. The old one and all keys are refused from now on.
    pub fn rotate(&self) -> String {
        let token = secret();
        self.state.account().passwords = BTreeMap::from([(SAMPLE_ACCOUNT.to_owned(), token.clone())]);
        token
    }

    /// A recipient answers STOP.
    pub fn stop(&self, number: &str) {
        self.state.account().opted_out.insert(number.to_owned());
    }

    /// A recipient texts START.
    pub fn allow(&self, number: &str) {
        self.state.account().opted_out.remove(number);
    }

    /// Makes it a trial account, which sends to these numbers only.
    pub fn trial(&self, verified: &[&str]) {
        self.state.account().verified_only =
            Some(verified.iter().map(|number| (*number).to_owned()).collect());
    }

    /// Allows texts to these countries only, such as `+49`.
    pub fn countries(&self, countries: &[&str]) {
        self.state.account().countries = countries.iter().map(|country| (*country).to_owned()).collect();
    }

    /// What becomes of texts to a number: a state such as `undelivered`, and an error.
    pub fn ends(&self, number: &str, state: &str, error: Option<u32>) {
        self.state.account().ends.insert(number.to_owned(), (state.to_owned(), error));
    }

    /// Makes the next `times` texts fail.
    pub fn fail_next(&self, times: u32, fault: TwilioFault) {
        self.state.faults().add("*", times, fault);
    }

    /// Clears all faults.
    pub fn recover(&self) {
        self.state.faults().clear(None);
    }

    /// How many texts there were to send, including those that failed.
    pub fn calls(&self) -> usize {
        self.state.calls.load(Ordering::SeqCst)
    }

    /// The texts that were sent, oldest first.
    pub fn messages(&self) -> Vec<TwilioMessage> {
        self.state.messages.all()
    }

    /// The entries of [`TwilioSimulator::messages`] after the first `n`.
    pub fn messages_since(&self, n: usize) -> Vec<TwilioMessage> {
        self.state.messages.since(n)
    }

    /// The requests that were refused.
    pub fn refusals(&self) -> Vec<TwilioRefusal> {
        self.state.refusals.all()
    }

    /// The requests as they came, with their answers, but for those that a fault answered.
    pub fn requests(&self) -> Vec<TwilioRequest> {
        self.state.requests.all()
    }

    /// Waits until `n` texts were sent, and returns all of them.
    ///
    /// # Errors
    /// [`TimedOut`] when fewer were sent within `timeout`.
    pub async fn wait_for(&self, n: usize, timeout: Duration) -> Result<Vec<TwilioMessage>, TimedOut> {
        self.state.messages.wait_for(n, timeout).await
    }
}

fn secret() -> String {
    Uuid::new_v4().simple().to_string()
}
