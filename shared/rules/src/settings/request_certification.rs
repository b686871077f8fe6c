//! What rules say to `request-certification`.

use super::send_email::Recipient;
use crate::workflow::{Invalid, WorkflowSettings};
use serde::Deserialize;
use tableau::EventName;

/// The longest time that a link may be valid, in days: a link is a credential that lies in a mailbox.
const LONGEST_DAYS: u32 = 60;
/// The longest time without a new question, in days.
const LONGEST_PAUSE: u32 = 365;
/// The most reminders.
const MOST_REMINDERS: usize = 5;

/// `request-certification: { steward: project-leader, expires_after_days: 14, remind_after_days: [3, 7], confirm: false }`.
///
/// A data source has one request at a time: of several rules for an event, the first one in the file counts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RequestCertification {
    /// Who is asked: an address, `project-leader` (the owner of the project, if Tableau says who it is) or `owner` (the owner of the data
    /// source, who then judges their own work). Required.
    pub steward: Recipient,
    /// The address that is asked in the place of a person whose address Tableau does not say. Default: no one, and the event waits for a
    /// person.
    #[serde(default)]
    pub steward_if_unknown: Option<Recipient>,
    /// For how many days the links are valid: 1 to 60. Default: 14.
    #[serde(default = "two_weeks")]
    pub expires_after_days: u32,
    /// After how many days without a decision the steward gets a reminder: up to five numbers that grow, below `expires_after_days`. Default:
    /// `[3, 7]`, of which those count that are below it. `[]`: no reminder.
    #[serde(default)]
    pub remind_after_days: Option<Vec<u32>>,
    /// After how many days a data source that was decided about is asked about again: 0 to 365. It counts after a decline, and after a
    /// certification that is gone from Tableau. Default: 7.
    #[serde(default = "a_week")]
    pub ask_again_after_days: u32,
    /// Ask for a code that is mailed to the steward when they decide: a forwarded mail is then not enough. Default: false.
    #[serde(default)]
    pub confirm: bool,
}

fn two_weeks() -> u32 {
    14
}

fn a_week() -> u32 {
    7
}

impl RequestCertification {
    /// After how many days there are reminders.
    pub fn reminders(&self) -> Vec<u32> {
        match &self.remind_after_days {
            Some(days) => days.clone(),
            None => [3, 7].into_iter().filter(|days| *days < self.expires_after_days).collect(),
        }
    }
}

impl WorkflowSettings for RequestCertification {
    const WORKFLOW: &'static str = "request-certification";
    const EVENTS: &'static [EventName] = &[EventName::DatasourceCreated, EventName::DatasourceUpdated];
    const ENDS: &'static [EventName] = &[EventName::DatasourceDeleted];

    fn check(&self) -> Result<(), Invalid> {
        let invalid = |field, problem: String| Err(Invalid { field, problem });
        if !(1..=LONGEST_DAYS).contains(&self.expires_after_days) {
            return invalid("expires_after_days", format!("write a number of days from 1 to {LONGEST_DAYS}"));
        }
        if self.ask_again_after_days > LONGEST_PAUSE {
            let problem = format!("write a number of days from 0 to {LONGEST_PAUSE}");
            return invalid("ask_again_after_days", problem);
        }
        if self.steward_if_unknown.as_ref().is_some_and(|one| one.address().is_none()) {
            let problem = "it is for a person whose address is not known: write an address, not owner or project-leader";
            return invalid("steward_if_unknown", problem.to_owned());
        }
        if self.steward_if_unknown.is_some() && self.steward.address().is_some() {
            let problem = "it has an effect beside `owner` or `project-leader` in `steward` only: write that, or remove this";
            return invalid("steward_if_unknown", problem.to_owned());
        }
        let days = self.remind_after_days.as_deref().unwrap_or_default();
        if days.len() > MOST_REMINDERS {
            return invalid("remind_after_days", format!("write at most {MOST_REMINDERS} numbers"));
        }
        let grow = days.windows(2).all(|pair| pair[0] < pair[1]) && days.first() != Some(&0);
        if !grow || days.last().is_some_and(|last| *last >= self.expires_after_days) {
            let below = self.expires_after_days;
            return invalid(
                "remind_after_days",
                format!(
                    "write numbers of days from 1 that grow and are below {below}, when the links expire"
                ),
            );
        }
        Ok(())
    }

    fn repeats(&self, _: &Self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(settings: Value) -> Result<RequestCertification, String> {
        let read: RequestCertification =
            serde_json::from_value(settings).map_err(|error| error.to_string())?;
        read.check().map_err(|invalid| format!("{}: {}", invalid.field, invalid.problem))?;
        Ok(read)
    }

    #[test]
    fn links_are_valid_for_two_weeks_with_two_reminders_unless_a_rule_says_otherwise() {
        let plain = read(json!({ "steward": "project-leader" })).unwrap();
        assert_eq!((plain.expires_after_days, plain.reminders(), plain.confirm), (14, vec![3, 7], false));
        let short = read(json!({ "steward": "owner", "expires_after_days": 5 })).unwrap();
        assert_eq!(short.reminders(), [3]);
        let none = read(json!({ "steward": "s@example.com", "remind_after_days": [] })).unwrap();
        assert_eq!(none.reminders(), Vec::<u32>::new());
    }

    #[test]
    fn a_mistake_says_what_to_write_and_repeats_no_address() {
        for (settings, expected) in [
            (json!({}), "missing field `steward`"),
            (json!({ "steward": "hunter2" }), "has an `@`"),
            (json!({ "steward": ["a@example.com"] }), "expected a string"),
            (
                json!({ "steward": "owner", "steward_if_unknown": "project-leader" }),
                "steward_if_unknown: it is for a person whose address",
            ),
            (
                json!({ "steward": "owner", "expires_after_days": 0 }),
                "expires_after_days: write a number of days",
            ),
            (json!({ "steward": "owner", "expires_after_days": 61 }), "from 1 to 60"),
            (json!({ "steward": "owner", "ask_again_after_days": 366 }), "from 0 to 365"),
            (json!({ "steward": "owner", "remind_after_days": [7, 3] }), "that grow"),
            (json!({ "steward": "owner", "remind_after_days": [0] }), "from 1"),
            (json!({ "steward": "owner", "remind_after_days": [14] }), "below 14"),
            (json!({ "steward": "owner", "remind_after_days": [1, 2, 3, 4, 5, 6] }), "at most 5"),
            (
                json!({ "steward": "a@example.com", "steward_if_unknown": "b@example.com" }),
                "steward_if_unknown: it has an effect beside",
            ),
            (json!({ "steward": "owner", "certifier": "x" }), "unknown field `certifier`"),
        ] {
            let problem = read(settings.clone()).unwrap_err();
            assert!(problem.contains(expected), "{settings}: {problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
