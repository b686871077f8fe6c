//! Extract refresh tasks.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_jobs_tasks_and_schedules.htm>

use super::call::{Answer, Call};
use super::element::Element;
use super::error::RestError;
use super::jobs;
use super::page;
use crate::tableau::events::seconds;
use crate::tableau::model::{JobKind, STARTS_AT_HOUR, Target, Task};

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A daily task of Tableau Cloud: once in 24 hours, on each listed day.
///
/// Source: `tableau/server-client-python:test/assets/tasks_with_interval.xml`
fn element(call: &Call<'_>, task: &Task) -> Element {
    let days = DAYS.map(|day| Element::new("interval").with("weekDay", day));
    let mut intervals = vec![Element::new("interval").with("hours", "24")];
    intervals.extend(days);
    let start = format!("{STARTS_AT_HOUR:02}:00:00");
    let details = Element::new("frequencyDetails").with("start", start.as_str()).with("end", start.as_str());
    let schedule = Element::new("schedule")
        .with("frequency", "Daily")
        .with("nextRunAt", seconds(task.next_run_at(call.now)))
        .child(details.child(Element::new("intervals").many(intervals)));
    let target = match &task.target {
        Target::Workbook(luid) => Some(Element::new("workbook").with("id", luid.as_str())),
        Target::Datasource(luid) => Some(Element::new("datasource").with("id", luid.as_str())),
        Target::Flow(_) | Target::Nothing => None,
    };
    let refresh = Element::new("extractRefresh")
        .with("id", task.luid.as_str())
        .with("priority", task.priority)
        .with("consecutiveFailedCount", call.model.failed_in_a_row(&task.target))
        .with("type", "RefreshExtractTask")
        .child(schedule)
        .child_some(target);
    Element::new("task").child(refresh)
}

/// Administrators see all tasks; other users see the tasks of their own content.
pub(crate) fn list(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let site = call.site();
    let seen = call.model.tasks.iter().filter(|t| t.site == site && sees(call, t));
    let tasks = seen.map(|t| element(call, t)).collect();
    page::answer_whole(call, "tasks", tasks)
}

fn sees(call: &Call<'_>, task: &Task) -> bool {
    call.is_administrator() || task.target.luid().is_some_and(|luid| call.owns(luid))
}

fn find(call: &Call<'_>, id: &str) -> Result<Task, RestError> {
    let found = call.model.tasks.iter().find(|t| t.luid == id && t.site == call.site() && sees(call, t));
    found.cloned().ok_or_else(|| RestError::not_found("404026", "Task", id))
}

pub(crate) fn task(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let task = find(call, call.id())?;
    Ok(Answer::ok(Element::root().child(element(call, &task))))
}

pub(crate) fn run_now(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let task = find(call, call.id())?;
    let about = task.target.luid().and_then(|luid| call.model.refreshable(luid));
    let about = about.ok_or_else(|| RestError::not_found("404026", "Task", &task.luid))?;
    Ok(jobs::refresh(call, true, about, JobKind::FullRefresh)?.status(200))
}
