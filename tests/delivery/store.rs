//! What stands between the functions and AWS: calls are throttled, late, lost on their way, or their answers are.

use crate::chance::Chance;
use crate::emulator::FUNCTION_TIMEOUT;
use crate::fleet::Seat;
use crate::ledger::{ENDS, Ledger};
use crate::wire::{Answer, Asked, Reply};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Whether AWS can be reached at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Outage {
    #[default]
    None,
    /// Every call is answered 500.
    Errors,
    /// Every connection is reset.
    Refuses,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Throttled,
    RequestLost,
    AnswerLost,
    Late,
}

/// Of a thousand calls.
const FAULTS: [(u32, Fault); 4] =
    [(80, Fault::Throttled), (15, Fault::RequestLost), (25, Fault::AnswerLost), (30, Fault::Late)];

#[derive(Clone, Copy, Debug)]
enum Kill {
    BeforeWord,
    AfterWord,
}

/// Of a thousand workers that are about to write down that they have acted.
const KILLS: [(u32, Kill); 2] = [(25, Kill::BeforeWord), (15, Kill::AfterWord)];

/// AWS, as the functions reach it.
#[derive(Debug)]
pub(crate) struct Store {
    http: reqwest::Client,
    url: String,
    chance: Chance,
    ledger: Arc<Ledger>,
    outage: Mutex<Outage>,
    /// Until when the table takes nothing.
    storm: Mutex<Option<Instant>>,
}

/// What a call says to the table about an event of `notify-slack`.
struct Said {
    event: String,
    /// That the effect happened; otherwise that all is done.
    effect: bool,
}

impl Store {
    pub(crate) fn new(url: &str, chance: Chance, ledger: Arc<Ledger>) -> Self {
        let http = http_client::client(None).unwrap();
        Self { http, url: url.to_owned(), chance, ledger, outage: Mutex::default(), storm: Mutex::default() }
    }

    pub(crate) fn set_outage(&self, outage: Outage) {
        *self.outage.lock().unwrap() = outage;
    }

    /// From now on the table takes nothing, for so long.
    pub(crate) fn storm(&self, lasts: Duration) {
        *self.storm.lock().unwrap() = Some(Instant::now() + lasts);
    }

    fn in_storm(&self) -> bool {
        !self.chance.is_calm() && self.storm.lock().unwrap().is_some_and(|end| Instant::now() < end)
    }

