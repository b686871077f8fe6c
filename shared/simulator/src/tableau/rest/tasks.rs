//! Refreshes on a schedule.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_jobs_tasks_and_schedules.htm>

use super::call::{Answer, Call};
use super::element::Element;
use super::error::RestError;
use super::jobs;
use crate::tableau::events::seconds;
use crate::tableau::model::{JobKind, Model, Target, Task};

fn element(model: &Model, task: &Task) -> Element {
    let interval = Element::new("interval").with("hours", "24");
    let details = Element::new("frequencyDetails").with("start", "04:00:00").with("end", "04:00:00");
    let schedule = Element::new("schedule")
        .with("frequency", "Daily")
        .with("nextRunAt", seconds(task.next_run_at))
        .child(details.child(Element::new("intervals").many(vec![interval])));
    let target = match &task.target {
        Target::Workbook(luid) => Some(Element::new("workbook").with("id", luid.as_str())),
        Target::Datasource(luid) => Some(Element::new("datasource").with("id", luid.as_str())),
        Target::Nothing => None,
    };
    let refresh = Element::new("extractRefresh")
        .with("id", task.luid.as_str())
        .with("priority", task.priority)
        .with("consecutiveFailedCount", model.failed_in_a_row(&task.target))
        .with("type", "RefreshExtractTask")
        .child(schedule)
        .child_some(target);
    Element::new("task").child(refresh)
}

/// Administrators see all tasks, others those of what they own.
pub(crate) fn list(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let (model, site) = (&*call.model, call.site());
    let tasks = model.tasks.iter().filter(|t| t.site == site && sees(call, t)).map(|t| element(model, t));
    Ok(Answer::ok(Element::root().child(Element::new("tasks").many(tasks.collect()))))
}

fn sees(call: &Call<'_>, task: &Task) -> bool {
    call.is_administrator() || task.target.luid().is_some_and(|luid| call.owns(luid))
}

fn find(call: &Call<'_>, id: &str) -> Result<Task, RestError> {
    let found = call.model.tasks.iter().find(|t| t.luid == id && t.site == call.site() && sees(call, t));
    // The code for a missing task is not documented.
    found.cloned().ok_or_else(|| RestError::not_found("404025", "Task", id))
}

pub(crate) fn task(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let task = find(call, call.id())?;
    Ok(Answer::ok(Element::root().child(element(call.model, &task))))
}

pub(crate) fn run_now(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let task = find(call, call.id())?;
    let about = task.target.luid().and_then(|luid| call.model.refreshable(luid));
    let about = about.ok_or_else(|| RestError::not_found("404025", "Task", &task.luid))?;
    Ok(jobs::refresh(call, true, about, JobKind::FullRefresh)?.status(200))
}
