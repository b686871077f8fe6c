//! One file per REST resource.

pub(crate) mod broadcasts;
pub(crate) mod datasources;
pub(crate) mod exports;
pub(crate) mod jobs;
pub(crate) mod labels;
pub(crate) mod metadata;
pub(crate) mod projects;
pub(crate) mod quality_warnings;
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

/// The project of a workbook or data source, as its answer names it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ProjectRef {
    /// Its LUID.
    #[serde(default, deserialize_with = "lenient::part")]
    pub id: Option<ProjectLuid>,
    /// Its name, without the names of the projects around it.
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    pub name: String,
}

/// The owner of content. Tableau sends only the id, unless it is asked for more: for the rest use [`TableauClient::user`], or
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
    /// The name signed in with.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// The name for people.
    #[serde(default, deserialize_with = "lenient::text")]
    pub full_name: Option<String>,
    /// The e-mail address.
    #[serde(default, deserialize_with = "lenient::text")]
    pub email: Option<String>,
}

/// A text as one segment of a path. None cannot be one; dots are steps in an address, however they are encoded, and lead
/// to something else.
fn segment(operation: &'static str, text: &str) -> Result<String, Error> {
    if matches!(text, "" | "." | "..") {
        return Err(Error::Invalid {
            operation,
            reason: "an id or a name in the URL must not be empty, `.` or `..`",
        });
    }
    Ok(utf8_percent_encode(text, NON_ALPHANUMERIC).to_string())
}
