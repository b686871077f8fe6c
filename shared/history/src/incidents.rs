//! Incidents of past days, from the events of refreshes. The rules are those of alerting; events do not say whether a refresh was full or
//! incremental, so a success of either kind ends an incident here. No I/O.

use crate::event::Happened;
use alerting::incident::{End as HowEnded, Incident, Open, RefreshKind, Signal, Transition};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tableau::{Action, Object as Subject};

/// How long an object without an open incident is remembered: its openings within a day decide whether it flaps.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(48);

/// The object of an incident.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Object {
    /// The site's LUID.
    pub(crate) site: String,
    /// `workbook` or `data source`.
    pub(crate) kind: String,
    /// The object's LUID.
    pub(crate) luid: String,
    /// Its last known name: untrusted text.
    pub(crate) name: String,
}

/// The end of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// When it ended.
    pub(crate) at: Timestamp,
    /// Whether its object was deleted.
    pub(crate) is_deletion: bool,
}

/// An incident that has ended, or is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PastIncident {
    /// Its id, as messages and `events show` have it.
    pub(crate) id: String,
    /// What failed.
    pub(crate) object: Object,
    /// When it failed first.
    pub(crate) opened_at: Timestamp,
    /// When it failed last.
    pub(crate) last_failed_at: Timestamp,
    /// When and how it ended; `None`: it is open.
    pub(crate) end: Option<End>,
    /// How many refreshes failed.
    pub(crate) failures: u32,
    /// Which incident of the object it was within 24 hours.
    pub(crate) nth: usize,
    /// The most frequent class of cause.
    pub(crate) cause: Option<String>,
}

impl PastIncident {
    fn of(object: &Object, open: &Open, causes: &BTreeMap<String, u32>, end: Option<End>) -> Self {
        let most = causes.iter().max_by_key(|(cause, count)| (**count, std::cmp::Reverse(cause.as_str())));
        Self {
            id: open.id.clone(),
            object: object.clone(),
            opened_at: open.since,
            last_failed_at: open.last,
            end,
            failures: open.failures,
            nth: open.nth,
            cause: most.map(|(cause, _)| cause.clone()),
        }
    }

    /// How long it had lasted at this time, in seconds.
    pub(crate) fn seconds(&self, at: Timestamp) -> i64 {
        at.duration_since(self.opened_at).as_secs().max(0)
    }

    #[cfg(test)]
    pub(crate) fn test(object: Object) -> Self {
        let at = Timestamp::UNIX_EPOCH;
        Self {
            id: "1".to_owned(),
            object,
            opened_at: at,
            last_failed_at: at,
            end: None,
            failures: 1,
            nth: 1,
            cause: None,
        }
    }
}

/// What an event changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// An incident opened: the one of this number within 24 hours, from 1.
    Opened(usize),
    /// An incident ended.
    Ended(Box<PastIncident>),
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Tracked {
    object: Object,
    incident: Incident,
    /// How often each class of cause was found in the open incident.
    causes: BTreeMap<String, u32>,
    last_event: Timestamp,
}

/// The incidents of all objects, event by event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Timeline(Vec<Tracked>);

impl Timeline {
    /// Applies an event in the order in which events came. `class`: the cause's class, if one was found.
    pub(crate) fn apply(&mut self, event: &Happened, class: Option<&str>) -> Option<Change> {
        let signal = signal(event)?;
        let at = self.place(event, matches!(signal, Signal::Failed(..) | Signal::Succeeded(..)))?;
        let tracked = &mut self.0[at];
        tracked.last_event = tracked.last_event.max(event.received_at);
        if !event.object_name.is_empty() {
            tracked.object.name.clone_from(&event.object_name);
        }
        let id = event.id.short();
        let failures = |incident: &Incident| incident.open.as_ref().map(|open| open.failures);
        let before = failures(&tracked.incident);
        let transition = tracked.incident.apply(id, signal);
        // The same event, applied again, has the same answer and changes nothing.
        if failures(&tracked.incident) == before {
            return None;
        }
        match transition {
            Transition::Opened | Transition::FailedAgain => {
                if transition == Transition::Opened {
                    tracked.causes.clear();
                }
                if let Some(class) = class {
                    *tracked.causes.entry(class.to_owned()).or_default() += 1;
                }
                let nth = tracked.incident.open.as_ref().map_or(1, |open| open.nth);
                (transition == Transition::Opened).then_some(Change::Opened(nth))
            }
            Transition::Resolved => {
                let resolved = tracked.incident.resolved_by(id)?;
                let end = End { at: resolved.at, is_deletion: resolved.end == HowEnded::Deleted };
                let ended = PastIncident::of(&tracked.object, &resolved.incident, &tracked.causes, Some(end));
                Some(Change::Ended(Box::new(ended)))
            }
            Transition::Unchanged | Transition::Outdated => None,
        }
    }