    /// Answers a call of the function on this seat.
    pub(crate) async fn answer(&self, seat: &Seat, mut asked: Asked) -> Reply {
        match *self.outage.lock().unwrap() {
            Outage::None => {}
            Outage::Errors => {
                return Reply::Answer(Answer::new(500, r#"{"__type":"InternalServerError"}"#));
            }
            Outage::Refuses => return Reply::Reset,
        }
        let operation = asked.header("x-amz-target").unwrap_or_default().to_owned();
        if operation == "AmazonSQS.ChangeMessageVisibility" {
            asked.body = sooner(&asked.body);
        }
        let (table, said) = (operation.starts_with("DynamoDB_"), said(&operation, &asked.body));
        let invocation = seat.invocation();
        let document = document(&operation, &asked.body);
        let not_stored = || {
            if let Some(said) = &said {
                self.ledger.word(&said.event, invocation, false);
            }
            if let Some(document) = &document {
                document.messages.iter().for_each(|message| self.ledger.not_taken(message, invocation));
                if document.ends {
                    self.ledger.not_taken(ENDS, invocation);
                }
            }
        };
        let fault = match self.chance.pick(&FAULTS) {
            _ if table && self.in_storm() => Some(Fault::Throttled),
            fault => fault,
        };
        match fault {
            Some(Fault::Throttled) => {
                self.ledger.count(if table { "throttled" } else { "unavailable" });
                not_stored();
                return Reply::Answer(throttled(table));
            }
            Some(Fault::RequestLost) => {
                self.ledger.count("requests lost");
                not_stored();
                return Reply::Reset;
            }
            Some(Fault::Late) => {
                self.ledger.count("late");
                self.chance.pause(100..2_600).await;
            }
            Some(Fault::AnswerLost) | None => {}
        }
        let tells = said.as_ref().is_some_and(|said| said.effect)
            || document.as_ref().is_some_and(|document| !document.messages.is_empty());
        let kill = if tells { self.chance.pick(&KILLS) } else { None };
        if let Some(Kill::BeforeWord) = kill {
            not_stored();
            self.kill(seat).await;
            return Reply::Reset;
        }
        let Some(answer) = asked.forward(&self.http, &self.url).await else {
            self.ledger.count("broken off by the emulator");
            not_stored();
            return Reply::Reset;
        };
        if let (200, Some(said)) = (answer.status, &said) {
            self.ledger.word(&said.event, invocation, true);
        }
        if let (200, Some(document)) = (answer.status, &document) {
            document.messages.iter().for_each(|message| self.ledger.know(message));
        }
        if kill.is_some() {
            self.kill(seat).await;
        }
        if kill.is_some() || matches!(fault, Some(Fault::AnswerLost)) {
            self.ledger.count("answers lost");
            return Reply::Reset;
        }
        Reply::Answer(answer)
    }

    async fn kill(&self, seat: &Seat) {
        self.ledger.count("kills at the word");
        seat.process().kill().await;
    }
}

fn throttled(table: bool) -> Answer {
    let (status, kind) = match table {
        true => (400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"),
        false => (503, "ServiceUnavailable"),
    };
    let body = json!({ "__type": kind, "message": "slow down" }).to_string();
    Answer::new(status, body).with("content-type", "application/x-amz-json-1.0")
}

/// The word about an act of `notify-slack`, if this is one.
fn said(operation: &str, body: &[u8]) -> Option<Said> {
    if operation != "DynamoDB_20120810.UpdateItem" {
        return None;
    }
    let body: Value = serde_json::from_slice(body).unwrap();
    let event = body["Key"]["pk"]["S"].as_str()?.strip_prefix("delivery#notify-slack#")?;
    let effect = body["UpdateExpression"].as_str()?.starts_with("ADD ");
    let done = body["ExpressionAttributeValues"][":state"]["S"] == "done";
    (effect || done).then(|| Said { event: event[..12].to_owned(), effect })
}

/// What a document about stories says.
struct Document {
    /// The messages it knows.
    messages: Vec<String>,
    /// Whether it says of one that it has its end.
    ends: bool,
}

/// The document about stories that a call writes, if it does.
fn document(operation: &str, body: &[u8]) -> Option<Document> {
    if operation != "DynamoDB_20120810.UpdateItem" {
        return None;
    }
    let body: Value = serde_json::from_slice(body).unwrap();
    let key = body["Key"]["pk"]["S"].as_str()?;
    if !key.starts_with("incident#") && !key.starts_with("burst#") {
        return None;
    }
    let text = body["ExpressionAttributeValues"][":document"]["S"].as_str()?;
    let ids = text.split(r#""id":""#).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
    let ends = text.contains(r#""recovery":true"#) || text.contains(r#""over":true"#);
    Some(Document { messages: ids.collect(), ends })
}

/// A wait that passes sooner, so that a run takes minutes: what exceeds the longest claim is a thirtieth of it. What does
/// not stays as it is: whoever waits for another's claim to end waits for that.
fn sooner(body: &[u8]) -> Vec<u8> {
    let longest_claim = FUNCTION_TIMEOUT.as_secs() + 1;
    let mut body: Value = serde_json::from_slice(body).unwrap();
    let asked = body["VisibilityTimeout"].as_u64().unwrap();
    let beyond = asked.saturating_sub(longest_claim);
    body["VisibilityTimeout"] = json!(asked.min(longest_claim) + beyond / 30);
    body.to_string().into_bytes()
}

#[test]
fn long_waits_are_shortened_and_those_for_a_claim_are_not() {
    for (asked, kept) in [(0, 0), (1, 1), (13, 13), (43, 14), (900, 42)] {
        let body = json!({ "VisibilityTimeout": asked }).to_string();
        let body: Value = serde_json::from_slice(&sooner(body.as_bytes())).unwrap();
        assert_eq!(body["VisibilityTimeout"], kept, "{asked}");
    }
}
