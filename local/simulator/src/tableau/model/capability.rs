//! Permissions: capabilities that are allowed or denied for single users.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_permissions.htm>

use tableau::UserLuid;

/// One capability of a user on one object, allowed or denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capability {
    /// The LUID of the workbook, data source, view or project.
    pub(crate) on: String,
    pub(crate) user: UserLuid,
    /// The capability's name in Tableau's spelling: `Read`, `Write`, `ExtractRefresh`, …
    pub(crate) name: &'static str,
    pub(crate) mode: Mode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Allow,
    Deny,
}

impl Mode {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "Allow",
            Self::Deny => "Deny",
        }
    }

    /// Parses the mode. Case matters.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Allow, Self::Deny].into_iter().find(|mode| mode.as_str() == text)
    }
}
