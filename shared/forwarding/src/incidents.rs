//! Of the failures of one object only the first is forwarded, where a rule says so. What the target made of it is kept: its search may
//! not find it yet when the next failure comes.

use crate::documents::{IncidentState, Open, incident_key};
use jiff::{SignedDuration, Timestamp};
use store::Documents;
use tableau::Event;
use workflow::Failure;

/// How long a failure keeps others back while it is tried again: a little longer than the runtime retries.
const TRIED: SignedDuration = SignedDuration::from_hours(9);
/// The same while it waits for a person, which is three days at most.
const WAITS_FOR_A_PERSON: SignedDuration = SignedDuration::from_hours(80);

/// Whether a failure is the first of its incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is: send it.
    First,
    /// It is not; the text says what was forwarded.
    Later(String),
}

/// The incidents of objects, for `once_per: incident`.
#[derive(Clone, Debug)]
pub struct Incidents(Documents);

impl Incidents {
    /// Incidents kept in `documents`.
    pub fn new(documents: Documents) -> Self {
        Self(documents)
    }

    /// Takes the turn of a failure for a destination.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn begin(&self, event: &Event, destination: &str, now: Timestamp) -> Result<Turn, Failure> {
        let id = event.id.to_string();
        let failed_at = event.credible_time(now).unwrap_or(now);
        let begin = |state: &mut IncidentState| {
            let is_over = state.ended_at.is_some_and(|ended_at| failed_at <= ended_at);
            match state.open.get(destination) {
                Some(open) if open.event == id => Turn::First,
                Some(open) if open.keeps_others_back(now) => Turn::Later(open.reason()),
                // A refresh has succeeded in the meantime: this failure opens no incident.
                _ if is_over => Turn::First,
                _ => {
                    let held_until = now.checked_add(TRIED).ok();
                    let open = Open { event: id.clone(), at: now, failed_at, made: None, held_until };
                    state.open.insert(destination.to_owned(), open);
                    Turn::First
                }
            }
        };
        let changed = self.0.create_or_change(&key(event), now, begin).await;
        changed.map(|(_, turn)| turn).map_err(Failure::transient)
    }

    /// Notes what the destination has made of a failure.
    pub async fn note(&self, event: &Event, destination: &str, made: Option<String>, now: Timestamp) {
        let id = event.id.to_string();
        let noted = |state: &mut IncidentState| {
            if let Some(open) = state.open.get_mut(destination).filter(|open| open.event == id) {
                open.made = Some(made.clone().unwrap_or_default());
            }
        };
        self.write(event, now, noted).await;
    }

    /// Keeps others back for longer: the failure waits until a person has fixed something.
    pub async fn hold(&self, event: &Event, destination: &str, now: Timestamp) {
        let id = event.id.to_string();
        let held_until = now.checked_add(WAITS_FOR_A_PERSON).ok();
        let held = |state: &mut IncidentState| {
            if let Some(open) = state.open.get_mut(destination).filter(|open| open.event == id) {
                open.held_until = held_until;
            }
        };
        self.write(event, now, held).await;
    }

    /// Gives the turn back: the destination will never take this failure, so the next one is sent.
    pub async fn give_back(&self, event: &Event, destination: &str, now: Timestamp) {
        let id = event.id.to_string();
        let given_back = |state: &mut IncidentState| {
            if state.open.get(destination).is_some_and(|open| open.event == id) {
                state.open.remove(destination);
            }
        };
        self.write(event, now, given_back).await;
    }

    /// Ends the incident of an object: a refresh has succeeded.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn end(&self, event: &Event, now: Timestamp) -> Result<(), Failure> {
        let at = event.credible_time(now).unwrap_or(now);
        // A success that comes late ends no later failure.
        let ended = |state: &mut IncidentState| {
            state.open.retain(|_, open| open.failed_at > at);
            state.ended_at = state.ended_at.max(Some(at));
        };
        let changed = self.0.create_or_change(&key(event), now, ended).await;
        changed.map(|_| ()).map_err(Failure::transient)
    }

    async fn write(&self, event: &Event, now: Timestamp, change: impl FnMut(&mut IncidentState) + Send) {
        if let Err(error) = self.0.change(&key(event), now, change).await {
            let reason = workflow::chain(&error);
            tracing::warn!(event.id = %event.id, reason, "it could not be recorded what was forwarded");
        }
    }
}

