//! Events as delivery records tell them. No I/O.

use deliveries::{Content, Record};
use jiff::Timestamp;
use tableau::{Event, EventId, EventName, Payload};

/// The cause that was looked for and not found.
const NOT_FOUND: &str = "NotFound";

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Happened {
    /// Its id.
    pub(crate) id: EventId,
    /// Its name.
    pub(crate) name: EventName,
    /// The site's LUID; empty if the event has none.
    pub(crate) site: String,
    /// The kind of the object, in words.
    pub(crate) kind: String,
    /// The object's LUID; empty if the event has none.
    pub(crate) luid: String,
    /// The object's name: untrusted text.
    pub(crate) object_name: String,
    /// When it happened, if Tableau's time can be right.
    pub(crate) at: Option<Timestamp>,
    /// When the first workflow received it.
    pub(crate) received_at: Timestamp,
}

impl Happened {
    /// What a record says about its event: also one of the index, which has no payload. `None` for a record without the key and the time that
    /// every record has.
    pub(crate) fn of(record: &Record) -> Option<Self> {
        let received_at = record.first_seen_at?;
        let facts = &record.event;
        let name = EventName::from(facts.name.as_str());
        let is_of_index = facts.payload.is_empty();
        let payload = match Content::stored(&facts.payload) {
            Ok(Content::Event(payload)) if !is_of_index => payload,
            _ => Payload {
                event_type: Some(facts.name.clone()),
                site_luid: Some(facts.site.clone()),
                resource_luid: Some(facts.resource.clone()),
                created_at: Some(facts.created_at.clone()),
                ..Payload::default()
            },
        };
        let event = Event::try_from(&payload).ok();
        let kind = event.as_ref().map_or("resource", |event| event.subject.kind());
        Some(Self {
            id: record.key.as_ref()?.event.clone(),
            name,
            site: facts.site.clone(),
            kind: kind.to_owned(),
            luid: facts.resource.clone(),
            object_name: facts.resource_name.clone(),
            at: event.and_then(|event| event.credible_time(received_at)),
            received_at,
        })
    }

    /// When it happened; when it came, if that is not known.
    pub(crate) fn time(&self) -> Timestamp {
        self.at.unwrap_or(self.received_at)
    }
}

/// An event and the records of all workflows that received it that day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EventRecords {
    /// The event.
    pub(crate) happened: Happened,
    /// The records.
    pub(crate) records: Vec<Record>,
}

impl EventRecords {
    /// Why the refresh failed, as far as a workflow has found it out.
    pub(crate) fn cause(&self) -> Option<&str> {
        let causes =
            self.records.iter().map(|record| record.cause.as_str()).filter(|cause| !cause.is_empty());
        causes.min_by_key(|cause| *cause == NOT_FOUND)
    }

    /// Why the refresh failed, if a class was found.
    pub(crate) fn class(&self) -> Option<&str> {
        self.cause().filter(|cause| *cause != NOT_FOUND)
    }

    /// All that was sent, as JSON.
    pub(crate) fn payload(&self) -> &str {
        self.records
            .iter()
            .map(|record| record.event.payload.as_str())
            .find(|text| !text.is_empty())
            .unwrap_or("{}")
    }

    /// The event with all that it says; `None` if it cannot be read.
    pub(crate) fn event(&self) -> Option<Event> {
        let Ok(Content::Event(payload)) = Content::stored(self.payload()) else { return None };
        Event::try_from(&payload).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deliveries::{DeliveryKey, EventFacts};

    fn record(content: &Content) -> Record {
        Record {
            key: Some(DeliveryKey::new("notify-slack", content.event_id())),
            event: EventFacts::from(content),
            first_seen_at: "2026-11-29T04:10:02Z".parse().ok(),
            ..Record::default()
        }
    }

    fn received(body: &str) -> Record {
        record(&Content::received(body.as_bytes()))
    }

    const LABEL: &str = r#"{"event_type":"LabelCreated","resource":"DATASOURCE","resource_luid":"d","resource_name":"Sales","site_luid":"s","created_at":"2026-11-29T04:10:00Z"}"#;

    #[test]
    fn the_payload_says_what_the_event_is_about_and_without_it_the_name_does() {
        let whole = Happened::of(&received(LABEL)).unwrap();
        assert_eq!(
            (whole.kind.as_str(), whole.luid.as_str(), whole.object_name.as_str()),
            ("data source", "d", "Sales")
        );
        assert_eq!(whole.at, "2026-11-29T04:10:00Z".parse().ok());
        let mut of_index = received(&LABEL.replace("LabelCreated", "WorkbookUpdated"));
        of_index.event.payload.clear();
        let of_index = Happened::of(&of_index).unwrap();
        assert_eq!((of_index.kind.as_str(), of_index.at), ("workbook", whole.at));
    }

    #[test]
    fn a_time_that_cannot_be_right_and_a_body_that_cannot_be_read_are_no_time_at_all() {
        let far = received(&LABEL.replace("2026-11-29", "2031-01-01"));
        let happened = Happened::of(&far).unwrap();
        assert_eq!((happened.at, happened.time()), (None, happened.received_at));
        let unreadable = Happened::of(&received("not JSON")).unwrap();
        assert_eq!((unreadable.kind.as_str(), unreadable.at), ("resource", None));
        assert_eq!(Happened::of(&Record { first_seen_at: None, ..far }), None);
    }

    #[test]
    fn a_class_of_one_workflow_counts_more_than_what_another_has_not_found() {
        let of = |causes: &[&str]| {
            let record = received(LABEL);
            let happened = Happened::of(&record).unwrap();
            let records = causes.iter().map(|cause| Record { cause: (*cause).to_owned(), ..record.clone() });
            EventRecords { happened, records: records.collect() }
        };
        let both = of(&["", "NotFound", "Credentials"]);
        assert_eq!((both.cause(), both.class()), (Some("Credentials"), Some("Credentials")));
        let none = of(&["", "NotFound"]);
        assert_eq!((none.cause(), none.class()), (Some("NotFound"), None));
        assert_eq!(of(&[""]).cause(), None);
        assert!(both.event().is_some() && both.payload().contains("LabelCreated"));
    }
}
