//! Data sources.

use super::{OwnerRef, ProjectRef};
use crate::call::{Call, Path};
use crate::filter::{Condition, Field, Filter, Filtered, Named, Published, Tagged, sealed};
use crate::pages::{List, Pages, Place};
use crate::{ApiVersion, Error, TableauClient, lenient};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tableau::DatasourceLuid;

/// A published data source.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Datasource {
    /// The data source's LUID.
    pub id: DatasourceLuid,
    /// The data source's name: untrusted text.
    #[serde(deserialize_with = "lenient::name")]
    pub name: String,
    /// The data source's name in URLs.
    #[serde(default, deserialize_with = "lenient::text")]
    pub content_url: Option<String>,
    /// The address of the data source's page in a browser.
    #[serde(flatten, deserialize_with = "lenient::webpage_url")]
    pub webpage_url: Option<String>,
    /// The kind of connection, such as `snowflake`.
    #[serde(default, rename = "type", deserialize_with = "lenient::text")]
    pub kind: Option<String>,
    /// Whether the data source has an extract, which refreshes update; otherwise it is a live connection.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub has_extracts: bool,
    /// Whether the data source is certified.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub is_certified: bool,
    /// The note of the person who certified the data source: untrusted text.
    #[serde(default, deserialize_with = "lenient::text")]
    pub certification_note: Option<String>,
    /// When the data source was first published.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub created_at: Option<Timestamp>,
    /// When the data source was last changed.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub updated_at: Option<Timestamp>,
    /// The project that contains the data source.
    #[serde(default, deserialize_with = "lenient::part")]
    pub project: Option<ProjectRef>,
    /// The owner of the data source.
    #[serde(default, deserialize_with = "lenient::part")]
    pub owner: Option<OwnerRef>,
    /// The data source's tags.
    #[serde(default, deserialize_with = "lenient::tags")]
    pub tags: Vec<String>,
}

impl sealed::Sealed for Datasource {}
impl Named for Datasource {}
impl Tagged for Datasource {}
impl Published for Datasource {}

impl Filtered for Datasource {
    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "projectName" => Field::Text(self.project.as_ref().map(|project| project.name.as_str())),
            "tags" => Field::Texts(&self.tags),
            "updatedAt" => Field::Time(self.updated_at),
            "isCertified" => Field::Text(Some(if self.is_certified { "true" } else { "false" })),
            _ => Field::Text(Some(&self.name)),
        }
    }
}

impl Filter<Datasource> {
    /// Data sources that are certified, or those that are not.
    #[must_use]
    pub fn certified(self, certified: bool) -> Self {
        self.with("isCertified", Condition::Is(certified.to_string()))
    }
}

/// REST API 3.13 to 3.17 cannot filter data sources by project.
fn unknown(version: ApiVersion) -> &'static [&'static str] {
    let without = ApiVersion::new(3, 13)..=ApiVersion::new(3, 17);
    if without.contains(&version) { &["projectName"] } else { &[] }
}

#[derive(Deserialize)]
struct Answer {
    datasource: Datasource,
}

impl TableauClient {
    /// Fetches a data source. REST API 2.0+; JWT scope `tableau:content:read`.
    ///
    /// The number in a browser's address is not a LUID: [`TableauClient::shown_at`] finds the LUID for it.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404004 when the site has no such data source.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_data_sources.htm#query_data_source>
    pub async fn datasource(&self, luid: &DatasourceLuid) -> Result<Datasource, Error> {
        let path = format!("datasources/{luid}");
        let answer: Answer = self.ask(Call::get("fetch the data source", Path::Site(&path))).await?;
        Ok(answer.datasource)
    }

    /// Lists data sources. The list behaves like [`TableauClient::workbooks`]. REST API 2.0+; JWT scope
    /// `tableau:content:read`.
    ///
    /// # Errors
    /// The same as for [`TableauClient::workbooks`].
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_data_sources.htm#query_data_sources>
    pub fn datasources(&self, filter: Filter<Datasource>) -> Pages<Datasource> {
        let list = List {
            operation: "list the data sources",
            path: "datasources".to_owned(),
            wrapper: "datasources",
            element: "datasource",
            place: Place::Site,
            paged: true,
            unknown,
        };
        Pages::new(self, list, filter)
    }

    /// Certifies a data source, with a note for its users. For administrators and project leaders. REST API 2.0+; JWT
    /// scope `tableau:datasources:update`. Does not need Data Management.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 403004 without the rights, 404004 when the site has no such data source.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_data_sources.htm#update_data_source>
    pub async fn certify(&self, luid: &DatasourceLuid, note: &str) -> Result<(), Error> {
        self.set_certified("certify the data source", luid, true, note).await
    }

    /// Removes a certification and its note. Otherwise the same as [`TableauClient::certify`].
    ///
    /// # Errors
    /// The same as for [`TableauClient::certify`].
    ///
    /// Source: the same as for [`TableauClient::certify`].
    pub async fn decertify(&self, luid: &DatasourceLuid) -> Result<(), Error> {
        self.set_certified("remove the data source's certification", luid, false, "").await
    }

    async fn set_certified(
        &self,
        operation: &'static str,
        luid: &DatasourceLuid,
        certified: bool,
        note: &str,
    ) -> Result<(), Error> {
        let body = json!({ "datasource": { "isCertified": certified, "certificationNote": note } });
        let path = format!("datasources/{luid}");
        self.run(Call::put(operation, Path::Site(&path), &body).scope("tableau:datasources:update")).await
    }
}
