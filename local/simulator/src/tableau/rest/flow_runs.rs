//! Runs of flows. A run has an id of its own, which is neither that of its flow nor that of its job.
//!
//! Sources: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_flow.htm#get_flow_runs>; for attributes and
//! elements `tableau/server-client-python`, `test/assets/flow_runs_*.xml`; for filters, pages and the answer to a run that
//! is over `tableau/tableau-mcp`, `src/tools/web/flows/` and `src/sdks/tableau/apis/flowsApi.ts`; for the reason of a
//! failure `tableau/tableau-mcp#707`

use super::call::{Answer, Call};
use super::element::Element;
use super::error::RestError;
use super::filter::{COMPARE, EQ_IN, Field, Spec, sort};
use super::page;
use crate::tableau::events::seconds;
use crate::tableau::model::{FinishCode, FlowRun, Job};
use crate::tableau::version::RestVersion;
use tableau::UserLuid;

pub(crate) const SPEC: Spec = &[
    ("flowId", EQ_IN),
    ("userId", EQ_IN),
    ("progress", COMPARE),
    ("startedAt", COMPARE),
    ("completedAt", COMPARE),
];

/// The version from which on a failed run says why.
const WITH_REASON: RestVersion = RestVersion { major: 3, minor: 30 };

/// Runs have a progress in steps only in samples: half of a run that has begun.
fn progress(job: &Job) -> u8 {
    match (job.is_open(), job.started_at) {
        (false, _) => 100,
        (true, Some(_)) => 50,
        (true, None) => 0,
    }
}

fn field((run, job): &(&FlowRun, &Job), name: &str) -> Field {
    match name {
        "flowId" => Field::Text(run.flow.to_string()),
        "userId" => Field::Text(run.user.as_ref().map(UserLuid::to_string).unwrap_or_default()),
        "progress" => Field::Number(progress(job).into()),
        "startedAt" => Field::Time(job.started_at),
        _ => Field::Time(job.completed_at),
    }
}

fn element(call: &Call<'_>, name: &'static str, run: &FlowRun, job: &Job) -> Element {
    let failed = job.finish == Some(FinishCode::Error) && call.version >= WITH_REASON;
    let reason = failed.then(|| {
        let reason = Element::new("failureReason").with("available", job.notes.is_some());
        reason.with_some("message", job.notes.as_deref())
    });
    Element::new(name)
        .with("id", run.luid.as_str())
        .with("flowId", run.flow.as_str())
        .with("status", job.status())
        .with_some("startedAt", job.started_at.map(seconds))
        // Empty, not absent, while the run is open.
        .with("completedAt", job.completed_at.map(seconds).unwrap_or_default())
        .with("progress", progress(job))
        .with("backgroundJobId", job.luid.as_str())
        .child_some(reason)
}

/// The runs on the session's site of flows that the caller may run, each with its job.
fn seen<'a>(call: &'a Call<'_>) -> impl Iterator<Item = (&'a FlowRun, &'a Job)> {
    let site = call.site();
    let with_job = |run: &'a FlowRun| call.model.job(run.job.as_str()).map(|job| (run, job));
    let runs = call.model.flow_runs.iter().filter_map(with_job);
    runs.filter(move |(run, job)| job.site == site && call.runs_flow(run.flow.as_str()))
}

/// Lists runs, the newest first. The list has pages, but no pagination block: it ends with a short page.
pub(crate) fn list(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let filter = call.filter(SPEC)?;
    let mut rows: Vec<(&FlowRun, &Job)> = seen(call).collect();
    rows.retain(|row| filter.passes(|name| field(row, name)));
    rows.reverse();
    rows.sort_by_key(|(_, job)| std::cmp::Reverse(job.created_at));
    sort(&mut rows, call.query("sort"), SPEC, field)?;
    page::answer_without_total(call, "flowRuns", &rows, |(run, job)| element(call, "flowRuns", run, job))
}

/// The run with the id in the path; the id of a flow is none. The code is a guess.
fn find<'a>(call: &'a Call<'_>) -> Result<(&'a FlowRun, &'a Job), RestError> {
    let found = seen(call).find(|(run, _)| run.luid == call.id());
    found.ok_or_else(|| RestError::not_found("404033", "Flow run", call.id()))
}

pub(crate) fn get(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let (run, job) = find(call)?;
    Ok(Answer::ok(Element::root().child(element(call, "flowRun", run, job))))
}

/// Cancels a run: for administrators and those who started it. A run that is over is answered with `200` and an error.
pub(crate) fn cancel(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let (run, job) = find(call)?;
    let caller = call.session.as_ref().map(|session| &session.user);
    if !call.is_administrator() && (caller.is_none() || caller != run.user.as_ref()) {
        return Err(RestError::new(
            "403004",
            "Only administrators and the user who started a run may cancel it.",
        ));
    }
    if !job.is_open() {
        let over =
            RestError::new("403135", "The flow run cannot be canceled, because it is already complete.");
        return Ok(Answer::ok(over.element()));
    }
    let (job, now) = (job.luid.clone(), call.now);
    if let Some(job) = call.model.job_mut(&job) {
        job.cancel(now);
    }
    Ok(Answer::ok(Element::root()))
}
