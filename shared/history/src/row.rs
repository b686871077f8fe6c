//! Rows of the files.

use crate::event::{EventRecords, Happened};
use crate::incidents::{End, PastIncident};
use deliveries::{Entry, Record, State};
use jiff::Timestamp;
use serde::Serialize;
use tableau_client::Owner;
use workflow::SharedMessage;

/// A row of `deliveries`. [`Kind::columns`](crate::Kind::columns) describes its fields.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct DeliveryRow {
    pub(crate) event_id: String,
    pub(crate) workflow: String,
    pub(crate) event_name: String,
    pub(crate) site_luid: String,
    pub(crate) object_luid: String,
    pub(crate) happened_at: Option<Timestamp>,
    pub(crate) first_seen_at: Timestamp,
    pub(crate) updated_at: Option<Timestamp>,
    pub(crate) outcome: String,
    pub(crate) reason: Option<String>,
    pub(crate) attempts: u64,
    pub(crate) cause: Option<String>,
    pub(crate) done_at: Option<Timestamp>,
    pub(crate) seconds_to_done: Option<f64>,
    pub(crate) effects: String,
    pub(crate) attempts_json: String,
}

/// A row of `events`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct EventRow {
    pub(crate) event_id: String,
    pub(crate) event_name: String,
    pub(crate) site_luid: String,
    pub(crate) object_kind: String,
    pub(crate) object_luid: String,
    pub(crate) object_name: Option<String>,
    pub(crate) happened_at: Option<Timestamp>,
    pub(crate) received_at: Timestamp,
    pub(crate) cause: Option<String>,
    pub(crate) payload: String,
}

/// A row of `incidents`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct IncidentRow {
    pub(crate) incident_id: String,
    pub(crate) state: &'static str,
    pub(crate) site_luid: String,
    pub(crate) object_kind: String,
    pub(crate) object_luid: String,
    pub(crate) object_name: Option<String>,
    pub(crate) opened_at: Timestamp,
    pub(crate) last_failed_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) how_ended: Option<&'static str>,
    pub(crate) failures: u32,
    pub(crate) lasted_seconds: Option<i64>,
    pub(crate) incidents_within_a_day: usize,
    pub(crate) cause: Option<String>,
    pub(crate) owner_name: Option<String>,
    pub(crate) owner_email: Option<String>,
}

/// One attempt, as `attempts_json` has it.
#[derive(Serialize)]
struct Attempt<'a> {
    attempt: u64,
    began_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    outcome: Option<&'a str>,
    reason: &'a str,
    next_at: Option<Timestamp>,
}

