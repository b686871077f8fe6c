//! Refresh jobs: queued, run and ended.

use super::delivery::NotFound;
use super::events::About;
use super::model::{FinishCode, Job, JobKind, Model, Target, mint};
use super::state::State;
use crate::clock::before;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tableau::{EventName, JobLuid, SiteLuid};

/// A job as it is now.
#[derive(Clone, Debug)]
pub struct JobRecord {
    /// Its id.
    pub luid: JobLuid,
    /// LUID of the workbook or data source it works on.
    pub target: Option<String>,
    /// The name of what it works on.
    pub title: String,
    /// `Pending`, `InProgress`, `Success`, `Failed` or `Cancelled`.
    pub status: &'static str,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// Why it failed.
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
    /// Puts a refresh into the queue.
    pub(crate) fn queue_refresh(
        &mut self,
        (site, target, title): (SiteLuid, Target, String),
        kind: JobKind,
        now: Timestamp,
    ) -> &mut Job {
        self.jobs.push(Job {
            luid: mint(),
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
        });
        let last = self.jobs.len() - 1;
        &mut self.jobs[last]
    }

    /// The open refresh of this workbook or data source; a new one, queued at `created_at`, if there is none.
    fn refresh_of(&mut self, luid: &str, created_at: Timestamp) -> Result<&mut Job, NotFound> {
        let about = self.refreshable(luid);
        let about =
            about.ok_or_else(|| NotFound { what: "workbook or data source", luid: luid.to_owned() })?;
        if self.open_refresh(&about.1).is_none() {
            self.queue_refresh(about.clone(), JobKind::FullRefresh, created_at);
        }
        self.open_refresh(&about.1).ok_or_else(|| NotFound { what: "job", luid: luid.to_owned() })
    }
}

impl State {
    /// A refresh begins: the queued one, or one that is queued now.
    pub(crate) fn start_refresh(self: &Arc<Self>, luid: &str) -> Result<JobLuid, NotFound> {
        let now = self.settings.clock.now();
        let job = {
            let mut model = self.model();
            let job = model.refresh_of(luid, before(now, Duration::from_secs(2)))?;
            job.started_at = Some(now);
            job.luid.clone()
        };
        self.fire_refresh("RefreshStarted", luid)?;
        Ok(job)
    }

    /// A refresh ends: the open one, or one that began a minute and a half ago. With notes it failed.
    pub(crate) fn end_refresh(
        self: &Arc<Self>,
        luid: &str,
        notes: Option<&str>,
    ) -> Result<JobLuid, NotFound> {
        let now = self.settings.clock.now();
        let job = {
            let mut model = self.model();
            let job = model.refresh_of(luid, before(now, Duration::from_secs(98)))?;
            let started_at =
                job.started_at.unwrap_or(job.created_at.max(before(now, Duration::from_secs(90))));
            job.started_at = Some(started_at);
            // The event follows the end of the job.
            job.completed_at = Some(started_at.max(before(now, Duration::from_secs(1))));
            job.finish = Some(if notes.is_some() { FinishCode::Error } else { FinishCode::Success });
            job.notes = notes.map(str::to_owned);
            job.luid.clone()
        };
        self.fire_refresh(if notes.is_some() { "RefreshFailed" } else { "RefreshSucceeded" }, luid)?;
        Ok(job)
    }

    fn fire_refresh(self: &Arc<Self>, what: &str, luid: &str) -> Result<(), NotFound> {
        let workbook = EventName::from(format!("Workbook{what}"));
        let is_workbook = About::find(&self.model(), &workbook, luid).is_some();
        let event = if is_workbook { workbook } else { EventName::from(format!("Datasource{what}")) };
        self.fire(&event, luid).map(|_| ())
    }

    /// Runs a refresh that was asked for over REST, if refreshes run by themselves.
    pub(crate) fn run_refresh(self: &Arc<Self>, luid: String, job: JobLuid) {
        let Some(time) = self.settings.refreshes_take else {
            return;
        };
        let state = Arc::clone(self);
        self.runtime.spawn(async move {
            tokio::time::sleep(time / 5).await;
            let is_open = || state.model().job(job.as_str()).is_some_and(Job::is_open);
            // Errors mean that the workbook or data source was deleted meanwhile. A job that is no longer open was
            // cancelled, or ended by hand.
            if is_open() {
                let _ = state.start_refresh(&luid);
            }
            tokio::time::sleep(time - time / 5).await;
            if !is_open() {
                return;
            }
            let broken = {
                let model = state.model();
                let workbook = model.workbook(&luid).and_then(|w| w.broken.clone());
                workbook.or_else(|| model.datasource(&luid).and_then(|d| d.broken.clone()))
            };
            let _ = state.end_refresh(&luid, broken.as_deref());
        });
    }
}
