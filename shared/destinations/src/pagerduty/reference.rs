//! What alerting remembers of an alert that is open: its key, and the fields by which PagerDuty may have routed it.
//!
//! Rules of an Event Orchestration see each event by itself. If an update or a resolve had other fields than the trigger, they could
//! send it to another service, where no such alert is open, and the page would stay open.

use super::{DedupKey, Origin};
use alerting::incident::MessageRef;
use alerting::notification::{Cause, Kind, Notification, Value};
use plain_text::one_line;
use rules::settings::PageSeverity;
use serde_json::{Map, json};

/// The longest field, in characters.
const LONGEST: usize = 255;
/// The class of a failure whose cause is not known.
const NO_CAUSE: &str = "Cause not available";

/// The fields by which PagerDuty may route an event. They stay those of the trigger until the alert is resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutingFields {
    /// How severe the alert is.
    pub severity: PageSeverity,
    /// Where it comes from: server and site.
    pub source: String,
    /// The object's name.
    pub component: Option<String>,
    /// The object's project.
    pub group: Option<String>,
    /// The class of the cause; of other news, the event's name.
    pub class: Option<String>,
}

impl RoutingFields {
    /// The fields of a first trigger.
    pub(super) fn of(shown: &Notification, severity: PageSeverity, origin: &Origin) -> Self {
        let project = shown.facts.iter().find_map(|fact| match (fact.label.as_ref(), &fact.value) {
            ("Project" | "Was in", Value::Text(project)) => field(project),
            _ => None,
        });
        Self {
            severity,
            source: origin.source(),
            component: shown.subject.as_deref().and_then(field),
            group: project,
            class: class(shown),
        }
    }

    /// As JSON, without what is not there.
    pub(super) fn to_json(&self) -> Map<String, serde_json::Value> {
        let mut fields = Map::new();
        fields.insert("severity".to_owned(), json!(self.severity.as_str()));
        fields.insert("source".to_owned(), json!(self.source));
        for (name, value) in [("component", &self.component), ("group", &self.group), ("class", &self.class)]
        {
            fields.extend(value.iter().map(|value| (name.to_owned(), json!(value))));
        }
        fields
    }

    /// The reference that alerting stores.
    pub(super) fn stored(&self, service: &str, key: &DedupKey) -> MessageRef {
        let mut fields = self.to_json();
        fields.insert("service".to_owned(), json!(service));
        MessageRef { conversation: serde_json::Value::Object(fields).to_string(), id: key.to_string() }
    }

    /// Key and fields of an alert that is open. `None` if they are none of this crate's.
    pub(super) fn read(stored: &MessageRef) -> Option<(DedupKey, Self)> {
        let fields: Map<String, serde_json::Value> = serde_json::from_str(&stored.conversation).ok()?;
        let text = |name: &str| fields.get(name).and_then(|value| value.as_str()).and_then(field);
        let read = Self {
            severity: PageSeverity::of(&text("severity")?)?,
            source: text("source")?,
            component: text("component"),
            group: text("group"),
            class: text("class"),
        };
        Some((DedupKey::stored(&stored.id)?, read))
    }
}

/// What kind of news it is. Names of groups and digests are in no rule of a person.
fn class(shown: &Notification) -> Option<String> {
    match (&shown.cause, shown.kind) {
        (Some(Cause::Known { title, .. }), _) => field(title),
        (Some(Cause::Unknown { .. }), _) => Some(NO_CAUSE.to_owned()),
        (None, Kind::Event) => match shown.event.as_deref() {
            Some(event) => field(event.name.as_str()),
            None => Some("Test".to_owned()),
        },
        (None, _) => None,
    }
}

/// A text of one line that is no longer than a field; `None` if there is nothing to see.
fn field(text: &str) -> Option<String> {
    let line: String = one_line(text).chars().take(LONGEST).collect();
    let line = line.trim_end();
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> RoutingFields {
        RoutingFields {
            severity: PageSeverity::Critical,
            source: "tableau.example/marketing".to_owned(),
            component: Some("Sales \"EU\"".to_owned()),
            group: None,
            class: Some(NO_CAUSE.to_owned()),
        }
    }

    // D119
    #[test]
    fn what_is_stored_is_read_again() {
        let stored = fields().stored("finance", &DedupKey::sample());
        assert_eq!(RoutingFields::read(&stored), Some((DedupKey::sample(), fields())));
        assert!(stored.conversation.contains(r#""service":"finance""#), "{}", stored.conversation);
    }

    #[test]
    fn what_this_crate_has_not_written_is_not_used() {
        let of = |conversation: &str, id: &str| {
            let stored = MessageRef { conversation: conversation.to_owned(), id: id.to_owned() };
            RoutingFields::read(&stored)
        };
        let good = r#"{"severity":"error","source":"a"}"#;
        assert!(of(good, "tableau:x").is_some());
        for (conversation, id) in [
            (good, "other"),
            ("C1", "tableau:x"),
            (r#"{"severity":"none","source":"a"}"#, "tableau:x"),
            (r#"{"severity":"error","source":" "}"#, "tableau:x"),
        ] {
            assert_eq!(of(conversation, id), None, "{conversation}");
        }
        let long = of(&json!({ "severity": "info", "source": "a\n".repeat(900) }).to_string(), "tableau:x");
        let (_, long) = long.unwrap();
        assert!(long.source.chars().count() <= LONGEST && !long.source.contains('\n'));
    }
}
