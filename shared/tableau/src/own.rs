//! Events that callers of this stack send: their names are none of Tableau's.

use crate::{EventName, Payload, SiteLuid};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The payload's `resource`. No event of Tableau has it.
const RESOURCE: &str = "CUSTOM";
/// Keys of the payload.
const DATA: &str = "data";
const SEVERITY: &str = "severity";
const CALLER: &str = "caller";
const REPEATABLE: &str = "idempotency";
/// How many facts are kept.
const MOST_DATA: usize = 20;
/// Digits of an id that is made of texts.
const DIGITS: usize = 32;

/// How serious the news of a caller is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnSeverity {
    /// For information.
    #[default]
    Info,
    /// Something a person may want to look at.
    Warning,
    /// Something fails.
    Critical,
}

impl OwnSeverity {
    /// The severity with this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "info" => Some(Self::Info),
            "warning" => Some(Self::Warning),
            "critical" => Some(Self::Critical),
            _ => None,
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What an event of a caller says beside its name and subject. All of it is untrusted text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnEvent {
    /// A text for people.
    pub text: Option<String>,
    /// How serious it is.
    pub severity: OwnSeverity,
    /// Further facts. Names have letters, digits and `_` only.
    pub data: BTreeMap<String, String>,
    /// Who sent it: the caller of the key.
    pub caller: String,
}

impl OwnEvent {
    /// What stands for the LUID of the site of such an event: it has none.
    pub const NO_SITE: &'static str = "none";

    /// How names of Tableau's events and of this stack's begin. No event of a caller has such a name: a later version of Tableau may.
    pub const RESERVED: [&'static str; 18] = [
        "Admin",
        "Bridge",
        "Datasource",
        "Flow",
        "Label",
        "Pdf",
        "Promise",
        "Refresh",
        "Site",
        "Subscription",
        "Tableau",
        "Task",
        "Token",
        "User",
        "View",
        "Webhook",
        "Weekly",
        "Workbook",
    ];

    /// Whether an event may have this name: `[A-Z][A-Za-z0-9]{2,49}`, with another beginning than [`OwnEvent::RESERVED`].
    pub fn may_be_called(name: &str) -> bool {
        let is_form = (3..=50).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_form && !Self::RESERVED.iter().any(|start| name.starts_with(start))
    }

