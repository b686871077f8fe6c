//! Data sources.

use super::{OwnerRef, ProjectRef};
use crate::client::Path;
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use tableau::DatasourceLuid;

/// A published data source.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Datasource {
    /// Its LUID.
    pub id: DatasourceLuid,
    /// Its name: untrusted text.
    pub name: String,
    /// Its page, for people. Tableau's pages spell the key in two ways.
    #[serde(default, alias = "webPageUrl")]
    pub webpage_url: Option<String>,
    /// Whether someone vouches for it.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub is_certified: bool,
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
    datasource: Datasource,
}

impl TableauClient {
    /// Fetches a data source. REST API 2.0+; JWT scope `tableau:content:read`.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404004 when the site has no such data source.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_data_sources.htm#query_data_source>
    pub async fn datasource(&self, luid: &DatasourceLuid) -> Result<Datasource, Error> {
        let path = format!("datasources/{luid}");
        let answer: Answer = self.get("fetch the data source", Path::Site(&path), &[]).await?;
        Ok(answer.datasource)
    }
}
