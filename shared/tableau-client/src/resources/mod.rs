//! One file per REST resource.

pub(crate) mod broadcasts;
pub(crate) mod connections;
pub(crate) mod datasources;
pub(crate) mod exports;
pub(crate) mod flows;
pub(crate) mod groups;
pub(crate) mod jobs;
pub(crate) mod labels;
pub(crate) mod metadata;
pub(crate) mod projects;
pub(crate) mod quality_warnings;
pub(crate) mod recycle_bin;
pub(crate) mod refreshes;
pub(crate) mod sites;
pub(crate) mod tags;
pub(crate) mod tasks;
pub(crate) mod users;
pub(crate) mod views;
pub(crate) mod webhooks;
pub(crate) mod workbooks;

use crate::{Error, lenient};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use tableau::{ProjectLuid, UserLuid};

/// The project of a workbook or data source, as an answer names it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ProjectRef {
    /// The project's LUID.
    #[serde(default, deserialize_with = "lenient::part")]
    pub id: Option<ProjectLuid>,
    /// The project's name (without the projects around it).
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    pub name: String,
}

/// The owner of content. By default Tableau sends only the owner's id. For the rest use [`TableauClient::user`], or
/// [`Pages::fields`] with `_default_,owner.email`.
///
/// [`TableauClient::user`]: crate::TableauClient::user
/// [`Pages::fields`]: crate::Pages::fields
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerRef {
    /// The user's LUID.
    #[serde(default, deserialize_with = "lenient::part")]
    pub id: Option<UserLuid>,
    /// The name with which the user signs in.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// The user's display name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub full_name: Option<String>,
    /// The user's e-mail address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub email: Option<String>,
}

/// Encodes a text as one path segment. An empty text cannot be one, and neither can `.` and `..`, which change the
/// path in any encoding.
fn segment(operation: &'static str, text: &str) -> Result<String, Error> {
    if matches!(text, "" | "." | "..") {
        return Err(Error::Invalid {
            operation,
            reason: "an id or a name in the URL must not be empty, `.` or `..`",
        });
    }
    Ok(utf8_percent_encode(text, NON_ALPHANUMERIC).to_string())
}
