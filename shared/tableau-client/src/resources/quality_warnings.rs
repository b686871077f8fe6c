//! Data quality warnings on content and what it connects to. They need Tableau Catalog (Data Management).

use crate::call::{Call, Path};
use crate::{ApiVersion, Error, TableauClient, lenient};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tableau::{
    ColumnLuid, DatabaseLuid, DatasourceLuid, FlowLuid, QualityWarningLuid, TableLuid, VirtualConnectionLuid,
    VirtualConnectionTableLuid,
};

/// The first version with warnings on columns.
const COLUMNS_SINCE: ApiVersion = ApiVersion::new(3, 16);

/// What a warning can be on.
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

/// What a warning warns of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarningKind {
    /// Something in general.
    Warning,
    /// It should not be used any more.
    Deprecated,
    /// Its data is old.
    Stale,
    /// It is being worked on.
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

/// A warning, as Tableau lists it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct QualityWarning {
    /// Its LUID.
    #[serde(default, deserialize_with = "lenient::part")]
    pub id: Option<QualityWarningLuid>,
    /// `WARNING`, `DEPRECATED`, `STALE`, `MAINTENANCE`, or what else the site has.
    #[serde(default, rename = "type", deserialize_with = "lenient::text")]
    pub kind: Option<String>,
    /// What it says: untrusted text.
    #[serde(default, deserialize_with = "lenient::text")]
    pub message: Option<String>,
    /// Whether it is shown.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub is_active: bool,
    /// Whether it is shown prominently.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub is_severe: bool,
}

/// A warning to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewQualityWarning {
    /// What it warns of.
    pub kind: WarningKind,
    /// What it says.
    pub message: String,
    /// Whether to show it.
    pub is_active: bool,
    /// Whether to show it prominently.
    pub is_severe: bool,
}

impl NewQualityWarning {
    fn body(&self) -> Value {
        json!({ "dataQualityWarning": {
            "type": self.kind.as_str(),
            "message": self.message,
            "isActive": self.is_active,
            "isSevere": self.is_severe,
        }})
    }
}

impl TableauClient {
    /// The warnings on something. REST API 3.5+, for columns 3.16+; JWT scope `tableau:labels:read`, 3.27+.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404029 when it is not there, 403004 without the rights, another of 403 without Data
    /// Management. [`Error::Invalid`] for a column before 3.16.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#query_dqws>
    pub async fn quality_warnings(&self, content: &Warnable) -> Result<Vec<QualityWarning>, Error> {
        const OPERATION: &str = "list the quality warnings";
        let path = self.warnings_path(OPERATION, content).await?;
        let answer: Map<String, Value> = self.ask(Call::get(OPERATION, Path::Site(&path))).await?;
        lenient::list(&answer, &["dataQualityWarningList", "dataQualityWarnings"], "dataQualityWarning")
            .map_err(|source| Error::Unreadable { operation: OPERATION, source })
    }

    /// Adds a warning. Repeated only when Tableau surely did not carry out the first try. For administrators, and users
    /// who may change the content. REST API 3.5+, for columns 3.16+; JWT scope `tableau:labels:update`, 3.27+.
    ///
    /// # Errors
    /// As for [`TableauClient::quality_warnings`], and up to Tableau Server 2024.2 [`Error::Refused`] with a code of 409
    /// when there is a warning already.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#add_dqw>
    pub async fn add_quality_warning(
        &self,
        content: &Warnable,
        warning: &NewQualityWarning,
    ) -> Result<(), Error> {
        const OPERATION: &str = "add the quality warning";
        let path = self.warnings_path(OPERATION, content).await?;
        self.run(Call::create(OPERATION, Path::Site(&path), &warning.body())).await
    }

    /// Changes the warning on something. REST API 3.5+, for columns 3.16+; JWT scope `tableau:labels:update`, 3.27+.
    ///
    /// # Errors
    /// As for [`TableauClient::quality_warnings`], and [`Error::Refused`] with code 404030 when there is no warning.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#update_dqw>
    pub async fn change_quality_warning(
        &self,
        content: &Warnable,
        warning: &NewQualityWarning,
    ) -> Result<(), Error> {
        const OPERATION: &str = "change the quality warning";
        let path = self.warnings_path(OPERATION, content).await?;
        self.run(Call::put(OPERATION, Path::Site(&path), &warning.body())).await
    }

    /// Takes the warnings off something. REST API 3.5+, for columns 3.16+; JWT scope `tableau:labels:delete`, 3.27+.
    ///
    /// # Errors
    /// As for [`TableauClient::change_quality_warning`].
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#delete_dqws>
    pub async fn remove_quality_warnings(&self, content: &Warnable) -> Result<(), Error> {
        const OPERATION: &str = "remove the quality warnings";
        let path = self.warnings_path(OPERATION, content).await?;
        self.run(Call::delete(OPERATION, Path::Site(&path)).gone_with("404030")).await
    }

    async fn warnings_path(&self, operation: &'static str, content: &Warnable) -> Result<String, Error> {
        if matches!(content, Warnable::Column(_)) && self.session_version().await? < COLUMNS_SINCE {
            return Err(Error::Invalid { operation, reason: "warnings on columns need REST API 3.16" });
        }
        Ok(content.path())
    }
}
