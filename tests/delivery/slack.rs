//! The proxy between the functions and Slack. It disturbs a third of the calls.

use crate::history::History;
use crate::proxy::{Answer, Asked, Reply};
use crate::random::Random;
use crate::workers::FunctionSlot;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
enum Fault {
    TooMany,
    ServerError,
    Reset,
    Silence,
    /// Slack accepts the message; the connection is reset before the answer.
    ResetAfter,
    /// Slack accepts the message and never answers.
    SilenceAfter,
}

/// The weights of the faults in thousandths: a third of the calls in total.
const FAULTS: [(u32, Fault); 6] = [
    (100, Fault::TooMany),
    (100, Fault::ServerError),
    (75, Fault::Reset),
    (14, Fault::Silence),
    (32, Fault::ResetAfter),
    (12, Fault::SilenceAfter),
];
/// Longer than our functions wait for an answer.
const SILENCE: Duration = Duration::from_millis(10_500);

/// Slack as the functions reach it. Behind the proxy is the Slack simulator.
#[derive(Debug)]
pub(crate) struct Troubled {
    http: reqwest::Client,
    url: String,
    random: Random,
    history: Arc<History>,
}

impl Troubled {
    pub(crate) fn new(url: String, random: Random, history: Arc<History>) -> Self {
        Self { http: http_client::client(None).unwrap(), url, random, history }
    }

    /// Answers a call of the worker in this slot.
    pub(crate) async fn answer(&self, slot: &FunctionSlot, asked: Asked) -> Reply {
        let invocation = slot.invocation();
        let fault = self.random.pick(&FAULTS);
        match fault {
            Some(Fault::TooMany) => {
                self.history.count("429");
                return Reply::Answer(Answer::new(429, "").with("retry-after", "1"));
            }
            Some(Fault::ServerError) => {
                self.history.count("500");
                return Reply::Answer(Answer::new(500, "rollup_error"));
            }
            Some(Fault::Reset) => {
                self.history.count("resets");
                return Reply::Reset;
            }
            Some(Fault::Silence) => {
                self.history.count("timeouts");
                tokio::time::sleep(SILENCE).await;
                return Reply::Reset;
            }
            Some(Fault::ResetAfter | Fault::SilenceAfter) | None => {}
        }
        let answer = asked.forward(&self.http, &self.url).await.expect("the recorder is there");
        if answer.status == 200 && answer.body == b"ok" {
            let event = event_of(&asked.body).unwrap_or_else(|| panic!("a message about no event"));
            self.history.act(&event, invocation, fault.is_none());
        }
        if asked.path.ends_with("/chat.postMessage") {
            let posted: Value = serde_json::from_slice(&answer.body).unwrap();
            if let Some(ts) = posted["ts"].as_str() {
                self.history.act(ts, invocation, fault.is_none());
                if let Some(event) = event_of(&asked.body) {
                    self.history.act(&event, invocation, fault.is_none());
                }
            }
        }
        match fault {
            None => Reply::Answer(answer),
            Some(fault) => {
                self.history.count("destination's answers lost");
                if matches!(fault, Fault::SilenceAfter) {
                    tokio::time::sleep(SILENCE).await;
                }
                Reply::Reset
            }
        }
    }
}

/// The short event id in the small print of a message. A message about several events has none.
fn event_of(message: &[u8]) -> Option<String> {
    let message: Value = serde_json::from_slice(message).unwrap();
    let blocks = message["blocks"].as_str().map_or_else(|| message["blocks"].to_string(), str::to_owned);
    let (_, id) = blocks.split_once("· event ")?;
    Some(id.chars().take_while(char::is_ascii_hexdigit).collect())
}
