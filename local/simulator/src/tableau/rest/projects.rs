//! Projects.
//!
//! Sources: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_projects.htm>; for attributes and
//! elements `tableau/server-client-python`, `test/assets/project_*.xml`

use super::call::{Answer, Call, malformed};
use super::element::Element;
use super::error::RestError;
use super::fields::Fields;
use super::filter::{COMPARE, EQ, EQ_IN, Field, Filter, Spec, sort};
use super::page;
use super::parts::{email, owner};
use crate::tableau::events::seconds;
use crate::tableau::model::{Model, Project};
use tableau::ProjectLuid;

pub(crate) const SPEC: Spec = &[
    ("name", EQ_IN),
    ("ownerName", EQ_IN),
    ("ownerEmail", EQ_IN),
    ("parentProjectId", EQ_IN),
    ("topLevelProject", EQ),
    ("createdAt", COMPARE),
    ("updatedAt", COMPARE),
];

const FIELDS: Fields = Fields {
    row: "project",
    by_default: &[
        "id",
        "name",
        "description",
        "createdAt",
        "updatedAt",
        "contentPermissions",
        "parentProjectId",
        "owner.id",
    ],
    more: &[
        "topLevelProject",
        "writeable",
        "owner.name",
        "owner.fullName",
        "owner.email",
        "owner.siteRole",
        "owner.lastLogin",
        "contentsCounts.projectCount",
        "contentsCounts.workbookCount",
        "contentsCounts.viewCount",
        "contentsCounts.datasourceCount",
    ],
};

/// The project whose leaders set the permissions of its content.
const CONTENT_PERMISSIONS: [&str; 3] = ["ManagedByOwner", "LockedToProject", "LockedToProjectWithoutNested"];

fn field(model: &Model, project: &Project, name: &str) -> Field {
    let owner = || project.owner.as_ref().and_then(|owner| model.user(owner.as_str()));
    let text = |text: Option<&str>| Field::Text(text.unwrap_or_default().to_owned());
    match name {
        "name" => Field::Text(project.name.clone()),
        "ownerName" => text(owner().map(|u| u.full_name.as_str())),
        "ownerEmail" => text(owner().map(email)),
        "parentProjectId" => text(project.parent.as_ref().map(ProjectLuid::as_str)),
        "topLevelProject" => Field::Text(project.parent.is_none().to_string()),
        "createdAt" => Field::Time(Some(project.created_at)),
        _ => Field::Time(Some(project.updated_at)),
    }
}

/// A project only names its parent; callers build the path by following parents.
pub(crate) fn projects(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let filter = Filter::parse(call.query("filter"), SPEC)?;
    let asked = FIELDS.asked(call.query("fields"))?;
    let model = &*call.model;
    let site = call.site();
    let mut rows: Vec<&Project> = model.projects.iter().filter(|p| p.site == site).collect();
    rows.retain(|p| filter.passes(|name| field(model, p, name)));
    sort(&mut rows, call.query("sort"), SPEC, |p, name| field(model, p, name))?;
    page::answer(call, "projects", &rows, |p| asked.of(whole(call, p)))
}

/// A project element with all fields.
fn whole(call: &Call<'_>, project: &Project) -> Element {
    let model = &*call.model;
    let workbooks = || model.workbooks.iter().filter(|w| w.project == project.luid);
    let counts = Element::new("contentsCounts")
        .with(
            "projectCount",
            model.projects.iter().filter(|p| p.parent.as_ref() == Some(&project.luid)).count(),
        )
        .with("workbookCount", workbooks().count())
        .with("viewCount", workbooks().map(|w| model.views_of(w).count()).sum::<usize>())
        .with("datasourceCount", model.datasources.iter().filter(|d| d.project == project.luid).count());
    Element::new("project")
        .with("id", project.luid.as_str())
        .with("name", project.name.as_str())
        .with("description", project.description.as_str())
        .with("topLevelProject", project.parent.is_none())
        .with("writeable", call.may_lead(project).is_ok())
        .with("createdAt", seconds(project.created_at))
        .with("updatedAt", seconds(project.updated_at))
        .with("contentPermissions", project.content_permissions.as_str())
        .with_some("parentProjectId", project.parent.as_ref().map(ProjectLuid::as_str))
        .child_some(project.owner.as_ref().map(|luid| owner(model, luid)))
        .child(counts)
}

/// The new parent of a project; an empty id means top level.
fn new_parent(call: &Call<'_>, moved: &Project, id: &str) -> Result<Option<ProjectLuid>, RestError> {
    if id.is_empty() {
        return Ok(None);
    }
    let found = call.model.projects.iter().find(|p| p.luid.as_str() == id && p.site == moved.site);
    let parent = found.ok_or_else(|| RestError::not_found("404005", "Project", id))?;
    let mut above = Some(parent);
    while let Some(project) = above {
        if project.luid == moved.luid {
            return Err(RestError::new("403074", "A project cannot be moved into itself."));
        }
        above = project.parent.as_ref().and_then(|luid| call.model.project(luid));
    }
    Ok(Some(parent.luid.clone()))
}

/// Updates a project. An update without changes returns the project: REST has no other way to read a single project.
pub(crate) fn update(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let id = call.id().to_owned();
    let site = call.site();
    let at = call.model.projects.iter().position(|p| p.luid.as_str() == id && p.site == site);
    let at = at.ok_or_else(|| RestError::not_found("404005", "Project", &id))?;
    let mut project = call.model.projects[at].clone();
    call.may_lead(&project)?;
    if call.query("publishSamples").is_some_and(|publish| !publish.eq_ignore_ascii_case("false")) {
        return Err(RestError::new("400008", "There are no samples to publish here."));
    }
    let text = |path: &[&str]| call.body.text(&[&["project"], path].concat());
    if let Some(name) = text(&["name"]).filter(|name| *name != project.name) {
        if project.is_default {
            return Err(RestError::new("403005", "The default project cannot be renamed."));
        }
        name.clone_into(&mut project.name);
    }
    if let Some(parent) = text(&["parentProjectId"]) {
        let parent = new_parent(call, &project, parent)?;
        if project.is_default && parent.is_some() {
            return Err(RestError::new("403073", "The default project cannot be moved."));
        }
        project.parent = parent;
    }
    if let Some(description) = text(&["description"]) {
        description.clone_into(&mut project.description);
    }
    if let Some(permissions) = text(&["contentPermissions"]) {
        if !CONTENT_PERMISSIONS.contains(&permissions) {
            return Err(malformed("Payload is either malformed or incomplete: no such contentPermissions."));
        }
        permissions.clone_into(&mut project.content_permissions);
    }
    if let Some(owner) = text(&["owner", "id"]) {
        let found = call.model.user(owner).filter(|u| u.site == site);
        project.owner =
            Some(found.ok_or_else(|| RestError::not_found("404002", "User", owner))?.luid.clone());
    }
    project.updated_at = call.now;
    call.model.projects[at] = project;
    let project = &call.model.projects[at];
    Ok(Answer::ok(Element::root().child(FIELDS.asked(None)?.of(whole(call, project)))))
}
