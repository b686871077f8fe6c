//! Workbooks.

use super::views::View;
use super::{OwnerRef, ProjectRef};
use crate::call::{Call, Path};
use crate::filter::{Condition, Field, Filter, Filtered, Named, Published, Tagged, sealed};
use crate::pages::{List, Pages, Place, all_fields};
use crate::{Error, TableauClient, lenient};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tableau::{ViewLuid, WorkbookLuid};

/// A workbook.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Workbook {
    /// The workbook's LUID.
    pub id: WorkbookLuid,
    /// The workbook's name: untrusted text.
    #[serde(deserialize_with = "lenient::name")]
    pub name: String,
    /// The workbook's name in URLs.
    #[serde(default, deserialize_with = "lenient::text")]
    pub content_url: Option<String>,
    /// The address of the workbook's page in a browser.
    #[serde(flatten, deserialize_with = "lenient::webpage_url")]
    pub webpage_url: Option<String>,
    /// Whether the sheets are shown as tabs. If not, a PDF of the workbook contains only the default view.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub show_tabs: bool,
    /// When the workbook was first published.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub created_at: Option<Timestamp>,
    /// When the workbook was last changed.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub updated_at: Option<Timestamp>,
    /// The LUID of the view that opens first.
    #[serde(default, deserialize_with = "lenient::part")]
    pub default_view_id: Option<ViewLuid>,
    /// The project that contains the workbook.
    #[serde(default, deserialize_with = "lenient::part")]
    pub project: Option<ProjectRef>,
    /// The owner of the workbook.
    #[serde(default, deserialize_with = "lenient::part")]
    pub owner: Option<OwnerRef>,
    /// The workbook's tags.
    #[serde(default, deserialize_with = "lenient::tags")]
    pub tags: Vec<String>,
    /// The workbook's sheets and dashboards. Lists do not contain them.
    #[serde(default, deserialize_with = "views")]
    pub views: Vec<View>,
}

fn views<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<View>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?.unwrap_or(Value::Null);
    Ok(lenient::list_or_none(&value, "view"))
}

impl sealed::Sealed for Workbook {}
impl Named for Workbook {}
impl Tagged for Workbook {}
impl Published for Workbook {}

impl Filtered for Workbook {
    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "projectName" => Field::Text(self.project.as_ref().map(|project| project.name.as_str())),
            "contentUrl" => Field::Text(self.content_url.as_deref()),
            "tags" => Field::Texts(&self.tags),
            "updatedAt" => Field::Time(self.updated_at),
            _ => Field::Text(Some(&self.name)),
        }
    }
}

impl Filter<Workbook> {
    /// The workbook with this name in URLs. Some versions refuse this filter with code 400065
    /// (`tableau/server-client-python#1393`).
    #[must_use]
    pub fn at_content_url(self, content_url: &str) -> Self {
        self.with("contentUrl", Condition::Is(content_url.to_owned()))
    }
}

#[derive(Deserialize)]
struct Answer {
    workbook: Workbook,
}

impl TableauClient {
    /// Fetches a workbook with its views. REST API 2.0+; JWT scope `tableau:content:read`.
    ///
    /// The number in a browser's address is not a LUID: [`TableauClient::shown_at`] finds the LUID for it.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404006 when the site has no such workbook.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm#query_workbook>
    pub async fn workbook(&self, luid: &WorkbookLuid) -> Result<Workbook, Error> {
        let path = format!("workbooks/{luid}");
        let answer: Answer = self.ask(Call::get("fetch the workbook", Path::Site(&path))).await?;
        Ok(answer.workbook)
    }

    /// Lists workbooks. Names are not unique. The list comes from an index that is updated with a delay: for the
    /// workbook of an event use [`TableauClient::workbook`]. REST API 2.3+; JWT scope `tableau:content:read`.
    ///
    /// # Errors
    /// When a page is fetched: [`Error::Refused`] with code 400006 for a filter that this version does not know.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm#query_workbooks_for_site>
    pub fn workbooks(&self, filter: Filter<Workbook>) -> Pages<Workbook> {
        let list = List {
            operation: "list the workbooks",
            path: "workbooks".to_owned(),
            wrapper: "workbooks",
            element: "workbook",
            place: Place::Site,
            paged: true,
            unknown: all_fields,
        };
        Pages::new(self, list, filter)
    }
}
