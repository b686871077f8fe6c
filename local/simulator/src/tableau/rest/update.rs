//! Updates and deletes workbooks and data sources.

use super::call::{Answer, Call};
use super::content::{datasource_element, workbook_element};
use super::element::Element;
use super::error::RestError;
use tableau::{ProjectLuid, UserLuid};

/// The changes that both kinds of content accept.
struct Change {
    name: Option<String>,
    description: Option<String>,
    project: Option<ProjectLuid>,
    owner: Option<UserLuid>,
}

impl Change {
    /// A caller whose right comes only from a capability cannot change the owner.
    fn of(call: &Call<'_>, kind: &str, luid: &str) -> Result<Self, RestError> {
        let text = |path: &[&str]| call.body.text(&[&[kind], path].concat()).map(str::to_owned);
        let project = text(&["project", "id"]).map(|id| {
            let found = call.model.projects.iter().find(|p| p.luid.as_str() == id && p.site == call.site());
            found.map(|p| p.luid.clone()).ok_or_else(|| RestError::not_found("404005", "Project", &id))
        });
        let owner = text(&["owner", "id"]).map(|id| {
            let found = call.model.user(&id).filter(|u| u.site == call.site());
            found.map(|u| u.luid.clone()).ok_or_else(|| RestError::not_found("404002", "User", &id))
        });
        if owner.is_some() && !call.governs(luid) {
            return Err(RestError::new("403027", "The user is not permitted to change the owner."));
        }
        Ok(Self {
            name: text(&["name"]).filter(|name| !name.is_empty()),
            description: text(&["description"]),
            project: project.transpose()?,
            owner: owner.transpose()?,
        })
    }
}

/// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_workbooks_and_views.htm#update_workbook>
pub(crate) fn workbook(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let id = call.id().to_owned();
    let site = call.site();
    let now = call.now;
    let at = call.model.workbooks.iter().position(|w| w.luid.as_str() == id && w.site == site);
    let at = at.ok_or_else(|| RestError::not_found("404006", "Workbook", &id))?;
    call.may_change(&id)?;
    let change = Change::of(call, "workbook", &id)?;
    let tabs = call.body.flag(&["workbook", "showTabs"]);
    let encrypted = call.body.flag(&["workbook", "encryptExtracts"]);
    let acceleration = |name: &str| call.body.flag(&["workbook", "dataAccelerationConfig", name]);
    let enabled = acceleration("accelerationEnabled");
    let at_once = acceleration("accelerateNow");
    let views = call.body.list(&["workbook", "views", "view"]);
    for id in views.into_iter().filter_map(|view| view.get("id")?.as_str()) {
        let is_its_own = call.model.view(id).is_some_and(|view| view.workbook.as_str() == call.id());
        is_its_own.then_some(()).ok_or_else(|| RestError::not_found("404011", "View", id))?;
    }
    let workbook = &mut call.model.workbooks[at];
    if enabled.is_some() || at_once.is_some() {
        let before = workbook.acceleration.unwrap_or_default();
        workbook.acceleration = Some((enabled.unwrap_or(before.0), at_once.unwrap_or(before.1)));
    }
    workbook.name = change.name.unwrap_or_else(|| workbook.name.clone());
    workbook.description = change.description.or_else(|| workbook.description.take());
    workbook.project = change.project.unwrap_or_else(|| workbook.project.clone());
    workbook.owner = change.owner.unwrap_or_else(|| workbook.owner.clone());
    workbook.show_tabs = tabs.unwrap_or(workbook.show_tabs);
    workbook.encrypt_extracts = encrypted.unwrap_or(workbook.encrypt_extracts);
    workbook.updated_at = now;
    Ok(Answer::ok(Element::root().child(workbook_element(call, &call.model.workbooks[at])?)))
}

/// Updates a data source. Certification is for project leaders and administrators, and fires no event here.
///
/// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_data_sources.htm#update_data_source>
pub(crate) fn datasource(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let id = call.id().to_owned();
    let site = call.site();
    let now = call.now;
    let at = call.model.datasources.iter().position(|d| d.luid.as_str() == id && d.site == site);
    let at = at.ok_or_else(|| RestError::not_found("404004", "Datasource", &id))?;
    call.may_change(&id)?;
    let change = Change::of(call, "datasource", &id)?;
    let encrypted = call.body.flag(&["datasource", "encryptExtracts"]);
    let by_bridge = call.body.flag(&["datasource", "useRemoteQueryAgent"]);
    let before = call.model.datasources[at].certified.clone();
    let note = call.body.text(&["datasource", "certificationNote"]).map(str::to_owned);
    let certified = match call.body.flag(&["datasource", "isCertified"]) {
        Some(true) => Some(note.or_else(|| before.clone()).unwrap_or_default()),
        Some(false) => None,
        None => before.clone().map(|old| note.unwrap_or(old)),
    };
    if certified != before {
        call.may_judge(&id)?;
    }
    let datasource = &mut call.model.datasources[at];
    datasource.name = change.name.unwrap_or_else(|| datasource.name.clone());
    datasource.description = change.description.or_else(|| datasource.description.take());
    datasource.project = change.project.unwrap_or_else(|| datasource.project.clone());
    datasource.owner = change.owner.unwrap_or_else(|| datasource.owner.clone());
    datasource.certified = certified;
    datasource.encrypt_extracts = encrypted.unwrap_or(datasource.encrypt_extracts);
    datasource.use_remote_query_agent = by_bridge.unwrap_or(datasource.use_remote_query_agent);
    datasource.updated_at = now;
    Ok(Answer::ok(Element::root().child(datasource_element(call, &call.model.datasources[at])?)))
}

pub(crate) fn delete_workbook(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.workbook(call.id()).is_some_and(|w| w.site == call.site());
    delete(call, found, ("404006", "Workbook"))
}

pub(crate) fn delete_datasource(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.datasource(call.id()).is_some_and(|d| d.site == call.site());
    delete(call, found, ("404004", "Datasource"))
}

fn delete(call: &Call<'_>, found: bool, (code, what): (&'static str, &str)) -> Result<Answer, RestError> {
    if !found {
        return Err(RestError::not_found(code, what, call.id()));
    }
    call.may_delete(call.id())?;
    Ok(Answer::no_content().then(call.deletes(call.id())))
}
