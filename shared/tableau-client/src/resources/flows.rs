//! Flows of Tableau Prep, and their runs.

use super::jobs::{Answer as JobAnswer, Job, JobEnd};
use super::{OwnerRef, ProjectRef};
use crate::call::{Call, Path};
use crate::filter::{Condition, Field, Filter, Filtered, Named, sealed};
use crate::pages::{List, Pages, Place, all_fields};
use crate::{Error, TableauClient, lenient};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tableau::{FlowLuid, FlowRunLuid, JobLuid};

/// The JWT scope for reading runs of flows.
const READ_RUNS: &str = "tableau:flow_runs:read";

/// A flow.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Flow {
    /// The flow's LUID.
    pub id: FlowLuid,
    /// The flow's name: untrusted text.
    #[serde(deserialize_with = "lenient::name")]
    pub name: String,
    /// The flow's description.
    #[serde(default, deserialize_with = "lenient::text")]
    pub description: Option<String>,
    /// The address of the flow's page in a browser.
    #[serde(flatten, deserialize_with = "lenient::webpage_url")]
    pub webpage_url: Option<String>,
    /// When the flow was first published.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub created_at: Option<Timestamp>,
    /// When the flow was last changed.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub updated_at: Option<Timestamp>,
    /// The project that contains the flow.
    #[serde(default, deserialize_with = "lenient::part")]
    pub project: Option<ProjectRef>,
    /// The owner of the flow.
    #[serde(default, deserialize_with = "lenient::part")]
    pub owner: Option<OwnerRef>,
    /// The flow's tags.
    #[serde(default, deserialize_with = "lenient::tags")]
    pub tags: Vec<String>,
}

/// A run of a flow.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FlowRun {
    /// The run's own id.
    pub id: FlowRunLuid,
    /// The flow.
    #[serde(default, deserialize_with = "lenient::part")]
    pub flow_id: Option<FlowLuid>,
    /// The run's state: `Pending`, `InProgress`, `Success`, `Failed` or `Cancelled`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub status: Option<String>,
    /// When the run began; `None` while it is queued.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub started_at: Option<Timestamp>,
    /// When the run ended; `None` while it is queued or runs.
    #[serde(default, deserialize_with = "lenient::timestamp")]
    pub completed_at: Option<Timestamp>,
    /// The progress in percent.
    #[serde(default, deserialize_with = "lenient::number")]
    pub progress: Option<u8>,
    /// The job that runs the flow. Its notes say why a run failed before REST API 3.30; only administrators may read it.
    #[serde(default, deserialize_with = "lenient::part")]
    pub background_job_id: Option<JobLuid>,
    /// Why the run failed. REST API 3.30+.
    #[serde(default, deserialize_with = "lenient::part")]
    pub failure_reason: Option<FailureReason>,
}

/// Why a run of a flow failed.
///
/// Source: <https://github.com/tableau/tableau-mcp/issues/707>
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FailureReason {
    /// Whether Tableau knows the reason.
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub available: bool,
    /// The reason. It may contain host names and users.
    #[serde(default, deserialize_with = "lenient::text")]
    pub message: Option<String>,
}

/// The result of asking for a run of a flow.
#[derive(Clone, Debug, PartialEq)]
pub enum RunFlow {
    /// Tableau has queued a job, and [`Job::flow_run`] is the run. Keep that id: it is not the flow's.
    Queued(Job),
    /// A run of this flow is already queued (409093). Tableau does not say which.
    AlreadyQueued,
}

impl FlowRun {
    /// The run's result; `None` while it is queued or runs.
    pub fn end(&self) -> Option<JobEnd> {
        match self.status.as_deref() {
            Some("Success") => Some(JobEnd::Success),
            Some("Failed") => Some(JobEnd::Failed),
            Some("Cancelled") => Some(JobEnd::Cancelled),
            Some("Pending" | "InProgress") => None,
            _ => self.completed_at.map(|_| JobEnd::Unknown),
        }
    }

