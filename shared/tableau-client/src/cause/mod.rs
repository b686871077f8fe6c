//! Finds out why an extract refresh failed.
//!
//! Tableau's event contains neither the reason nor the job. So this module searches Tableau's list for refreshes that
//! failed at about that time, and picks the one of this workbook or data source. That job's notes contain the reason.

mod class;
mod diagnosis;
mod knowledge;
mod line;
mod names;
mod normal;
mod pattern;
mod search;
mod shorten;
mod strip;
mod success;

pub use class::CauseClass;
pub use diagnosis::{Diagnosis, diagnose};

use crate::{Error, Job, RefreshKind, TableauClient};
use jiff::Timestamp;
use search::{Found, Search};
use serde::{Deserialize, Serialize};
use tableau::{Event, JobLuid};

/// The reason why a refresh failed, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The class of the reason.
    pub class: CauseClass,
    /// The reason in the job's own words: one line of at most 300 characters, with `[removed]` in place of passwords,
    /// tokens and keys, and with hosts, addresses, user names and connection strings shortened.
    pub line: String,
    /// What the owner can do about it. Empty in records of earlier versions.
    #[serde(default)]
    pub next_step: String,
    /// The LUID of the failed job.
    pub job: JobLuid,
    /// Whether the refresh was full or incremental, if the job's type says so.
    pub refresh: Option<RefreshKind>,
}

/// The result of searching for the reason of a failed refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CauseLookup {
    /// The job was found, and its notes give a reason.
    Found(Cause),
    /// Tableau lists no job that failed at about that time and can belong to the event.
    NoneListed,
    /// A job of the object's name is listed, but Tableau refuses to return it.
    Unreadable {
        /// Tableau's error code, such as `400031`.
        code: String,
    },
    /// The job was found, but its notes are empty.
    NoText {
        /// The LUID of the job.
        job: JobLuid,
        /// Whether the refresh was full or incremental, if the job's type says so.
        refresh: Option<RefreshKind>,
    },
    /// So many jobs of the object's name failed at about that time that the right one was not found in time.
    TooMany {
        /// How many such jobs there are.
        jobs: usize,
    },
    /// Tableau refuses to list jobs.
    Refused {
        /// Tableau's error code: 403000 if the user lacks the rights, 403079 if the site forbids job lists.
        code: String,
    },
}

impl Cause {
    /// What the owner can do about it: about this failure if known, or else about failures of its class.
    pub fn next_step(&self) -> &str {
        if self.next_step.is_empty() { self.class.next_step() } else { &self.next_step }
    }
}

impl CauseLookup {
    /// The reason, if it was found.
    pub fn found(&self) -> Option<&Cause> {
        if let Self::Found(cause) = self { Some(cause) } else { None }
    }
}

impl TableauClient {
    /// Finds out why the refresh of `event` failed. If the first search finds nothing, searches again after two
    /// seconds. Waits for about ten seconds at most, not counting the calls themselves. Needs an administrator's
    /// credential.
    ///
    /// # Errors
    /// [`Error`] when Tableau does not answer or refuses the credential.
    pub async fn failure_cause(&self, event: &Event, now: Timestamp) -> Result<CauseLookup, Error> {
        let has_notes = |job: &Job| job.notes().is_some();
        Ok(match Search::of_failed(self, event, now).run(has_notes).await? {
            Found::Job(job, refresh) => cause(&job, refresh),
            Found::NoneListed => CauseLookup::NoneListed,
            Found::Unreadable { code } => CauseLookup::Unreadable { code },
            Found::TooMany { jobs } => CauseLookup::TooMany { jobs },
            Found::Refused { code } => CauseLookup::Refused { code },
        })
    }
}

fn cause(job: &Job, refresh: Option<RefreshKind>) -> CauseLookup {
    let job_luid = job.id.clone();
    let Some(notes) = job.notes() else { return CauseLookup::NoText { job: job_luid, refresh } };
    let found = diagnose(&notes);
    CauseLookup::Found(Cause {
        class: found.class,
        line: found.line,
        next_step: found.next_step.to_owned(),
        job: job_luid,
        refresh,
    })
}