    /// Where the object is. One without refreshes is not kept.
    fn place(&mut self, event: &Happened, is_new: bool) -> Option<usize> {
        let key = |tracked: &Tracked| (tracked.object.site.clone(), tracked.object.luid.clone());
        match self.0.binary_search_by_key(&(event.site.clone(), event.luid.clone()), key) {
            Ok(at) => Some(at),
            Err(at) if is_new => {
                let object = Object {
                    site: event.site.clone(),
                    kind: event.kind.clone(),
                    luid: event.luid.clone(),
                    name: event.object_name.clone(),
                };
                let tracked = Tracked {
                    object,
                    incident: Incident::default(),
                    causes: BTreeMap::new(),
                    last_event: event.received_at,
                };
                self.0.insert(at, tracked);
                Some(at)
            }
            Err(_) => None,
        }
    }

    /// The incidents that are open, by object.
    pub(crate) fn open(&self) -> impl Iterator<Item = PastIncident> {
        self.0.iter().filter_map(|tracked| {
            let open = tracked.incident.open.as_ref()?;
            Some(PastIncident::of(&tracked.object, open, &tracked.causes, None))
        })
    }

    /// Forgets objects that do not matter for later events, at the end of a day.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        self.0.retain(|tracked| {
            tracked.incident.open.is_some() || now.duration_since(tracked.last_event) < REMEMBERED
        });
    }
}