    /// Why the run failed, if Tableau says it here.
    pub fn failure(&self) -> Option<&str> {
        self.failure_reason.as_ref()?.message.as_deref().filter(|message| !message.trim().is_empty())
    }
}

impl sealed::Sealed for Flow {}
impl Named for Flow {}

impl Filtered for Flow {
    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "projectName" => Field::Text(self.project.as_ref().map(|project| project.name.as_str())),
            _ => Field::Text(Some(&self.name)),
        }
    }
}

impl sealed::Sealed for FlowRun {}

impl Filtered for FlowRun {
    fn field(&self, name: &str) -> Field<'_> {
        match name {
            "startedAt" => Field::Time(self.started_at),
            "progress" => Field::Number(self.progress.map(u64::from)),
            _ => Field::Text(self.flow_id.as_ref().map(FlowLuid::as_str)),
        }
    }
}

impl Filter<FlowRun> {
    /// Runs of this flow.
    #[must_use]
    pub fn of_flow(self, flow: &FlowLuid) -> Self {
        self.with("flowId", Condition::Is(flow.to_string()))
    }

    /// Runs whose progress is below 100: those that are queued or run.
    #[must_use]
    pub fn unfinished(self) -> Self {
        self.with("progress", Condition::Below(100))
    }

    /// Runs that began at this time or later.
    #[must_use]
    pub fn started_since(self, time: Timestamp) -> Self {
        self.with("startedAt", Condition::Since(time))
    }
}

#[derive(Deserialize)]
struct Answer {
    flow: Flow,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RunAnswer {
    flow_run: FlowRun,
}

impl TableauClient {
    /// Fetches a flow. REST API 3.3+; JWT scope `tableau:flows:read`.
    ///
    /// # Errors
    /// [`Error::Refused`] with status 404 when the site has no such flow.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_flow.htm#query_flow>
    pub async fn flow(&self, luid: &FlowLuid) -> Result<Flow, Error> {
        let path = format!("flows/{luid}");
        let call = Call::get("fetch the flow", Path::Site(&path)).scope("tableau:flows:read");
        Ok(self.ask::<Answer>(call).await?.flow)
    }

    /// Lists flows. Names are not unique. REST API 3.3+; JWT scope `tableau:flows:read`.
    ///
    /// # Errors
    /// As for [`TableauClient::workbooks`].
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_flow.htm#query_flows_for_site>
    pub fn flows(&self, filter: Filter<Flow>) -> Pages<Flow> {
        let list = List {
            operation: "list the flows",
            path: "flows".to_owned(),
            wrapper: "flows",
            element: "flow",
            place: Place::Site,
            paged: true,
            unknown: all_fields,
        };
        Pages::new(self, list, filter).scope("tableau:flows:read")
    }

    /// Runs a flow now, with all its output steps. Tableau sends no event about it. Needs Data Management. REST API 3.3+;
    /// JWT scope `tableau:flows:run`, 3.27+.
    ///
    /// # Errors
    /// [`Error::Refused`] with status 404 when the site has no such flow, with status 403 without the rights, with code 409082
    /// when the site forbids it.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_flow.htm#run_flow_now>
    pub async fn run_flow(&self, luid: &FlowLuid) -> Result<RunFlow, Error> {
        let path = format!("flows/{luid}/run");
        // An empty body is refused with 400000 (`divinorum-webb/tableau-api-lib#56`). Never sent twice, as `refresh_now`.
        let call = Call::create("run the flow", Path::Site(&path), &json!({})).scope("tableau:flows:run");
        match self.ask::<JobAnswer>(call).await {
            Ok(answer) => Ok(RunFlow::Queued(answer.job)),
            Err(error) if error.code() == Some("409093") => Ok(RunFlow::AlreadyQueued),
            Err(error) => Err(error),
        }
    }

