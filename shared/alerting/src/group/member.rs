//! A member of a group: one incident, or one event in a group of events.

use crate::notification::{Person, Place};
use crate::time::is_credible;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tableau_client::CauseClass;

/// How many characters of an object's name are kept: group messages show no more.
const NAME_LIMIT: usize = 60;

/// A member of a group: one incident, or one event in a group of events. Stored as an item of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The incident's id; in a group of events the event's short id.
    pub id: String,
    /// The object's name, as Tableau has it.
    pub name: String,
    /// The cause of the failure, in a few words. `None` when the cause is unknown and for events that are no
    /// failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The name of the cause's class, by which a group's message lists its members. `None` where `cause` is, and in members
    /// of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// When the failure began, or when the event happened.
    pub since: Timestamp,
    /// When the incident was resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<Timestamp>,
    /// How the member is announced.
    pub placement: Placement,
    /// The object's LUID, which is its key.
    #[serde(default)]
    pub object: String,
    /// Whether the member is a single event, which has no end, and not an incident.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_event: bool,
    /// The event's payload, needed to announce the member alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sample: String,
    /// The object's owner, if the group's message calls the owner: the timer that sends it looks nothing up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Person>,
    /// Where the object is and whose it is, for the group's message.
    #[serde(default, skip_serializing_if = "Place::is_empty")]
    pub place: Place,
}

/// How a member is announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Placement {
    /// By the group's messages, once the group sends one.
    #[default]
    Grouped,
    /// By messages of its own.
    Alone,
    /// Not announced: the member's rule was muted before the group was announced.
    Left,
}

impl Member {
    /// Creates a member that still fails.
    pub fn new(id: &str, name: &str, cause: Option<&str>, since: Timestamp) -> Self {
        Self {
            id: id.to_owned(),
            name: name.chars().take(NAME_LIMIT).collect(),
            cause: cause.map(str::to_owned),
            class: None,
            since,
            resolved_at: None,
            placement: Placement::Grouped,
            object: String::new(),
            is_event: false,
            sample: String::new(),
            owner: None,
            place: Place::default(),
        }
    }

    /// The member with the class of its cause.
    #[must_use]
    pub fn of_class(self, class: Option<CauseClass>) -> Self {
        Self { class: class.map(|class| class.name().to_owned()), ..self }
    }

    /// What the member is listed under: the heading, and the name of the class, empty if there is none. Members of one
    /// class have one heading, whatever title each was stored with. A member of an earlier version has the class of its
    /// title. A class of a newer version has the title that was stored with it.
    pub fn listed_under(&self) -> Option<(&str, &str)> {
        let title = self.cause.as_deref();
        let is_of = |class: &CauseClass| match &self.class {
            Some(name) => class.name() == name,
            None => title == Some(class.title()),
        };
        match CauseClass::ALL.iter().find(|class| is_of(class)) {
            Some(class) => Some((class.title(), class.name())),
            None => title.map(|title| (title, self.class.as_deref().unwrap_or_default())),
        }
    }

    /// Whether the member still fails and is announced by the group.
    pub fn is_in_group(&self) -> bool {
        self.is_firing() && self.placement == Placement::Grouped
    }

    /// Whether the member still fails.
    pub fn is_firing(&self) -> bool {
        self.resolved_at.is_none()
    }

    /// Clears what this crate never writes: timestamps in the future, an address that is none.
    pub fn sanitize(&mut self, now: Timestamp) {
        self.since = if is_credible(self.since, now) { self.since } else { now };
        self.resolved_at = self.resolved_at.filter(|at| is_credible(*at, now));
        self.owner.iter_mut().for_each(Person::sanitize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(json: &str) -> Member {
        let rest = r#""id":"i","name":"Sales","since":"2026-11-28T10:00:00Z","placement":"grouped""#;
        serde_json::from_str(&format!("{{{rest}{json}}}")).unwrap()
    }

    #[test]
    fn a_member_is_listed_under_its_class_and_one_of_an_earlier_version_under_that_of_its_title() {
        let credentials = Some((CauseClass::Credentials.title(), "Credentials"));
        let title = CauseClass::Credentials.title();
        for (json, expected) in [
            (format!(r#","cause":"{title}","class":"Credentials""#), credentials),
            (r#","cause":"The title of another version","class":"Credentials""#.to_owned(), credentials),
            (format!(r#","cause":"{title}""#), credentials),
            (r#","cause":"A former title""#.to_owned(), Some(("A former title", ""))),
            (
                r#","cause":"Of a newer version","class":"Cosmic""#.to_owned(),
                Some(("Of a newer version", "Cosmic")),
            ),
            (String::new(), None),
        ] {
            assert_eq!(stored(&json).listed_under(), expected, "{json}");
        }
    }

    #[test]
    fn a_member_is_stored_with_its_class_and_read_as_it_was_written() {
        let member = Member::new("i", "Sales", Some("Quota used up"), Timestamp::UNIX_EPOCH);
        let member = member.of_class(Some(CauseClass::Quota));
        let text = serde_json::to_string(&member).unwrap();
        assert!(text.contains(r#""class":"Quota""#), "{text}");
        assert_eq!(serde_json::from_str::<Member>(&text).unwrap(), member);
    }
}
