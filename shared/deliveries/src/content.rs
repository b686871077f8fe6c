//! The content of a delivery: an event, or a body that cannot be read as one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tableau::{EventId, Payload, PayloadError};

/// The `detail-type` of a body that cannot be read. The event-bus rule of every workflow accepts it.
pub const UNREADABLE: &str = "Unreadable";

/// The longest JSON form of a body that is kept as text. A body of 64 KiB has 86 KiB in base64.
const LONGEST_TEXT: usize = 128 * 1024;
/// The only key of the JSON object that stores an unreadable body.
const KEY: &str = "unreadable";

/// The content of a delivery.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// An event, as Tableau wrote it.
    Event(Payload),
    /// A body that cannot be read as an event. It is stored all the same, because Tableau switches a webhook off
    /// after four refusals.
    Unreadable(Unreadable),
}

/// A body that cannot be read, kept completely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Why the body cannot be read: names the position and does not repeat the body.
    pub reason: String,
    /// The SHA-256 of the received bytes, which is the event id.
    pub sha256: EventId,
    body: Body,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Body {
    Text(String),
    Base64(String),
}

impl Body {
    /// The received bytes.
    fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.as_bytes().to_vec()),
            Self::Base64(text) => STANDARD.decode(text).ok(),
        }
    }
}

/// The JSON form of an unreadable body: `{"unreadable":{"reason":"…","sha256":"…","text":"…"}}`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    unreadable: StoredUnreadable,
}

#[derive(Serialize, Deserialize)]
struct StoredUnreadable {
    reason: String,
    sha256: EventId,
    #[serde(flatten)]
    body: Body,
}

impl Content {
    /// Reads the body of a delivery. Never fails: a body that cannot be read becomes [`Content::Unreadable`].
    ///
    /// A body that looks like a timer's message is treated as unreadable: only this service may set timers.
    pub fn received(body: &[u8]) -> Self {
        let unreadable = |reason: String| Self::Unreadable(Unreadable::new(body, reason));
        match Payload::parse(body) {
            Ok(payload) if payload.event_type.is_none() && payload.other.contains_key(timer::KEY) => {
                unreadable(format!(
                    "{}: is a field of internal messages; an event must not have it",
                    timer::KEY
                ))
            }
            Ok(payload) => Self::Event(payload),
            Err(error) => unreadable(error.to_string()),
        }
    }

    /// Reads what [`Content::to_json`] wrote, or an event that a person put into a queue by hand.
    ///
    /// # Errors
    /// [`PayloadError`] when the text is neither of these.
    pub fn stored(text: &str) -> Result<Self, PayloadError> {
        let payload = Payload::parse(text.as_bytes())?;
        if payload.other.len() == 1 && payload.other.contains_key(KEY) {
            let stored: Option<Stored> = serde_json::from_str(text).ok();
            // Anyone with the token can send a body of this form. It is accepted only if its bytes have the stated
            // hash and are really unreadable: otherwise it could pose as another event.
            if let Some(Stored { unreadable: StoredUnreadable { sha256, body, .. } }) = stored
                && let Some(bytes) = body.bytes()
                && let unreadable @ Self::Unreadable(_) = Self::received(&bytes)
                && unreadable.event_id() == sha256
            {
                return Ok(unreadable);
            }
        }
        Ok(Self::Event(payload))
    }

    /// The event's id: equal for all deliveries of one event.
    pub fn event_id(&self) -> EventId {
        match self {
            Self::Event(payload) => EventId::of(payload),
            Self::Unreadable(unreadable) => unreadable.sha256.clone(),
        }
    }

    /// The text that the event bus and the queues carry: compact JSON with sorted keys.
    pub fn to_json(&self) -> String {
        match self {
            Self::Event(payload) => payload.canonical_json(),
            Self::Unreadable(unreadable) => unreadable.to_json(),
        }
    }

    /// The event's name as Tableau wrote it; [`UNREADABLE`] for an unreadable body; empty if the event has no name.
    pub fn name(&self) -> &str {
        match self {
            Self::Event(payload) => payload.event_type.as_deref().unwrap_or_default(),
            Self::Unreadable(_) => UNREADABLE,
        }
    }

    /// The event's payload, if the body could be read.
    pub fn payload(&self) -> Option<&Payload> {
        match self {
            Self::Event(payload) => Some(payload),
            Self::Unreadable(_) => None,
        }
    }
}

impl Unreadable {
    fn new(bytes: &[u8], reason: String) -> Self {
        // In JSON a control character takes six characters, so the JSON form can be longer than base64.
        let text = std::str::from_utf8(bytes).ok();
        let text = text.filter(|text| json!(text).to_string().len() <= LONGEST_TEXT);
        let body = match text {
            Some(text) => Body::Text(text.to_owned()),
            None => Body::Base64(STANDARD.encode(bytes)),
        };
        Self { reason, sha256: EventId::of_bytes(bytes), body }
    }