    /// Fetches a run of a flow by the run's own id. A 404 does not say that the flow is gone: the id of a flow or of a job is
    /// not found here either. REST API 3.10+; JWT scope `tableau:flow_runs:read`.
    ///
    /// # Errors
    /// [`Error::Refused`] with status 404 when the site has no such run, or the user may not run its flow.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_flow.htm#get_flow_run>
    pub async fn flow_run(&self, luid: &FlowRunLuid) -> Result<FlowRun, Error> {
        let path = format!("flows/runs/{luid}");
        let call = Call::get("fetch the run of the flow", Path::Site(&path)).scope(READ_RUNS);
        Ok(self.ask::<RunAnswer>(call).await?.flow_run)
    }

    /// Lists runs of flows that the user may run. The list has no total: it is read to its last page. REST API 3.10+; JWT
    /// scope `tableau:flow_runs:read`.
    ///
    /// # Errors
    /// As for [`TableauClient::workbooks`].
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_flow.htm#get_flow_runs>
    pub fn flow_runs(&self, filter: Filter<FlowRun>) -> Pages<FlowRun> {
        let list = List {
            operation: "list the runs of flows",
            path: "flows/runs".to_owned(),
            wrapper: "flowRuns",
            element: "flowRuns",
            place: Place::Site,
            paged: false,
            unknown: all_fields,
        };
        Pages::new(self, list, filter).until_short().scope(READ_RUNS)
    }

    /// Asks Tableau to cancel a run that is queued or runs. It may still end otherwise. Administrators, and those who started
    /// the run. REST API 3.10+; JWT scope `tableau:flow_runs:update`, 3.27+.
    ///
    /// # Errors
    /// [`Error::Refused`] with status 404 when the site has no such run, with code 403135 when it has ended: Tableau answers that
    /// with status 200.
    ///
    /// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_flow.htm#cancel_flow_run>
    pub async fn cancel_flow_run(&self, luid: &FlowRunLuid) -> Result<(), Error> {
        let path = format!("flows/runs/{luid}");
        let call = Call::put("cancel the run of the flow", Path::Site(&path), &json!({}));
        self.run(call.scope("tableau:flow_runs:update")).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn run(value: Value) -> FlowRun {
        serde_json::from_value(value).unwrap()
    }

    // The shapes are those of `tableau/server-client-python:test/assets/flow_runs_get_by_id*.xml`.
    #[test]
    fn a_run_is_open_until_its_state_says_otherwise() {
        for (status, completed, expected) in [
            ("Pending", json!(""), None),
            ("InProgress", json!(""), None),
            ("Success", json!("2021-02-11T01:57:38Z"), Some(JobEnd::Success)),
            ("Failed", json!("2021-02-11T01:57:38Z"), Some(JobEnd::Failed)),
            ("Cancelled", json!("2021-02-11T01:57:38Z"), Some(JobEnd::Cancelled)),
            ("Paused", json!("2021-02-11T01:57:38Z"), Some(JobEnd::Unknown)),
            ("Paused", json!(""), None),
        ] {
            let read = run(json!({"id": "r", "flowId": "f", "status": status, "progress": "50",
                "startedAt": "2021-02-11T01:42:55Z", "completedAt": completed, "backgroundJobId": "j"}));
            assert_eq!((read.end(), read.progress), (expected, Some(50)), "{status}");
        }
    }

    #[test]
    fn a_reason_is_read_in_each_form_and_one_that_cannot_be_read_is_none() {
        for (reason, expected) in [
            (json!({"available": true, "message": "no space"}), Some("no space")),
            (json!({"available": "true", "message": "no space"}), Some("no space")),
            (json!({"available": false}), None),
            (json!({"available": true, "message": " "}), None),
            (json!("no space"), None),
            (json!(null), None),
        ] {
            let read = run(json!({"id": "r", "status": "Failed", "failureReason": reason}));
            assert_eq!(read.failure(), expected, "{reason}");
        }
    }
}
