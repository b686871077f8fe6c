//! What a body says about an event. Each field is always there; what is not known is `null`, or an empty list.

use serde::Serialize;
use std::collections::BTreeMap;
use tableau::EventName;

/// What a body says about an event: `data` of an enriched body, and the variables of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Data {
    /// What happened to which object, in one line.
    pub title: String,
    /// Everything that is known, in lines for people. None is empty, and there is at least one.
    pub lines: Vec<String>,
    /// The name of the rule.
    pub rule: String,
    /// The event.
    pub event: EventData,
    /// The site where it happened.
    pub site: SiteData,
    /// What it is about.
    pub object: ObjectData,
    /// The project of the object.
    pub project: ProjectData,
    /// The owner of the object.
    pub owner: OwnerData,
    /// Why the refresh failed.
    pub cause: CauseData,
    /// Of a deletion.
    pub deleted: DeletionData,
    /// The file of the event `PdfPublished`.
    pub pdf: PdfData,
    /// What the event `WebhookDisabled` says.
    pub webhook: WebhookData,
    /// What the event `WeeklyReport` says.
    pub report: ReportData,
    /// The facts of an event that a caller sent: texts by name. What the caller has not sent is `null`.
    pub data: BTreeMap<String, String>,
    /// What could not be found out, and why.
    pub missing: Vec<String>,
}

/// The event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EventData {
    /// The event's id, the same for each delivery of it.
    pub id: String,
    /// Tableau's name of the event, such as `DatasourceRefreshFailed`.
    pub name: String,
    /// The same in the words of Standard Webhooks, such as `datasource.refresh_failed`.
    pub r#type: String,
    /// When it happened, in UTC.
    pub happened_at: Option<String>,
    /// Whether it is a refresh that failed.
    pub is_failure: bool,
}

/// The site where it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SiteData {
    /// Tableau's id of the site.
    pub luid: String,
    /// The site's name, if the rules say it.
    pub name: Option<String>,
}

/// What the event is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ObjectData {
    /// `workbook`, `data source`, `view`, `user`, `site`, `webhook` or `resource`.
    pub kind: String,
    /// Tableau's id of it.
    pub luid: String,
    /// Its name.
    pub name: Option<String>,
    /// The address of its page.
    pub link: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether it is certified.
    pub certified: Option<bool>,
}

/// The project of the object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProjectData {
    /// The project's name.
    pub name: Option<String>,
}

/// The owner of the object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OwnerData {
    /// The owner's name.
    pub name: Option<String>,
    /// The owner's e-mail address.
    pub email: Option<String>,
    /// The name that the owner signs in with.
    pub login: Option<String>,
}

/// Why the refresh failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CauseData {
    /// The class of the cause, such as `Credentials`.
    pub class: Option<String>,
    /// The class in words.
    pub title: Option<String>,
    /// The line of the job's notes that says most.
    pub line: Option<String>,
    /// What to do about it.
    pub next_step: Option<String>,
    /// Tableau's id of the failed job.
    pub job: Option<String>,
}

/// Of a deletion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DeletionData {
    /// Who deleted it.
    pub by: Option<String>,
    /// Where it was.
    pub path: Option<String>,
}

/// The file of the event `PdfPublished`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PdfData {
    /// Its name; of several `Sales.pdf and 11 more`.
    pub file: Option<String>,
    /// Where it is: `SharePoint`, or its address in Amazon S3.
    pub place: Option<String>,
    /// Its address in a browser; of several that of the folder.
    pub link: Option<String>,
    /// What people should know about it.
    pub note: Option<String>,
}

/// What the event `WebhookDisabled` says. The webhook itself is [`ObjectData`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WebhookData {
    /// The name of the events that the webhook sends.
    pub event: Option<String>,
    /// The name of the user who registered it.
    pub owner: Option<String>,
    /// Why Tableau disabled it.
    pub reason: Option<String>,
    /// When it was last seen enabled, in UTC.
    pub last_enabled: Option<String>,
    /// When it was found disabled, in UTC.
    pub found: Option<String>,
    /// When it was enabled again, in UTC.
    pub enabled_again: Option<String>,
    /// Why it stays disabled, and what happens next.
    pub note: Option<String>,
}

/// What the event `WeeklyReport` says about the week. [`Data::lines`] has all of it, with the week before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReportData {
    /// The week's first day, such as `2026-11-23`.
    pub first_day: Option<String>,
    /// The week's last day.
    pub last_day: Option<String>,
    /// How many refreshes failed.
    pub failed: Option<u64>,
    /// How many refreshes succeeded.
    pub succeeded: Option<u64>,
    /// How many incidents opened.
    pub opened: Option<u64>,
    /// How many incidents ended.
    pub resolved: Option<u64>,
    /// The mean time from the first failure to the recovery, in seconds. `None` also if no incident ended.
    pub recovery_seconds: Option<u64>,
    /// How many events became a message at once.
    pub messages: Option<u64>,
    /// How many of these messages were sent within 60 seconds after the event.
    pub messages_in_time: Option<u64>,
    /// The time from an event to its message that 99 of 100 messages kept, in milliseconds. `None` also without messages.
    pub message_p99_ms: Option<u64>,
    /// How many deliveries failed for good.
    pub given_up: Option<u64>,
    /// What failed most, most first: texts for people, ten at most.
    pub failed_most: Vec<String>,
}

/// The type of an event in the words of Standard Webhooks: `datasource.refresh_failed`. Parts have letters, digits and `_` only.
pub fn event_type(name: &EventName) -> String {
    let mut text = String::new();
    let mut words = 0;
    for c in name.as_str().chars().filter(char::is_ascii_alphanumeric) {
        if c.is_ascii_uppercase() {
            match words {
                0 => {}
                1 => text.push('.'),
                _ => text.push('_'),
            }
            words += 1;
        }
        text.push(c.to_ascii_lowercase());
    }
    if text.is_empty() { "unknown".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_a_type_of_dotted_parts() {
        for (name, expected) in [
            ("DatasourceRefreshFailed", "datasource.refresh_failed"),
            ("WorkbookCreated", "workbook.created"),
            ("AdminPromoted", "admin.promoted"),
            ("WeeklyReport", "weekly.report"),
            ("flow run/failed", "flowrunfailed"),
            ("", "unknown"),
        ] {
            assert_eq!(event_type(&EventName::from(name)), expected);
        }
    }
}
