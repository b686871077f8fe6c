//! Data quality warnings on content and on databases and tables. They need Tableau Catalog (Data Management).

use crate::call::{Call, Path};
use crate::{ApiVersion, Error, TableauClient, lenient};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use tableau::{
    ColumnLuid, DatabaseLuid, DatasourceLuid, FlowLuid, QualityWarningLuid, TableLuid, VirtualConnectionLuid,
    VirtualConnectionTableLuid,
};

/// What a warning is called in an answer, and what may be around a list of them.
const ELEMENT: &str = "dataQualityWarning";
const WRAPPERS: [&str; 2] = ["dataQualityWarningList", "dataQualityWarnings"];
/// The first REST API version with warnings on columns.
const COLUMNS_SINCE: ApiVersion = ApiVersion::new(3, 16);
/// The first REST API version that takes a message for formatted text, with special characters as entities. Up to 3.21 (Tableau Server
/// 2023.3) it is plain text.
const FORMATTED_SINCE: ApiVersion = ApiVersion::new(3, 22);

/// An object that a warning can be set on.
///
/// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#add_dqw>
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Warnable {
    /// A published data source.
    Datasource(DatasourceLuid),
    /// A database that content connects to.
    Database(DatabaseLuid),
    /// A table of a database.
    Table(TableLuid),
    /// A column of a table. REST API 3.16+.
    Column(ColumnLuid),
    /// A flow.
    Flow(FlowLuid),
    /// A virtual connection.
    VirtualConnection(VirtualConnectionLuid),
    /// A table of a virtual connection.
    VirtualConnectionTable(VirtualConnectionTableLuid),
}

impl From<DatasourceLuid> for Warnable {
    fn from(luid: DatasourceLuid) -> Self {
        Self::Datasource(luid)
    }
}

impl Warnable {
    fn path(&self) -> String {
        let (kind, luid) = match self {
            Self::Datasource(luid) => ("datasource", luid.as_str()),
            Self::Database(luid) => ("database", luid.as_str()),
            Self::Table(luid) => ("table", luid.as_str()),
            Self::Column(luid) => ("column", luid.as_str()),
            Self::Flow(luid) => ("flow", luid.as_str()),
            Self::VirtualConnection(luid) => ("virtualconnection", luid.as_str()),
            Self::VirtualConnectionTable(luid) => ("virtualconnectiontable", luid.as_str()),
        };
        format!("dataQualityWarnings/{kind}/{luid}")
    }
}

/// The kind of a data quality warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarningKind {
    /// A general warning.
    Warning,
    /// The object should no longer be used.
    Deprecated,
    /// The object's data is old.
    Stale,
    /// The object is under maintenance.
    Maintenance,
}

impl WarningKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "WARNING",
            Self::Deprecated => "DEPRECATED",
            Self::Stale => "STALE",
            Self::Maintenance => "MAINTENANCE",
        }
    }
}

/// A data quality warning, as Tableau lists it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct QualityWarning {
    /// The warning's LUID.
    #[serde(default, deserialize_with = "lenient::part")]
    pub id: Option<QualityWarningLuid>,
    /// The kind of warning: `WARNING`, `DEPRECATED`, `STALE`, `MAINTENANCE`, or another kind that the site has
    /// defined.
    #[serde(default, rename = "type", deserialize_with = "lenient::text")]
    pub kind: Option<String>,
    /// The warning's message as Tableau keeps it: untrusted. [`QualityWarning::text`] is what people read.
    #[serde(default, deserialize_with = "lenient::text")]
    pub message: Option<String>,
    /// Whether the warning is shown.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub is_active: bool,
    /// Whether the warning is shown prominently.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub is_severe: bool,
}

impl QualityWarning {
    /// The message as plain text, with its entities resolved: untrusted text.
    pub fn text(&self) -> String {
        let message = self.message.as_deref().unwrap_or_default();
        message.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    }
}

/// A data quality warning to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewQualityWarning {
    /// The kind of warning.
    pub kind: WarningKind,
    /// The warning's message: plain text. It is escaped for versions that take it for formatted text.
    pub message: String,
    /// Whether the warning is shown.
    pub is_active: bool,
    /// Whether the warning is shown prominently.
    pub is_severe: bool,
}

