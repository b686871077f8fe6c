//! Data labels. All except the certification of data sources need Tableau Catalog (Data Management).
//!
//! The request bodies follow the XML in Tableau's reference; no JSON answer has been seen. To certify a data source,
//! [`TableauClient::certify`] is more reliable.

use crate::call::{Call, Path};
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tableau::{DatasourceLuid, LabelLuid};

/// Tableau's presumed error code when a label to delete does not exist. A guess: the reference names no such code,
/// only a general one with the advice to check the LUID.
///
/// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#delete_label>
const LABEL_GONE: &str = "400105";

/// A label on a data source.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Label {
    /// The label's LUID.
    pub id: LabelLuid,
    /// The label's value, such as `certified` or `stale`.
    #[serde(deserialize_with = "lenient::name")]
    pub value: String,
    /// The label's category, such as `certification` or `warning`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub category: Option<String>,
    /// The message of the person who set the label: untrusted text.
    #[serde(default, deserialize_with = "lenient::text")]
    pub message: Option<String>,
    /// Whether the label is shown.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub active: bool,
    /// Whether the label is shown prominently.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub elevated: bool,
    /// The data source that has the label.
    #[serde(default, deserialize_with = "lenient::part")]
    pub content_id: Option<DatasourceLuid>,
}

/// A label to set on a data source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLabel {
    /// The name of a label value of the site, such as `certified` or `stale`.
    pub value: String,
    /// The label's message.
    pub message: String,
    /// Whether the label is shown.
    pub active: bool,
    /// Whether the label is shown prominently.
    pub elevated: bool,
}

fn content(datasource: &DatasourceLuid) -> Value {
    json!({ "content": [{ "contentType": "datasource", "id": datasource.as_str() }] })
}

impl TableauClient {
    /// Returns the labels on a data source, including its certification. REST API 3.16+; JWT scope
    /// `tableau:labels:read`, 3.23+.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404029 when there is no such data source, 403004 without the rights, another of 403
    /// without Data Management.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#get_labels>
    pub async fn labels(&self, datasource: &DatasourceLuid) -> Result<Vec<Label>, Error> {
        const OPERATION: &str = "list the labels";
        let body = json!({ "contentList": content(datasource) });
        let answer: Map<String, Value> = self.ask(Call::post(OPERATION, Path::Site("labels"), &body)).await?;
        lenient::list(&answer, &["labelList", "labels"], "label")
            .map_err(|source| Error::Unreadable { operation: OPERATION, source })
    }

    /// Sets a label on a data source, replacing a label with the same value. REST API 3.16+; JWT scope
    /// `tableau:labels:update`, 3.23+.
    ///
    /// # Errors
    /// As for [`TableauClient::labels`], and [`Error::Refused`] with code 409004 when the site has no such label value, or
    /// one that Tableau alone sets.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#update_labels>
    pub async fn set_label(&self, datasource: &DatasourceLuid, label: &NewLabel) -> Result<(), Error> {
        let body = json!({
            "contentList": content(datasource),
            "label": {
                "value": label.value,
                "message": label.message,
                "active": label.active,
                "elevated": label.elevated,
            },
        });
        self.run(Call::put("set the label", Path::Site("labels"), &body)).await
    }

    /// Removes a label. REST API 3.16+; JWT scope `tableau:labels:delete`, 3.23+.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 400105 when the label cannot be deleted, presumably because it does not exist;
    /// 403004 without the rights, another code of 403 without Data Management.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_metadata.htm#delete_label>
    pub async fn remove_label(&self, luid: &LabelLuid) -> Result<(), Error> {
        let path = format!("labels/{luid}");
        self.run(Call::delete("remove the label", Path::Site(&path)).gone_with(LABEL_GONE)).await
    }
}
