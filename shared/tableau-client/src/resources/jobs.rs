//! Background jobs, such as the runs of extract refreshes.

use crate::call::{Call, Path};
use crate::filter::{Condition, Field, Filter, Filtered, sealed};
use crate::pages::{List, Pages, Place, all_fields};
use crate::{Error, TableauClient, lenient};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;
use tableau::{DatasourceLuid, FlowLuid, FlowRunLuid, JobLuid, Subject, WorkbookLuid};

/// A job in a list of jobs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct JobSummary {
    /// The job's LUID.
    pub id: JobLuid,
    /// The job's state: `Pending`, `InProgress`, `Success`, `Failed` or `Cancelled`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub status: Option<String>,
    /// The job's type: `refresh_extracts`, `increment_extracts`, `refresh_extracts_via_bridge`, `run_flow`, …
    #[serde(default, deserialize_with = "lenient::text")]
    pub job_type: Option<String>,
    /// For refreshes: the name of the refreshed object.
    #[serde(default, deserialize_with = "lenient::text")]
    pub title: Option<String>,
    /// For refreshes: the kind of the refreshed object, `Workbook` or `Data Source`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub subtitle: Option<String>,
    /// The job's priority: 0 runs first, 100 last.
    #[serde(default, deserialize_with = "lenient::number")]
    pub priority: Option<u8>,
    /// When the job was queued.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub created_at: Option<Timestamp>,
    /// When the job began to run.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub started_at: Option<Timestamp>,
    /// When the job ended.
    #[serde(flatten, deserialize_with = "lenient::ended_at")]
    pub ended_at: Option<Timestamp>,
}

/// A job with all details.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Job {
    /// The job's LUID.
    pub id: JobLuid,
    /// The finish code: 0 success, 1 error, 2 cancelled, 3 completed by Bridge. Some kinds of jobs show 1 while they
    /// run: see [`Job::end`].
    #[serde(default, deserialize_with = "lenient::number")]
    pub finish_code: Option<u8>,
    /// The job's progress in percent.
    #[serde(default, deserialize_with = "lenient::number")]
    pub progress: Option<u8>,
    /// When the job was queued.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub created_at: Option<Timestamp>,
    /// When the job began to run.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub started_at: Option<Timestamp>,
    /// When the job ended; `None` while it runs.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub completed_at: Option<Timestamp>,
    /// For extract refreshes: the refreshed object and the result.
    #[serde(default, deserialize_with = "lenient::part")]
    pub extract_refresh_job: Option<ExtractRefresh>,
    /// The same data as `extract_refresh_job`, if it stands next to that block (its place depends on the kind of job and on
    /// Tableau's version), and what runs of flows have.
    #[serde(flatten)]
    beside: Box<Beside>,
}

/// The part of a job that only extract refreshes have.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtractRefresh {
    #[serde(default, deserialize_with = "lenient::texts")]
    notes: Box<[String]>,
    #[serde(default, deserialize_with = "lenient::texts")]
    status_notes: Box<[String]>,
    #[serde(default, deserialize_with = "lenient::part")]
    workbook: Option<Refreshed<WorkbookLuid>>,
    #[serde(default, deserialize_with = "lenient::part")]
    datasource: Option<Refreshed<DatasourceLuid>>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Refreshed<T> {
    id: Option<T>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Beside {
    #[serde(flatten)]
    refresh: ExtractRefresh,
    #[serde(default, deserialize_with = "lenient::part")]
    run_flow_job_type: Option<FlowJob>,
}

/// The part of a job that only runs of flows have.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FlowJob {
    #[serde(default, deserialize_with = "lenient::part")]
    flow_run_id: Option<FlowRunLuid>,
    #[serde(default, deserialize_with = "lenient::part")]
    flow: Option<Refreshed<FlowLuid>>,
    #[serde(default, deserialize_with = "lenient::texts")]
    notes: Box<[String]>,
}

/// The result of a job that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobEnd {
    /// The job succeeded. A refresh through Bridge was only handed over to Bridge.
    Success,
    /// The job failed; [`Job::notes`] says why.
    Failed,
    /// A user cancelled the job.
    Cancelled,
    /// Tableau Bridge completed the job.
    CompletedByBridge,
    /// The job ended with a finish code that is unknown here.
    Unknown,
}

