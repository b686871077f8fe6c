//! The real binary with HTTP doubles of AWS, Tableau and Slack, and a table that the test can reset.

use crate::{FAILED, SUCCEEDED};
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use testkit::simulator::SlackCall;
use testkit::{Batch, Function, TestEnvironment};
use timer::TimerMessage;

const TABLE: &str = "deliveries";
/// How many immediate attempts a message gets before its last one.
const RECEIVES: u32 = 4;
/// A log line length far below CloudWatch's limit.
const LONGEST_LINE: usize = 64 * 1024;
/// The most messages per event: one message and one reply to it, in two channels.
const MOST_MESSAGES: usize = 4;

/// Event names that no other test here uses.
const FRESH: [&str; 7] = [
    "WorkbookDeleted",
    "ViewDeleted",
    "LabelCreated",
    "LabelUpdated",
    "LabelDeleted",
    "SiteUpdated",
    "UserDeleted",
];

/// What the function did with an event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    /// The state and reason in the event's record.
    Recorded(String, String),
    /// A timer was handled.
    Fired,
    /// A dead letter with this reason.
    DeadLetter(String),
    /// Neither a record nor a dead letter; the text says what is known.
    Lost(String),
}

pub(crate) struct Environment {
    pub(crate) services: TestEnvironment,
    client: aws_sdk_dynamodb::Client,
    /// The id of a channel that no rule names.
    pub(crate) board_room: String,
    /// A loopback address that must not be called, and the number of calls it got.
    pub(crate) elsewhere: String,
    called: Arc<AtomicUsize>,
    events: AtomicUsize,
    fresh: AtomicUsize,
    /// The time of all events. Events of later minutes would have no job at Tableau, which the function looks for
    /// twice.
    began: Timestamp,
}

/// The rules name three channels. Slack has a fourth that the bot may post to.
fn rules() -> String {
    let hour = |ahead| {
        let at = Timestamp::now() + SignedDuration::from_hours(ahead);
        at.strftime("%H:%M").to_string()
    };
    format!(
        "
rules:
  - name: failures
    on: [DatasourceRefreshFailed, DatasourceRefreshSucceeded]
    do: [{{ notify-slack: {{ channel: data-alerts, mention: owner, mention_if_unknown: here }} }}]
  - name: news
    on: [WorkbookCreated, {}]
    do: [{{ notify-slack: {{ channel: data-news }} }}]
  - name: quiet
    quiet: {{ from: '{}', to: '{}', timezone: UTC }}
    on: [WorkbookUpdated, WorkbookRefreshFailed, WorkbookRefreshSucceeded]
    do: [{{ notify-slack: {{ channel: data-night }} }}]
",
        FRESH.join(", "),
        hour(-2),
        hour(2)
    )
}

