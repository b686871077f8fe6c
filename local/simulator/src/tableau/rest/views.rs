//! Views.
//!
//! Sources: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm>; for
//! attributes and elements `tableau/server-client-python`, `test/assets/view_*.xml`

use super::call::{Answer, Call};
use super::element::Element;
use super::error::RestError;
use super::fields::Fields;
use super::filter::{COMPARE, EQ, EQ_IN, Field, Spec, sort};
use super::parts::{SIZE, email, owner, project};
use super::{page, tags};
use crate::tableau::events::seconds;
use crate::tableau::model::{Model, View, Workbook};
use crate::tableau::version::RestVersion;

/// The REST version in which a workbook's views have timestamps.
const TIMES_SINCE: RestVersion = RestVersion { major: 3, minor: 12 };

pub(crate) const SPEC: Spec = &[
    ("name", EQ_IN),
    ("viewUrlName", EQ_IN),
    ("contentUrl", EQ_IN),
    ("sheetType", EQ_IN),
    ("workbookName", EQ_IN),
    ("workbookDescription", EQ_IN),
    ("projectName", EQ_IN),
    ("ownerName", EQ),
    ("ownerEmail", EQ_IN),
    ("tags", EQ_IN),
    ("favoritesTotal", COMPARE),
    ("hitsTotal", COMPARE),
    ("createdAt", COMPARE),
    ("updatedAt", COMPARE),
];

const FIELDS: Fields = Fields {
    row: "view",
    by_default: &[
        "id",
        "name",
        "contentUrl",
        "createdAt",
        "updatedAt",
        "sheetType",
        "viewUrlName",
        "workbook.id",
        "owner.id",
        "project.id",
        "tags",
    ],
    more: &[
        "favoritesTotal",
        "workbook.name",
        "workbook.description",
        "workbook.contentUrl",
        "workbook.showTabs",
        "workbook.size",
        "workbook.createdAt",
        "workbook.updatedAt",
        "workbook.sheetCount",
        "workbook.hasExtracts",
        "workbook.tags",
        "owner.name",
        "owner.fullName",
        "owner.email",
        "owner.siteRole",
        "owner.lastLogin",
        "project.name",
        "project.description",
        "usage",
        "location",
    ],
};

fn field(model: &Model, view: &View, workbook: &Workbook, name: &str) -> Field {
    let owner = || model.user(workbook.owner.as_str());
    let text = |text: Option<&str>| Field::Text(text.unwrap_or_default().to_owned());
    match name {
        "name" => Field::Text(view.name.clone()),
        "viewUrlName" => Field::Text(view.url_name.clone()),
        "contentUrl" => Field::Text(view.content_url.clone()),
        "sheetType" => text(Some(view.sheet_type)),
        "workbookName" => Field::Text(workbook.name.clone()),
        "workbookDescription" => text(workbook.description.as_deref()),
        "projectName" => text(model.project(&workbook.project).map(|p| p.name.as_str())),
        "ownerName" => text(owner().map(|u| u.full_name.as_str())),
        "ownerEmail" => text(owner().map(email)),
        "tags" => Field::Texts(view.tags.clone()),
        "favoritesTotal" | "hitsTotal" => Field::Number(0),
        "createdAt" => Field::Time(Some(workbook.created_at)),
        _ => Field::Time(Some(workbook.updated_at)),
    }
}

/// A view element with all fields.
fn whole(model: &Model, view: &View, workbook: &Workbook) -> Element {
    let of = Element::new("workbook")
        .with("id", workbook.luid.as_str())
        .with("name", workbook.name.as_str())
        .with_some("description", workbook.description.as_deref())
        .with("contentUrl", workbook.content_url.as_str())
        .with("showTabs", workbook.show_tabs.to_string())
        .with("size", SIZE)
        .with("createdAt", seconds(workbook.created_at))
        .with("updatedAt", seconds(workbook.updated_at))
        .with("sheetCount", model.views_of(workbook).count())
        .with("hasExtracts", workbook.has_extracts)
        .child(tags::element(&workbook.tags));
    let location = Element::new("location").with("id", workbook.project.as_str()).with("type", "Project");
    short_element(view)
        .with("createdAt", seconds(workbook.created_at))
        .with("updatedAt", seconds(workbook.updated_at))
        .with("sheetType", view.sheet_type)
        .with("favoritesTotal", 0_u8)
        .child(of)
        .child(owner(model, &workbook.owner))
        .child(project(model, &workbook.project))
        .child(tags::element(&view.tags))
        .child(usage())
        .child(location)
}

/// The usage counts of a view: always 0, since no user opens views here.
fn usage() -> Element {
    Element::new("usage").with("totalViewCount", 0_u8)
}

fn short_element(view: &View) -> Element {
    Element::new("view")
        .with("id", view.luid.as_str())
        .with("name", view.name.as_str())
        .with("contentUrl", view.content_url.as_str())
        .with("viewUrlName", view.url_name.as_str())
}

/// Whether a call asks for usage statistics.
fn asks_for_usage(call: &Call<'_>) -> Result<bool, RestError> {
    match call.query("includeUsageStatistics") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(RestError::new("400008", "includeUsageStatistics is true or false.")),
    }
}

/// The views of a workbook, as the workbook's own element lists them.
pub(crate) fn of_workbook(call: &Call<'_>, workbook: &Workbook, with_usage: bool) -> Element {
    let has_times = call.version >= TIMES_SINCE;
    let views = call.model.views_of(workbook).filter(|v| call.sees(v.luid.as_str()));
    let views = views.map(|view| {
        short_element(view)
            .with_some("createdAt", has_times.then(|| seconds(workbook.created_at)))
            .with_some("updatedAt", has_times.then(|| seconds(workbook.updated_at)))
            .child_some(with_usage.then(usage))
            .child(tags::element(&view.tags))
    });
    Element::new("views").many(views.collect())
}

pub(crate) fn views(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let filter = call.filter(SPEC)?;
    let asked = FIELDS.asked(call.query("fields"))?;
    let usage = asks_for_usage(call)? && !asked.has("usage");
    let model = &*call.model;
    let site = call.site();
    let views = model.views.iter().filter(|v| v.site == site && call.sees(v.luid.as_str()));
    let mut rows: Vec<(&View, &Workbook)> =
        views.filter_map(|v| Some((v, model.workbook(v.workbook.as_str())?))).collect();
    rows.retain(|(v, w)| filter.passes(|name| field(model, v, w, name)));
    sort(&mut rows, call.query("sort"), SPEC, |(v, w), name| field(model, v, w, name))?;
    page::answer(call, "views", &rows, |(v, w)| {
        asked.of(whole(model, v, w)).child_some(usage.then(self::usage))
    })
}

pub(crate) fn view(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.view(call.id()).filter(|v| v.site == call.site());
    let missing = || RestError::not_found("404011", "View", call.id());
    let view = found.ok_or_else(missing)?;
    let workbook = call.model.workbook(view.workbook.as_str()).ok_or_else(missing)?;
    call.may_read(view.luid.as_str())?;
    let usage = asks_for_usage(call)?.then(usage);
    let element = FIELDS.asked(None)?.of(whole(call.model, view, workbook)).child_some(usage);
    Ok(Answer::ok(Element::root().child(element)))
}

pub(crate) fn views_of_workbook(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.workbook(call.id()).filter(|w| w.site == call.site());
    let workbook = found.ok_or_else(|| RestError::not_found("404006", "Workbook", call.id()))?;
    call.may_read(workbook.luid.as_str())?;
    let usage = asks_for_usage(call)?;
    Ok(Answer::ok(Element::root().child(of_workbook(call, workbook, usage))))
}
