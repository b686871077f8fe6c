//! Capabilities that are given or denied one by one.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_permissions.htm>

use tableau::UserLuid;

/// What a user is allowed or denied on one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Capability {
    /// LUID of the workbook, data source, view or project.
    pub(crate) on: String,
    pub(crate) user: UserLuid,
    /// As Tableau writes it: `Read`, `Write`, `ExtractRefresh`, …
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

    /// Upper and lower case matter.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Allow, Self::Deny].into_iter().find(|mode| mode.as_str() == text)
    }
}
