//! What a call of a function to the table or a queue says: which documents it writes, and which messages they know.

use serde_json::Value;

/// One item that a call writes.
#[derive(Debug)]
struct Written {
    pk: String,
    sk: String,
    document: String,
    /// The other values of the item, such as `:state`.
    values: Value,
    expression: String,
}

/// The content of a call that matters to a run.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// Events that the call records as announced by their own message.
    pub(crate) announced: Vec<String>,
    /// Events that the call records as completed.
    pub(crate) done: Vec<String>,
    /// Events that the call adds to a group or digest: the partition and the event.
    pub(crate) placed: Vec<(String, String)>,
    /// The messages that the written documents know.
    pub(crate) messages: Vec<String>,
    /// Whether the call records that a message has its end.
    pub(crate) ends: bool,
    /// Whether the call writes what a timer will announce: a head and a member of a group.
    pub(crate) groups: bool,
    /// Whether the call arms a timer.
    pub(crate) arms: bool,
}

impl Said {
    /// What this call records about completed actions.
    pub(crate) fn is_about_acts(&self) -> bool {
        !self.announced.is_empty() || !self.messages.is_empty()
    }

    pub(crate) fn of(operation: &str, body: &Value) -> Self {
        let mut said = Self::default();
        let operation = operation.rsplit('.').next().unwrap_or_default();
        if operation == "SendMessage" {
            said.arms = body["MessageBody"].as_str().is_some_and(|text| text.starts_with(r#"{"timer""#));
            return said;
        }
        let writes: Vec<&Value> = match operation {
            "UpdateItem" => vec![body],
            "TransactWriteItems" => {
                let items = body["TransactItems"].as_array().map(Vec::as_slice).unwrap_or_default();
                items.iter().map(|item| &item["Update"]).filter(|update| !update.is_null()).collect()
            }
            _ => Vec::new(),
        };
        for write in writes.into_iter().filter_map(written) {
            said.note(&write);
        }
        said
    }

    fn note(&mut self, write: &Written) {
        if let Some(event) = write.pk.strip_prefix("delivery#notify-slack#") {
            let event = event[..12].to_owned();
            if write.expression.starts_with("ADD ") {
                self.announced.push(event);
            } else if matches!(write.values[":state"]["S"].as_str(), Some("done" | "skipped")) {
                self.done.push(event);
            }
            return;
        }
        if let Some(member) = write.sk.strip_prefix("member#") {
            self.groups = true;
            if write.document.contains(r#""placement":"alone""#) {
                self.announced.push(member.to_owned());
            } else {
                self.placed.push((write.pk.clone(), member.to_owned()));
            }
        }
        if let Some(event) = write.sk.strip_prefix("entry#").filter(|_| is_about_an_object(&write.document)) {
            self.placed.push((write.pk.clone(), event.to_owned()));
        }
        let ids = write.document.split(r#""id":""#).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0));
        // Slack's ids look like 1767225600.000006. Ids of incidents and groups have no point.
        self.messages.extend(ids.filter(|id| id.contains('.')).map(str::to_owned));
        self.ends |= write.document.contains(r#""resolution_sent":true"#)
            || write.document.contains(r#""closed":true"#);
    }
}

/// Whether an entry of a digest announces an event. An entry about a group's end has an event's id too.
pub(crate) fn is_about_an_object(entry: &str) -> bool {
    let entry: Value = serde_json::from_str(entry).unwrap_or_default();
    entry["object"].as_str().is_some_and(|object| !object.is_empty())
}

fn written(update: &Value) -> Option<Written> {
    let values = &update["ExpressionAttributeValues"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some(Written {
        pk: text(&update["Key"]["pk"]["S"])?,
        sk: text(&update["Key"]["sk"]["S"])?,
        document: text(&values[":document"]["S"]).unwrap_or_default(),
        expression: text(&update["UpdateExpression"]).unwrap_or_default(),
        values: values.clone(),
    })
}

#[test]
fn a_transaction_says_what_each_of_its_items_says() {
    use serde_json::json;
    let update = |pk: &str, sk: &str, document: &str| {
        json!({ "Update": {
            "Key": { "pk": { "S": pk }, "sk": { "S": sk } }, "UpdateExpression": "SET #d = :document",
            "ExpressionAttributeValues": { ":document": { "S": document } },
        } })
    };
    let message = r#"{"message":{"conversation":"C1","id":"1767225600.000006"},"closed":true}"#;
    let body = json!({ "TransactItems": [
        update("group#notify-slack#data#0123456789ab", "member#abcdefabcdef", r#"{"id":"abcdefabcdef","placement":"alone"}"#),
        update("group#notify-slack#data#0123456789ab", "member#0a0a0a0a0a0a", r#"{"placement":"grouped"}"#),
        update("group#notify-slack#data#0123456789ab", "head", message),
        update("digest#notify-slack#data#1767225600", "entry#0b0b0b0b0b0b", r#"{"object":"l-1"}"#),
        update("digest#notify-slack#data#1767225600", "entry#0c0c0c0c0c0c", r#"{"object":""}"#),
        { "ConditionCheck": { "Key": { "pk": { "S": "window#notify-slack#data#x" }, "sk": { "S": "-" } } } },
    ] });
    let said = Said::of("DynamoDB_20120810.TransactWriteItems", &body);
    assert_eq!(said.announced, ["abcdefabcdef"]);
    let placed = said.placed.iter().map(|(partition, event)| (partition.as_str(), event.as_str()));
    let placed: Vec<_> = placed.collect();
    assert_eq!(
        placed,
        [
            ("group#notify-slack#data#0123456789ab", "0a0a0a0a0a0a"),
            ("digest#notify-slack#data#1767225600", "0b0b0b0b0b0b"),
        ]
    );
    assert_eq!(said.messages, ["1767225600.000006"]);
    assert!(said.ends && said.groups && !said.arms);
    let timer = json!({ "MessageBody": r#"{"timer":{}}"# });
    assert!(Said::of("AmazonSQS.SendMessage", &timer).arms);
}
