//! Broadcasts: public copies of views. An experimental API of Tableau Cloud that the public reference does not
//! describe.

use crate::call::{Call, Path};
use crate::{Error, TableauClient, lenient};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tableau::{ViewLuid, WorkbookLuid};

/// A view that has a Broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BroadcastView {
    /// The LUID of the view.
    pub view: ViewLuid,
    /// The LUID of the view's workbook.
    pub workbook: Option<WorkbookLuid>,
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

#[derive(Deserialize)]
struct Broadcast {
    view: View,
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

impl TableauClient {
    /// Lists the site's Broadcasts. Experimental; Tableau Cloud only; no JWT scope is known.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 403151 when the site has Broadcasts switched off.
    ///
    /// Source: `stephenlprice/tableau-webhooks`, `libs/tableau_rest.py`; Tableau documents the error codes only.
    pub async fn broadcasts(&self) -> Result<Vec<BroadcastView>, Error> {
        const OPERATION: &str = "list the Broadcasts";
        let answer: Map<String, Value> =
            self.ask(Call::get(OPERATION, Path::Experimental("broadcasts/views"))).await?;
        let broadcasts: Vec<Broadcast> = lenient::list(&answer, &["broadcastViews"], "broadcast")
            .map_err(|source| Error::Unreadable { operation: OPERATION, source })?;
        let view = |b: Broadcast| BroadcastView { view: b.view.id, workbook: b.view.workbook.map(|w| w.id) };
        Ok(broadcasts.into_iter().map(view).collect())
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
