//! The real binary before an AWS, a Tableau and a Slack on the wire, and a table that can be put back as it was.

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
/// As often as a message comes at once, before it comes for the last time.
const RECEIVES: u32 = 4;
/// Far below what CloudWatch takes as one line.
const LONGEST_LINE: usize = 64 * 1024;
/// An event is announced with one new message, and a reply to it at its end, in a channel or two.
const MOST_MESSAGES: usize = 4;

/// Kinds of events that nothing else here brings.
const FRESH: [&str; 7] = [
    "WorkbookDeleted",
    "ViewDeleted",
    "LabelCreated",
    "LabelUpdated",
    "LabelDeleted",
    "SiteUpdated",
    "UserDeleted",
];

/// What became of an event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    /// The record's state, and its reason.
    Recorded(String, String),
    /// A timer has done its work.
    Fired,
    /// A dead letter with this reason.
    DeadLetter(String),
    /// Neither: what is known.
    Lost(String),
}

pub(crate) struct Environment {
    pub(crate) services: TestEnvironment,
    client: aws_sdk_dynamodb::Client,
    /// The id of a channel that no rule names.
    pub(crate) board_room: String,
    /// An address on loopback that nothing may call, and how often it was called.
    pub(crate) elsewhere: String,
    called: Arc<AtomicUsize>,
    events: AtomicUsize,
    fresh: AtomicUsize,
    /// When all events happen: those of later minutes would have no job at Tableau, which is looked for twice.
    began: Timestamp,
}

/// The rules: three channels are named. Slack has a fourth that the bot may post to.
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
    do: [{{ notify-slack: {{ channel: data-alerts }} }}]
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

    /// The LUID of a data source of the sample whose refresh has failed, and then succeeded.
    pub(crate) fn object(&self, name: &str) -> String {
        let luid = self.services.tableau.datasource(name).unwrap();
        self.services.tableau.fail_refresh(&luid, "Incorrect username or password").unwrap();
        self.services.tableau.succeed_refresh(&luid).unwrap();
        luid.as_str().to_owned()
    }

    /// An event, each time another.
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

    pub(crate) fn items(&self) -> Vec<Value> {
        self.services.aws.items(TABLE)
    }

    /// The items whose keys begin so.
    pub(crate) fn items_of(&self, kind: &str) -> Vec<Value> {
        let items = self.items().into_iter();
        items.filter(|item| item["pk"]["S"].as_str().unwrap().starts_with(kind)).collect()
    }

    /// The only item whose key begins so.
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

    /// The items of a kind that are no heads.
    pub(crate) fn parts_of(&self, kind: &str) -> Vec<Value> {
        self.items_of(kind).into_iter().filter(|item| item["sk"]["S"] != "head").collect()
    }

    /// Makes the table hold these items and no others. Returns whether it takes them: an index refuses a key of another type.
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

    /// An event about an object of its own, of a kind of its own: a second of one kind within a minute would wait for others.
    pub(crate) fn fresh_event(&self) -> String {
        let number = self.fresh.fetch_add(1, Ordering::SeqCst);
        self.event(FRESH[number], "0f2d3c1b-6f0e-4b8e-9d53-6a7f3b1c2d4e")
    }

    /// Brings an event to the function as its queue does, up to the last receive.
    pub(crate) async fn drive(&self, function: &Function, event: &str) -> End {
        match self.bring(function, event).await {
            Ok(()) => self.end_of(event),
            Err(why) => End::Lost(format!("{why}; {:?}", self.end_of(event))),
        }
    }

    /// Brings a timer of this document and generation, which is due, to the function.
    pub(crate) async fn fire(&self, function: &Function, key: &str, generation: u64) -> End {
        let due = Timestamp::now() - SignedDuration::from_secs(1);
        let body = TimerMessage::new(key, due, generation).to_json();
        match self.bring(function, &body).await {
            Ok(()) => self.dead_letter(&body).unwrap_or(End::Fired),
            Err(why) => End::Lost(why),
        }
    }

    /// Brings a message to the function until it is finished with it.
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
        let dead = self.services.aws.messages("dead-letters");
        let letter = dead.into_iter().find(|message| message.body == body)?;
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

    /// What is wrong with all messages since `before`: whatever was stored, nothing may be.
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

    /// Panics unless the function's log is one that CloudWatch takes and that holds no secret.
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

/// The texts that Slack reads as markup: all but those that are `plain_text`.
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

/// A value as DynamoDB's JSON has it.
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
