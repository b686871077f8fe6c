//! The columns of the table of incidents that the simulator knows.

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// A text of at most so many characters.
    Text(usize),
    /// One of the choices, each with its label.
    Choice(&'static [(&'static str, &'static str)]),
    /// A record of another table.
    Reference,
    /// Entries that are added and never replaced.
    Journal,
    /// The instance writes it.
    ReadOnly,
}

const LEVELS: &[(&str, &str)] =
    &[("1", "1 - High"), ("2", "2 - Medium"), ("3", "3 - Low"), ("5", "5 - Planning")];
const CATEGORIES: &[(&str, &str)] = &[
    ("inquiry", "Inquiry / Help"),
    ("software", "Software"),
    ("hardware", "Hardware"),
    ("network", "Network"),
    ("database", "Database"),
];
const CLOSE_CODES: &[(&str, &str)] = &[
    ("Solution provided", "Solution provided"),
    ("Resolved by caller", "Resolved by caller"),
    ("Solved (Permanently)", "Solved (Permanently)"),
];

/// The columns of an instance as it is delivered.
pub(super) const COLUMNS: &[(&str, Column)] = &[
    ("short_description", Column::Text(160)),
    ("description", Column::Text(4_000)),
    ("correlation_id", Column::Text(100)),
    ("correlation_display", Column::Text(100)),
    ("close_notes", Column::Text(4_000)),
    ("subcategory", Column::Text(40)),
    ("close_code", Column::Choice(CLOSE_CODES)),
    ("category", Column::Choice(CATEGORIES)),
    ("urgency", Column::Choice(LEVELS)),
    ("impact", Column::Choice(LEVELS)),
    ("state", Column::Text(40)),
    ("assignment_group", Column::Reference),
    ("caller_id", Column::Reference),
    ("parent_incident", Column::Reference),
    ("work_notes", Column::Journal),
    ("comments", Column::Journal),
    ("sys_id", Column::ReadOnly),
    ("number", Column::ReadOnly),
    ("active", Column::ReadOnly),
    ("priority", Column::ReadOnly),
    ("sys_created_on", Column::ReadOnly),
    ("sys_updated_on", Column::ReadOnly),
];

/// The length of a journal entry.
pub(super) const JOURNAL_LIMIT: usize = 4_000;

/// Whether a text has the form of an id.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
