//! Which events webhooks have to send, by the rules. No I/O.

use rules::Rules;
use std::fmt;
use tableau::{Action, EventName, Object};

/// An event that a webhook has to send, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needed {
    /// The event.
    pub event: EventName,
    /// What for.
    pub reason: Reason,
}

/// What an event is needed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The first rule that names it.
    Rule(String),
    /// Only it says that what failed works again.
    Recovery,
    /// Only it says that a refresh by name has ended.
    Refreshes,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(name) => write!(f, "rule `{name}`"),
            Self::Recovery => f.write_str("recovery of failed refreshes"),
            Self::Refreshes => f.write_str("refreshes by name"),
        }
    }
}

/// The events that webhooks have to send, in alphabetical order, each once: those that rules name, the end of each refresh whose
/// failure they name, and the ends of all refreshes if the stack takes refreshes by name (`takes_refreshes`).
pub fn needed(rules: &Rules, takes_refreshes: bool) -> Vec<Needed> {
    let named = rules.events();
    let rule_of = |event: &EventName| named.iter().find(|(named, _)| named == event).map(|(_, rule)| *rule);
    let reason = |event: &EventName| {
        if let Some(rule) = rule_of(event) {
            return Some(Reason::Rule(rule.to_owned()));
        }
        let ends = matches!(event.action(), Some(Action::RefreshFailed | Action::RefreshSucceeded));
        let failed = event.object().and_then(EventName::refresh_failed);
        if ends && failed.is_some_and(|failed| rule_of(&failed).is_some()) {
            return Some(Reason::Recovery);
        }
        let is_object = matches!(event.object(), Some(Object::Workbook | Object::Datasource));
        (takes_refreshes && ends && is_object).then_some(Reason::Refreshes)
    };
    let known = EventName::KNOWN.into_iter();
    known.filter_map(|event| reason(&event).map(|reason| Needed { event, reason })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(rules: &str, takes_refreshes: bool) -> Vec<String> {
        let needed = needed(&Rules::check_text(rules).unwrap(), takes_refreshes);
        needed.iter().map(|needed| format!("{}: {}", needed.event, needed.reason)).collect()
    }

    #[test]
    fn rules_need_their_events_and_failures_the_successes_after_them() {
        let rules = "rules:\n\
                     - { name: a, on: [DatasourceRefreshFailed, SiteUpdated], do: [{ notify-slack: { channel: c } }] }\n\
                     - { name: b, on: [SiteUpdated, PdfPublished, WebhookDisabled, WeeklyReport], do: [{ notify-slack: { channel: c } }] }\n";
        let expected = [
            "DatasourceRefreshFailed: rule `a`",
            "DatasourceRefreshSucceeded: recovery of failed refreshes",
            "SiteUpdated: rule `a`",
        ];
        assert_eq!(names(rules, false), expected);
    }

    #[test]
    fn refreshes_by_name_need_the_ends_of_refreshes() {
        let expected = [
            "DatasourceRefreshFailed: refreshes by name",
            "DatasourceRefreshSucceeded: refreshes by name",
            "WorkbookRefreshFailed: refreshes by name",
            "WorkbookRefreshSucceeded: refreshes by name",
        ];
        assert_eq!(names("rules: []", true), expected);
        assert!(names("rules: []", false).is_empty());
    }
}
