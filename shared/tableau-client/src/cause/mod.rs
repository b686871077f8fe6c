//! Why an extract refresh failed.
//!
//! Tableau sends neither the reason nor the job with the event, so the job is looked for: among the refreshes
//! that failed about then, the one of this workbook or data source. Its notes are the reason.

mod class;
mod line;

pub use class::CauseClass;

use crate::{Error, Filter, Job, JobSummary, TableauClient};
use jiff::{SignedDuration, Timestamp};
use line::one_line;
use std::time::Duration;
use tableau::{Event, JobLuid};

/// Why a refresh failed, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What kind of reason it is.
    pub class: CauseClass,
    /// The job's own words, on one line of at most 300 characters, without passwords.
    pub line: String,
    /// The job.
    pub job: JobLuid,
}

/// An event comes a moment after its job's end. A job that ended earlier is another run of the same refresh, and only
/// taken when a second look finds none nearer: events can be late.
const NEAR: SignedDuration = SignedDuration::from_mins(2);
const LATE: SignedDuration = SignedDuration::from_mins(15);
/// How many jobs are looked at, at most: each is a call.
const CANDIDATES: usize = 8;
/// How long to wait before a second look: the event may be faster than the list of jobs.
const SECOND_LOOK: Duration = Duration::from_secs(2);

impl TableauClient {
    /// Why the refresh that `event` tells of failed. `None` when the job is not found or has no notes. Needs an
    /// administrator's credential.
    ///
    /// # Errors
    /// [`Error`] when Tableau does not answer, or refuses to list jobs (403000, 403079).
    pub async fn failure_cause(&self, event: &Event, now: Timestamp) -> Result<Option<Cause>, Error> {
        let around = event.created_at.unwrap_or(now);
        if let Some(cause) = self.look_for_cause(event, around, NEAR).await? {
            return Ok(Some(cause));
        }
        tokio::time::sleep(SECOND_LOOK).await;
        self.look_for_cause(event, around, LATE).await
    }

    async fn look_for_cause(
        &self,
        event: &Event,
        around: Timestamp,
        within: SignedDuration,
    ) -> Result<Option<Cause>, Error> {
        let since = around.checked_sub(within).unwrap_or(around);
        let failed = Filter::all().in_state("Failed").refreshes().ended_since(since);
        let jobs = self.jobs(failed).page().await?.unwrap_or_default();
        for candidate in candidates(jobs, event, around) {
            let job = match self.job(&candidate.id).await {
                Ok(job) => job,
                Err(error) if error.is_transient() => return Err(error),
                // One that is gone, or that we may not see or cannot read, does not hide the others.
                Err(_) => continue,
            };
            if job.subject().as_ref() == Some(&event.subject) {
                return Ok(cause(&job));
            }
        }
        Ok(None)
    }
}

/// The jobs most likely to be the event's: first those that bear its name, then those that ended nearest to it.
fn candidates(mut jobs: Vec<JobSummary>, event: &Event, around: Timestamp) -> Vec<JobSummary> {
    let named = |job: &JobSummary| match (&job.title, &event.resource_name) {
        (Some(title), Some(name)) => title.contains(name.as_str()),
        _ => false,
    };
    let distance = |job: &JobSummary| {
        job.ended_at.map_or(i64::MAX, |ended| (ended.as_millisecond() - around.as_millisecond()).abs())
    };
    jobs.sort_by_key(|job| (!named(job), distance(job)));
    jobs.truncate(CANDIDATES);
    jobs
}

fn cause(job: &Job) -> Option<Cause> {
    let notes = job.notes()?;
    let class = CauseClass::of(notes);
    Some(Cause { class, line: one_line(notes, class), job: job.id.clone() })
}
