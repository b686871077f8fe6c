//! The content of a notification, the same for all destinations: unescaped facts, which each destination renders.

mod build;
pub mod clock;
mod digest;
mod duration;
mod group;
mod mentioned;
mod of_rule;
mod place;
mod report;
mod sentence;
mod standing;
mod webhook;
mod words;

pub use build::{About, event, opened, resolved, test, updated};
pub use digest::digest;
pub use duration::duration;
pub use group::{group_announced, group_resolved};
pub use mentioned::{Mentioned, Person};
pub(crate) use of_rule::OfRule;
pub use place::Place;
pub use report::{failed_most, report_lines, report_sections, report_title};
pub use sentence::Sentence;
pub(crate) use standing::suspends_after;
pub(crate) use webhook::is_enabled_again;
pub use webhook::reason;
pub use words::{next_step, symbol, title};

use crate::impact::Impact;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::borrow::Cow;
use tableau::Event;

/// The kind of a notification: what it announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An event that belongs to no incident.
    Event,
    /// An incident opened.
    Opened,
    /// An incident continues: it failed again, or this is a reminder.
    Updated,
    /// An incident is over.
    Resolved,
    /// Many incidents opened.
    GroupOpened,
    /// Incidents joined a group or were resolved.
    GroupUpdated,
    /// All incidents of a group are over.
    GroupResolved,
    /// What happened during quiet hours.
    Digest,
}

impl Kind {
    /// Whether each item of the lists is a line of its own that says what there is to know, as in a digest. The items of other lists are
    /// names of objects, and a heading counts them.
    pub fn lists_lines(self) -> bool {
        matches!(self, Self::Digest | Self::Event)
    }
}

/// How serious the news is. A destination shows this as a symbol, a colour or a priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For information.
    Info,
    /// A failure is over.
    Resolved,
    /// Something a person may want to look at.
    Notice,
    /// Something fails.
    Error,
}

/// The content of one notification. Texts are unescaped and of any length; the destination escapes and shortens them.
/// Text written by Tableau or by users is only in `title`, `subject`, `own_title`, `own_text`, `next_step`, `facts`, `impact`, `lists`,
/// `links`, `mentioned`, `footnotes` and [`Cause`]; the rest is fixed text of this crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// What the notification announces.
    pub kind: Kind,
    /// What the notification belongs to: the id of its incident, group or event, the same in each notification about it. Of a
    /// digest: the id of the group that goes on about the objects that still fail; `None` if each of them goes on alone, or none
    /// fails. A destination that makes threads of its messages needs no other memory.
    pub thread: Option<String>,
    /// How serious the news is.
    pub severity: Severity,
    /// A symbol for destinations that show one. Each kind of news has a symbol of a different shape, so a reader need
    /// not see colours.
    pub symbol: &'static str,
    /// What happened, in a few words, without the object's name.
    pub title: String,
    /// The event that it announces; for a group one of its events. `None` for a digest and the end of a group. For destinations
    /// that hand the event's own fields on.
    pub event: Option<Box<Event>>,
    /// The object's name. `None` if the notification is about several objects.
    pub subject: Option<String>,
    /// The rule's own words in place of title and subject: untrusted, one line.
    pub own_title: Option<String>,
    /// The rule's own words below them: untrusted.
    pub own_text: Option<String>,
    /// Whom the message calls.
    pub mentioned: Mentioned,
    /// Why it fails; in a recovery, why it failed.
    pub cause: Option<Cause>,
    /// What the reader can do about it.
    pub next_step: Option<String>,
    /// Sentences about the present state of the incident, group or webhook, or about the week of a report.
    pub status: Vec<Status>,
    /// Which workbooks use the failing data source. Not in messages about many objects.
    pub impact: Option<Impact>,
    /// Further facts (project, owner, time, …), most important first.
    pub facts: Vec<Fact>,
    /// In a group's message the members by cause; in a digest what happened; in a weekly report what failed most, and so on.
    pub lists: Vec<List>,
    /// Links to the object or the job in Tableau.
    pub links: Vec<Link>,
    /// Small print: ids that support needs, and what Tableau could not say and why.
    pub footnotes: Vec<String>,
    /// The site's time zone, in which all times of the message are shown: see [`clock`].
    pub timezone: Option<TimeZone>,
}

/// Why something failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Tableau gave a reason.
    Known {
        /// The class of the cause, in a few words.
        title: String,
        /// The line of Tableau's job notes that gives the reason.
        line: String,
    },
    /// No reason is known.
    Unknown {
        /// Why no reason is known, without a full stop.
        why: String,
    },
}

