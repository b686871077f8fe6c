//! The proxy between the functions and AWS: calls are throttled, delayed or lost, or their answers are.

use crate::accesses::accesses;
use crate::announcements::{Invocation, Says, TIMERS};
use crate::emulator::FUNCTION_TIMEOUT;
use crate::history::{ENDS, History};
use crate::proxy::{Answer, Asked, Reply};
use crate::random::Random;
use crate::workers::FunctionSlot;
use crate::writes::Said;
use local_aws::TableSpec;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Whether AWS is reachable.
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

/// The weights of the faults in thousandths.
const FAULTS: [(u32, Fault); 4] =
    [(80, Fault::Throttled), (15, Fault::RequestLost), (25, Fault::AnswerLost), (30, Fault::Late)];

/// At which write a worker is killed.
#[derive(Clone, Copy, Debug)]
enum Kill {
    Before,
    After,
}

/// How many of a thousand workers are killed when they record a completed action.
const KILLS: [(u32, Kill); 2] = [(25, Kill::Before), (15, Kill::After)];
/// How many of a thousand workers are killed when they write a group's documents or arm a timer: between write, arm
/// and delete.
const KILLS_BETWEEN: [(u32, Kill); 2] = [(20, Kill::Before), (40, Kill::After)];

/// A delay longer than the functions' timeout of two seconds for AWS: the call is carried out after the worker stopped
/// waiting.
const ANSWERED_IN_TIME: Duration = Duration::from_millis(1_800);

/// AWS as the functions reach it.
#[derive(Debug)]
pub(crate) struct Store {
    http: reqwest::Client,
    url: String,
    tables: Vec<TableSpec>,
    random: Random,
    history: Arc<History>,
    outage: Mutex<Outage>,
    /// Until when the table refuses all writes.
    storm: Mutex<Option<Instant>>,
}

impl Store {
    pub(crate) fn new(url: &str, tables: &[TableSpec], random: Random, history: Arc<History>) -> Self {
        Self {
            http: http_client::client(None).unwrap(),
            url: url.to_owned(),
            tables: tables.to_vec(),
            random,
            history,
            outage: Mutex::default(),
            storm: Mutex::default(),
        }
    }

    pub(crate) fn set_outage(&self, outage: Outage) {
        *self.outage.lock().unwrap() = outage;
    }

    /// Makes the table refuse all writes for this long.
    pub(crate) fn storm(&self, lasts: Duration) {
        *self.storm.lock().unwrap() = Some(Instant::now() + lasts);
    }

    fn in_storm(&self) -> bool {
        !self.random.is_calm() && self.storm.lock().unwrap().is_some_and(|end| Instant::now() < end)
    }

    /// Answers a call of the worker in this slot.
    pub(crate) async fn answer(&self, slot: &FunctionSlot, mut asked: Asked) -> Reply {
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
        let table = operation.starts_with("DynamoDB_");
        let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
        let said = Said::of(&operation, &body);
        let accesses = accesses(&operation, &body, &self.tables);
        let invocation = slot.invocation();
        let began = Instant::now();
        let words = |stored| {
            for event in &said.announced {
                self.history.word(event, Says::Announced, invocation, stored);
            }
            for event in &said.done {
                self.history.word(event, Says::Done, invocation, stored);
            }
        };
        // A worker that gets no answer about a group or digest releases its event, and another attempt starts again.
        let unanswered = || {
            let keys = accesses.iter().flat_map(|access| &access.keys);
            keys.for_each(|key| self.history.not_taken(key, invocation));
            if said.arms {
                self.history.not_taken(TIMERS, invocation);
            }
        };
        let not_stored = || {
            words(false);
            unanswered();
            said.messages.iter().for_each(|message| self.history.not_taken(message, invocation));
            if said.ends {
                self.history.not_taken(ENDS, invocation);
            }
        };
        self.history.asked_for(slot.process().name(), accesses.clone());
        let fault = match self.random.pick(&FAULTS) {
            _ if table && self.in_storm() => Some(Fault::Throttled),
            fault => fault,
        };
        match fault {
            Some(Fault::Throttled) => {
                self.history.count(if table { "throttled" } else { "unavailable" });
                not_stored();
                return Reply::Answer(throttled(table));
            }
            Some(Fault::RequestLost) => {
                self.history.count("requests lost");
                not_stored();
                return Reply::Reset;
            }
            Some(Fault::Late) => {
                self.history.count("late");
                self.random.pause(100..2_600).await;
            }
            Some(Fault::AnswerLost) | None => {}
        }
        let kill = match &said {
            said if said.is_about_acts() => self.random.pick(&KILLS).map(|kill| (kill, "kills at the word")),
            said if said.arms => {
                let kill = self.random.pick(&KILLS_BETWEEN);
                kill.map(|kill| match kill {
                    Kill::Before => (kill, "kills between write and timer"),
                    Kill::After => (kill, "kills between timer and delete"),
                })
            }
            said if said.groups => self.random.pick(&KILLS_BETWEEN).map(|kill| match kill {
                Kill::Before => (kill, "kills before the write"),
                Kill::After => (kill, "kills between write and timer"),
            }),
            _ => None,
        };
        if let Some((Kill::Before, when)) = kill {
            not_stored();
            self.kill(slot, when).await;
            return Reply::Reset;
        }
        let Some(answer) = asked.forward(&self.http, &self.url).await else {
            self.history.count("broken off by the emulator");
            self.placed(&said, invocation, false);
            not_stored();
            return Reply::Reset;
        };
        let is_answer_lost = kill.is_some() || matches!(fault, Some(Fault::AnswerLost));
        let answered = !is_answer_lost && began.elapsed() < ANSWERED_IN_TIME;
        if !answered {
            unanswered();
        }
        if answer.status == 200 {
            self.placed(&said, invocation, answered);
            words(true);
            said.messages.iter().for_each(|message| self.history.know(message));
        } else {
            not_stored();
        }
        if let Some((_, when)) = kill {
            self.kill(slot, when).await;
        }
        if is_answer_lost {
            self.history.count("answers lost");
            return Reply::Reset;
        }
        Reply::Answer(answer)
    }

    fn placed(&self, said: &Said, by: Invocation, answered: bool) {
        for (partition, event) in &said.placed {
            self.history.placed(event, partition, by, answered);
        }
    }

    async fn kill(&self, slot: &FunctionSlot, when: &'static str) {
        self.history.count(when);
        slot.process().kill().await;
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

/// Shortens a delay so that a run takes minutes: delays longer than the longest claim are divided by thirty. Shorter
/// delays stay: a worker that waits for another worker's claim waits until it expires.
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
