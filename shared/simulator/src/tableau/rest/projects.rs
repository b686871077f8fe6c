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
    page::answer(call, "projects", &rows, |p| {
        Element::new("project")
            .with("id", p.luid.as_str())
            .with("name", p.name.as_str())
            .with("description", p.description.as_str())
            .with("contentPermissions", "ManagedByOwner")
            .with("createdAt", seconds(p.created_at))
            .with("updatedAt", seconds(p.created_at))
            .with_some("parentProjectId", p.parent.as_ref().map(ProjectLuid::as_str))
            .child_some(p.owner.as_ref().map(|o| Element::new("owner").with("id", o.as_str())))
    })
}
