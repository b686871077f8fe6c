//! Finds out which refresh of an object succeeded, and when. Events do not say whether a refresh was full or
//! incremental, and events may be lost.

use super::search::{Found, Search, is_refresh, refresh_kind, refusal};
use crate::{Error, Filter, JobSummary, RefreshKind, TableauClient};
use jiff::Timestamp;
use std::cmp::Reverse;
use tableau::Event;

/// How many jobs are fetched when looking for the last success; each is a call.
const LOOKED_AT: usize = 8;
/// How many jobs are listed when looking for the last success.
const LISTED: usize = 1_000;

impl TableauClient {
    /// Whether the successful refresh that `event` reports was full or incremental. Searches for its job like
    /// [`TableauClient::failure_cause`]. `None` if the job is not found or jobs may not be listed. Needs an
    /// administrator's credential.
    ///
    /// # Errors
    /// [`Error`] when Tableau does not answer or refuses the credential.
    pub async fn succeeded_refresh(
        &self,
        event: &Event,
        now: Timestamp,
    ) -> Result<Option<RefreshKind>, Error> {
        let found = Search::of_succeeded(self, event, now).run(|_| true).await?;
        Ok(if let Found::Job(_, refresh) = found { refresh } else { None })
    }

    /// When the last refresh of the event's object ended that succeeded after the event: a refresh of this kind, or
    /// of any kind. `None` if Tableau lists none or jobs may not be listed. Needs an administrator's credential.
    ///
    /// # Errors
    /// [`Error`] when Tableau does not answer or refuses the credential.
    pub async fn success_after(
        &self,
        event: &Event,
        kind: Option<RefreshKind>,
    ) -> Result<Option<Timestamp>, Error> {
        let Some(after) = event.created_at else { return Ok(None) };
        let mut filter = Filter::all().in_state("Success").ended_since(after);
        if let Some(name) = &event.resource_name {
            filter = filter.titled(name);
        }
        let jobs = match self.jobs(filter).all(LISTED).await {
            Ok(jobs) => jobs,
            Err(error) => return refusal(error).map(|_| None),
        };
        let is_wanted = |job: &JobSummary| {
            is_refresh(job) && (kind.is_none() || refresh_kind(job).is_none_or(|found| Some(found) == kind))
        };
        let ended = jobs.into_iter().filter(is_wanted).filter_map(|job| Some((job.ended_at?, job.id)));
        let mut ended: Vec<_> = ended.filter(|(at, _)| *at > after).collect();
        ended.sort_by_key(|(at, _)| Reverse(*at));
        for (at, luid) in ended.iter().take(LOOKED_AT) {
            match self.job(luid).await {
                Ok(job) if job.subject().as_ref() == Some(&event.subject) => return Ok(Some(*at)),
                Ok(_) => {}
                // A job that cannot be read must not hide the others.
                Err(error) => {
                    refusal(error)?;
                }
            }
        }
        Ok(None)
    }
}
