//! Workbooks.

use super::{OwnerRef, ProjectRef};
use crate::client::Path;
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use tableau::WorkbookLuid;

/// A workbook.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Workbook {
    /// Its LUID.
    pub id: WorkbookLuid,
    /// Its name: untrusted text.
    pub name: String,
    /// Its page, for people.
    #[serde(default)]
    pub webpage_url: Option<String>,
    /// Where it is.
    #[serde(default)]
    pub project: Option<ProjectRef>,
    /// Whose it is.
    #[serde(default)]
    pub owner: Option<OwnerRef>,
    /// Its tags.
    #[serde(default, deserialize_with = "lenient::tags")]
    pub tags: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    workbook: Workbook,
}

impl TableauClient {
    /// Fetches a workbook. REST API 2.0+; JWT scope `tableau:content:read`.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404006 when the site has no such workbook.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm#query_workbook>
    pub async fn workbook(&self, luid: &WorkbookLuid) -> Result<Workbook, Error> {
        let path = format!("workbooks/{luid}");
        let answer: Answer = self.get("fetch the workbook", Path::Site(&path), &[]).await?;
        Ok(answer.workbook)
    }
}
