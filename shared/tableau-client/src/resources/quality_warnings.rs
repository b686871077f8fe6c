//! Data quality warnings on data sources. They need Tableau Catalog (Data Management).

use crate::call::{Call, Path};
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use serde_json::{Value, json};
use tableau::{DatasourceLuid, QualityWarningLuid};

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

/// A warning, as Tableau tells it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    #[serde(default, alias = "dataQualityWarnings")]
    data_quality_warning_list: Value,
}

fn path(datasource: &DatasourceLuid) -> String {
    format!("dataQualityWarnings/datasource/{datasource}")
}

impl TableauClient {
    /// The warnings on a data source. REST API 3.5+; JWT scope `tableau:labels:read`, 3.27+.
    ///
    /// # Errors
    /// [`Error::Refused`] with a code of 403 without the rights or without Data Management.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#query_dqws>
    pub async fn quality_warnings(&self, datasource: &DatasourceLuid) -> Result<Vec<QualityWarning>, Error> {
        let path = path(datasource);
        let answer: Answer = self.ask(Call::get("list the quality warnings", Path::Site(&path))).await?;
        Ok(lenient::list(&answer.data_quality_warning_list, "dataQualityWarning"))
    }

    /// Warns of a data source that has no warning yet. Tried again only when the first try was surely not carried out.
    /// REST API 3.5+; JWT scope `tableau:labels:update`, 3.27+.
    ///
    /// # Errors
    /// As for [`TableauClient::quality_warnings`], and [`Error::Refused`] with a code of 409 when there is one.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#add_dqw>
    pub async fn add_quality_warning(
        &self,
        datasource: &DatasourceLuid,
        warning: &NewQualityWarning,
    ) -> Result<(), Error> {
        let path = path(datasource);
        self.tell(Call::create("add the quality warning", Path::Site(&path), &warning.body())).await
    }

    /// Changes the warning on a data source. REST API 3.5+; JWT scope `tableau:labels:update`, 3.27+.
    ///
    /// # Errors
    /// As for [`TableauClient::quality_warnings`], and [`Error::Refused`] with a code of 404 when there is none.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#update_dqw>
    pub async fn change_quality_warning(
        &self,
        datasource: &DatasourceLuid,
        warning: &NewQualityWarning,
    ) -> Result<(), Error> {
        let path = path(datasource);
        self.tell(Call::put("change the quality warning", Path::Site(&path), &warning.body())).await
    }

    /// Takes the warnings off a data source. REST API 3.5+; JWT scope `tableau:labels:delete`, 3.27+.
    ///
    /// # Errors
    /// As for [`TableauClient::quality_warnings`].
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#delete_dqws>
    pub async fn remove_quality_warnings(&self, datasource: &DatasourceLuid) -> Result<(), Error> {
        self.tell(Call::delete("remove the quality warnings", Path::Site(&path(datasource)))).await
    }
}
