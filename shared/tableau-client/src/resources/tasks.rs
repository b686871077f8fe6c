//! Scheduled extract refreshes.

use super::jobs::{Answer, Job};
use crate::call::{Call, Path};
use crate::filter::{Field, Filter, Filtered, sealed};
use crate::pages::{List, Pages, Place, all_fields};
use crate::{Error, TableauClient, lenient};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tableau::{DatasourceLuid, ScheduleLuid, Subject, TaskLuid, WorkbookLuid};

/// A scheduled extract refresh.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "Task")]
pub struct RefreshTask {
    /// The task's LUID.
    pub id: TaskLuid,
    /// The workbook or data source that the task refreshes.
    pub subject: Option<Subject>,
    /// The task's priority: 0 runs first, 100 last.
    pub priority: Option<u8>,
    /// How many times in a row the task has failed.
    pub consecutive_failures: Option<u32>,
    /// The kind of refresh: `FullRefresh` or `IncrementalRefresh`.
    pub kind: Option<String>,
    /// When the task runs.
    pub schedule: Option<Schedule>,
}

/// A schedule: when a task runs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// The schedule's LUID; schedules on Tableau Cloud may have none.
    #[serde(default, deserialize_with = "lenient::part")]
    pub id: Option<ScheduleLuid>,
    /// The schedule's name.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// How often the schedule runs: `Hourly`, `Daily`, `Weekly` or `Monthly`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub frequency: Option<String>,
    /// When the schedule runs next.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub next_run_at: Option<Timestamp>,
}

/// A task, as Tableau's list contains it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Task {
    extract_refresh: Refresh,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refresh {
    id: TaskLuid,
    #[serde(default, deserialize_with = "lenient::number")]
    priority: Option<u8>,
    #[serde(default, deserialize_with = "lenient::number")]
    consecutive_failed_count: Option<u32>,
    #[serde(default, rename = "type", deserialize_with = "lenient::text")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "lenient::part")]
    schedule: Option<Schedule>,
    #[serde(default, deserialize_with = "lenient::part")]
    workbook: Option<Identified<WorkbookLuid>>,
    #[serde(default, deserialize_with = "lenient::part")]
    datasource: Option<Identified<DatasourceLuid>>,
}

#[derive(Deserialize)]
struct Identified<T> {
    id: T,
}

impl From<Task> for RefreshTask {
    fn from(Task { extract_refresh: task }: Task) -> Self {
        let workbook = task.workbook.map(|workbook| Subject::Workbook(workbook.id));
        let datasource = task.datasource.map(|datasource| Subject::Datasource(datasource.id));
        Self {
            id: task.id,
            subject: workbook.or(datasource),
            priority: task.priority,
            consecutive_failures: task.consecutive_failed_count,
            kind: task.kind,
            schedule: task.schedule,
        }
    }
}

impl sealed::Sealed for RefreshTask {}

impl Filtered for RefreshTask {
    fn field(&self, _: &str) -> Field<'_> {
        Field::Text(None)
    }
}

impl TableauClient {
    /// Lists the scheduled extract refreshes. The list cannot be filtered. REST API 2.6+; JWT scope
    /// `tableau:tasks:read`.
    ///
    /// # Errors
    /// When the list is fetched: [`Error::Refused`] with code 403004 without the rights.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_jobs_tasks_and_schedules.htm#get_extract_refresh_tasks>
    pub fn refresh_tasks(&self) -> Pages<RefreshTask> {
        let list = List {
            operation: "list the refresh tasks",
            path: "tasks/extractRefreshes".to_owned(),
            wrapper: "tasks",
            element: "task",
            place: Place::Site,
            paged: false,
            unknown: all_fields,
        };
        Pages::new(self, list, Filter::all())
    }

    /// Runs a scheduled extract refresh now. REST API 2.6+; JWT scope `tableau:tasks:run`.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 409093 when the refresh is already queued, 404026 when there is no such task;
    /// otherwise as for [`TableauClient::refresh_now`].
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_jobs_tasks_and_schedules.htm#run_extract_refresh_task>
    pub async fn run_refresh_task(&self, luid: &TaskLuid) -> Result<Job, Error> {
        let path = format!("tasks/extractRefreshes/{luid}/runNow");
        let call = Call::create("run the refresh task", Path::Site(&path), &json!({}));
        Ok(self.ask::<Answer>(call).await?.job)
    }
}