/// What an event says about refreshes.
fn signal(event: &Happened) -> Option<Signal> {
    let at = event.time();
    match (event.name.object()?, event.name.action()?) {
        (_, Action::RefreshFailed) => Some(Signal::Failed(at, RefreshKind::Unknown)),
        (_, Action::RefreshSucceeded) => Some(Signal::Succeeded(at, RefreshKind::Unknown)),
        (Subject::Workbook | Subject::Datasource, Action::Deleted) => Some(Signal::Deleted(at)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tableau::{EventId, EventName};

    fn at(text: &str) -> Timestamp {
        format!("2026-11-{text}Z").parse().unwrap()
    }

    fn event(name: EventName, luid: &str, time: &str) -> Happened {
        Happened {
            id: EventId::of_bytes(format!("{name}{luid}{time}").as_bytes()),
            kind: "workbook".to_owned(),
            site: "s".to_owned(),
            luid: luid.to_owned(),
            object_name: format!("Workbook {luid}"),
            at: Some(at(time)),
            received_at: at(time),
            name,
        }
    }

    fn failed(luid: &str, time: &str) -> Happened {
        event(EventName::WorkbookRefreshFailed, luid, time)
    }

    fn succeeded(luid: &str, time: &str) -> Happened {
        event(EventName::WorkbookRefreshSucceeded, luid, time)
    }

    #[test]
    fn an_incident_lasts_from_the_first_failure_to_the_success() {
        let mut timeline = Timeline::default();
        let first = failed("w", "01T04:00:00");
        assert_eq!(timeline.apply(&first, None), Some(Change::Opened(1)));
        assert_eq!(timeline.apply(&failed("w", "01T05:00:00"), Some("Quota")), None);
        assert_eq!(timeline.apply(&failed("w", "01T06:00:00"), Some("Credentials")), None);
        assert_eq!(timeline.apply(&failed("w", "01T07:00:00"), Some("Credentials")), None);
        assert_eq!(timeline.apply(&first, None), None, "an event counts once");
        let open: Vec<_> = timeline.open().collect();
        assert_eq!((open.len(), open[0].failures, open[0].end), (1, 4, None));
        let Some(Change::Ended(ended)) = timeline.apply(&succeeded("w", "02T04:30:00"), None) else {
            panic!()
        };
        assert_eq!((ended.id.as_str(), ended.failures, ended.nth), (first.id.short(), 4, 1));
        assert_eq!((ended.opened_at, ended.last_failed_at), (at("01T04:00:00"), at("01T07:00:00")));
        assert_eq!(ended.end, Some(End { at: at("02T04:30:00"), is_deletion: false }));
        assert_eq!(ended.seconds(at("02T04:30:00")), 88_200);
        assert_eq!(ended.cause.as_deref(), Some("Credentials"));
        assert_eq!(timeline.open().count(), 0);
        assert_eq!(timeline.apply(&failed("w", "03T04:00:00"), None), Some(Change::Opened(1)));
        assert_eq!(timeline.open().next().unwrap().cause, None, "causes are of one incident");
    }

    #[test]
    fn a_failure_from_before_the_last_success_is_outdated_as_in_alerting() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.apply(&succeeded("w", "01T04:20:00"), None), None);
        assert_eq!(timeline.apply(&failed("w", "01T04:10:00"), None), None);
        assert_eq!(timeline.apply(&failed("w", "01T04:30:00"), None), Some(Change::Opened(1)));
    }

    #[test]
    fn a_deletion_ends_an_incident_and_other_events_and_objects_do_not() {
        let mut timeline = Timeline::default();
        timeline.apply(&failed("w", "01T04:00:00"), None);
        for other in [
            succeeded("x", "01T05:00:00"),
            succeeded("w", "01T03:00:00"),
            event(EventName::WorkbookRefreshStarted, "w", "01T05:00:00"),
            event(EventName::WorkbookUpdated, "w", "01T05:00:00"),
            event(EventName::ViewDeleted, "w", "01T05:00:00"),
            event(EventName::UserDeleted, "w", "01T05:00:00"),
            event(EventName::from("FlowRunFailed"), "w", "01T05:00:00"),
        ] {
            assert_eq!(timeline.apply(&other, None), None, "{other:?}");
        }
        let deleted = event(EventName::WorkbookDeleted, "w", "01T06:00:00");
        let Some(Change::Ended(ended)) = timeline.apply(&deleted, None) else { panic!() };
        assert!(ended.end.unwrap().is_deletion);
    }

    #[test]
    fn what_is_kept_for_the_next_day_comes_back_and_has_no_object_that_is_quiet() {
        let mut timeline = Timeline::default();
        timeline.apply(&failed("open", "01T04:00:00"), Some("Quota"));
        for hour in 4..8 {
            timeline.apply(&failed("flaps", &format!("02T{hour:02}:00:00")), None);
            timeline.apply(&succeeded("flaps", &format!("02T{hour:02}:30:00")), None);
        }
        timeline.apply(&failed("quiet", "01T04:00:00"), None);
        timeline.apply(&succeeded("quiet", "01T05:00:00"), None);
        timeline.forget(at("03T00:00:00"));
        assert_eq!(timeline.0.len(), 3);
        timeline.forget(at("03T06:00:00"));
        assert_eq!(timeline.0.len(), 2);
        let kept = serde_json::to_string(&timeline).unwrap();
        let mut back: Timeline = serde_json::from_str(&kept).unwrap();
        assert_eq!(back, timeline);
        back.apply(&failed("flaps", "03T04:10:00"), None);
        let open: Vec<_> = back.open().map(|open| (open.object.luid, open.nth, open.cause)).collect();
        assert_eq!(open, [("flaps".to_owned(), 4, None), ("open".to_owned(), 1, Some("Quota".to_owned()))]);
    }
}
