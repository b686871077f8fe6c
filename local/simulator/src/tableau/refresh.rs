//! Refreshes and runs of flows: queue, run and end their jobs.

use super::events::About;
use super::model::{FinishCode, FlowRun, Job, JobKind, JobShape, Model, Target, mint};
use super::sending::NotFound;
use super::state::State;
use crate::clock::before;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tableau::{EventName, JobLuid, SiteLuid};

/// A job in its current state.
#[derive(Clone, Debug)]
pub struct JobRecord {
    /// The job's id.
    pub luid: JobLuid,
    /// The LUID of the workbook or data source that the job refreshes, or of the flow that it runs.
    pub target: Option<String>,
    /// The name of the workbook, data source or flow.
    pub title: String,
    /// The status: `Pending`, `InProgress`, `Success`, `Failed` or `Cancelled`.
    pub status: &'static str,
    /// When the job was queued.
    pub created_at: Timestamp,
    /// When the job ended.
    pub completed_at: Option<Timestamp>,
    /// The error notes of a failed job.
    pub notes: Option<String>,
}

impl From<&Job> for JobRecord {
    fn from(job: &Job) -> Self {
        Self {
            luid: job.luid.clone(),
            target: job.target.luid().map(str::to_owned),
            title: job.title.clone(),
            status: job.status(),
            created_at: job.created_at,
            completed_at: job.completed_at,
            notes: job.notes.clone(),
        }
    }
}

impl Model {
    /// Queues a refresh, or a run of a flow.
    pub(crate) fn queue_refresh(
        &mut self,
        (site, target, title): (SiteLuid, Target, String),
        kind: JobKind,
        now: Timestamp,
    ) -> &mut Job {
        let luid: JobLuid = mint();
        let kind = match &target {
            Target::Flow(flow) => {
                let run = uuid::Uuid::new_v4().to_string();
                let (flow, job) = (flow.clone(), luid.clone());
                self.flow_runs.push(FlowRun { luid: run, flow, job, user: None });
                JobKind::Flow
            }
            _ => kind,
        };
        self.jobs.push(Job {
            luid,
            site,
            kind,
            target,
            title,
            priority: 50,
            created_at: now,
            started_at: None,
            completed_at: None,
            finish: None,
            notes: None,
            shape: JobShape::default(),
        });
        let last = self.jobs.len() - 1;
        &mut self.jobs[last]
    }

    /// The open refresh of this workbook or data source, or the open run of this flow, preferably in this state. Without
    /// one, a new one is queued at `created_at`.
    fn refresh_of(
        &mut self,
        luid: &str,
        first: fn(&Job) -> bool,
        created_at: Timestamp,
    ) -> Result<JobLuid, NotFound> {
        let about = self.refreshable(luid);
        let about =
            about.ok_or_else(|| NotFound { what: "workbook, data source or flow", luid: luid.to_owned() })?;
        let open = self.refresh(&about.1, first).or_else(|| self.refresh(&about.1, Job::is_open));
        if let Some(job) = open {
            return Ok(job.luid.clone());
        }
        Ok(self.queue_refresh(about, JobKind::FullRefresh, created_at).luid.clone())
    }

    /// Whether another refresh of the same object runs; this job then waits for it.
    fn must_wait(&self, job: &JobLuid) -> bool {
        let job = self.job(job.as_str()).filter(|job| job.is_queued());
        job.is_some_and(|job| self.refresh(&job.target, Job::is_running).is_some())
    }
}

impl State {
    /// Starts a refresh: the queued one, or a new one.
    pub(crate) fn start_refresh(self: &Arc<Self>, luid: &str) -> Result<JobLuid, NotFound> {
        let queued_at = before(self.settings.clock.now(), Duration::from_secs(2));
        let job = self.model().refresh_of(luid, Job::is_queued, queued_at)?;
        self.start_job(luid, &job)?;
        Ok(job)
    }

    fn start_job(self: &Arc<Self>, luid: &str, job: &JobLuid) -> Result<(), NotFound> {
        let now = self.settings.clock.now();
        if let Some(job) = self.model().job_mut(job) {
            job.started_at = Some(now);
        }
        self.fire_refresh("RefreshStarted", luid)
    }

    /// Ends a refresh: the running one, the queued one, or a new one that started 90 seconds ago. With notes, the
    /// refresh failed.
    pub(crate) fn end_refresh(
        self: &Arc<Self>,
        luid: &str,
        notes: Option<&str>,
    ) -> Result<JobLuid, NotFound> {
        let queued_at = before(self.settings.clock.now(), Duration::from_secs(98));
        let job = self.model().refresh_of(luid, Job::is_running, queued_at)?;
        self.end_job(luid, &job, notes)?;
        Ok(job)
    }

    fn end_job(self: &Arc<Self>, luid: &str, job: &JobLuid, notes: Option<&str>) -> Result<(), NotFound> {
        let now = self.settings.clock.now();
        if let Some(job) = self.model().job_mut(job) {
            let started_at =
                job.started_at.unwrap_or(job.created_at.max(before(now, Duration::from_secs(90))));
            job.started_at = Some(started_at);
            // Fire the event after the job has ended.
            job.completed_at = Some(started_at.max(before(now, Duration::from_secs(1))));
            job.finish = Some(if notes.is_some() { FinishCode::Error } else { FinishCode::Success });
            job.notes = notes.map(str::to_owned);
        }
        self.fire_refresh(if notes.is_some() { "RefreshFailed" } else { "RefreshSucceeded" }, luid)
    }

    /// Flows fire no event.
    fn fire_refresh(self: &Arc<Self>, what: &str, luid: &str) -> Result<(), NotFound> {
        if self.model().flow(luid).is_some() {
            return Ok(());
        }
        let workbook = EventName::from(format!("Workbook{what}"));
        let is_workbook = About::find(&self.model(), &workbook, luid).is_some();
        let event = if is_workbook { workbook } else { EventName::from(format!("Datasource{what}")) };
        self.fire(&event, luid).map(|_| ())
    }

    /// Runs a refresh or flow that was requested over REST, when refreshes are set to run by themselves.
    pub(crate) fn run_refresh(self: &Arc<Self>, luid: String, job: JobLuid) {
        let Some(time) = self.settings.refreshes_take else {
            return;
        };
        let state = Arc::clone(self);
        self.runtime.spawn(async move {
            tokio::time::sleep(time / 5).await;
            while state.model().must_wait(&job) {
                tokio::time::sleep(time / 10).await;
            }
            let is_open = || state.model().job(job.as_str()).is_some_and(Job::is_open);
            // Ignore errors: the workbook or data source was deleted meanwhile. A job that is no longer open was
            // cancelled or ended by a test.
            if is_open() {
                let _ = state.start_job(&luid, &job);
            }
            tokio::time::sleep(time - time / 5).await;
            if !is_open() {
                return;
            }
            let broken = {
                let model = state.model();
                let workbook = model.workbook(&luid).and_then(|w| w.broken.clone());
                let datasource = || model.datasource(&luid).and_then(|d| d.broken.clone());
                let flow = || model.flow(&luid).and_then(|f| f.broken.clone());
                workbook.or_else(datasource).or_else(flow)
            };
            let _ = state.end_job(&luid, &job, broken.as_deref());
        });
    }
}