    /// The body for people to read: bytes that are not UTF-8 are replaced by U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body.bytes().unwrap_or_default()).into_owned()
    }

    fn to_json(&self) -> String {
        let Self { reason, sha256, body } = self;
        let mut unreadable = json!({ "reason": reason, "sha256": sha256 });
        match body {
            Body::Text(text) => unreadable["text"] = json!(text),
            Body::Base64(text) => unreadable["base64"] = json!(text),
        }
        // Serialized by the payload's own code, which escapes the characters that SQS refuses.
        let other = serde_json::Map::from_iter([(KEY.to_owned(), unreadable)]);
        Payload { other, ..Payload::default() }.canonical_json()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMIT: usize = 64 * 1024;
    /// The size that an EventBridge entry leaves for the detail.
    const ENTRY: usize = 256 * 1024 - 2_000;

    fn unreadable(body: &[u8]) -> Unreadable {
        match Content::received(body) {
            Content::Unreadable(unreadable) => unreadable,
            Content::Event(payload) => panic!("{payload:?}"),
        }
    }

    #[test]
    fn a_body_that_cannot_be_read_is_kept_whole_with_the_reason() {
        let cases: [(&[u8], &str); 5] = [
            (b"{\"a\":\"\xf0\x9f\x98\"}", "body: not UTF-8 from byte 6 on"),
            (b"{\"a\":1e400}", "body: not JSON, at line 1, column 10: number out of range"),
            (b"{\"event_type\":7}", "event_type: expected a string, found a number"),
            (b"\x1f\x8b\x08\x00rest", "body: compressed with gzip; send plain JSON"),
            (b"[1]", "body: expected a JSON object, found an array"),
        ];
        for (body, reason) in cases {
            let unreadable = unreadable(body);
            assert_eq!(unreadable.reason, reason);
            assert_eq!(unreadable.sha256, EventId::of_bytes(body));
            assert_eq!(unreadable.text(), String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn the_largest_body_of_any_kind_fits_into_an_entry_of_the_bus() {
        for byte in [b'a', b'"', 0x01, 0x1b, 0x7f, 0xff] {
            let stored = Content::received(&vec![byte; LIMIT]).to_json();
            assert!(stored.len() < ENTRY, "{byte}: {}", stored.len());
        }
        for text in ["😀", "\u{fffe}", "1e15,"] {
            let body = text.repeat(LIMIT / text.len());
            assert!(Content::received(body.as_bytes()).to_json().len() < ENTRY, "{text}");
            let array = format!("{{\"a\":[{}0]}}", text.repeat((LIMIT - 20) / text.len()));
            assert!(Content::received(array.as_bytes()).to_json().len() < ENTRY, "{text}");
        }
    }

    #[test]
    fn an_event_is_stored_as_its_payload() {
        let content = Content::received(b" {\"event_type\" : \"SiteUpdated\"}");
        assert_eq!(content.to_json(), r#"{"event_type":"SiteUpdated"}"#);
        assert_eq!(Content::stored(&content.to_json()).unwrap(), content);
        assert_eq!(content.name(), "SiteUpdated");
    }

    #[test]
    fn an_event_with_a_key_of_that_name_is_an_event() {
        for text in [
            r#"{"event_type":"SiteUpdated","unreadable":true}"#,
            r#"{"unreadable":true}"#,
            r#"{"unreadable":{"reason":"r"}}"#,
            r#"{"unreadable":{"reason":"r","sha256":"of another event","text":"hello"}}"#,
            r#"{"unreadable":{"reason":"r","sha256":"66764cae3f271aa0625a326e9fc66354d184574566364473c29659a80bd7bfd7","text":"{\"event_type\":\"SiteUpdated\",\"resource\":\"SITE\"}"}}"#,
        ] {
            assert!(matches!(Content::stored(text), Ok(Content::Event(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_stored_is_read_again(body: Vec<u8>) {
            let content = Content::received(&body);
            let stored = content.to_json();
            // <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>
            let is_refused = |c: char| {
                (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}')
            };
            prop_assert_eq!(stored.chars().find(|c| is_refused(*c)), None);
            let again = Content::stored(&stored).unwrap();
            prop_assert_eq!(again.event_id(), content.event_id());
            prop_assert_eq!(&again.to_json(), &stored);
            if let Content::Unreadable(unreadable) = &again {
                prop_assert_eq!(unreadable.text(), String::from_utf8_lossy(&body));
            }
        }
    }
}
