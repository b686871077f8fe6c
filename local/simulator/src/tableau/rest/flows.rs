//! Flows of Tableau Prep.
//!
//! Sources: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_flow.htm>; for attributes and elements
//! `tableau/server-client-python`, `test/assets/flow_*.xml`; for filters and scopes `tableau/tableau-mcp`,
//! `src/tools/web/flows/`

use super::call::{Answer, Call};
use super::content::web_page;
use super::element::Element;
use super::error::RestError;
use super::filter::{COMPARE, EQ, EQ_IN, Field, Spec, sort};
use super::{jobs, page, tags};
use crate::tableau::events::seconds;
use crate::tableau::model::{Feature, Flow, Job, JobKind, Model, Target};

pub(crate) const SPEC: Spec = &[
    ("name", EQ_IN),
    ("projectId", EQ),
    ("projectName", EQ_IN),
    ("ownerName", EQ),
    ("createdAt", COMPARE),
    ("updatedAt", COMPARE),
];

fn field(model: &Model, flow: &Flow, name: &str) -> Field {
    let text = |text: Option<&str>| Field::Text(text.unwrap_or_default().to_owned());
    match name {
        "name" => Field::Text(flow.name.clone()),
        "projectId" => Field::Text(flow.project.to_string()),
        "projectName" => text(model.project(&flow.project).map(|p| p.name.as_str())),
        "ownerName" => text(model.user(flow.owner.as_str()).map(|u| u.full_name.as_str())),
        "createdAt" => Field::Time(Some(flow.created_at)),
        _ => Field::Time(Some(flow.updated_at)),
    }
}

fn element(call: &Call<'_>, flow: &Flow) -> Element {
    let project = call.model.project(&flow.project).map(|project| project.name.as_str());
    Element::new("flow")
        .with("id", flow.luid.as_str())
        .with("name", flow.name.as_str())
        .with("description", flow.description.as_deref().unwrap_or_default())
        .with("webpageUrl", web_page(call, "flows", flow.number))
        .with("fileType", "tflx")
        .with("createdAt", seconds(flow.created_at))
        .with("updatedAt", seconds(flow.updated_at))
        .child(Element::new("project").with("id", flow.project.as_str()).with_some("name", project))
        .child(Element::new("owner").with("id", flow.owner.as_str()))
        .child(tags::element(&flow.tags))
}

pub(crate) fn flows(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let filter = call.filter(SPEC)?;
    let model = &*call.model;
    let site = call.site();
    let flows = model.flows.iter().filter(|flow| flow.site == site && call.sees(flow.luid.as_str()));
    let mut rows: Vec<&Flow> = flows.collect();
    rows.retain(|flow| filter.passes(|name| field(model, flow, name)));
    sort(&mut rows, call.query("sort"), SPEC, |flow, name| field(model, flow, name))?;
    page::answer(call, "flows", &rows, |flow| element(call, flow))
}

/// The code of a flow that is not there is a guess: Tableau documents a 404.
fn find<'a>(call: &'a Call<'_>) -> Result<&'a Flow, RestError> {
    let found = call.model.flow(call.id()).filter(|flow| flow.site == call.site());
    found.ok_or_else(|| RestError::not_found("404032", "Flow", call.id()))
}

pub(crate) fn flow(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let flow = find(call)?;
    call.may_read(flow.luid.as_str())?;
    Ok(Answer::ok(Element::root().child(element(call, flow))))
}

/// Runs a flow. Data Management is needed for it. Runs do not count towards the quota of refreshes here.
pub(crate) fn run(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let flow = find(call)?;
    let about = (flow.site.clone(), Target::Flow(flow.luid.clone()), flow.name.clone());
    let luid = flow.luid.to_string();
    if !call.model.has(Feature::RunNow) {
        return Err(RestError::new("409082", "Running flows now is not allowed on this site."));
    }
    if !call.settings.data_management {
        return Err(RestError::new("403157", "The site has no Data Management."));
    }
    call.may_run(&luid)?;
    call.knows_published(&luid)?;
    if call.model.refresh(&about.1, Job::is_queued).is_some() {
        let detail = format!("Job for '{luid}' is already queued. Not queuing a duplicate.");
        return Err(RestError::new("409093", detail));
    }
    let user = call.session.as_ref().map(|session| session.user.clone());
    let answer = jobs::queue(call, about, JobKind::Flow);
    if let Some(run) = call.model.flow_runs.last_mut() {
        run.user = user;
    }
    Ok(answer)
}