/// A sentence about the present state of an incident, a group or a webhook, or about a week. Times stay data until a destination shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// How many refreshes have failed in a row, and since when.
    Failures {
        /// How many refreshes failed.
        count: u32,
        /// When the first of them failed.
        since: Timestamp,
        /// How long they have been failing, in words.
        lasted: String,
    },
    /// The last success before the failures.
    LastSuccess {
        /// When the refresh succeeded.
        at: Timestamp,
    },
    /// How far Tableau is from suspending the scheduled refresh. Tableau counts only failures of scheduled runs, and its
    /// events do not say which runs were scheduled.
    Suspension {
        /// How many more failures in a row Tableau allows at least. 0: it has probably suspended the refresh.
        left: u32,
    },
    /// How many refreshes failed in all before the incident ended.
    Total {
        /// How many refreshes failed.
        count: u32,
        /// When the first of them failed.
        since: Timestamp,
        /// When the incident ended.
        until: Timestamp,
    },
    /// The object is flapping: it failed and recovered so often within a day that further alerts about it are
    /// suppressed.
    Flapping {
        /// How often the object recovered within the day.
        recoveries: usize,
    },
    /// A reminder: the object still fails, and nothing was sent about it for a day.
    StillOpen {
        /// How long the object has been failing, in words.
        lasted: String,
    },
    /// A later refresh succeeded, but Tableau sent no event about it.
    SuccessEventMissing,
    /// A webhook is disabled, so events do not arrive.
    NoDeliveries {
        /// When it was last seen enabled; `None` if never.
        last_enabled: Option<Timestamp>,
        /// When it was found disabled.
        found: Timestamp,
    },
    /// A webhook was disabled, and is enabled again: events of that time did not arrive.
    MissedDeliveries {
        /// When it was last seen enabled; `None` if never.
        last_enabled: Option<Timestamp>,
        /// When it was enabled again.
        until: Timestamp,
    },
    /// How many refreshes of a week failed.
    FailedInWeek {
        /// How many failed.
        failed: u64,
        /// How many ended, the failed ones included.
        ended: u64,
        /// Both numbers of the week before, if it is known.
        before: Option<(u64, u64)>,
    },
    /// No event came in the week.
    NoEventsInWeek,
    /// How many members have joined the group since its last message, where a message cannot be edited and one more is sent.
    New {
        /// How many.
        count: usize,
    },
    /// How many members a group has, and when it began.
    Members {
        /// How many members the group has.
        count: usize,
        /// When the first member began to fail.
        since: Option<Timestamp>,
    },
}

/// One fact about the event or its object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The fact's label: `Project`, `Owner`, `When`, `Site`, `Tags`; of a deletion, `Deleted by` and `Was in`; of a weekly report, what is
    /// counted, such as `Incidents`. Of an event of a caller also
    /// the caller's words, which have letters, digits and spaces only.
    pub label: Cow<'static, str>,
    /// The fact's value.
    pub value: Value,
}

impl Fact {
    /// A fact with a label of this crate.
    pub fn new(label: &'static str, value: Value) -> Self {
        Self { label: Cow::Borrowed(label), value }
    }
}

/// The value of a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A person: the name, and the e-mail address if it differs from the name.
    Person {
        /// The person's name.
        name: String,
        /// The person's e-mail address.
        email: Option<String>,
    },
    /// A point in time.
    Time(Timestamp),
}

/// A list of objects or events in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The list's heading: a cause, or a text such as `2 still failing`.
    pub heading: Option<String>,
    /// The items that the list names.
    pub items: Vec<Item>,
    /// How many further items the list does not name.
    pub more: usize,
}

/// One item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The thread of a notification about this item alone: the id of its incident or event. In a digest only of what still fails
    /// and of events that belong to no incident; there is nothing to say any more about the other ones.
    pub id: Option<String>,
    /// What happened, if the items of the list differ in that.
    pub what: Option<String>,
    /// The object's name.
    pub name: String,
    /// Where the object is and whose it is.
    pub place: Place,
    /// The cause, if the refresh failed; in a weekly report what it says about the item.
    pub cause: Option<String>,
    /// How many times it happened.
    pub times: usize,
    /// When it first and last happened. `None` for members of a group.
    pub when: Option<(Timestamp, Timestamp)>,
}

/// A link in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The link's text.
    pub label: &'static str,
    /// The link's address.
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
            thread: None,
            severity,
            symbol,
            title: title.into(),
            event: None,
            subject: None,
            own_title: None,
            own_text: None,
            mentioned: Mentioned::default(),
            cause: None,
            next_step: None,
            status: Vec::new(),
            impact: None,
            facts: Vec::new(),
            lists: Vec::new(),
            links: Vec::new(),
            footnotes: Vec::new(),
            timezone: None,
        }
    }

    /// Title and subject in one line: `Extract refresh failed: Sales`; or the rule's own title.
    pub fn headline(&self) -> String {
        match (&self.own_title, &self.subject) {
            (Some(own), _) => own.clone(),
            (None, Some(subject)) => format!("{}: {subject}", self.title),
            (None, None) => self.title.clone(),
        }
    }

    /// The whole notification in one line, for push notifications, SMS and screen readers: headline, project and
    /// cause.
    pub fn summary(&self) -> String {
        let project = self.facts.iter().find_map(|fact| match (fact.label.as_ref(), &fact.value) {
            (PROJECT | WAS_IN, Value::Text(project)) if project != NO_NAME => Some(format!(" ({project})")),
            _ => None,
        });
        let cause = match &self.cause {
            Some(Cause::Known { title, .. }) if self.kind == Kind::Resolved => format!(" – it was: {title}"),
            Some(Cause::Known { title, .. }) => format!(" – {title}"),
            Some(Cause::Unknown { .. }) | None => self.causes(),
        };
        format!("{}{}{cause}", self.headline(), project.unwrap_or_default())
    }

    /// The causes of a group's failures with their counts, as text.
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
/// The project that a deleted object was in.
pub(crate) const WAS_IN: &str = "Was in";
pub(crate) const DELETED_BY: &str = "Deleted by";
/// The placeholder for a name without any visible character.
pub(crate) const NO_NAME: &str = "(no name)";

#[cfg(test)]
mod tests;
