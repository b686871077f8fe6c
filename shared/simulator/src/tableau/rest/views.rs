//! Views.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm>

use super::call::{Answer, Call};
use super::element::Element;
use super::error::RestError;
use super::filter::{COMPARE, EQ_IN, Field, Filter, Spec, sort};
use super::{page, tags};
use crate::tableau::events::seconds;
use crate::tableau::model::{Model, View, Workbook};

const SPEC: Spec = &[
    ("name", EQ_IN),
    ("viewUrlName", EQ_IN),
    ("contentUrl", EQ_IN),
    ("workbookName", EQ_IN),
    ("projectName", EQ_IN),
    ("ownerName", EQ_IN),
    ("tags", EQ_IN),
    ("createdAt", COMPARE),
    ("updatedAt", COMPARE),
];

fn field(model: &Model, view: &View, workbook: &Workbook, name: &str) -> Field {
    match name {
        "name" => Field::Text(view.name.clone()),
        "viewUrlName" => Field::Text(view.url_name.clone()),
        "contentUrl" => Field::Text(view.content_url.clone()),
        "workbookName" => Field::Text(workbook.name.clone()),
        "projectName" => {
            Field::Text(model.project(&workbook.project).map(|p| p.name.clone()).unwrap_or_default())
        }
        "ownerName" => {
            Field::Text(model.user(workbook.owner.as_str()).map(|u| u.full_name.clone()).unwrap_or_default())
        }
        "tags" => Field::Texts(view.tags.clone()),
        "createdAt" => Field::Time(Some(workbook.created_at)),
        _ => Field::Time(Some(workbook.updated_at)),
    }
}

fn element(view: &View, workbook: &Workbook) -> Element {
    short_element(view)
        .with("createdAt", seconds(workbook.created_at))
        .with("updatedAt", seconds(workbook.updated_at))
        .with("sheetType", "view")
        .child(Element::new("workbook").with("id", workbook.luid.as_str()))
        .child(Element::new("owner").with("id", workbook.owner.as_str()))
        .child(Element::new("project").with("id", workbook.project.as_str()))
        .child(tags::element(&view.tags))
}

fn short_element(view: &View) -> Element {
    Element::new("view")
        .with("id", view.luid.as_str())
        .with("name", view.name.as_str())
        .with("contentUrl", view.content_url.as_str())
        .with("viewUrlName", view.url_name.as_str())
}

/// The views of a workbook, as the workbook itself shows them.
pub(crate) fn of_workbook(call: &Call<'_>, workbook: &Workbook) -> Element {
    let views = call.model.views_of(workbook).filter(|v| call.sees(v.luid.as_str()));
    Element::new("views").many(views.map(|v| short_element(v).child(tags::element(&v.tags))).collect())
}

pub(crate) fn views(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let filter = Filter::parse(call.query("filter"), SPEC)?;
    let (model, site) = (&*call.model, call.site());
    let views = model.views.iter().filter(|v| v.site == site && call.sees(v.luid.as_str()));
    let mut rows: Vec<(&View, &Workbook)> =
        views.filter_map(|v| Some((v, model.workbook(v.workbook.as_str())?))).collect();
    rows.retain(|(v, w)| filter.passes(|name| field(model, v, w, name)));
    sort(&mut rows, call.query("sort"), SPEC, |(v, w), name| field(model, v, w, name))?;
    // Nobody is simulated who looks at views.
    let usage = call.query("includeUsageStatistics") == Some("true");
    let usage = usage.then(|| Element::new("usage").with("totalViewCount", 0_u8));
    page::answer(call, "views", &rows, |(v, w)| element(v, w).child_some(usage.clone()))
}

pub(crate) fn view(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.view(call.id()).filter(|v| v.site == call.site());
    let missing = || RestError::not_found("404011", "View", call.id());
    let view = found.ok_or_else(missing)?;
    let workbook = call.model.workbook(view.workbook.as_str()).ok_or_else(missing)?;
    call.may_read(view.luid.as_str())?;
    Ok(Answer::ok(Element::root().child(element(view, workbook))))
}

pub(crate) fn views_of_workbook(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.workbook(call.id()).filter(|w| w.site == call.site());
    let workbook = found.ok_or_else(|| RestError::not_found("404006", "Workbook", call.id()))?;
    call.may_read(workbook.luid.as_str())?;
    Ok(Answer::ok(Element::root().child(of_workbook(call, workbook))))
}