impl Open {
    fn keeps_others_back(&self, now: Timestamp) -> bool {
        self.made.is_some() || self.held_until.is_some_and(|until| now < until)
    }

    /// Why a later failure is not forwarded.
    fn reason(&self) -> String {
        let at = self.at.strftime("%Y-%m-%d %H:%M UTC");
        match self.made.as_deref() {
            None => format!("the failure of {at} is being forwarded"),
            Some("") => format!("the failure of {at} was forwarded, and no refresh has succeeded since"),
            Some(made) => {
                format!("the failure of {at} was forwarded as {made}, and no refresh has succeeded since")
            }
        }
    }
}

fn key(event: &Event) -> String {
    incident_key(event.subject.luid())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const JIRA: &str = "jira";

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_764_000_000 + hours * 3_600).unwrap()
    }

    fn event(name: &str, hours: i64) -> Event {
        let payload = json!({
            "resource": "DATASOURCE", "event_type": name, "resource_name": "Sales Orders",
            "site_luid": "8b2a95d8-52b9-40a4-8712-cd6da771bd1b",
            "resource_luid": "22222222-2222-2222-2222-222222222222", "created_at": at(hours).to_string(),
        });
        let payload = tableau::Payload::parse(payload.to_string().as_bytes()).unwrap();
        Event::try_from(&payload).unwrap()
    }

    fn failure(hours: i64) -> Event {
        event("DatasourceRefreshFailed", hours)
    }

    fn incidents() -> Incidents {
        Incidents::new(store::documents(None))
    }

    #[tokio::test]
    async fn a_failure_that_was_never_forwarded_keeps_others_back_only_while_it_is_tried() {
        let incidents = incidents();
        assert_eq!(incidents.begin(&failure(0), JIRA, at(0)).await.unwrap(), Turn::First);
        assert_eq!(incidents.begin(&failure(0), JIRA, at(1)).await.unwrap(), Turn::First, "a retry");
        let Turn::Later(reason) = incidents.begin(&failure(2), JIRA, at(2)).await.unwrap() else { panic!() };
        assert_eq!(reason, "the failure of 2025-11-24 16:00 UTC is being forwarded");
        assert_eq!(incidents.begin(&failure(10), JIRA, at(10)).await.unwrap(), Turn::First);

        // One that waits for a person keeps others back for longer.
        incidents.hold(&failure(10), JIRA, at(11)).await;
        assert!(matches!(incidents.begin(&failure(40), JIRA, at(40)).await.unwrap(), Turn::Later(_)));
        incidents.note(&failure(10), JIRA, Some("BI-1".to_owned()), at(41)).await;
        let Turn::Later(reason) = incidents.begin(&failure(400), JIRA, at(400)).await.unwrap() else {
            panic!()
        };
        assert!(reason.ends_with("was forwarded as BI-1, and no refresh has succeeded since"), "{reason}");
    }

    #[tokio::test]
    async fn a_failure_that_comes_after_its_success_opens_no_incident() {
        let incidents = incidents();
        assert_eq!(incidents.begin(&failure(0), JIRA, at(0)).await.unwrap(), Turn::First);
        incidents.end(&event("DatasourceRefreshSucceeded", 1), at(1)).await.unwrap();
        // The retry of the failure is sent, and keeps no later one back.
        assert_eq!(incidents.begin(&failure(0), JIRA, at(2)).await.unwrap(), Turn::First);
        incidents.note(&failure(0), JIRA, Some("BI-1".to_owned()), at(2)).await;
        assert_eq!(incidents.begin(&failure(24), JIRA, at(24)).await.unwrap(), Turn::First);
        // A success that comes late ends no later failure.
        incidents.note(&failure(24), JIRA, None, at(24)).await;
        incidents.end(&event("DatasourceRefreshSucceeded", 12), at(25)).await.unwrap();
        assert!(matches!(incidents.begin(&failure(26), JIRA, at(26)).await.unwrap(), Turn::Later(_)));
    }
}
