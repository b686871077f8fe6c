//! Reads a message of a dead-letter queue. No I/O.

use super::subject::Subject;
use crate::events::table::{cell, name};
use crate::out::counted;
use crate::timer_words;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as System};
use deliveries::Content as Stored;
use jiff::Timestamp;
use std::fmt;
use tableau::{EventId, Payload};
use timer::TimerMessage;

/// A message of a dead-letter queue.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::events) struct DeadLetter {
    /// The message's id in SQS.
    pub(in crate::events) message_id: String,
    pub(super) content: Content,
    /// For an event, the body that goes back into the workflow's queue; for a timer and anything else, the unchanged
    /// message.
    pub(super) body: String,
    /// When the message became a dead letter; for one that SQS itself moved, when it was first sent.
    pub(in crate::events) sent_at: Option<Timestamp>,
    /// Why the message is a dead letter, if a reason is known.
    pub(super) reason: String,
}

/// The content of a dead letter.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::events) enum Content {
    /// An event that a workflow gave up, or that EventBridge could not deliver to the workflow.
    Event(EventFacts),
    /// A timer that a workflow gave up, or that EventBridge Scheduler could not deliver to the workflow.
    Timer(Timer),
    /// A message that no workflow can read. The text says why it is not an event, without repeating it: it may
    /// contain secrets.
    NoEvent(String),
}

/// What is shown about an event.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::events) struct EventFacts {
    pub(super) id: EventId,
    pub(super) name: String,
    pub(super) resource: String,
}

/// A timer of an alert group, a digest or an incident.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::events) struct Timer {
    /// The key of the document that the timer belongs to.
    pub(in crate::events) key: String,
    /// The timer's number among those of its document.
    generation: u64,
}

impl Timer {
    /// What the timer is for, and the target of its message: a channel, or the LUID of an incident's object.
    pub(in crate::events) fn words(&self) -> (String, String) {
        timer_words::words(&self.key)
    }
}

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&timer_words::sentence(&self.key))
    }
}

impl DeadLetter {
    /// Reads a message of any kind.
    pub(super) fn read(message: &Message) -> Self {
        let text = message.body().unwrap_or_default();
        let (body, content) = match content_of(message) {
            Ok(Held::Timer(timer)) => (text.to_owned(), Content::Timer(timer)),
            Ok(Held::Stored(stored)) => {
                let id = stored.event_id();
                let name = stored.name().to_owned();
                let resource = stored.payload().and_then(|payload| payload.resource_name.clone());
                let facts = EventFacts { id, name, resource: resource.unwrap_or_default() };
                // If the message contains nothing but the event, its text is kept unchanged, so that a replay sends
                // exactly the same text.
                let is_whole = Stored::stored(text).is_ok_and(|whole| whole == stored);
                let body = if is_whole { text.to_owned() } else { stored.to_json() };
                (body, Content::Event(facts))
            }
            Err(why) => (text.to_owned(), Content::NoEvent(format!("{why} ({})", size(text)))),
        };
        let sent_at = system(message, &System::SentTimestamp).and_then(|text| text.parse().ok());
        Self {
            message_id: message.message_id().unwrap_or_default().to_owned(),
            content,
            body,
            sent_at: sent_at.and_then(|at| Timestamp::from_millisecond(at).ok()),
            reason: reason(message),
        }
    }

    /// The event in the message, if it is one.
    pub(super) fn event(&self) -> Option<&EventFacts> {
        match &self.content {
            Content::Event(event) => Some(event),
            Content::Timer(_) | Content::NoEvent(_) => None,
        }
    }

    /// The timer in the message, if it is one.
    pub(in crate::events) fn timer(&self) -> Option<&Timer> {
        match &self.content {
            Content::Timer(timer) => Some(timer),
            Content::Event(_) | Content::NoEvent(_) => None,
        }
    }

    /// The event or timer that the message is about; `None` if no workflow can read the message.
    pub(super) fn subject(&self) -> Option<Subject> {
        match &self.content {
            Content::Event(event) => Some(Subject::Event(event.id.clone())),
            Content::Timer(timer) => Some(Subject::Timer(timer.clone())),
            Content::NoEvent(_) => None,
        }
    }

