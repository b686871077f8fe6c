//! Projects.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_projects.htm>

use super::call::{Answer, Call};
use super::element::Element;
use super::error::RestError;
use super::filter::{COMPARE, EQ, EQ_IN, Field, Filter, Spec, sort};
use super::page;
use crate::tableau::events::seconds;
use crate::tableau::model::Project;
use tableau::ProjectLuid;

const SPEC: Spec = &[
    ("name", EQ_IN),
    ("parentProjectId", EQ_IN),
    ("topLevelProject", EQ),
    ("createdAt", COMPARE),
    ("updatedAt", COMPARE),
];

fn field(project: &Project, name: &str) -> Field {
    match name {
        "name" => Field::Text(project.name.clone()),
        "parentProjectId" => {
            Field::Text(project.parent.as_ref().map(ToString::to_string).unwrap_or_default())
        }
        "topLevelProject" => Field::Text(project.parent.is_none().to_string()),
        _ => Field::Time(Some(project.created_at)),
    }
}

/// A project names its parent only: a path is found by following parents.
pub(crate) fn projects(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let filter = Filter::parse(call.query("filter"), SPEC)?;
    let site = call.site();
    let mut rows: Vec<&Project> = call.model.projects.iter().filter(|p| p.site == site).collect();
    rows.retain(|p| filter.passes(|name| field(p, name)));
    sort(&mut rows, call.query("sort"), SPEC, |p, name| field(p, name))?;
    page::answer(call, "projects", &rows, |p| element(p))
}

fn element(project: &Project) -> Element {
    Element::new("project")
        .with("id", project.luid.as_str())
        .with("name", project.name.as_str())
        .with("description", project.description.as_str())
        .with("contentPermissions", "ManagedByOwner")
        .with("createdAt", seconds(project.created_at))
        .with("updatedAt", seconds(project.created_at))
        .with_some("parentProjectId", project.parent.as_ref().map(ProjectLuid::as_str))
        .child_some(project.owner.as_ref().map(|o| Element::new("owner").with("id", o.as_str())))
}

/// Changes the name and description. Asked to change nothing, it answers the project: there is no other way to get one.
pub(crate) fn update(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let (id, site) = (call.id().to_owned(), call.site());
    let at = call.model.projects.iter().position(|p| p.luid.as_str() == id && p.site == site);
    let at = at.ok_or_else(|| RestError::not_found("404005", "Project", &id))?;
    call.may_lead(&call.model.projects[at])?;
    let text = |key: &str| call.body.text(&["project", key]).map(str::to_owned);
    let (name, description) = (text("name"), text("description"));
    let project = &mut call.model.projects[at];
    project.name = name.unwrap_or_else(|| project.name.clone());
    project.description = description.unwrap_or_else(|| project.description.clone());
    Ok(Answer::ok(Element::root().child(element(project))))
}
