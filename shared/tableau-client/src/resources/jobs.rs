//! Background jobs, such as the runs of extract refreshes.

use crate::client::Path;
use crate::{Error, TableauClient, lenient};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use tableau::{DatasourceLuid, JobLuid, Subject, WorkbookLuid};

/// A job in a list.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobSummary {
    /// Its LUID.
    pub id: JobLuid,
    /// `Pending`, `InProgress`, `Success`, `Failed` or `Cancelled`.
    #[serde(default)]
    pub status: String,
    /// `refresh_extracts`, `increment_extracts`, …
    #[serde(default)]
    pub job_type: String,
    /// For refreshes, what is refreshed.
    #[serde(default)]
    pub title: Option<String>,
    /// When it ended.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub ended_at: Option<Timestamp>,
}

/// One job, whole.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Its LUID.
    pub id: JobLuid,
    /// 0 success, 1 error, 2 cancelled, 3 completed by Bridge. Some kinds of job show 1 while they run: see
    /// `completed_at`.
    #[serde(default, deserialize_with = "lenient::number")]
    pub finish_code: Option<u8>,
    /// When it ended; `None` while it runs.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub completed_at: Option<Timestamp>,
    /// For extract refreshes: what was refreshed, and how that went.
    #[serde(default)]
    pub extract_refresh_job: Option<ExtractRefresh>,
}

/// The part of a job that only extract refreshes have.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct ExtractRefresh {
    #[serde(default)]
    notes: Option<String>,
    #[serde(default)]
    workbook: Option<Refreshed<WorkbookLuid>>,
    #[serde(default)]
    datasource: Option<Refreshed<DatasourceLuid>>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Refreshed<T> {
    id: Option<T>,
}

impl Job {
    /// What the job refreshed.
    pub fn subject(&self) -> Option<Subject> {
        let refresh = self.extract_refresh_job.as_ref()?;
        let workbook = refresh.workbook.as_ref().and_then(|w| w.id.clone()).map(Subject::Workbook);
        workbook.or_else(|| refresh.datasource.as_ref().and_then(|d| d.id.clone()).map(Subject::Datasource))
    }

    /// What the job had to say. May name hosts and users of the data source.
    pub fn notes(&self) -> Option<&str> {
        self.extract_refresh_job.as_ref()?.notes.as_deref().filter(|notes| !notes.trim().is_empty())
    }
}

/// Which jobs to list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum JobFilter {
    /// Extract refreshes that failed and ended at this time or later.
    FailedRefreshesSince(Timestamp),
}

impl JobFilter {
    fn expression(&self) -> String {
        match self {
            // One bound only: of two conditions on one field Tableau keeps the last.
            Self::FailedRefreshesSince(since) => format!(
                "status:eq:Failed,jobType:in:[refresh_extracts,increment_extracts],completedAt:gte:{}",
                since.strftime("%Y-%m-%dT%H:%M:%SZ")
            ),
        }
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(default, rename = "backgroundJobs")]
    jobs: Value,
}

#[derive(Deserialize)]
struct Answer {
    job: Job,
}

impl TableauClient {
    /// Lists jobs, one page of at most `limit` (up to 1,000). Administrators only. REST API 3.1+; JWT scope
    /// `tableau:jobs:read`.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 403000 without the rights, 403079 when the site forbids job lists.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_jobs_tasks_and_schedules.htm#query_jobs>
    pub async fn jobs(&self, filter: &JobFilter, limit: u16) -> Result<Vec<JobSummary>, Error> {
        let (filter, limit) = (filter.expression(), limit.to_string());
        let query = [("filter", filter.as_str()), ("pageSize", limit.as_str()), ("pageNumber", "1")];
        let page: Page = self.get("list the jobs", Path::Site("jobs"), &query).await?;
        Ok(lenient::list(&page.jobs, "backgroundJob"))
    }

    /// Fetches a job. Administrators only. REST API 3.1+; JWT scope `tableau:jobs:read`.
    ///
    /// # Errors
    /// [`Error::Refused`] with code 404018 when the site has no such job.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_jobs_tasks_and_schedules.htm#query_job>
    pub async fn job(&self, luid: &JobLuid) -> Result<Job, Error> {
        let path = format!("jobs/{luid}");
        let answer: Answer = self.get("fetch the job", Path::Site(&path), &[]).await?;
        Ok(answer.job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_job_is_read_in_every_shape() {
        let job: Job = serde_json::from_value(json!({
            "id": "j-1", "finishCode": "1", "completedAt": "2025-01-15T17:14:44Z", "progress": "100", "new": {},
            "extractRefreshJob": {"notes": "Login failed", "datasource": {"id": "d-1", "name": "Sales"}}
        }))
        .unwrap();
        assert_eq!(job.subject(), Some(Subject::Datasource("d-1".parse().unwrap())));
        assert_eq!((job.finish_code, job.notes()), (Some(1), Some("Login failed")));
        let running: Job =
            serde_json::from_value(json!({"id": "j-2", "finishCode": 1, "progress": "0"})).unwrap();
        assert_eq!((running.completed_at, running.subject(), running.notes()), (None, None, None));
    }
}