/// The result of waiting for a job.
#[derive(Clone, Debug, PartialEq)]
pub enum Waited {
    /// The job ended.
    Ended(Job, JobEnd),
    /// The job was still running when the time was over.
    StillRunning(Job),
}

impl JobEnd {
    /// Whether the job succeeded.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Success | Self::CompletedByBridge)
    }
}

impl Job {
    /// The job's result; `None` while it runs. Only the completion time shows that a job has ended: some kinds of
    /// jobs show finish code 1 and progress 0 from the beginning.
    pub fn end(&self) -> Option<JobEnd> {
        self.completed_at?;
        Some(match self.finish_code {
            Some(0) => JobEnd::Success,
            Some(1) => JobEnd::Failed,
            Some(2) => JobEnd::Cancelled,
            Some(3) => JobEnd::CompletedByBridge,
            _ => JobEnd::Unknown,
        })
    }

    /// The object that the job refreshed.
    pub fn subject(&self) -> Option<Subject> {
        self.parts().find_map(ExtractRefresh::subject)
    }

    /// The flow that the job runs.
    pub fn flow(&self) -> Option<&FlowLuid> {
        self.beside.run_flow_job_type.as_ref()?.flow.as_ref()?.id.as_ref()
    }

    /// The run of the flow that the job runs: by its id [`TableauClient::flow_run`] finds it.
    pub fn flow_run(&self) -> Option<&FlowRunLuid> {
        self.beside.run_flow_job_type.as_ref()?.flow_run_id.as_ref()
    }

    /// The job's notes, line by line. They may contain host names and users of the data source. Refreshes have
    /// `notes`, newer kinds of jobs `statusNotes`.
    pub fn notes(&self) -> Option<String> {
        let mut texts: Vec<&str> = Vec::new();
        let of_flow = self.beside.run_flow_job_type.iter().flat_map(|flow| flow.notes.iter());
        for text in self.parts().flat_map(|part| part.notes.iter().chain(&part.status_notes)).chain(of_flow) {
            if !texts.contains(&text.as_str()) {
                texts.push(text);
            }
        }
        (!texts.is_empty()).then(|| texts.join("\n"))
    }

    fn parts(&self) -> impl Iterator<Item = &ExtractRefresh> {
        self.extract_refresh_job.iter().chain([&self.beside.refresh])
    }
}

impl ExtractRefresh {
    fn subject(&self) -> Option<Subject> {
        let workbook = self.workbook.as_ref().and_then(|w| w.id.clone()).map(Subject::Workbook);
        workbook.or_else(|| self.datasource.as_ref().and_then(|d| d.id.clone()).map(Subject::Datasource))
    }
}

impl sealed::Sealed for JobSummary {}

impl Filtered for JobSummary {
    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "status" => Field::Text(self.status.as_deref()),
            "jobType" => Field::Text(self.job_type.as_deref()),
            "createdAt" => Field::Time(self.created_at),
            "completedAt" => Field::Time(self.ended_at),
            _ => Field::Text(self.title.as_deref()),
        }
    }
}

impl Filter<JobSummary> {
    /// Jobs that refresh extracts: full, incremental, or through Tableau Bridge.
    #[must_use]
    pub fn refreshes(self) -> Self {
        self.of_types(["refresh_extracts", "increment_extracts", "refresh_extracts_via_bridge"])
    }

    /// Jobs of these types, such as `run_flow`.
    #[must_use]
    pub fn of_types<S: Into<String>>(self, types: impl IntoIterator<Item = S>) -> Self {
        self.with("jobType", Condition::AnyOf(types.into_iter().map(Into::into).collect()))
    }

    /// Jobs in this state: `Pending`, `InProgress`, `Success`, `Failed` or `Cancelled`.
    #[must_use]
    pub fn in_state(self, status: &str) -> Self {
        self.with("status", Condition::Is(status.to_owned()))
    }

    /// Jobs with this title: for refreshes, the name of the refreshed object.
    #[must_use]
    pub fn titled(self, title: &str) -> Self {
        self.with("title", Condition::Is(title.to_owned()))
    }

    /// Jobs that were queued at this time or later.
    #[must_use]
    pub fn created_since(self, time: Timestamp) -> Self {
        self.with("createdAt", Condition::Since(time))
    }

