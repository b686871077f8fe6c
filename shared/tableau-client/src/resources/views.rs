//! Views: the sheets and dashboards of workbooks.

use super::{OwnerRef, ProjectRef};
use crate::call::{Call, Path};
use crate::filter::{Condition, Field, Filter, Filtered, Named, Tagged, sealed};
use crate::pages::{List, Pages, Place, all_fields};
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use tableau::{ViewLuid, WorkbookLuid};

/// A view of a workbook.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct View {
    /// The view's LUID.
    pub id: ViewLuid,
    /// The view's name: untrusted text. Empty if an answer contains only the id.
    #[serde(default, deserialize_with = "lenient::text_or_empty")]
    pub name: String,
    /// The view's name in URLs, including the workbook's: `Superstore/sheets/Overview`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub content_url: Option<String>,
    /// What it is: `dashboard`, `story`, or `view` for a sheet.
    #[serde(default, deserialize_with = "lenient::text")]
    pub sheet_type: Option<String>,
    /// The view's own part of that name: `Overview`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub view_url_name: Option<String>,
    /// The workbook that contains the view.
    #[serde(default, deserialize_with = "lenient::part")]
    pub workbook: Option<WorkbookRef>,
    /// The project that contains the view.
    #[serde(default, deserialize_with = "lenient::part")]
    pub project: Option<ProjectRef>,
    /// The owner of the view.
    #[serde(default, deserialize_with = "lenient::part")]
    pub owner: Option<OwnerRef>,
    /// The view's tags.
    #[serde(default, deserialize_with = "lenient::tags")]
    pub tags: Vec<String>,
}

/// The workbook of a view, as an answer names it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct WorkbookRef {
    /// The workbook's LUID.
    pub id: WorkbookLuid,
}

impl sealed::Sealed for View {}
impl Named for View {}
impl Tagged for View {}

impl Filtered for View {
    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "tags" => Field::Texts(&self.tags),
            "viewUrlName" => Field::Text(self.view_url_name.as_deref()),
            _ => Field::Text(Some(&self.name)),
        }
    }
}

impl Filter<View> {
    /// Views with this name in URLs (without the workbook's part).
    #[must_use]
    pub fn at_url_name(self, name: &str) -> Self {
        self.with("viewUrlName", Condition::Is(name.to_owned()))
    }
}

#[derive(Deserialize)]
struct Answer {
    view: View,
}

impl TableauClient {
    /// Fetches a view. REST API 3.0+; JWT scope `tableau:content:read`.
    ///
    /// The number in a browser's address is not a LUID: [`TableauClient::shown_at`] finds the LUID for it.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404011 when the site has no such view.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm#get_view>
    pub async fn view(&self, luid: &ViewLuid) -> Result<View, Error> {
        let path = format!("views/{luid}");
        let answer: Answer = self.ask(Call::get("fetch the view", Path::Site(&path))).await?;
        Ok(answer.view)
    }

    /// Lists views. For the views of one workbook use [`TableauClient::workbook`]. REST API 2.2+; JWT scope
    /// `tableau:content:read`.
    ///
    /// # Errors
    /// As for [`TableauClient::workbooks`].
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm#query_views_for_site>
    pub fn views(&self, filter: Filter<View>) -> Pages<View> {
        let list = List {
            operation: "list the views",
            path: "views".to_owned(),
            wrapper: "views",
            element: "view",
            place: Place::Site,
            paged: true,
            unknown: all_fields,
        };
        Pages::new(self, list, filter)
    }
}
