//! The message of a group or digest in which an event is announced.

use super::text::{instant, pair};
use crate::stack::Stack;
use alerting::SharedStatus;
use alerting::group::Placement;
use deliveries::Record;
use jiff::Timestamp;
use serde::Serialize;
use store::records::DynamoDbRecords;
use workflow::{BoxError, SharedMessage};

/// How many first digits of its id identify an event in a group.
const SHORT: usize = 12;

/// The message of a group or digest, with its status.
#[derive(Debug)]
pub(super) struct Shared {
    message: SharedMessage,
    /// The status; `None` if the documents no longer exist, or the reason why the status is unknown.
    status: Result<Option<SharedStatus>, String>,
}

impl Shared {
    /// The group or digest messages that a record's reason names, with their present status.
    pub(super) async fn of(stack: &Stack, record: &Record, now: Timestamp) -> Vec<Self> {
        let mut shared = Vec::new();
        for message in SharedMessage::named_in(&record.last_reason) {
            let status = status(stack, record, &message, now).await.map_err(|error| error.to_string());
            shared.push(Self { message, status });
        }
        shared
    }

    /// Whether the timer has fired without finishing its work: the timer may be a dead letter.
    pub(super) fn is_unfinished(&self) -> bool {
        matches!(&self.status, Ok(Some(status)) if status.is_unfinished)
    }

    /// The status as a line for people.
    pub(super) fn line(&self, now: Timestamp) -> String {
        let text = self.message.to_string();
        let kind = self.kind();
        let which = text.strip_prefix(kind).unwrap_or(&text).trim();
        pair("  ", kind, &format!("{which}: {}", self.words(now)))
    }

    fn kind(&self) -> &'static str {
        match self.message {
            SharedMessage::Group { .. } => "group",
            SharedMessage::Digest { .. } => "digest",
        }
    }

    /// The status in words, without the message's name.
    fn words(&self, now: Timestamp) -> String {
        let status = match &self.status {
            Ok(Some(status)) => status,
            Ok(None) => return "no longer recorded".to_owned(),
            Err(why) => return format!("unknown: {why}"),
        };
        let mut words = Vec::new();
        match status.placement {
            Some(Placement::Alone) => words.push("this event has a message of its own".to_owned()),
            Some(Placement::Left) => words.push("this event is not announced: its rule was muted".to_owned()),
            Some(Placement::Grouped) | None => {}
        }
        if let Some(sent) = status.last_sent {
            let id = status.message.as_ref();
            let id = id.map(|id| format!(" (message {} in {})", id.id, id.conversation)).unwrap_or_default();
            words.push(format!("its message was sent or edited last at {}{id}", instant(Some(sent))));
        }
        let next = if status.last_sent.is_some() { "the next change" } else { "its message" };
        match status.due {
            Some(due) if due > now => words.push(format!("{next} is due at {}", instant(Some(due)))),
            Some(due) => words.push(format!("{next} was due at {}", instant(Some(due)))),
            None if status.is_unfinished => words.push(format!(
                "the timer for {next} has fired, and its work is not done: it is tried again, or is a dead letter, which \
                 `events dead-letters list` shows and `events replay` sends again"
            )),
            None if status.last_sent.is_none() => {
                words.push(format!("the {} has sent no message, and none is due", self.kind()));
            }
            None => {}
        }
        words.join("; ")
    }

    /// The status as JSON for other programs. The names of the fields never change.
    pub(super) fn facts(&self) -> SharedFacts {
        let (id, until, target) = match &self.message {
            SharedMessage::Group { id, target } => (Some(id.clone()), None, target),
            SharedMessage::Digest { until, target } => (None, Some(*until), target),
        };
        let status = self.status.as_ref().ok().and_then(Option::as_ref);
        let message = status.and_then(|status| status.message.as_ref());
        SharedFacts {
            kind: self.kind(),
            id,
            until,
            target: target.clone(),
            due_at: status.and_then(|status| status.due),
            sent_at: status.and_then(|status| status.last_sent),
            conversation: message.map(|message| message.conversation.clone()),
            message: message.map(|message| message.id.clone()),
        }
    }
}