    /// Jobs that ended at this time or later.
    #[must_use]
    pub fn ended_since(self, time: Timestamp) -> Self {
        self.with("completedAt", Condition::Since(time))
    }

    /// Jobs that ended before this time.
    #[must_use]
    pub fn ended_before(self, time: Timestamp) -> Self {
        self.with("completedAt", Condition::Before(time))
    }
}

/// The JWT scope for reading jobs.
const READ: &str = "tableau:jobs:read";

#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) job: Job,
}

/// The waits between two requests for a job: half a second, then each 1.4 times as long, at most 30 s.
fn waits() -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(0.5_f64), |wait| Some((wait * 1.4).min(30.0))).map(Duration::from_secs_f64)
}

impl TableauClient {
    /// Lists jobs. Administrators only. REST API 3.1+; JWT scope `tableau:jobs:read`.
    ///
    /// # Errors
    /// When a page is fetched: [`Error::Refused`] with code 403000 without the rights, 403079 when the site forbids job
    /// lists.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_jobs_tasks_and_schedules.htm#query_jobs>
    pub fn jobs(&self, filter: Filter<JobSummary>) -> Pages<JobSummary> {
        let list = List {
            operation: "list the jobs",
            path: "jobs".to_owned(),
            wrapper: "backgroundJobs",
            element: "backgroundJob",
            place: Place::Site,
            paged: true,
            unknown: all_fields,
        };
        Pages::new(self, list, filter).scope(READ)
    }

    /// Fetches a job. Administrators only. REST API 3.1+; JWT scope `tableau:jobs:read`.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404018 when the site has no such job.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_jobs_tasks_and_schedules.htm#query_job>
    pub async fn job(&self, luid: &JobLuid) -> Result<Job, Error> {
        let path = format!("jobs/{luid}");
        let call = Call::get("fetch the job", Path::Site(&path)).scope(READ);
        let answer: Answer = self.ask(call).await?;
        Ok(answer.job)
    }

    /// Cancels a job that is queued or running. REST API 3.1+; JWT scope `tableau:jobs:update`, 3.27+.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404018 when the site has no such job, with 403091 when it has ended.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_jobs_tasks_and_schedules.htm#cancel_job>
    pub async fn cancel_job(&self, luid: &JobLuid) -> Result<(), Error> {
        let path = format!("jobs/{luid}");
        self.run(Call::put("cancel the job", Path::Site(&path), &json!({}))).await
    }

