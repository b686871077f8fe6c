//! The columns of each kind of file: the documented schema. Columns are only ever added, at the end.

use std::fmt;

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// One row for each workflow and event.
    Deliveries,
    /// One row for each event.
    Events,
    /// One row for each incident that ended that day, or was open at its end.
    Incidents,
}

/// The type of a column. There are no structs: lists and objects are one JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text; ids are text, also those that look like numbers.
    Text,
    /// A time in UTC, as RFC 3339.
    Timestamp,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A list or an object, as JSON in a text.
    Json,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// The type of its values.
    pub of: Type,
    /// Whether it may be null.
    pub is_nullable: bool,
    /// Whether it may name a person.
    pub is_personal: bool,
    /// What it is.
    pub about: &'static str,
}

const fn column(name: &'static str, of: Type, about: &'static str) -> Column {
    Column { name, of, is_nullable: false, is_personal: false, about }
}

const fn nullable(name: &'static str, of: Type, about: &'static str) -> Column {
    Column { name, of, is_nullable: true, is_personal: false, about }
}

impl Column {
    const fn personal(self) -> Self {
        Self { is_personal: true, ..self }
    }
}

const DELIVERIES: &[Column] = &[
    column("event_id", Type::Text, "the event's id: SHA-256 of its payload"),
    column("workflow", Type::Text, "the workflow, such as `notify-slack`"),
    column("event_name", Type::Text, "the event's name, such as `WorkbookRefreshFailed`"),
    column("site_luid", Type::Text, "LUID of the site"),
    column("object_luid", Type::Text, "LUID of the workbook, data source or other object"),
    nullable("happened_at", Type::Timestamp, "when it happened, as Tableau says it"),
    column("first_seen_at", Type::Timestamp, "when the workflow first received it"),
    nullable("updated_at", Type::Timestamp, "when the record last changed"),
    column(
        "outcome",
        Type::Text,
        "`done`, `grouped`, `skipped`, `ignored`, `failed`, `released`, `misconfigured`, `deferred`, `dropped` or `claimed`",
    ),
    nullable("reason", Type::Text, "why it ended so").personal(),
    column("attempts", Type::Integer, "how many attempts began"),
    nullable(
        "cause",
        Type::Text,
        "the class of the cause of a failed refresh, such as `Credentials`; `NotFound`: it was not found",
    ),
    nullable("done_at", Type::Timestamp, "when it was done"),
    nullable("seconds_to_done", Type::Number, "seconds from the event at Tableau to the end of the work"),
    column("effects", Type::Json, "what was done, such as `notified/data-alerts`: a list").personal(),
    column(
        "attempts_json",
        Type::Json,
        "each attempt that ended: a list of objects with `attempt`, `began_at`, `ended_at`, `outcome`, `reason`, `next_at`",
    ).personal(),
];

const EVENTS: &[Column] = &[
    column("event_id", Type::Text, "the event's id: SHA-256 of its payload"),
    column("event_name", Type::Text, "the event's name, such as `WorkbookRefreshFailed`"),
    column("site_luid", Type::Text, "LUID of the site"),
    column(
        "object_kind",
        Type::Text,
        "`workbook`, `data source`, `view`, `user`, `site`, `webhook` or `resource`",
    ),
    column("object_luid", Type::Text, "LUID of the object"),
    nullable("object_name", Type::Text, "its name at that time").personal(),
    nullable("happened_at", Type::Timestamp, "when it happened, as Tableau says it"),
    column("received_at", Type::Timestamp, "when the first workflow received it"),
    nullable(
        "cause",
        Type::Text,
        "the class of the cause of a failed refresh, such as `Credentials`; `NotFound`: it was not found",
    ),
    column("payload", Type::Json, "all that was sent").personal(),
];

const INCIDENTS: &[Column] = &[
    column("incident_id", Type::Text, "the short id of the event that opened it"),
    column("state", Type::Text, "`resolved`: it ended that day; `open`: it was open at the end of the day"),
    column("site_luid", Type::Text, "LUID of the site"),
    column("object_kind", Type::Text, "`workbook` or `data source`"),
    column("object_luid", Type::Text, "LUID of the object"),
    nullable("object_name", Type::Text, "its name").personal(),
    column("opened_at", Type::Timestamp, "when it failed first"),
    column("last_failed_at", Type::Timestamp, "when it failed last"),
    nullable("ended_at", Type::Timestamp, "when it ended"),
    nullable("how_ended", Type::Text, "`recovered`, or `deleted` with its object"),
    column("failures", Type::Integer, "how many refreshes failed"),
    nullable("lasted_seconds", Type::Integer, "from the first failure to the end"),
    column(
        "incidents_within_a_day",
        Type::Integer,
        "which incident of the object it was within 24 hours; from 4 on the object flaps",
    ),
    nullable("cause", Type::Text, "the most frequent class of cause"),
    nullable("owner_name", Type::Text, "the owner's name, as Tableau said it at the export").personal(),
    nullable("owner_email", Type::Text, "the owner's e-mail address").personal(),
];

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Deliveries, Self::Events, Self::Incidents];

    /// The name, which is the folder's too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deliveries => "deliveries",
            Self::Events => "events",
            Self::Incidents => "incidents",
        }
    }

    /// The columns, in the order of a row.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Deliveries => DELIVERIES,
            Self::Events => EVENTS,
            Self::Incidents => INCIDENTS,
        }
    }

    /// The columns as a table in Markdown.
    pub fn markdown(self) -> String {
        let mut table = "| Column | Type | Is |\n| --- | --- | --- |\n".to_owned();
        for column in self.columns() {
            let null = if column.is_nullable { ", or null" } else { "" };
            let personal = if column.is_personal { "; may name a person" } else { "" };
            let (name, of, about) = (column.name, column.of, column.about);
            table.push_str(&format!("| `{name}` | {of}{null} | {about}{personal} |\n"));
        }
        table
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Timestamp => "timestamp",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Json => "text with JSON",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for kind in Kind::ALL {
            let names: Vec<_> = kind.columns().iter().map(|column| column.name).collect();
            let mut unique = names.clone();
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), names.len(), "{kind}");
        }
    }
}
