//! Flows of Tableau Prep, and their runs.

use super::{Job, JobKind, JobShape, Model, Target, mint};
use jiff::Timestamp;
use tableau::{FlowLuid, JobLuid, ProjectLuid, SiteLuid, UserLuid};

#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub(crate) luid: FlowLuid,
    pub(crate) site: SiteLuid,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    /// The number in the web page's URL.
    pub(crate) number: u32,
    pub(crate) project: ProjectLuid,
    pub(crate) owner: UserLuid,
    pub(crate) tags: Vec<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// The error notes with which runs that end by themselves fail.
    pub(crate) broken: Option<String>,
}

/// A run of a flow. Its times and its end are those of its job.
#[derive(Clone, Debug)]
pub(crate) struct FlowRun {
    /// The run's own id, which is neither the flow's nor the job's.
    pub(crate) luid: String,
    pub(crate) flow: FlowLuid,
    pub(crate) job: JobLuid,
    /// The user who started the run.
    pub(crate) user: Option<UserLuid>,
}

impl Model {
    pub(crate) fn flow(&self, luid: &str) -> Option<&Flow> {
        self.flows.iter().find(|flow| flow.luid.as_str() == luid)
    }

    pub(crate) fn run_of_job(&self, job: &JobLuid) -> Option<&FlowRun> {
        self.flow_runs.iter().find(|run| run.job == *job)
    }

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
}
