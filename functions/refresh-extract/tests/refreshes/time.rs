//! Time that passes without waiting: all times in the table become so much earlier.

use crate::stage::Stage;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use testkit::Batch;

/// How often a message is handed over at most, as the queue does.
const RECEIVES: u32 = 5;

/// The time of a stage, and the timers in its queue.
pub(crate) struct Time<'a> {
    stage: &'a Stage,
    passed: SignedDuration,
    /// How much had passed when a message was sent, by its id. `None`: it is done.
    sent: BTreeMap<String, Option<SignedDuration>>,
    invocations: u32,
}

/// A timer that is in the queue.
struct Waiting {
    id: String,
    body: Value,
    due: Timestamp,
}

impl<'a> Time<'a> {
    pub(crate) fn of(stage: &'a Stage) -> Self {
        Self { stage, passed: SignedDuration::ZERO, sent: BTreeMap::new(), invocations: 0 }
    }

    pub(crate) fn passed(&self) -> SignedDuration {
        self.passed
    }

    /// How often a timer was handed over.
    pub(crate) fn invocations(&self) -> u32 {
        self.invocations
    }

    /// Lets time pass, and hands over the timers that are due until then.
    pub(crate) async fn pass(&mut self, by: SignedDuration) {
        let end = self.passed + by;
        while self.first().is_some_and(|timer| self.passed + until(timer.due) <= end) {
            self.next().await;
        }
        self.skip(end - self.passed);
    }

    /// Hands over timers until this holds.
    pub(crate) async fn until(&mut self, holds: impl AsyncFn() -> bool) {
        for _ in 0..100 {
            if holds().await {
                return;
            }
            assert!(self.next().await, "no timer is set: {}", self.stage.log());
        }
        panic!("{}", self.stage.log());
    }

    /// Lets time pass until the first timer is due, and hands it over, again if its process dies or it fails. False if there is none.
    pub(crate) async fn next(&mut self) -> bool {
        let Some(Waiting { id, mut body, due }) = self.first() else { return false };
        self.skip(until(due));
        body["timer"]["due"] = json!(Timestamp::now());
        for received in 1..=RECEIVES {
            self.invocations += 1;
            let batch = Batch::default().message(&body.to_string()).received(received).event();
            let answer = self.stage.function.invoke(&batch).await;
            if answer.is_ok_and(|answer| answer["batchItemFailures"] == json!([])) {
                self.sent.insert(id, None);
                return true;
            }
            self.skip(SignedDuration::from_secs(30));
        }
        panic!("the timer {body} was not handled: {}", self.stage.log());
    }

    /// The timer that is due first.
    fn first(&mut self) -> Option<Waiting> {
        let mut first: Option<Waiting> = None;
        for queued in self.stage.environment.aws.messages("queue") {
            let Some(sent) = *self.sent.entry(queued.id.clone()).or_insert(Some(self.passed)) else {
                continue;
            };
            let body: Value = serde_json::from_str(&queued.body).unwrap();
            let due: Timestamp = body["timer"]["due"].as_str().unwrap().parse().unwrap();
            let due = due - (self.passed - sent);
            if first.as_ref().is_none_or(|first| due < first.due) {
                first = Some(Waiting { id: queued.id, body, due });
            }
        }
        first
    }

    fn skip(&mut self, by: SignedDuration) {
        if by <= SignedDuration::ZERO {
            return;
        }
        // Messages that were sent since the last look have been sent before this time passes.
        self.first();
        self.passed += by;
        for kind in ["refresh", "refresh-of", "refresh-lane"] {
            self.stage.environment.change_documents(kind, |document| earlier(document, by));
        }
    }
}

/// How long it is until then.
fn until(due: Timestamp) -> SignedDuration {
    due.duration_since(Timestamp::now()).max(SignedDuration::ZERO)
}

fn earlier(value: &mut Value, by: SignedDuration) {
    match value {
        Value::String(text) => {
            if let Ok(at) = text.parse::<Timestamp>() {
                *text = (at - by).to_string();
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|one| earlier(one, by)),
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_array_mut().filter(|_| name == "starts") {
                    Some(starts) => {
                        for start in starts {
                            *start = json!(start.as_i64().unwrap() - by.as_secs());
                        }
                    }
                    None => earlier(member, by),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
