//! Samples of events, for which templates are tried before they have an effect.

use super::data::{
    CauseData, Data, DeletionData, EventData, ObjectData, OwnerData, PdfData, ProjectData, ReportData,
    SiteData, WebhookData, event_type,
};
use std::sync::OnceLock;
use tableau::{Action, Event, EventName, Object, OwnEvent, Payload};

/// Two samples of each event: one of which Tableau says everything that it can, and one of which it says nothing.
pub fn samples() -> &'static [Data] {
    static SAMPLES: OnceLock<Vec<Data>> = OnceLock::new();
    SAMPLES.get_or_init(|| EventName::ALL.iter().flat_map(|name| [known(name), unknown(name)]).collect())
}

/// The kind of object, as an event of this name has it.
fn kind(name: &EventName) -> &'static str {
    let payload = Payload {
        event_type: Some(name.as_str().to_owned()),
        resource: Some("WORKBOOK".to_owned()),
        site_luid: Some("8b2a95d8-52b9-40a4-8712-cd6da771bd1b".to_owned()),
        resource_luid: Some("0c7ba112-4c1b-4f4e-9d1a-000000000001".to_owned()),
        ..Payload::default()
    };
    Event::try_from(&payload).map_or("resource", |event| event.subject.kind())
}

fn unknown(name: &EventName) -> Data {
    let kind = kind(name);
    Data {
        title: format!("Tableau event {name}"),
        lines: vec![format!("Event: {name}")],
        rule: "a rule".to_owned(),
        event: EventData {
            id: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
            name: name.as_str().to_owned(),
            r#type: event_type(name),
            happened_at: None,
            is_failure: name.action() == Some(Action::RefreshFailed),
        },
        site: SiteData { luid: "8b2a95d8-52b9-40a4-8712-cd6da771bd1b".to_owned(), name: None },
        object: ObjectData {
            kind: kind.to_owned(),
            luid: "0c7ba112-4c1b-4f4e-9d1a-000000000001".to_owned(),
            ..ObjectData::default()
        },
        missing: vec!["Tableau does not answer".to_owned()],
        ..Data::default()
    }
}

/// Two samples of an event that a caller sends: one with facts, and one without.
pub(super) fn of_caller(name: &EventName) -> [Data; 2] {
    let without = Data {
        title: OwnEvent::title(name),
        lines: vec!["Sent by: snowflake".to_owned()],
        object: ObjectData {
            kind: kind(name).to_owned(),
            luid: "9f86d081884c7d659a2feaa0c55ad015".to_owned(),
            name: Some("nightly load".to_owned()),
            ..ObjectData::default()
        },
        site: SiteData { luid: OwnEvent::NO_SITE.to_owned(), name: None },
        ..unknown(name)
    };
    let data = [("environment", "production"), ("tables", "412")];
    let data = data.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let event = EventData { happened_at: Some("2026-01-15T17:14:45Z".to_owned()), ..without.event.clone() };
    let with = Data { data: data.into(), event, missing: Vec::new(), ..without.clone() };
    [with, without]
}

fn known(name: &EventName) -> Data {
    let sample = unknown(name);
    let has_content = matches!(name.object(), Some(Object::Workbook | Object::Datasource));
    let is_deletion = name.action() == Some(Action::Deleted);
    let text = |text: &str| Some(text.to_owned());
    let mut data = Data {
        title: format!("{}: Sales Orders", sample.title),
        lines: vec!["Project: Finance".to_owned(), format!("Event: {name}")],
        event: EventData { happened_at: text("2026-01-15T17:14:45Z"), ..sample.event.clone() },
        site: SiteData { name: text("Marketing"), ..sample.site.clone() },
        object: ObjectData { name: text("Sales Orders"), ..sample.object.clone() },
        missing: Vec::new(),
        ..sample
    };
    if is_deletion {
        data.deleted = DeletionData { by: text("Dana Holt"), path: text("Finance/Reports") };
    } else if has_content {
        data.object.link = text("https://tableau.example.com/#/site/marketing/workbooks/1");
        data.object.tags = vec!["critical".to_owned()];
        data.object.certified = Some(true);
        data.project = ProjectData { name: text("Finance") };
        data.owner = OwnerData {
            name: text("Ana Pereira"),
            email: text("ana@example.com"),
            login: text("ana@example.com"),
        };
    }
    if *name == EventName::PdfPublished {
        data.pdf = PdfData {
            file: text("Sales Orders.pdf"),
            place: text("SharePoint"),
            link: text("https://contoso.sharepoint.com/sites/bi/Shared%20Documents/Sales%20Orders.pdf"),
            note: None,
        };
    }
    if *name == EventName::WebhookDisabled {
        data.webhook = WebhookData {
            event: text("WorkbookRefreshFailed"),
            owner: text("Bea Larsson"),
            reason: text("Webhook disabled after 4 failed delivery attempts"),
            last_enabled: text("2026-01-15T17:00:00Z"),
            found: text("2026-01-15T17:14:45Z"),
            enabled_again: None,
            note: text("Its URL does not answer."),
        };
    }
    if *name == EventName::WeeklyReport {
        data.report = ReportData {
            first_day: text("2026-01-05"),
            last_day: text("2026-01-11"),
            failed: Some(41),
            succeeded: Some(771),
            opened: Some(14),
            resolved: Some(12),
            recovery_seconds: Some(5_400),
            messages: Some(310),
            messages_in_time: Some(308),
            message_p99_ms: Some(11_200),
            given_up: Some(2),
            failed_most: vec![
                "Sales Orders (Ana Pereira) – data source, 9 failures, Credentials refused".to_owned(),
            ],
        };
    }
    if data.event.is_failure {
        data.cause = CauseData {
            class: text("Credentials"),
            title: text("Credentials refused"),
            line: text("Login failed for user sv…"),
            next_step: text(
                "Check the user and password saved with the connection, then run the refresh again.",
            ),
            job: text("0c7ba112-4c1b-4f4e-9d1a-000000000002"),
        };
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{Preset, Scalar, Template};
    use std::collections::BTreeMap;

    #[test]
    fn every_event_has_two_samples() {
        assert_eq!(samples().len(), 2 * EventName::ALL.len());
        assert!(samples().iter().all(|sample| !sample.lines.is_empty() && !sample.object.kind.is_empty()));
    }

    #[test]
    fn every_preset_is_a_json_text_for_every_sample() {
        let text = |text: &str| Scalar::Text(text.to_owned());
        let values = BTreeMap::from([
            ("environment".to_owned(), text("Prod")),
            ("pipeline".to_owned(), text("Load Sales")),
            ("project".to_owned(), text("BI")),
            ("table".to_owned(), text("OPS.PUBLIC.TABLEAU_EVENTS")),
        ]);
        for preset in Preset::ALL {
            for sample in samples() {
                let made = Template { text: preset.text(), values: &values }.render(sample);
                let made: serde_json::Value = serde_json::from_str(&made.unwrap()).unwrap();
                assert!(made.is_object(), "{}", preset.name());
            }
        }
    }
}
