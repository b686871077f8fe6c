//! Broadcasts: public copies of views. An experimental API of Tableau Cloud that the public reference does not
//! describe.

use crate::call::{Call, Path};
use crate::filter::{Field, Filter, Filtered, sealed};
use crate::pages::{List, Pages, Place, all_fields};
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use serde_json::json;
use tableau::{ViewLuid, WorkbookLuid};

/// A view that has a Broadcast.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Listed")]
#[non_exhaustive]
pub struct BroadcastView {
    /// The LUID of the view.
    pub view: ViewLuid,
    /// The LUID of the view's workbook.
    pub workbook: Option<WorkbookLuid>,
    /// Whether the Broadcast shows a watermark; `None` if the list does not say it.
    pub watermark: Option<bool>,
    /// Whether it shows the workbook's other sheets as tabs; `None` if the list does not say it.
    pub tabs: Option<bool>,
    /// Whether it allows downloads; `None` if the list does not say it.
    pub downloads: Option<bool>,
}

/// What viewers of a Broadcast may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BroadcastOptions {
    /// Show a watermark.
    pub watermark: bool,
    /// Show the workbook's other sheets as tabs.
    pub tabs: bool,
    /// Allow downloads.
    pub downloads: bool,
}

impl Default for BroadcastOptions {
    fn default() -> Self {
        Self { watermark: true, tabs: false, downloads: false }
    }
}

/// A Broadcast as the list has it. The names of the settings are those with which one is sent: no list with settings is known.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    view: View,
    #[serde(default, deserialize_with = "lenient::flag")]
    show_watermark: Option<bool>,
    #[serde(default, deserialize_with = "lenient::flag")]
    show_tabs: Option<bool>,
    #[serde(default, deserialize_with = "lenient::flag")]
    allow_downloads: Option<bool>,
}

#[derive(Deserialize)]
struct View {
    id: ViewLuid,
    #[serde(default, deserialize_with = "lenient::part")]
    workbook: Option<Workbook>,
}

#[derive(Deserialize)]
struct Workbook {
    id: WorkbookLuid,
}

impl From<Listed> for BroadcastView {
    fn from(listed: Listed) -> Self {
        Self {
            view: listed.view.id,
            workbook: listed.view.workbook.map(|workbook| workbook.id),
            watermark: listed.show_watermark,
            tabs: listed.show_tabs,
            downloads: listed.allow_downloads,
        }
    }
}

impl sealed::Sealed for BroadcastView {}

impl Filtered for BroadcastView {
    /// The list takes no filters.
    fn field(&self, _: &str) -> Field<'_> {
        Field::Text(None)
    }
}

impl TableauClient {
    /// Lists the site's Broadcasts, all pages. Experimental; Tableau Cloud only; no JWT scope is known. Whether the list has pages, and
    /// whether it says with which settings a Broadcast was sent, is not documented; both is read if it is there.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 403151 when the site has Broadcasts switched off.
    ///
    /// Source: `stephenlprice/tableau-webhooks`, `libs/tableau_rest.py`; Tableau documents the error codes only.
    pub async fn broadcasts(&self) -> Result<Vec<BroadcastView>, Error> {
        let list = List {
            operation: "list the Broadcasts",
            path: "broadcasts/views".to_owned(),
            wrapper: "broadcastViews",
            element: "broadcast",
            place: Place::Experimental,
            paged: false,
            unknown: all_fields,
        };
        let operation = list.operation;
        let mut pages: Pages<BroadcastView> = Pages::new(self, list, Filter::all());
        let mut all: Vec<BroadcastView> = Vec::new();
        while let Some(mut page) = pages.page().await? {
            let had = page.len();
            page.retain(|broadcast| all.iter().all(|earlier| earlier.view != broadcast.view));
            if page.is_empty() && had > 0 {
                // What this list takes is not documented. A list that ignores the number of the page looks complete and is not.
                let source = "a further page has the Broadcasts of the pages before".into();
                return Err(Error::Unreadable { operation, source });
            }
            all.extend(page);
        }
        Ok(all)
    }

    /// Replaces the view's Broadcast by the view's present content. Repeating the call does no harm. The view becomes
    /// public. Experimental; Tableau Cloud only; no JWT scope is known.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 403151 when the site has Broadcasts switched off, 404044 for an unknown view.
    ///
    /// Source: the same as for [`TableauClient::broadcasts`].
    pub async fn overwrite_broadcast(&self, view: &ViewLuid, options: BroadcastOptions) -> Result<(), Error> {
        let body = json!({ "broadcastViewSend": {
            "viewId": view.as_str(),
            "showWatermark": options.watermark,
            "showTabs": options.tabs,
            "allowDownloads": options.downloads,
        }});
        let call = Call::post("overwrite the Broadcast", Path::Experimental("broadcasts/views"), &body);
        self.run(call.query("acceptTermsOfUse", "true").query("overwrite", "yes")).await
    }
}