impl Environment {
    pub(crate) async fn start() -> Self {
        let services = TestEnvironment::with_rules(&rules()).await;
        services.aws.create_secret("slack", json!({ "bot_token": services.slack.token() }));
        services.slack.add_channel("data-night", true);
        let board_room = services.slack.add_channel("board-room", true);
        let client = testkit::dynamodb::client(&services.aws);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let elsewhere = format!("http://{}/", listener.local_addr().unwrap());
        let called = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&called);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self {
            services,
            client,
            board_room,
            elsewhere,
            called,
            events: AtomicUsize::new(0),
            fresh: AtomicUsize::new(0),
            began: Timestamp::now(),
        }
    }

    pub(crate) fn function(&self) -> Function {
        self.services.queued_with(
            "notify-slack",
            env!("CARGO_BIN_EXE_notify-slack"),
            &[("LOG_LEVEL", "info")],
        )
    }

    /// The LUID of a sample data source whose refresh failed and then succeeded.
    pub(crate) fn object(&self, name: &str) -> String {
        let luid = self.services.tableau.datasource(name).unwrap();
        self.services.tableau.fail_refresh(&luid, "Incorrect username or password").unwrap();
        self.services.tableau.succeed_refresh(&luid).unwrap();
        luid.as_str().to_owned()
    }

    /// Creates a new event with each call.
    pub(crate) fn event(&self, name: &str, luid: &str) -> String {
        let number = self.events.fetch_add(1, Ordering::SeqCst);
        let resource = match name {
            FAILED | SUCCEEDED => "EXTRACTS",
            name if name.starts_with("Workbook") || name.starts_with("Label") => "WORKBOOK",
            name if name.starts_with("View") => "VIEW",
            name if name.starts_with("Site") => "SITE",
            _ => "USER",
        };
        json!({
            "resource": resource, "event_type": name, "resource_name": format!("Number {number}"),
            "site_luid": self.services.tableau.site().as_str(), "resource_luid": luid,
            "created_at": self.began.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(), "text": number.to_string(),
        })
        .to_string()
    }

    /// The table's items without the rules, which stay in force.
    pub(crate) fn items(&self) -> Vec<Value> {
        let items = self.services.aws.items(TABLE).into_iter();
        items.filter(|item| !item["pk"]["S"].as_str().unwrap().starts_with("rules#")).collect()
    }

    /// The items whose keys begin with this text.
    pub(crate) fn items_of(&self, kind: &str) -> Vec<Value> {
        let items = self.items().into_iter();
        items.filter(|item| item["pk"]["S"].as_str().unwrap().starts_with(kind)).collect()
    }

    /// The only item whose key begins with this text.
    pub(crate) fn item_of(&self, kind: &str) -> Value {
        let items = self.items_of(kind);
        assert_eq!(items.len(), 1, "{kind}: {items:?}");
        items[0].clone()
    }

    /// The only head of a group or digest.
    pub(crate) fn head_of(&self, kind: &str) -> Value {
        let mut heads = self.items_of(kind).into_iter().filter(|item| item["sk"]["S"] == "head");
        let head = heads.next().unwrap();
        assert_eq!(heads.next(), None, "{kind}");
        head
    }

    /// The items of a kind, without heads.
    pub(crate) fn parts_of(&self, kind: &str) -> Vec<Value> {
        self.items_of(kind).into_iter().filter(|item| item["sk"]["S"] != "head").collect()
    }

    /// Replaces the table's content, except the rules, with these items. Returns whether the table accepts them: an index refuses a key
    /// of another type.
    pub(crate) async fn restore(&self, items: &[Value]) -> bool {
        let before = self.items();
        for item in before.iter().filter(|item| !items.contains(item)) {
            let delete = self.client.delete_item().table_name(TABLE).key("pk", attribute(&item["pk"]));
            delete.key("sk", attribute(&item["sk"])).send().await.unwrap();
        }
        let mut is_taken = true;
        for item in items.iter().filter(|item| !before.contains(item)) {
            let put = self.client.put_item().table_name(TABLE).set_item(Some(attributes(item)));
            if let Err(error) = put.send().await {
                let message = error.message().unwrap_or_default();
                assert!(message.contains("Type mismatch for Index Key"), "{error:?}");
                is_taken = false;
            }
        }
        is_taken
    }

    /// An event about a new object, with a new event name: a second event of one name within a minute would be
    /// grouped.
    pub(crate) fn fresh_event(&self) -> String {
        let number = self.fresh.fetch_add(1, Ordering::SeqCst);
        self.event(FRESH[number], "0f2d3c1b-6f0e-4b8e-9d53-6a7f3b1c2d4e")
    }

    /// Passes an event to the function as its queue does, up to the last attempt.
    pub(crate) async fn drive(&self, function: &Function, event: &str) -> End {
        match self.bring(function, event).await {
            Ok(()) => self.end_of(event),
            Err(why) => End::Lost(format!("{why}; {:?}", self.end_of(event))),
        }
    }

    /// Passes a due timer of this document and generation to the function.
    pub(crate) async fn fire(&self, function: &Function, key: &str, generation: u64) -> End {
        let due = Timestamp::now() - SignedDuration::from_secs(1);
        let body = TimerMessage::new(key, due, generation).to_json();
        match self.bring(function, &body).await {
            Ok(()) => self.dead_letter(&body).unwrap_or(End::Fired),
            Err(why) => End::Lost(why),
        }
    }

    /// Passes a message to the function until the function has completed it.
    async fn bring(&self, function: &Function, body: &str) -> Result<(), String> {
        for receive in (1..=RECEIVES).chain([150]) {
            let batch = Batch::default().message(body).received(receive);
            match function.invoke(&batch.event()).await {
                Err(error) => return Err(format!("the function fails: {error}")),
                Ok(reply) if reply["batchItemFailures"] == json!([]) => return Ok(()),
                Ok(_) => {}
            }
        }
        Err("received for the last time, and comes back".to_owned())
    }

    /// The dead letter with this body.
    fn dead_letter(&self, body: &str) -> Option<End> {
        let letter = self.services.aws.message("dead-letters", body)?;
        let reason = letter.attributes.get("reason").cloned().unwrap_or_default();
        Some(if reason.is_empty() { End::Lost("no reason".to_owned()) } else { End::DeadLetter(reason) })
    }

    fn end_of(&self, event: &str) -> End {
        let content = deliveries::Content::received(event.as_bytes());
        let body = content.to_json();
        if let Some(end) = self.dead_letter(&body) {
            return end;
        }
        let key = format!("delivery#notify-slack#{}", content.event_id());
        let item = self.items().into_iter().find(|item| item["pk"]["S"] == key.as_str()).unwrap_or_default();
        let text = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
        match text("state").as_str() {
            state @ ("done" | "skipped" | "ignored") => End::Recorded(state.to_owned(), text("reason")),
            state => End::Lost(format!("the message is gone, and the record says `{state}`")),
        }
    }

    /// What is wrong with the messages sent since `before`. Whatever the table contained, every message must be
    /// correct.
    pub(crate) fn spilled(&self, before: usize) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.called.swap(0, Ordering::SeqCst) > 0 {
            wrong.push("a foreign address was called".to_owned());
        }
        let sent = self.services.slack.messages_since(before);
        for message in &sent {
            if !["data-alerts", "data-news", "data-night"].contains(&message.channel_name.as_str()) {
                wrong.push(format!("a message in {}: {}", message.channel_name, message.text));
            }
            let text = markup(&message.raw).join("\n");
            let forbidden = ["<!channel>", "<https://evil.example", "\\u001b", "\u{202e}"];
            wrong.extend(
                forbidden
                    .iter()
                    .filter(|part| text.contains(*part))
                    .map(|part| format!("{part:?} in {text}")),
            );
        }
        let new = sent.iter().filter(|message| message.call != SlackCall::Update).count();
        if new > MOST_MESSAGES {
            wrong.push(format!("{new} new messages"));
        }
        wrong
    }

    /// Panics unless CloudWatch accepts the function's log and the log has no secret.
    pub(crate) fn check_log(&self, function: &Function) {
        let logs = function.logs();
        for line in &logs {
            let beginning: String = line.chars().take(300).collect();
            assert!(line.len() <= LONGEST_LINE, "a line of {} bytes: {beginning}", line.len());
            assert!(!line.contains("panicked at"), "{beginning}");
        }
        self.services.assert_no_secret_in(&logs);
    }
}

/// The texts that Slack parses as markup: all except `plain_text`.
fn markup(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) if map.get("type").is_some_and(|kind| kind == "plain_text") => Vec::new(),
        Value::Object(map) => map.values().flat_map(markup).collect(),
        Value::Array(items) => items.iter().flat_map(markup).collect(),
        value => vec![value.to_string()],
    }
}

fn attributes(item: &Value) -> HashMap<String, AttributeValue> {
    item.as_object().unwrap().iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}

/// A value as DynamoDB's JSON writes it.
fn attribute(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    let text = || value.as_str().unwrap().to_owned();
    let list = || value.as_array().unwrap().iter();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "N" => AttributeValue::N(text()),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "NULL" => AttributeValue::Null(true),
        "L" => AttributeValue::L(list().map(attribute).collect()),
        "M" => AttributeValue::M(attributes(value)),
        "SS" => AttributeValue::Ss(list().map(|text| text.as_str().unwrap().to_owned()).collect()),
        other => panic!("an attribute of type {other}"),
    }
}
