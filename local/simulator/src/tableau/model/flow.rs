//! Flows of Tableau Prep, and their runs.

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
