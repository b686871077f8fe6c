//! The words for each kind of event.

use destinations::slack::mrkdwn::date;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use plain_text::one_line;
use tableau::{Action, Event, EventName, Object};

/// A sign that can be told apart without colour, too: each has a form of its own.
pub(crate) fn symbol(name: &EventName) -> &'static str {
    match (name.object(), name.action()) {
        (Some(Object::Label), _) => "🏷️",
        (Some(Object::User), Some(Action::Promoted | Action::Demoted)) => "🛡️",
        (_, Some(Action::RefreshFailed)) => "🔴",
        (_, Some(Action::RefreshSucceeded)) => "✅",
        (_, Some(Action::RefreshStarted)) => "⏳",
        (_, Some(Action::Created)) => "🆕",
        (_, Some(Action::Updated)) => "✏️",
        (_, Some(Action::Deleted)) => "🗑️",
        _ => "ℹ️",
    }
}

/// What happened, in a few words.
pub(crate) fn headline(event: &Event) -> String {
    let kind = event.subject.kind();
    match (event.name.object(), event.name.action()) {
        (Some(Object::Label), Some(Action::Created)) => format!("Label put on {kind}"),
        (Some(Object::Label), Some(Action::Deleted)) => format!("Label taken off {kind}"),
        (Some(Object::Label), _) => format!("Label changed on {kind}"),
        (_, Some(Action::RefreshStarted)) => "Extract refresh started".to_owned(),
        (_, Some(Action::RefreshSucceeded)) => "Extract refresh succeeded".to_owned(),
        (_, Some(Action::RefreshFailed)) => "Extract refresh failed".to_owned(),
        (_, Some(Action::Promoted)) => "User is now a site administrator".to_owned(),
        (_, Some(Action::Demoted)) => "User is no longer a site administrator".to_owned(),
        (Some(Object::User), Some(Action::Deleted)) => "User removed from the site".to_owned(),
        (Some(Object::Site), Some(Action::Created)) => "Site created".to_owned(),
        (Some(Object::Site), Some(Action::Updated)) => "Site settings changed".to_owned(),
        (_, Some(Action::Created)) => format!("{} published", capitalised(kind)),
        (_, Some(Action::Updated)) => format!("{} changed", capitalised(kind)),
        (_, Some(Action::Deleted)) => format!("{} deleted", capitalised(kind)),
        (_, None) => format!("Tableau event {}", one_line(event.name.as_str())),
    }
}

/// What the reader may want to do about it; failures get their cause's own advice.
pub(crate) fn hint(event: &Event) -> Option<&'static str> {
    match (event.name.object()?, event.name.action()?) {
        (_, Action::RefreshFailed) => {
            Some("Open the job's details in Tableau: the reason could not be found from here.")
        }
        (Object::User, Action::Promoted) => {
            Some("If nobody asked for this, look at the site's administrators.")
        }
        (Object::User, Action::Demoted) => {
            Some("Check that the site still has an administrator who answers.")
        }
        (Object::User, Action::Deleted) => Some("Check that the user's content has a new owner."),
        (Object::Datasource, Action::Created) => {
            Some("If others should rely on it, have its steward certify it.")
        }
        (Object::Datasource, Action::Deleted) => Some("Workbooks that used it no longer refresh."),
        (Object::Site, Action::Updated) => Some("If nobody asked for this, compare the site's settings."),
        _ => None,
    }
}

fn capitalised(kind: &str) -> String {
    let mut chars = kind.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A time as every message shows it: in the site's time zone; without a known zone, in each reader's own.
pub(crate) fn clock(at: Timestamp, zone: Option<&TimeZone>) -> String {
    match zone.filter(|zone| **zone != TimeZone::UTC) {
        Some(zone) => at.to_zoned(zone.clone()).strftime("%a %-d %b %Y, %H:%M %Z").to_string(),
        None => date(at, &in_utc(at)),
    }
}

/// A time with its day.
fn in_utc(at: Timestamp) -> String {
    at.strftime("%a %-d %b %Y, %H:%M UTC").to_string()
}

/// The same, and the time in UTC, which logs have.
pub(crate) fn clock_and_utc(at: Timestamp, zone: Option<&TimeZone>) -> String {
    let utc = match zone.filter(|zone| **zone != TimeZone::UTC) {
        Some(_) => at.strftime("%H:%M UTC").to_string(),
        None => in_utc(at),
    };
    format!("{} ({utc})", clock(at, zone))
}

/// How long something lasted, in two units at most.
pub(crate) fn duration(lasted: jiff::SignedDuration) -> String {
    let minutes = lasted.as_secs().max(0) / 60;
    let units = [(minutes / 1_440, "d"), (minutes / 60 % 24, "h"), (minutes % 60, "min")];
    let told: Vec<String> = units
        .iter()
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if told.is_empty() { "less than a minute".to_owned() } else { told.join(" ") }
}
