//! Connections: what workbooks and data sources read from.

use crate::call::{Call, Path};
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use serde_json::{Map, Value};
use tableau::{DatasourceLuid, WorkbookLuid};

/// A connection of a workbook or data source to its data.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Connection {
    /// The kind of database, such as `postgres`.
    #[serde(rename = "type", default, deserialize_with = "lenient::text_or_empty")]
    pub kind: String,
    /// The address of the database.
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    pub server_address: String,
    /// The user of the database.
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    pub user_name: String,
    /// Whether the password is stored with the workbook; `None` if Tableau does not say.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub embed_password: Option<bool>,
}

impl TableauClient {
    /// Lists the connections of a data source: what it reads from. REST API 2.4+; JWT scope `tableau:content:read`.
    ///
    /// # Errors
    /// As for [`TableauClient::datasource`].
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_data_sources.htm#query_data_source_connections>
    pub async fn datasource_connections(&self, luid: &DatasourceLuid) -> Result<Vec<Connection>, Error> {
        self.connections("list the data source's connections", &format!("datasources/{luid}/connections"))
            .await
    }

    /// Lists the connections of a workbook. REST API 2.3+; JWT scope `tableau:content:read`.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404006 when the site has no such workbook.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm#query_workbook_connections>
    pub async fn workbook_connections(&self, luid: &WorkbookLuid) -> Result<Vec<Connection>, Error> {
        self.connections("list the workbook's connections", &format!("workbooks/{luid}/connections")).await
    }

    async fn connections(&self, operation: &'static str, path: &str) -> Result<Vec<Connection>, Error> {
        let answer: Map<String, Value> = self.ask(Call::get(operation, Path::Site(path))).await?;
        lenient::list(&answer, &["connections"], "connection")
            .map_err(|source| Error::Unreadable { operation, source })
    }
}
