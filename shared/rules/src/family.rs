//! Families of events: a name for several events that rules often want together. No I/O.

use crate::hints;
use std::sync::LazyLock;
use tableau::EventName;
use tableau::EventName as E;

/// Each family with its events, in alphabetical order of the families.
pub const FAMILIES: [(&str, &[EventName]); 11] = [
    ("AdminChanged", &[E::AdminDemoted, E::AdminPromoted]),
    ("Any", &EventName::KNOWN),
    ("Created", &[E::DatasourceCreated, E::WorkbookCreated]),
    ("Deleted", &[E::DatasourceDeleted, E::ViewDeleted, E::WorkbookDeleted]),
    ("LabelChanged", &[E::LabelCreated, E::LabelDeleted, E::LabelUpdated]),
    ("Published", &[E::DatasourceCreated, E::DatasourceUpdated, E::WorkbookCreated, E::WorkbookUpdated]),
    ("RefreshFailed", &[E::DatasourceRefreshFailed, E::WorkbookRefreshFailed]),
    ("RefreshStarted", &[E::DatasourceRefreshStarted, E::WorkbookRefreshStarted]),
    ("RefreshSucceeded", &[E::DatasourceRefreshSucceeded, E::WorkbookRefreshSucceeded]),
    ("SiteChanged", &[E::SiteCreated, E::SiteDeleted, E::SiteUpdated]),
    ("Updated", &[E::DatasourceUpdated, E::WorkbookUpdated]),
];

static ALL: LazyLock<[EventName; 23]> = LazyLock::new(|| EventName::ALL);

/// The events that a name in `on` means: of a family, or the one with this name.
pub(crate) fn events(name: &str) -> Option<&'static [EventName]> {
    if let Some((_, events)) = FAMILIES.iter().find(|(family, _)| *family == name) {
        return Some(events);
    }
    ALL.iter().position(|event| event.as_str() == name).map(|at| &ALL[at..=at])
}

/// The event in a set of events, with one bit for each that is known; nothing for another one.
pub(crate) fn bit(event: &EventName) -> u32 {
    ALL.iter().position(|known| known == event).map_or(0, |at| 1 << at)
}

/// What to say of a name that is neither an event nor a family.
pub(crate) fn unknown(name: &str) -> String {
    let known =
        EventName::ALL.iter().map(EventName::as_str).chain(FAMILIES.iter().map(|(family, _)| *family));
    match hints::family(name).or_else(|| tableau::nearest(name, known)) {
        Some(near) => format!("`{name}` is not an event; did you mean `{near}`?"),
        None => {
            let families: Vec<&str> = FAMILIES.iter().map(|(family, _)| *family).collect();
            format!(
                "`{name}` is not an event. Events are, for example, WorkbookCreated; families are: {}",
                families.join(", ")
            )
        }
    }
}
