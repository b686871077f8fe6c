//! Data labels: what is said of the quality of a data source. Quality warnings are labels of their own values, and a
//! certification is one too.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_data_labels.htm>

use jiff::Timestamp;
use tableau::UserLuid;

/// The value of a certification.
pub(crate) const CERTIFIED: &str = "certified";

/// The types of quality warnings, and the values of the labels that they are.
pub(crate) const WARNINGS: [(&str, &str); 5] = [
    ("WARNING", "warning"),
    ("DEPRECATED", "deprecated"),
    ("STALE", "stale"),
    ("MAINTENANCE", "maintenance"),
    ("SENSITIVE_DATA", "sensitive-data"),
];

/// A label on a data source, which has at most one of each value.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) luid: String,
    /// LUID of what it is on.
    pub(crate) content: String,
    /// The name of a label value.
    pub(crate) value: String,
    pub(crate) active: bool,
    /// Shown prominently; severe, of a warning.
    pub(crate) elevated: bool,
    pub(crate) message: String,
    pub(crate) owner: Option<UserLuid>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Label {
    /// The type of the quality warning that it is.
    pub(crate) fn warning(&self) -> Option<&'static str> {
        WARNINGS.iter().find(|(_, value)| *value == self.value).map(|(kind, _)| *kind)
    }
}