    /// Requests a job until it has ended, for at most `time`: at once, then at growing intervals of up to 30 s. REST
    /// API 3.1+; JWT scope `tableau:jobs:read`.
    ///
    /// # Errors
    /// The same as for [`TableauClient::job`], if retrying within `time` did not help.
    ///
    /// Source: the same as for [`TableauClient::job`].
    pub async fn wait_for_job(&self, luid: &JobLuid, time: Duration) -> Result<Waited, Error> {
        let patient = self.within(time);
        let mut waits = waits();
        loop {
            let job = patient.job(luid).await?;
            if let Some(end) = job.end() {
                return Ok(Waited::Ended(job, end));
            }
            let wait = waits.next().unwrap_or_default();
            if patient.remaining().is_some_and(|remaining| remaining <= wait) {
                return Ok(Waited::StillRunning(job));
            }
            tokio::time::sleep(wait).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn job(value: Value) -> Job {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_job_is_read_in_every_shape() {
        let failed = job(json!({
            "id": "j-1", "finishCode": "1", "completedAt": "2025-01-15T17:14:44Z", "progress": "100", "new": {},
            "extractRefreshJob": {"notes": "Login failed", "datasource": {"id": "d-1", "name": "Sales"}}
        }));
        assert_eq!(failed.subject(), Some(Subject::Datasource("d-1".parse().unwrap())));
        assert_eq!(failed.end(), Some(JobEnd::Failed));
        assert_eq!(failed.notes().as_deref(), Some("Login failed"));
    }

    #[test]
    fn what_a_job_says_is_read_wherever_it_stands() {
        let datasource = json!({"id": "d-1", "name": "Sales"});
        let refresh = json!({"datasource": datasource});
        let with = |notes: Value| json!({"id": "j", "extractRefreshJob": {"datasource": datasource, "notes": notes}});
        let note = |text: &str| json!({"type": "RefreshFailed", "value": "1", "text": text});
        for shape in [
            with(json!("Login failed\nfor user")),
            with(json!(["Login failed", "for user"])),
            with(json!([{"text": "Login failed"}, {"text": "for user"}])),
            with(json!({"note": ["Login failed", "for user", ""]})),
            json!({"id": "j", "extractRefreshJob": refresh, "notes": ["Login failed", "for user"]}),
            json!({"id": "j", "extractRefreshJob": refresh, "notes": "Login failed\nfor user"}),
            json!({"id": "j", "extractRefreshJob": {"datasource": datasource, "notes": "Login failed"},
                "notes": ["Login failed", "for user"]}),
            json!({"id": "j", "datasource": datasource, "notes": null,
                "statusNotes": {"statusNote": [note("Login failed"), note("for user")]}}),
            json!({"id": "j", "extractRefreshJob": refresh, "statusNotes": {"statusNote": note("Login failed\nfor user")}}),
            json!({"id": "j", "extractRefreshJob": {"datasource": datasource,
                "statusNotes": [note("Login failed"), note("for user")]}}),
        ] {
            let read = job(shape.clone());
            assert_eq!(read.notes().as_deref(), Some("Login failed\nfor user"), "{shape}");
            assert_eq!(read.subject(), Some(Subject::Datasource("d-1".parse().unwrap())), "{shape}");
        }
        for nothing in [json!(null), json!(""), json!(" \n"), json!([]), json!([" "]), json!({}), json!(7)] {
            let shape = json!({"id": "j", "extractRefreshJob": {"notes": nothing}, "notes": nothing, "statusNotes": nothing});
            assert_eq!(job(shape).notes(), None, "{nothing}");
        }
    }

    // `tableau/server-client-python:test/assets/flow_refresh.xml`
    #[test]
    fn a_job_of_a_flow_names_the_flow_and_its_run() {
        let flow = job(json!({"id": "j", "type": "RunFlow", "runFlowJobType": {
            "flowRunId": "r-1", "flow": {"id": "f-1", "name": "FlowOne"}, "notes": "no space"}}));
        assert_eq!(flow.flow().map(FlowLuid::as_str), Some("f-1"));
        assert_eq!(flow.flow_run().map(FlowRunLuid::as_str), Some("r-1"));
        assert_eq!((flow.subject(), flow.notes().as_deref()), (None, Some("no space")));
        for other in [
            json!({"id": "j"}),
            json!({"id": "j", "runFlowJobType": "x"}),
            json!({"id": "j", "runFlowJobType": {}}),
        ] {
            let other = job(other);
            assert_eq!((other.flow(), other.flow_run()), (None, None));
        }
    }

    #[test]
    fn a_job_with_a_time_of_completion_has_ended() {
        for running in
            [json!({"id": "j-2", "progress": "0"}), json!({"id": "j-2", "finishCode": 1, "progress": "0"})]
        {
            let running = job(running);
            assert_eq!((running.end(), running.subject(), running.notes()), (None, None, None));
        }
        for (code, end) in [
            ("0", JobEnd::Success),
            ("1", JobEnd::Failed),
            ("2", JobEnd::Cancelled),
            ("3", JobEnd::CompletedByBridge),
            ("4", JobEnd::Unknown),
            ("", JobEnd::Unknown),
        ] {
            let ended = job(json!({"id": "j", "finishCode": code, "completedAt": "2025-01-15T17:14:44Z"}));
            assert_eq!(ended.end(), Some(end));
        }
        let ended = job(json!({"id": "j", "completedAt": "2025-01-15T17:14:44Z"}));
        assert_eq!(ended.end(), Some(JobEnd::Unknown), "neither a success nor a failure");
        assert!(JobEnd::CompletedByBridge.is_success() && !JobEnd::Unknown.is_success());
    }

    #[test]
    fn looks_at_a_job_become_rarer() {
        let seconds: Vec<u64> = waits().take(20).map(|wait| wait.as_secs()).collect();
        assert_eq!(seconds[..6], [0, 0, 0, 1, 1, 2]);
        assert_eq!(seconds[19], 30);
    }
}
