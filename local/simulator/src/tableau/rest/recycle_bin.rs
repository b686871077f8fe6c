//! The Recycle Bin. Nothing is restored or deleted from it over REST here.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_recycle_bin.htm>. The page names the lists and
//! what their elements have; the names of lists and elements are inferred from those of content that is not deleted.

use super::call::{Answer, Call};
use super::element::Element;
use super::error::RestError;
use super::filter::{COMPARE, EQ_IN, Field, Filter, Spec, sort};
use super::page;
use crate::tableau::events::seconds;
use crate::tableau::model::Model;
use crate::tableau::model::recycled::{DATASOURCES, FLOWS, Kind, PROJECTS, Recycled, WORKBOOKS};
use tableau::UserLuid;

pub(crate) const SPEC: Spec = &[("name", EQ_IN), ("createdAt", COMPARE)];

pub(crate) fn workbooks(call: &mut Call<'_>) -> Result<Answer, RestError> {
    list(call, WORKBOOKS)
}

pub(crate) fn datasources(call: &mut Call<'_>) -> Result<Answer, RestError> {
    list(call, DATASOURCES)
}

pub(crate) fn flows(call: &mut Call<'_>) -> Result<Answer, RestError> {
    list(call, FLOWS)
}

pub(crate) fn projects(call: &mut Call<'_>) -> Result<Answer, RestError> {
    list(call, PROJECTS)
}

/// Administrators see everything, others what they owned.
fn list(call: &Call<'_>, kind: Kind) -> Result<Answer, RestError> {
    let filter = Filter::parse(call.query("filter"), SPEC)?;
    let site = call.site();
    let user = call.session.as_ref().map(|session| &session.user);
    let sees = |recycled: &Recycled| call.is_administrator() || user == Some(&recycled.owner);
    let mut rows: Vec<&Recycled> = call.model.recycled.iter().collect();
    rows.retain(|recycled| recycled.kind == kind && recycled.site == site && sees(recycled));
    rows.retain(|recycled| filter.passes(|name| field(recycled, name)));
    sort(&mut rows, call.query("sort"), SPEC, |recycled, name| field(recycled, name))?;
    page::answer(call, kind.list, &rows, |recycled| element(call.model, recycled))
}

fn field(recycled: &Recycled, name: &str) -> Field {
    match name {
        "name" => Field::Text(recycled.name.clone()),
        _ => Field::Time(Some(recycled.at)),
    }
}

fn element(model: &Model, recycled: &Recycled) -> Element {
    Element::new(recycled.kind.element)
        .with("id", recycled.luid.as_str())
        .with("name", recycled.name.as_str())
        .with("originalPath", recycled.path.as_str())
        .with("createdAt", seconds(recycled.at))
        .child(person(model, "owner", &recycled.owner))
        .child_some(recycled.deleter.as_ref().map(|deleter| person(model, "deleter", deleter)))
}

/// A person with the full name; a user who has left the site has only an id.
fn person(model: &Model, name: &'static str, luid: &UserLuid) -> Element {
    let user = model.user(luid.as_str());
    Element::new(name).with("id", luid.as_str()).with_some("name", user.map(|user| user.full_name.as_str()))
}