    /// The id of the event in the message, if it is one.
    pub(super) fn event_id(&self) -> Option<&EventId> {
        self.event().map(|event| &event.id)
    }

    /// What the message contains, in a few words.
    pub(super) fn what(&self) -> String {
        match &self.content {
            Content::Event(EventFacts { name: event, resource, .. }) => {
                format!("{} of {}", cell(event), name(resource))
            }
            Content::Timer(timer) => timer.to_string(),
            Content::NoEvent(_) => "not an event".to_owned(),
        }
    }

    /// Why the message waits for a person: the reason that came with it, or that it is not an event.
    pub(in crate::events) fn why(&self) -> String {
        match &self.content {
            Content::Event(_) | Content::Timer(_) => self.reason.clone(),
            Content::NoEvent(why) => format!("no event: {why}"),
        }
    }
}

fn size(text: &str) -> String {
    counted(text.len(), "byte")
}

/// The content of a message that a workflow can read.
enum Held {
    Stored(Stored),
    Timer(Timer),
}

/// Reads the content of a message as the workflow does.
fn content_of(message: &Message) -> Result<Held, String> {
    let attributes = message.message_attributes();
    let has_attribute = |name: &str| attributes.is_some_and(|attributes| attributes.contains_key(name));
    let body = message.body().unwrap_or_default();
    if timer::is_timer(body) {
        let timer =
            TimerMessage::parse(body).map_err(|error| format!("a timer that cannot be read: {error}"))?;
        return Ok(Held::Timer(Timer { key: timer.key, generation: timer.generation }));
    }
    match deliveries::of_message(body, has_attribute).map_err(|error| error.to_string())? {
        Stored::Event(payload) if payload.is_test() => Err("body: is empty".to_owned()),
        Stored::Event(payload) if !has_field_of_tableau(&payload) => {
            Err("body: has no field of a Tableau event".to_owned())
        }
        content => Ok(Held::Stored(content)),
    }
}

fn has_field_of_tableau(payload: &Payload) -> bool {
    Payload { other: payload.other.clone(), ..Payload::default() } != *payload
}