    /// Whether a fact may have this name: `[A-Za-z][A-Za-z0-9_]{0,49}`.
    pub fn is_name_of_data(name: &str) -> bool {
        (1..=50).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    /// The payload of an event, sent at this time, in RFC 3339. Equal payloads are one event. If there is an `idempotency` (what makes the
    /// request repeatable), it decides which event it is, and not the time.
    pub fn payload(
        &self,
        name: &str,
        subject: &str,
        created_at: String,
        idempotency: Option<&str>,
    ) -> Payload {
        let mut payload = Payload {
            resource: Some(RESOURCE.to_owned()),
            event_type: Some(name.to_owned()),
            resource_name: Some(subject.to_owned()),
            resource_luid: Some(digest(&[&self.caller, subject])),
            created_at: Some(created_at),
            text: self.text.clone(),
            ..Payload::default()
        };
        payload.other.insert(SEVERITY.to_owned(), self.severity.as_str().into());
        payload.other.insert(CALLER.to_owned(), self.caller.clone().into());
        let data = self.data.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
        payload.other.insert(DATA.to_owned(), Value::Object(data.collect()));
        if let Some(idempotency) = idempotency {
            payload.other.insert(REPEATABLE.to_owned(), digest(&[idempotency]).into());
        }
        payload
    }

    /// What a payload says; `None` for an event of Tableau or of the stack itself.
    pub(crate) fn of(name: &EventName, payload: &Payload) -> Option<Self> {
        if !is_own(payload) || !Self::may_be_called(name.as_str()) {
            return None;
        }
        let text = |key: &str| payload.other.get(key).and_then(Value::as_str).unwrap_or_default();
        let data = payload.other.get(DATA).and_then(Value::as_object);
        let data = data.into_iter().flatten().filter(|(name, _)| Self::is_name_of_data(name));
        let data = data.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Some(Self {
            text: payload.text.clone().filter(|text| !text.trim().is_empty()),
            severity: OwnSeverity::named(text(SEVERITY)).unwrap_or_default(),
            data: data.take(MOST_DATA).collect(),
            caller: text(CALLER).to_owned(),
        })
    }

    /// The name of the event in words: `PipelineFinished` is `Pipeline finished`.
    pub fn title(name: &EventName) -> String {
        let mut words = String::new();
        let mut before = ' ';
        let letters: Vec<char> = name.as_str().chars().collect();
        for (index, c) in letters.iter().copied().enumerate() {
            let next_is_small = letters.get(index + 1).is_some_and(char::is_ascii_lowercase);
            let begins = c.is_ascii_uppercase() && (!before.is_ascii_uppercase() || next_is_small);
            let is_word = begins || (c.is_ascii_digit() && !before.is_ascii_digit());
            if index > 0 && is_word {
                words.push(' ');
            }
            let is_abbreviation = c.is_ascii_uppercase() && !next_is_small;
            words.push(if index == 0 || is_abbreviation { c } else { c.to_ascii_lowercase() });
            before = c;
        }
        words
    }
}

/// Whether a payload says that it is of a caller.
fn is_own(payload: &Payload) -> bool {
    payload.resource.as_deref() == Some(RESOURCE)
}

/// The site of an event of a caller. It belongs to none unless it says one.
pub(crate) fn site(payload: &Payload) -> Option<SiteLuid> {
    let is_without = payload.site_luid.is_none() && is_own(payload);
    is_without.then(|| OwnEvent::NO_SITE.parse().ok()).flatten()
}

/// What decides which event it is, if the time of the request does not.
pub(crate) fn identity(payload: &Payload) -> Option<Payload> {
    let is_repeatable = is_own(payload) && payload.other.contains_key(REPEATABLE);
    is_repeatable.then(|| Payload { created_at: None, ..payload.clone() })
}

fn digest(parts: &[&str]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(parts.join("\n").as_bytes()) {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex.truncate(DIGITS);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Event, EventId, Incomplete};

    fn own() -> OwnEvent {
        OwnEvent {
            text: Some("412 tables".to_owned()),
            severity: OwnSeverity::Warning,
            data: BTreeMap::from([("day".to_owned(), "2026-11-30".to_owned())]),
            caller: "snowflake".to_owned(),
        }
    }

    fn payload(second: u32, idempotency: Option<&str>) -> Payload {
        own().payload(
            "PipelineFinished",
            "nightly load",
            format!("2026-11-30T12:00:{second:02}Z"),
            idempotency,
        )
    }

    #[test]
    fn what_a_caller_says_comes_back() {
        let payload = Payload::parse(payload(0, None).canonical_json().as_bytes()).unwrap();
        let event = Event::try_from(&payload).unwrap();
        assert_eq!(event.own, Some(own()));
        assert_eq!((event.name.as_str(), event.site.as_str()), ("PipelineFinished", OwnEvent::NO_SITE));
        assert_eq!(event.resource_name.as_deref(), Some("nightly load"));
    }

    #[test]
    fn a_repeated_request_is_the_same_event_and_another_body_or_key_another_one() {
        let id = |second, key| EventId::of(&payload(second, key));
        assert_eq!(id(0, Some("run-1")), id(9, Some("run-1")));
        assert_ne!(id(0, Some("run-1")), id(0, Some("run-2")));
        assert_eq!(id(0, None), id(0, None));
        assert_ne!(id(0, None), id(1, None));
        let other = OwnEvent { text: None, ..own() };
        let other = other.payload("PipelineFinished", "nightly load", String::new(), Some("run-1"));
        assert_ne!(EventId::of(&other), id(0, Some("run-1")));
    }

    #[test]
    fn an_event_with_a_name_of_tableau_is_of_no_caller() {
        for name in [
            "WorkbookUpdated",
            "WorkbookMoved",
            "PdfPublished",
            "WebhookDisabled",
            "WeeklyReport",
            "x",
            "Pipeline finished",
        ] {
            let payload = Payload { event_type: Some(name.to_owned()), ..payload(0, None) };
            assert_eq!(Event::try_from(&payload), Err(Incomplete("site_luid")), "{name}");
            let payload = Payload { site_luid: Some("s".to_owned()), ..payload };
            assert_eq!(Event::try_from(&payload).unwrap().own, None, "{name}");
        }
        let of_tableau = Payload { resource: Some("WORKBOOK".to_owned()), ..payload(0, None) };
        assert!(Event::try_from(&of_tableau).is_err(), "it has no site");
    }

    #[test]
    fn the_name_of_an_event_has_words() {
        for (name, words) in [
            ("PipelineFinished", "Pipeline finished"),
            ("MatillionJobRequested", "Matillion job requested"),
            ("ETLJobDone", "ETL job done"),
            ("Load2Ended", "Load 2 ended"),
            ("LoadOfDWH", "Load of DWH"),
        ] {
            assert_eq!(OwnEvent::title(&EventName::from(name)), words);
        }
    }
}