impl<'a> From<&'a Entry> for Attempt<'a> {
    fn from(entry: &'a Entry) -> Self {
        Self {
            attempt: entry.attempt,
            began_at: entry.began_at,
            ended_at: entry.ended_at,
            outcome: entry.outcome.as_ref().map(State::as_str),
            reason: &entry.reason,
            next_at: entry.next_at,
        }
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn json(value: impl Serialize) -> String {
    serde_json::to_string(&value).unwrap_or_else(|_| "[]".to_owned())
}

/// When a delivery was done; `None` if it is not.
pub(crate) fn done_at(record: &Record) -> Option<Timestamp> {
    if record.state != Some(State::Done) {
        return None;
    }
    let ended = record.history.iter().rev().find(|entry| entry.outcome == Some(State::Done));
    ended.and_then(|entry| entry.ended_at).or(record.updated_at)
}

/// The outcome in the words of `events list`: an event that a group or digest has taken is `grouped`.
fn outcome(record: &Record) -> &str {
    match &record.state {
        Some(State::Skipped) if SharedMessage::has_event(&record.last_reason) => "grouped",
        Some(state) => state.as_str(),
        None => "unknown",
    }
}

impl DeliveryRow {
    /// The row of one workflow's record of an event; `None` for a record without the times that every record has.
    pub(crate) fn of(record: &Record, happened: &Happened) -> Option<Self> {
        let done_at = done_at(record);
        // Tableau rounds the time of an event up to a second.
        let since = |at: Timestamp| {
            happened.at.map(|from| (at.as_millisecond() - from.as_millisecond()).max(0) as f64 / 1_000.0)
        };
        let effects: Vec<String> = record.effects.iter().map(ToString::to_string).collect();
        let attempts: Vec<Attempt<'_>> = record.history.iter().map(Attempt::from).collect();
        Some(Self {
            event_id: happened.id.to_string(),
            workflow: record.workflow.clone(),
            event_name: happened.name.as_str().to_owned(),
            site_luid: happened.site.clone(),
            object_luid: happened.luid.clone(),
            happened_at: happened.at,
            first_seen_at: record.first_seen_at?,
            updated_at: record.updated_at,
            outcome: outcome(record).to_owned(),
            reason: filled(record.reason()),
            attempts: record.attempts,
            cause: filled(&record.cause),
            done_at,
            seconds_to_done: done_at.and_then(since),
            effects: json(effects),
            attempts_json: json(attempts),
        })
    }
}

impl EventRow {
    /// The row of an event.
    pub(crate) fn of(event: &EventRecords) -> Self {
        let happened = &event.happened;
        Self {
            event_id: happened.id.to_string(),
            event_name: happened.name.as_str().to_owned(),
            site_luid: happened.site.clone(),
            object_kind: happened.kind.clone(),
            object_luid: happened.luid.clone(),
            object_name: filled(&happened.object_name),
            happened_at: happened.at,
            received_at: happened.received_at,
            cause: event.cause().map(str::to_owned),
            payload: event.payload().to_owned(),
        }
    }
}

impl IncidentRow {
    /// The row of an incident, with the owner of its object.
    pub(crate) fn of(incident: &PastIncident, owner: Option<&Owner>) -> Self {
        let object = &incident.object;
        Self {
            incident_id: incident.id.clone(),
            state: if incident.end.is_some() { "resolved" } else { "open" },
            site_luid: object.site.clone(),
            object_kind: object.kind.clone(),
            object_luid: object.luid.clone(),
            object_name: filled(&object.name),
            opened_at: incident.opened_at,
            last_failed_at: incident.last_failed_at,
            ended_at: incident.end.map(|end| end.at),
            how_ended: incident
                .end
                .map(|End { is_deletion, .. }| if is_deletion { "deleted" } else { "recovered" }),
            failures: incident.failures,
            lasted_seconds: incident.end.map(|end| incident.seconds(end.at)),
            incidents_within_a_day: incident.nth,
            cause: incident.cause.clone(),
            owner_name: owner.map(|owner| owner.name.clone()),
            owner_email: owner.and_then(|owner| owner.email.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::Kind;
    use crate::incidents::Object;
    use serde_json::Value;
    use tableau::{EventId, EventName};

    fn names(row: impl Serialize) -> Vec<String> {
        // The order of a line is that of the fields.
        let line = serde_json::to_string(&row).unwrap();
        let Value::Object(fields) = serde_json::from_str(&line).unwrap() else { panic!() };
        assert!(
            fields.values().all(|value| !value.is_object() && !value.is_array()),
            "H05: no structs: {line}"
        );
        let mut names: Vec<String> = fields.keys().cloned().collect();
        names.sort_by_key(|name| line.find(&format!("\"{name}\":")));
        names
    }

    fn columns(kind: Kind) -> Vec<String> {
        kind.columns().iter().map(|column| column.name.to_owned()).collect()
    }

    fn happened() -> Happened {
        Happened {
            id: EventId::of_bytes(b"x"),
            name: EventName::WorkbookRefreshFailed,
            site: "s".to_owned(),
            kind: "workbook".to_owned(),
            luid: "4711".to_owned(),
            object_name: String::new(),
            at: "2026-11-29T04:10:00Z".parse().ok(),
            received_at: "2026-11-29T04:10:02Z".parse().unwrap(),
        }
    }

    fn record(state: State) -> Record {
        let at = |text: &str| text.parse::<Timestamp>().ok();
        let entry = |attempt, outcome, ended_at| Entry {
            attempt,
            began_at: None,
            ended_at: at(ended_at),
            outcome: Some(outcome),
            reason: String::new(),
            next_at: None,
        };
        Record {
            first_seen_at: at("2026-11-29T04:10:02Z"),
            updated_at: at("2026-11-29T09:00:00Z"),
            state: Some(state),
            history: vec![
                entry(1, State::Released, "2026-11-29T04:10:05Z"),
                entry(2, State::Done, "2026-11-29T04:10:45.5Z"),
            ],
            ..Record::default()
        }
    }

    /// Cases H02 and H05: every column is in every row, also without a value, and none is a struct.
    #[test]
    fn each_row_has_the_documented_columns_in_their_order() {
        let row = DeliveryRow::of(&record(State::Done), &happened()).unwrap();
        assert_eq!(names(row), columns(Kind::Deliveries));
        let event = EventRecords { happened: happened(), records: Vec::new() };
        assert_eq!(names(EventRow::of(&event)), columns(Kind::Events));
        let object =
            Object { site: String::new(), kind: String::new(), luid: String::new(), name: String::new() };
        let incident = PastIncident::test(object);
        assert_eq!(names(IncidentRow::of(&incident, None)), columns(Kind::Incidents));
    }

    /// Case H03: an id stays text.
    #[test]
    fn an_id_that_looks_like_a_number_is_text() {
        let row = serde_json::to_value(DeliveryRow::of(&record(State::Done), &happened())).unwrap();
        assert_eq!(row["object_luid"], "4711");
    }

    #[test]
    fn the_time_to_done_ends_with_the_attempt_that_did_it_and_not_with_a_later_change() {
        let row = DeliveryRow::of(&record(State::Done), &happened()).unwrap();
        assert_eq!(row.seconds_to_done, Some(45.5));
        let skipped = DeliveryRow::of(&record(State::Skipped), &happened()).unwrap();
        assert_eq!((skipped.done_at, skipped.seconds_to_done), (None, None));
        let without_history = Record { history: Vec::new(), ..record(State::Done) };
        assert_eq!(done_at(&without_history), without_history.updated_at);
        let without_time = Happened { at: None, ..happened() };
        assert_eq!(DeliveryRow::of(&record(State::Done), &without_time).unwrap().seconds_to_done, None);
    }

    #[test]
    fn an_event_in_a_group_is_grouped_as_in_the_list_of_events() {
        let reason = "grouped with its failure: group 64c87bd200d1 in data-alerts".to_owned();
        let of = |state| Record { last_reason: reason.clone(), ..record(state) };
        let outcome = |record: &Record| DeliveryRow::of(record, &happened()).unwrap().outcome;
        assert_eq!(outcome(&of(State::Skipped)), "grouped");
        assert_eq!(outcome(&of(State::Done)), "done");
        assert_eq!(outcome(&record(State::Skipped)), "skipped");
        assert_eq!(outcome(&Record { state: None, ..record(State::Done) }), "unknown");
    }

    #[test]
    fn a_record_without_its_first_time_has_no_row() {
        let record = Record { first_seen_at: None, ..record(State::Done) };
        assert_eq!(DeliveryRow::of(&record, &happened()), None);
    }
}
