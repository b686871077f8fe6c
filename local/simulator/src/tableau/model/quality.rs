//! Data labels, which describe the quality of a data source. Quality warnings and certifications are labels too, with
//! values of their own.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_data_labels.htm>

use jiff::Timestamp;
use tableau::UserLuid;

/// The label value of a certification.
pub(crate) const CERTIFIED: &str = "certified";

/// The types of quality warnings, each with its label value.
pub(crate) const WARNINGS: [(&str, &str); 5] = [
    ("WARNING", "warning"),
    ("DEPRECATED", "deprecated"),
    ("STALE", "stale"),
    ("MAINTENANCE", "maintenance"),
    ("SENSITIVE_DATA", "sensitive-data"),
];

/// A label on a data source. A data source has at most one label per value.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) luid: String,
    /// The LUID of the data source.
    pub(crate) content: String,
    /// The label's value, such as `stale`.
    pub(crate) value: String,
    pub(crate) active: bool,
    /// Whether the label is shown prominently; for a warning, whether it is severe.
    pub(crate) elevated: bool,
    pub(crate) message: String,
    pub(crate) owner: Option<UserLuid>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl Label {
    /// The type of quality warning that this label is; `None` for other labels.
    pub(crate) fn warning(&self) -> Option<&'static str> {
        WARNINGS.iter().find(|(_, value)| *value == self.value).map(|(kind, _)| *kind)
    }
}