async fn status(
    stack: &Stack,
    record: &Record,
    message: &SharedMessage,
    now: Timestamp,
) -> Result<Option<SharedStatus>, BoxError> {
    let table = stack.table.as_deref().ok_or("the stack has no table")?;
    let client = aws_sdk_dynamodb::Client::new(&stack.account.config);
    let records = DynamoDbRecords::new(client, table, &record.workflow);
    let event = record.event_id.get(..SHORT).unwrap_or_default();
    SharedStatus::of(&records, &record.workflow, message, event, now).await
}

/// The message of a group or digest as a JSON object.
#[derive(Debug, Serialize)]
pub(super) struct SharedFacts {
    /// `group` or `digest`.
    kind: &'static str,
    /// The id of a group; `None` for a digest.
    id: Option<String>,
    /// When the quiet hours of a digest end; `None` for a group.
    #[serde(serialize_with = "crate::events::instant")]
    until: Option<Timestamp>,
    target: String,
    #[serde(serialize_with = "crate::events::instant")]
    due_at: Option<Timestamp>,
    #[serde(serialize_with = "crate::events::instant")]
    sent_at: Option<Timestamp>,
    /// The ids of the conversation and the message at the destination, if the message can be edited.
    conversation: Option<String>,
    message: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alerting::incident::MessageRef;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + second).unwrap()
    }

    fn shared(status: Result<Option<SharedStatus>, String>) -> Shared {
        let message =
            SharedMessage::Group { id: "64c87bd200d1".to_owned(), target: "data-alerts".to_owned() };
        Shared { message, status }
    }

    #[test]
    fn a_group_says_when_its_message_is_due_or_was_sent_and_which_it_is_and_no_more() {
        let nothing = SharedStatus {
            due: None,
            last_sent: None,
            message: None,
            is_unfinished: false,
            placement: Some(Placement::Grouped),
        };
        let line = |status: SharedStatus| {
            let line = shared(Ok(Some(status))).line(at(0));
            line.strip_prefix("  group         64c87bd200d1 in data-alerts: ").unwrap().to_owned()
        };
        let due = SharedStatus { due: Some(at(10)), ..nothing.clone() };
        assert_eq!(line(due), "its message is due at 2025-11-24 16:00:10 UTC");
        let late = SharedStatus { due: Some(at(-10)), ..nothing.clone() };
        assert_eq!(line(late), "its message was due at 2025-11-24 15:59:50 UTC");
        let id = MessageRef { conversation: "C1".to_owned(), id: "1764.1".to_owned() };
        let sent = SharedStatus { last_sent: Some(at(-5)), message: Some(id), ..nothing.clone() };
        let expected =
            "its message was sent or edited last at 2025-11-24 15:59:55 UTC (message 1764.1 in C1)";
        assert_eq!(line(sent.clone()), expected);
        let more = SharedStatus { due: Some(at(5)), ..sent };
        assert_eq!(line(more), format!("{expected}; the next change is due at 2025-11-24 16:00:05 UTC"));
        let failed = SharedStatus { is_unfinished: true, ..nothing.clone() };
        assert!(line(failed).starts_with("the timer for its message has fired, and its work is not done: "));
        let alone = SharedStatus { placement: Some(Placement::Alone), ..nothing.clone() };
        assert!(line(alone).starts_with("this event has a message of its own; "));
        assert_eq!(line(nothing), "the group has sent no message, and none is due");
        assert!(shared(Ok(None)).line(at(0)).ends_with(": no longer recorded"));
        assert!(shared(Err("denied".to_owned())).line(at(0)).ends_with(": unknown: denied"));
    }
}