/// The reason stated on the message by the workflow, by EventBridge or by SQS.
fn reason(message: &Message) -> String {
    let attribute = |name: &str| {
        let value = message.message_attributes()?.get(name)?.string_value()?.trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    let ours = attribute("reason");
    let bridge = || attribute("ERROR_MESSAGE").or_else(|| attribute("ERROR_CODE"));
    let bridge = || bridge().map(|what| format!("EventBridge: {what}"));
    let sqs = || {
        system(message, &System::DeadLetterQueueSourceArn)?;
        Some("tried as often as the queue allows; the function's log has the reasons".to_owned())
    };
    ours.or_else(bridge).or_else(sqs).unwrap_or_default()
}

fn system<'a>(message: &'a Message, name: &System) -> Option<&'a str> {
    message.attributes()?.get(name).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sqs::types::MessageAttributeValue;

    const BODY: &str = r#"{"resource":"SITE","event_type":"SiteUpdated","resource_name":"Marketing"}"#;

    fn message(body: &str, attributes: &[(&str, &str)]) -> Message {
        let mut message = Message::builder().body(body);
        for (name, value) in attributes {
            let value = MessageAttributeValue::builder().data_type("String").string_value(*value);
            message = message.message_attributes(*name, value.build().unwrap());
        }
        message.attributes(System::SentTimestamp, "1764000000000").build()
    }

    #[test]
    fn a_payload_goes_back_as_it_is() {
        let letter = DeadLetter::read(&message(BODY, &[("reason", "Slack: channel_not_found")]));
        assert_eq!(letter.body, BODY);
        let event = letter.event().unwrap();
        assert_eq!(event.id, EventId::of(&Payload::parse(BODY.as_bytes()).unwrap()));
        assert_eq!((event.name.as_str(), event.resource.as_str()), ("SiteUpdated", "Marketing"));
        assert_eq!(letter.sent_at, Timestamp::from_millisecond(1_764_000_000_000).ok());
        assert_eq!(letter.why(), "Slack: channel_not_found");
    }

    #[test]
    fn an_event_of_the_bus_goes_back_as_the_payload_in_it_and_is_the_same_event() {
        let envelope = |source: &str| {
            format!(r#"{{"source":"{source}","detail-type":"SiteUpdated","id":"1","detail":{BODY}}}"#)
        };
        let attributes = [("ERROR_CODE", "NO_PERMISSIONS"), ("ERROR_MESSAGE", "not authorized")];
        let letter = DeadLetter::read(&message(&envelope("tableau.webhooks"), &attributes));
        let payload = Payload::parse(BODY.as_bytes()).unwrap();
        assert_eq!(letter.body, payload.canonical_json());
        assert_eq!(letter.event_id(), Some(&EventId::of(&payload)));
        assert_eq!(letter.why(), "EventBridge: not authorized");

        let other = DeadLetter::read(&message(&envelope("aws.s3"), &attributes));
        assert!(other.why().starts_with("no event: body: has no field of a Tableau event ("), "{other:?}");
    }

    #[test]
    fn an_event_with_keys_of_an_envelope_goes_back_whole() {
        let outer =
            r#"{"event_type":"SiteUpdated","detail-type":"X","source":"tableau.webhooks","detail":{"a":1}}"#;
        let letter = DeadLetter::read(&message(outer, &[]));
        assert_eq!((letter.body.as_str(), letter.event().unwrap().name.as_str()), (outer, "SiteUpdated"));
    }

    #[test]
    fn a_body_that_the_ingress_could_not_read_goes_back_with_its_own_id() {
        let unreadable = Stored::received(b"\xff");
        let letter = DeadLetter::read(&message(&unreadable.to_json(), &[]));
        assert_eq!(letter.event_id(), Some(&EventId::of_bytes(b"\xff")));
        assert_eq!(
            (&letter.body, letter.event().unwrap().name.as_str()),
            (&unreadable.to_json(), "Unreadable")
        );
    }

    #[test]
    fn what_is_no_event_says_why_and_is_not_repeated() {
        for (body, expected) in [
            ("hunter2", "no event: body: not JSON, at line 1, column 1: expected value (7 bytes)"),
            ("[\"hunter2\"]", "no event: body: expected a JSON object, found an array (11 bytes)"),
            ("{}", "no event: body: is empty (2 bytes)"),
        ] {
            let letter = DeadLetter::read(&message(body, &[("reason", "hunter2")]));
            assert_eq!((letter.why().as_str(), letter.event()), (expected, None));
            assert_eq!(letter.body, body);
        }
    }

    #[test]
    fn a_timer_is_named_by_what_it_sends_and_goes_back_as_it_is() {
        let body = r#"{"timer":{"due":"2026-11-28T22:00:00Z","generation":7,"hops":0,"key":"group#notify-slack#data-alerts#64c87bd200d1"}}"#;
        let letter = DeadLetter::read(&message(body, &[("reason", "Slack: channel_not_found")]));
        assert_eq!((letter.event(), letter.body.as_str()), (None, body));
        let timer = letter.timer().unwrap();
        assert_eq!(timer.to_string(), "timer of group 64c87bd200d1 in data-alerts");
        assert_eq!(letter.why(), "Slack: channel_not_found");
        let undelivered = DeadLetter::read(&message(body, &[("ERROR_MESSAGE", "not authorized")]));
        assert_eq!(undelivered.why(), "EventBridge: not authorized");
        assert_eq!(undelivered.subject(), letter.subject());
    }

    #[test]
    fn a_timer_that_no_workflow_can_read_is_no_event_and_is_not_repeated() {
        let letter = DeadLetter::read(&message(r#"{"timer":{"due":"hunter2"}}"#, &[]));
        assert_eq!((letter.timer(), letter.subject()), (None, None));
        let why = letter.why();
        assert!(why.starts_with("no event: a timer that cannot be read: timer."), "{why}");
        assert!(!why.contains("hunter2"), "{why}");
    }

    #[test]
    fn a_message_that_sqs_moved_says_where_to_look() {
        let moved =
            Message::builder().body(BODY).attributes(System::DeadLetterQueueSourceArn, "arn:aws:sqs:…");
        assert!(DeadLetter::read(&moved.build()).reason.starts_with("tried as often as"));
    }
}
