//! Families of events: a name for several events that rules often want together. No I/O.

use crate::hints;
use std::sync::LazyLock;
use tableau::EventName as E;
use tableau::{EventName, OwnEvent};

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

static ALL: LazyLock<[EventName; 25]> = LazyLock::new(|| EventName::ALL);

/// Names that events of this stack have for another reason.
const RESERVED: [&str; 3] = ["Test", "Unknown", "Unreadable"];

/// The events that a name in `on` means: of a family, or the one with this name.
pub(crate) fn events(name: &str) -> Option<&'static [EventName]> {
    if let Some((_, events)) = FAMILIES.iter().find(|(family, _)| *family == name) {
        return Some(events);
    }
    ALL.iter().position(|event| event.as_str() == name).map(|at| &ALL[at..=at])
}

/// Checks the name of an event that callers send.
///
/// # Errors
/// What is wrong with it, behind its name.
pub fn check_own_event(name: &str) -> Result<(), &'static str> {
    if EventName::from(name).is_known() {
        return Err("is an event of Tableau or of this stack: give yours another name");
    }
    if FAMILIES.iter().any(|(family, _)| *family == name) {
        return Err("is a family of events: give yours another name");
    }
    if RESERVED.contains(&name) {
        return Err("has another meaning in this stack: give yours another name");
    }
    if OwnEvent::RESERVED.iter().any(|start| name.starts_with(start)) {
        return Err("begins as events of Tableau do: give yours another name");
    }
    match OwnEvent::may_be_called(name) {
        true => Ok(()),
        false => Err("has to have 3 to 50 letters and digits, and to begin with a capital letter"),
    }
}

/// The event in a set of events, with one bit for each that is known; nothing for another one.
pub(crate) fn bit(event: &EventName) -> u32 {
    ALL.iter().position(|known| known == event).map_or(0, |at| 1 << at)
}

/// What to say of a name that is neither an event nor a family, nor one of the file's own events.
pub(crate) fn unknown(name: &str, own: &[String]) -> String {
    let known = EventName::ALL.iter().map(EventName::as_str);
    let known = known.chain(FAMILIES.iter().map(|(family, _)| *family)).chain(own.iter().map(String::as_str));
    match hints::family(name).or_else(|| tableau::nearest(name, known)) {
        Some(near) => format!("`{name}` is not an event; did you mean `{near}`?"),
        None if check_own_event(name).is_ok() => format!(
            "`{name}` is not an event of Tableau. If your pipelines send it, write it at the top: events: [{{ name: {name} }}]"
        ),
        None => {
            let families: Vec<&str> = FAMILIES.iter().map(|(family, _)| *family).collect();
            format!(
                "`{name}` is not an event. Events are, for example, WorkbookCreated; families are: {}",
                families.join(", ")
            )
        }
    }
}
