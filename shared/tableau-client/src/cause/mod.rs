//! Why an extract refresh failed.
//!
//! Tableau sends neither the reason nor the job with the event. So this module searches the refreshes that failed at about that
//! time for the one of this workbook or data source. The notes of that job are the reason.

mod class;
mod line;
mod search;
mod success;

pub use class::CauseClass;

use crate::{Error, Job, RefreshKind, TableauClient};
use jiff::Timestamp;
use line::one_line;
use plain_text::visible;
use search::{Found, Search};
use serde::{Deserialize, Serialize};
use tableau::{Event, JobLuid};

/// Why a refresh failed, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// What kind of reason it is.
    pub class: CauseClass,
    /// The job's own words, on one line of at most 300 characters, with `[removed]` in place of passwords, tokens and keys.
    pub line: String,
    /// The job.
    pub job: JobLuid,
    /// How much of the extract it refreshed, where its type says it.
    pub refresh: Option<RefreshKind>,
}

/// What came of looking for the reason of a failed refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CauseLookup {
    /// Its job was found, and says why.
    Found(Cause),
    /// Tableau lists no job that failed about then and can be its.
    NoneListed,
    /// A job of its name is listed, and Tableau refuses to show it.
    Unreadable {
        /// Tableau's code, such as `400031`.
        code: String,
    },
    /// Its job was found, and says nothing.
    NoText {
        /// The job.
        job: JobLuid,
        /// How much of the extract it refreshed, where its type says it.
        refresh: Option<RefreshKind>,
    },
    /// So many jobs of its name failed about then that its own was not found in time.
    TooMany {
        /// How many there are.
        jobs: usize,
    },
    /// Tableau refuses to list jobs.
    Refused {
        /// Tableau's code: 403000 without the rights, 403079 when the site forbids job lists.
        code: String,
    },
}

impl CauseLookup {
    /// The reason, if it was found.
    pub fn found(&self) -> Option<&Cause> {
        if let Self::Found(cause) = self { Some(cause) } else { None }
    }
}

impl TableauClient {
    /// Finds out why the refresh of `event` failed. Searches a second time after two seconds if the first search finds nothing, and
    /// waits for about ten seconds at most, besides the calls themselves. Needs an administrator's credential.
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
    let class = CauseClass::of(&visible(&notes));
    CauseLookup::Found(Cause { class, line: one_line(&notes, class), job: job_luid, refresh })
}
