//! What a target is to read: one content model for all destinations, of unescaped facts. A destination renders it.

mod build;
mod digest;
mod group;
mod words;

pub use build::{About, event, opened, resolved, updated};
pub use digest::digest;
pub use group::{group_announced, group_resolved};
pub use words::{duration, next_step, symbol, title};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What a notification announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An event that belongs to no incident.
    Event,
    /// An incident opened.
    Opened,
    /// An incident goes on: more failures, or a reminder.
    Updated,
    /// An incident is over.
    Resolved,
    /// Many incidents opened.
    GroupOpened,
    /// Incidents joined a group or were resolved.
    GroupUpdated,
    /// All incidents of a group are over.
    GroupResolved,
    /// What happened in quiet hours.
    Digest,
}

/// How bad it is. A destination shows it as a symbol, a colour or a priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For information.
    Info,
    /// A failure is over.
    Resolved,
    /// A person may want to look.
    Notice,
    /// Something fails.
    Error,
}

/// What a target is to read. Texts are unescaped and of any length; a destination escapes and cuts them. What Tableau or
/// a person wrote is in `subject`, `facts`, `lists`, `links` and [`Cause`]; everything else is ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// What it announces.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// A symbol for destinations that show one. Each kind of news has a symbol of its own, so colour is not needed.
    pub symbol: &'static str,
    /// What happened, in a few words, without the object's name.
    pub title: String,
    /// The name of the object. `None` where there are many.
    pub subject: Option<String>,
    /// Why it failed.
    pub cause: Option<Cause>,
    /// What to do.
    pub next_step: Option<String>,
    /// Sentences about how the incident or group stands.
    pub status: Vec<Status>,
    /// What else is known, in the order of importance.
    pub facts: Vec<Fact>,
    /// The members of a group by cause, or what happened in quiet hours.
    pub lists: Vec<List>,
    /// Where to look.
    pub links: Vec<Link>,
    /// What support needs, and what is missing and why.
    pub footnotes: Vec<String>,
    /// The site's time zone, for destinations that cannot show a time by the reader's own clock.
    pub timezone: Option<TimeZone>,
}

/// Why something failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Tableau's reason.
    Known {
        /// Its class, in a few words.
        title: String,
        /// The line of Tableau's failure note that says it.
        line: String,
    },
    /// The reason could not be had.
    Unknown {
        /// Why not, without a full stop.
        why: String,
    },
}

/// One sentence about how an incident or group stands. Times and durations are facts, so that each destination words
/// times as its readers expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// So many failures since then, over so many seconds.
    Failures {
        /// How many.
        count: u32,
        /// When the first was.
        since: Timestamp,
        /// For how long, in words.
        lasted: String,
    },
    /// How many failures there were before the end.
    Total {
        /// How many.
        count: u32,
        /// When the first was.
        since: Timestamp,
    },
    /// The object failed and recovered so often within a day that further alerts are suppressed until it is stable.
    Flapping {
        /// How often it recovered.
        recoveries: usize,
    },
    /// It still fails, and nothing was sent about it for a day.
    StillOpen {
        /// For how long it has been failing, in words.
        lasted: String,
    },
    /// A later refresh succeeded, but Tableau sent no event about it.
    SuccessEventMissing,
    /// How many members have joined the group since its last message, where a message cannot be edited and one more is sent.
    New {
        /// How many.
        count: usize,
    },
    /// The group began then and has so many members.
    Members {
        /// How many.
        count: usize,
        /// When the first began to fail.
        since: Option<Timestamp>,
    },
}

/// Something known about the event or its object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is: `Project`, `Owner`, `When`, `Site`, `Tags`.
    pub label: &'static str,
    /// Its value.
    pub value: Value,
}

/// The value of a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A person: name, and e-mail address if it is not the name.
    Person {
        /// Name.
        name: String,
        /// E-mail address.
        email: Option<String>,
    },
    /// An instant.
    Time(Timestamp),
}

/// Things of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// What they have in common: a cause, or `2 still failing`.
    pub heading: Option<String>,
    /// The things.
    pub items: Vec<Item>,
    /// How many more there are that are not named.
    pub more: usize,
}

/// One thing in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What happened, if the list is about different things.
    pub what: Option<String>,
    /// The object's name.
    pub name: String,
    /// Why, if it failed.
    pub cause: Option<String>,
    /// How often.
    pub times: usize,
    /// When: first and last. Empty for members of a group.
    pub when: Option<(Timestamp, Timestamp)>,
}

/// A link for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What opens.
    pub label: &'static str,
    /// The address.
    pub url: String,
}

impl Notification {
    pub(crate) fn new(
        kind: Kind,
        severity: Severity,
        symbol: &'static str,
        title: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            severity,
            symbol,
            title: title.into(),
            subject: None,
            cause: None,
            next_step: None,
            status: Vec::new(),
            facts: Vec::new(),
            lists: Vec::new(),
            links: Vec::new(),
            footnotes: Vec::new(),
            timezone: None,
        }
    }

    /// Title and subject in one line: `Extract refresh failed: Sales`.
    pub fn headline(&self) -> String {
        match &self.subject {
            Some(subject) => format!("{}: {subject}", self.title),
            None => self.title.clone(),
        }
    }

    /// Everything in one line, for push notifications, SMS and screen readers: headline, project and cause.
    pub fn summary(&self) -> String {
        let project = self.facts.iter().find_map(|fact| match (fact.label, &fact.value) {
            (PROJECT, Value::Text(project)) if project != NO_NAME => Some(format!(" ({project})")),
            _ => None,
        });
        let cause = match &self.cause {
            Some(Cause::Known { title, .. }) => format!(" – {title}"),
            Some(Cause::Unknown { .. }) | None => self.causes(),
        };
        format!("{}{}{cause}", self.headline(), project.unwrap_or_default())
    }

    /// The causes of a group with their counts.
    fn causes(&self) -> String {
        if !matches!(self.kind, Kind::GroupOpened | Kind::GroupUpdated) {
            return String::new();
        }
        let cause = |list: &List| {
            list.heading.as_ref().map(|heading| format!("{heading}: {}", list.items.len() + list.more))
        };
        let causes: Vec<String> = self.lists.iter().filter_map(cause).collect();
        if causes.is_empty() { String::new() } else { format!(" – {}", causes.join(", ")) }
    }
}

pub(crate) const PROJECT: &str = "Project";
/// What stands in place of a name of invisible characters.
pub(crate) const NO_NAME: &str = "(no name)";

#[cfg(test)]
mod tests;
