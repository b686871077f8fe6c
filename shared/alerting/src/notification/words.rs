//! Fixed texts for each kind of event: title, symbol and recommended next step.

use super::webhook::is_enabled_again;
use super::{Severity, report, webhook};
use plain_text::one_line;
use std::borrow::Cow;
use tableau::{Action, Event, EventName, Object, OwnEvent, OwnSeverity};

/// The symbol of a kind of event. The symbols differ in shape, so that a reader need not see colours.
pub fn symbol(name: &EventName) -> &'static str {
    match (name.object(), name.action()) {
        (Some(Object::Label), _) => "🏷️",
        (Some(Object::User), Some(Action::Promoted | Action::Demoted)) => "🛡️",
        (_, Some(Action::RefreshFailed)) => "🔴",
        (_, Some(Action::RefreshSucceeded)) => "✅",
        (_, Some(Action::RefreshStarted)) => "⏳",
        (_, Some(Action::Created)) => "🆕",
        (_, Some(Action::Updated)) => "✏️",
        (_, Some(Action::Deleted)) => "🗑️",
        (_, Some(Action::PdfPublished)) => "📄",
        (_, Some(Action::Disabled)) => "🔕",
        (_, Some(Action::Reported)) => "📊",
        _ => "ℹ️",
    }
}

/// The symbol of an event.
pub(super) fn symbol_of(event: &Event) -> &'static str {
    if is_enabled_again(event) {
        return "🔔";
    }
    match event.own.as_ref().map(|own| own.severity) {
        Some(OwnSeverity::Info) => "💬",
        Some(OwnSeverity::Warning) => "⚠️",
        Some(OwnSeverity::Critical) => "🚨",
        None => symbol(&event.name),
    }
}

pub(super) fn severity(event: &Event) -> Severity {
    if let Some(own) = &event.own {
        return match own.severity {
            OwnSeverity::Info => Severity::Info,
            OwnSeverity::Warning => Severity::Notice,
            OwnSeverity::Critical => Severity::Error,
        };
    }
    if is_enabled_again(event) {
        return Severity::Notice;
    }
    let name = &event.name;
    match (name.object(), name.action()) {
        (_, Some(Action::RefreshFailed | Action::Disabled)) => Severity::Error,
        (_, Some(Action::RefreshSucceeded)) => Severity::Resolved,
        (Some(Object::User), Some(Action::Promoted | Action::Demoted | Action::Deleted))
        | (Some(Object::Site), Some(Action::Updated)) => Severity::Notice,
        _ => Severity::Info,
    }
}

/// The title of an event: what happened, in a few words.
pub fn title(event: &Event) -> String {
    let kind = event.subject.kind();
    match (event.name.object(), event.name.action()) {
        (Some(Object::Label), Some(Action::Created)) => format!("Label added to {kind}"),
        (Some(Object::Label), Some(Action::Deleted)) => format!("Label removed from {kind}"),
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
        (_, Some(Action::PdfPublished)) => "PDF published".to_owned(),
        (_, Some(Action::Disabled)) => webhook::title(event.webhook.as_ref()),
        (_, Some(Action::Reported)) => report::report_title(event.report.as_deref()),
        (_, None) if event.own.is_some() => OwnEvent::title(&event.name),
        (_, None) => format!("Tableau event {}", one_line(event.name.as_str())),
    }
}

/// The title of a group of events: `500 workbooks changed`.
pub(crate) fn title_of_many(event: &Event, count: usize) -> String {
    let kind = event.subject.kind();
    match event.name.action() {
        Some(Action::RefreshFailed) => format!("{count} extract refreshes failed"),
        Some(Action::RefreshStarted) => format!("{count} extract refreshes started"),
        Some(Action::RefreshSucceeded) => format!("{count} extract refreshes succeeded"),
        Some(Action::Created) if event.name.object() != Some(Object::Label) => {
            format!("{count} {kind}s published")
        }
        Some(Action::Updated) if event.name.object() != Some(Object::Label) => {
            format!("{count} {kind}s changed")
        }
        Some(Action::Deleted) if event.name.object() != Some(Object::Label) => {
            format!("{count} {kind}s deleted")
        }
        Some(Action::Disabled) => webhook::title_of_many(event, count),
        Some(Action::Reported) => format!("{count} weekly reports"),
        _ => format!("{} ({count} times)", title(event)),
    }
}

/// The recommended next step for a failure without a failed job in Tableau's job list.
pub(super) const NEXT_STEP_WITHOUT_JOB: &str =
    "Look at its extract refreshes in Tableau. The reason could not be looked up automatically.";

/// The recommended next step for an event. A failure with a known cause shows the advice for its cause instead.
pub fn next_step(event: &Event) -> Option<Cow<'static, str>> {
    if event.name.action() == Some(Action::Disabled) {
        return Some(webhook::next_step(event));
    }
    if let Some(report) = &event.report {
        return report::next_step(report).map(Cow::Borrowed);
    }
    fixed_step(&event.name).map(Cow::Borrowed)
}

/// The recommended next step for each event of this name.
fn fixed_step(name: &EventName) -> Option<&'static str> {
    match (name.object()?, name.action()?) {
        (_, Action::RefreshFailed) => {
            Some("Open the job's details in Tableau. The reason could not be looked up automatically.")
        }
        (Object::User, Action::Promoted) => {
            Some("If this was not requested, review the site's administrators.")
        }
        (Object::User, Action::Demoted) => Some("Check that the site still has an active administrator."),
        (Object::User, Action::Deleted) => Some("Check that the user's content has a new owner."),
        (Object::Datasource, Action::Created) => {
            Some("If others should rely on it, ask its steward to certify it.")
        }
        (Object::Datasource, Action::Deleted) => Some("Workbooks that used it no longer refresh."),
        (Object::Site, Action::Updated) => Some("If this was not requested, review the site's settings."),
        _ => None,
    }
}

pub(super) fn capitalised(kind: &str) -> String {
    let mut chars = kind.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
