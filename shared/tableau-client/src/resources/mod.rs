//! One file per REST resource.

pub(crate) mod broadcasts;
pub(crate) mod datasources;
pub(crate) mod jobs;
pub(crate) mod users;
pub(crate) mod workbooks;

use serde::Deserialize;
use tableau::{ProjectLuid, UserLuid};

/// The project of a workbook or data source, as its answer names it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ProjectRef {
    /// Its LUID.
    #[serde(default)]
    pub id: Option<ProjectLuid>,
    /// Its name, without the names of the projects around it.
    #[serde(default)]
    pub name: String,
}

/// The owner of a workbook or data source. Only the id: the rest takes [`TableauClient::user`].
///
/// [`TableauClient::user`]: crate::TableauClient::user
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct OwnerRef {
    /// The user's LUID.
    #[serde(default)]
    pub id: Option<UserLuid>,
}