impl NewQualityWarning {
    fn body(&self, version: ApiVersion) -> Value {
        let message = match version < FORMATTED_SINCE {
            true => Cow::Borrowed(self.message.as_str()),
            false => Cow::Owned(self.message.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")),
        };
        json!({ "dataQualityWarning": {
            "type": self.kind.as_str(),
            "message": message,
            "isActive": self.is_active,
            "isSevere": self.is_severe,
        }})
    }
}

/// The warning in an answer: alone, or the last one of a list.
fn returned(answer: &Map<String, Value>) -> Option<QualityWarning> {
    let one = answer.get(ELEMENT).and_then(|one| QualityWarning::deserialize(one).ok());
    one.or_else(|| lenient::list::<QualityWarning>(answer, &WRAPPERS, ELEMENT).ok()?.pop())
}

impl TableauClient {
    /// Lists the warnings on an object. REST API 3.5+, for columns 3.16+; JWT scope `tableau:labels:read`, 3.27+.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404029 when the object does not exist, 403004 without the rights, another code of
    /// 403 without Data Management. [`Error::Invalid`] for a column before 3.16.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#query_dqws>
    pub async fn quality_warnings(&self, content: &Warnable) -> Result<Vec<QualityWarning>, Error> {
        const OPERATION: &str = "list the quality warnings";
        let path = self.warnings_path(OPERATION, content).await?;
        let answer: Map<String, Value> =
            self.ask(Call::get(OPERATION, Path::Site(&path)).scope("tableau:labels:read")).await?;
        lenient::list(&answer, &WRAPPERS, ELEMENT)
            .map_err(|source| Error::Unreadable { operation: OPERATION, source })
    }

    /// Adds a warning to an object and returns it; `None` if Tableau accepts it and its answer does not show it. Retried only if Tableau certainly did not carry out the first try. For
    /// administrators, and users who may change the content. REST API 3.5+, for columns 3.16+; JWT scope
    /// `tableau:labels:update`, 3.27+.
    ///
    /// # Errors
    /// The same as for [`TableauClient::quality_warnings`]; also [`Error::Refused`] with a code of 409 if the object already has
    /// such a warning. Up to Tableau Server 2024.2 any other warning is in the way, but for those of
    /// Tableau's own monitoring. Up to 2023.3 a message is required.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#add_dqw>
    pub async fn add_quality_warning(
        &self,
        content: &Warnable,
        warning: &NewQualityWarning,
    ) -> Result<Option<QualityWarning>, Error> {
        const OPERATION: &str = "add the quality warning";
        let path = self.warnings_path(OPERATION, content).await?;
        let body = warning.body(self.session_version().await?);
        self.warning(Call::create(OPERATION, Path::Site(&path), &body)).await
    }

    /// Changes a warning, and returns what it is now, as [`TableauClient::add_quality_warning`] does. REST API 3.5+; JWT scope
    /// `tableau:labels:update`, 3.27+.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404030 when there is no such warning, 403004 without the rights, another code of 403 without
    /// Data Management.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#update_dqw>
    pub async fn change_quality_warning(
        &self,
        luid: &QualityWarningLuid,
        warning: &NewQualityWarning,
    ) -> Result<Option<QualityWarning>, Error> {
        const OPERATION: &str = "change the quality warning";
        let body = warning.body(self.session_version().await?);
        self.warning(Call::put(OPERATION, Path::Site(&format!("dataQualityWarnings/{luid}")), &body)).await
    }

    async fn warning(&self, call: Call<'_>) -> Result<Option<QualityWarning>, Error> {
        let answer: Map<String, Value> = self.ask(call.scope("tableau:labels:update")).await?;
        Ok(returned(&answer))
    }

    /// Removes one warning. REST API 3.5+; JWT scope `tableau:labels:delete`, 3.27+.
    ///
    /// # Errors
    /// As for [`TableauClient::change_quality_warning`].
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#delete_dqw>
    pub async fn remove_quality_warning(&self, luid: &QualityWarningLuid) -> Result<(), Error> {
        let path = format!("dataQualityWarnings/{luid}");
        let call = Call::delete("remove the quality warning", Path::Site(&path));
        self.run(call.gone_with("404030").scope("tableau:labels:delete")).await
    }

    /// Removes all warnings from an object, also those that other users have set. REST API 3.5+, for columns 3.16+; JWT scope
    /// `tableau:labels:delete`, 3.27+.
    ///
    /// # Errors
    /// The same as for [`TableauClient::quality_warnings`]; also [`Error::Refused`] with code 404030 when there is no warning.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#delete_dqws>
    pub async fn remove_quality_warnings(&self, content: &Warnable) -> Result<(), Error> {
        const OPERATION: &str = "remove the quality warnings";
        let path = self.warnings_path(OPERATION, content).await?;
        let call = Call::delete(OPERATION, Path::Site(&path));
        self.run(call.gone_with("404030").scope("tableau:labels:delete")).await
    }

    async fn warnings_path(&self, operation: &'static str, content: &Warnable) -> Result<String, Error> {
        if matches!(content, Warnable::Column(_)) && self.session_version().await? < COLUMNS_SINCE {
            return Err(Error::Invalid { operation, reason: "warnings on columns need REST API 3.16" });
        }
        Ok(content.path())
    }
}
