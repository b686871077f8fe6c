//! The real binary reads stored items that are damaged or forged.
//!
//! Every field of every kind of item is removed, given another type, an extreme number, a huge text, markup, an instant of a
//! wrong clock, another address or another channel. Whatever is stored: the function does not fail, the event ends with
//! its effect or as a dead letter with a reason, no message goes to a channel that no rule names, nothing is called that
//! is not configured, and the next event is handled. What is damaged, and does not only say something untrue, does not even
//! cost the event.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod digests;
mod environment;
mod groups;
mod incidents;
mod messages;
mod mutation;
mod records;
mod start;

use environment::{End, Environment};
use jiff::{SignedDuration, Timestamp};
use mutation::Mutation;
use serde_json::{Value, json};
use testkit::Function;

const OTHER: &str = "4cdd2055-930d-4eaf-94f4-733f3e7d1bfb";
const FAILED: &str = "DatasourceRefreshFailed";
const SUCCEEDED: &str = "DatasourceRefreshSucceeded";

/// What makes the function read an item.
#[derive(Clone, Copy, Debug)]
enum Trigger<'a> {
    /// An event about an object.
    Event(&'a str, &'a str),
    /// The timer of the document with this key and generation.
    Timer(&'a str, u64),
    /// The hourly sweep.
    Sweep,
}

/// Damages and forges items, and triggers the function to read them.
struct Forger<'a> {
    environment: &'a Environment,
    function: Function,
    /// All stored items. The tests damage one at a time.
    items: Vec<Value>,
    /// Fields that can change an event's outcome when their value is untrue.
    may_lie: &'static [&'static str],
    /// Whether a message must be sent now or later, unless an item's value is untrue.
    is_announced: bool,
}

impl<'a> Forger<'a> {
    fn new(environment: &'a Environment, items: Vec<Value>) -> Self {
        Self { environment, function: environment.function(), items, may_lie: &[], is_announced: false }
    }

    /// A check for a trigger after which something is announced.
    fn announced(environment: &'a Environment, items: Vec<Value>) -> Self {
        Self { is_announced: true, ..Self::new(environment, items) }
    }

    /// A check in which these fields may have untrue values.
    fn lying(self, may_lie: &'static [&'static str]) -> Self {
        Self { may_lie, ..self }
    }

    /// Puts each mutation of an item into the table beside the other items, and triggers the function.
    async fn forge(&self, mutations: Vec<Mutation>, trigger: Trigger<'_>) {
        let mut wrong = Vec::new();
        for (number, mut mutation) in mutations.into_iter().enumerate() {
            if mutation.field != "version" {
                // A process caches windows and heads by their versions.
                mutation.item["version"] = json!({ "N": (1_000 + 10 * number).to_string() });
            }
            let is_mutated =
                |item: &Value| item["pk"] == mutation.item["pk"] && item["sk"] == mutation.item["sk"];
            let others = self.items.iter().filter(|item| !is_mutated(item)).map(current);
            let items: Vec<Value> = others.chain([mutation.item.clone()]).collect();
            if !self.environment.restore(&items).await {
                continue;
            }
            let before = self.environment.services.slack.message_count();
            let end = self.bring(trigger).await;
            let is_silent = self.is_announced && !mutation.is_typed && !self.is_announced_since(before);
            let found = judge(&mutation, &end, &["done", "skipped"], self.may_lie).into_iter();
            let found = found.chain(self.environment.spilled(before));
            let found = found.chain(is_silent.then(|| format!("nothing is sent: {end:?}")));
            let item = format!("{} {}", mutation.item["pk"]["S"], mutation.item["sk"]["S"]);
            let what = format!("{trigger:?}: {item} whose {} is {}", mutation.field, mutation.how);
            wrong.extend(found.map(|why| format!("{what}: {why}")));
        }
        report(wrong);
        next_event_is_handled(self.environment, &self.function, "damaged documents").await;
    }

    async fn bring(&self, trigger: Trigger<'_>) -> End {
        match trigger {
            Trigger::Event(name, luid) => {
                self.environment.drive(&self.function, &self.environment.event(name, luid)).await
            }
            Trigger::Timer(key, generation) => self.environment.fire(&self.function, key, generation).await,
            Trigger::Sweep => match self.function.invoke(&json!({ "sweep": {} })).await {
                Ok(answer) if answer["outcome"] != "transient" => End::Fired,
                Ok(answer) => End::Lost(answer.to_string()),
                Err(error) => End::Lost(format!("the function fails: {error}")),
            },
        }
    }

    /// Whether a message was sent, or a timer that will send it is armed.
    fn is_announced_since(&self, before: usize) -> bool {
        let mut heads = self.environment.items().into_iter().filter(|item| item["sk"]["S"] == "head");
        let waits = |head: Value| {
            let document: Value =
                serde_json::from_str(head["document"]["S"].as_str().unwrap()).unwrap_or_default();
            document["pending"]["armed"] == true
        };
        self.environment.services.slack.message_count() > before || heads.any(waits)
    }
}

/// A window accepts members for a minute; the test's items stay valid for longer.
fn current(item: &Value) -> Value {
    if !item["pk"]["S"].as_str().unwrap().starts_with("window#") {
        return item.clone();
    }
    mutation::edited(item, |window| {
        let now = Timestamp::now().to_string();
        window["open"]["opened_at"] = json!(now);
        window["open"]["last_join"] = json!(now);
    })
}

/// A point in time this many seconds ago.
fn ago(seconds: i64) -> Value {
    json!((Timestamp::now() - SignedDuration::from_secs(seconds)).to_string())
}

/// Checks an outcome. `may_lie` lists the fields that can change the outcome when their value is untrue.
fn judge(mutation: &Mutation, end: &End, expected: &[&str], may_lie: &[&str]) -> Option<String> {
    let lies = mutation.is_typed && may_lie.iter().any(|field| mutation.field.starts_with(field));
    match end {
        End::Fired => None,
        End::Recorded(state, _) if expected.contains(&state.as_str()) => None,
        End::Recorded(..) | End::DeadLetter(_) if lies => None,
        End::Recorded(..) | End::DeadLetter(_) | End::Lost(_) => Some(format!("{end:?}")),
    }
}

/// Handles another event of another object, and checks the log.
async fn next_event_is_handled(environment: &Environment, function: &Function, what: &str) {
    let before = environment.services.slack.message_count();
    let end = environment.drive(function, &environment.fresh_event()).await;
    assert_eq!(end, End::Recorded("done".to_owned(), String::new()), "the event after {what}");
    assert_eq!(environment.services.slack.message_count(), before + 1, "the event after {what}");
    environment.check_log(function);
}

/// All mutations of an item that contains a document.
fn mutations(environment: &Environment, item: &Value) -> Vec<Mutation> {
    let now = Timestamp::now();
    let mut all = mutation::of_attributes(item, now, &environment.elsewhere);
    all.extend(of_document(environment, item));
    all
}

/// All mutations of an item's document.
fn of_document(environment: &Environment, item: &Value) -> Vec<Mutation> {
    mutation::of_document(item, Timestamp::now(), &[&environment.elsewhere, &environment.board_room])
}

fn report(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
