//! Broadcasts: views that anyone on the Internet can see. An experimental API of Tableau Cloud.

use super::call::{Answer, Call, malformed};
use super::element::Element;
use super::error::RestError;
use super::page;
use crate::tableau::model::BroadcastRecord;

/// Up to this many Broadcasts are listed without pages, as recorded. That a longer list has pages is not known.
const ONE_PAGE: usize = 100;

fn allowed(call: &Call<'_>) -> Result<(), RestError> {
    let off = || RestError::new("403151", "Broadcasts are disabled on this site.");
    if call.model.broadcasts_enabled { Ok(()) } else { Err(off()) }
}

pub(crate) fn list(call: &mut Call<'_>) -> Result<Answer, RestError> {
    allowed(call)?;
    let site = call.site();
    let broadcasts: Vec<_> = call.model.broadcasts.iter().filter(|b| b.site == site).map(element).collect();
    match broadcasts.len() {
        ..=ONE_PAGE => page::answer_whole(call, "broadcastViews", broadcasts),
        _ => page::answer(call, "broadcastViews", &broadcasts, Element::clone),
    }
}

fn element(broadcast: &BroadcastRecord) -> Element {
    let workbook = Element::new("workbook").with("id", broadcast.workbook.as_str());
    let view = Element::new("view").with("id", broadcast.view.as_str()).child(workbook);
    Element::new("broadcast")
        .with("showWatermark", broadcast.show_watermark)
        .with("showTabs", broadcast.show_tabs)
        .with("allowDownloads", broadcast.allow_downloads)
        .child(view)
}

/// Broadcasts a view, or overwrites its broadcast with `overwrite=yes`. Tableau's answer for an existing broadcast
/// without `overwrite` is not known; this simulator answers 409000.
pub(crate) fn send(call: &mut Call<'_>) -> Result<Answer, RestError> {
    allowed(call)?;
    if call.query("acceptTermsOfUse") != Some("true") {
        return Err(malformed("acceptTermsOfUse=true is missing."));
    }
    let overwrite = match call.query("overwrite") {
        None | Some("no") => false,
        Some("yes") => true,
        Some(_) => return Err(RestError::new("400008", "overwrite is yes or no.")),
    };
    let body = |key: &str| call.body.flag(&["broadcastViewSend", key]).unwrap_or(false);
    let id = call.body.text(&["broadcastViewSend", "viewId"]);
    let id = id.ok_or_else(|| malformed("Payload is either malformed or incomplete: no viewId."))?;
    let found = call.model.view(id).filter(|v| v.site == call.site());
    let view = found.ok_or_else(|| RestError::not_found("404011", "View", id))?;
    let sent_by = call.session.as_ref().map(|s| s.user.clone());
    let sent_by = sent_by.ok_or_else(|| RestError::new("401002", "No session."))?;
    let new = BroadcastRecord {
        site: view.site.clone(),
        view: view.luid.clone(),
        workbook: view.workbook.clone(),
        show_watermark: body("showWatermark"),
        show_tabs: body("showTabs"),
        allow_downloads: body("allowDownloads"),
        sent_by,
        first_sent_at: call.now,
        last_sent_at: call.now,
        times: 1,
    };
    let answer = Answer::ok(Element::root().child(element(&new)));
    match call.model.broadcasts.iter_mut().find(|b| b.view == new.view) {
        Some(_) if !overwrite => {
            return Err(RestError::new("409000", "The view is broadcast already."));
        }
        Some(old) => {
            *old = BroadcastRecord { first_sent_at: old.first_sent_at, times: old.times + 1, ..new };
        }
        None => call.model.broadcasts.push(new),
    }
    Ok(answer)
}
