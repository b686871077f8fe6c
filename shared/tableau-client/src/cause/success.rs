//! Which refresh of an object succeeded, and when. Events do not say how much of an extract was refreshed, and may be lost.

use super::search::{Found, Search, is_refresh, refresh_kind, refusal};
use crate::{Error, Filter, JobSummary, RefreshKind, TableauClient};
use jiff::Timestamp;
use std::cmp::Reverse;
use tableau::Event;

/// How many jobs are looked at for the last success: each is a call.
const LOOKED_AT: usize = 8;
/// How many jobs are listed for it.
const LISTED: usize = 1_000;

impl TableauClient {
    /// How much of the extract the refresh refreshed whose success `event` reports: from its job, which is looked for as
    /// [`TableauClient::failure_cause`] does. `None` when the job is not found, or jobs may not be listed. Needs an
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

    /// When the last refresh of an event's object ended that succeeded after the event: of this kind, or of any. `None` when
    /// Tableau lists none, or jobs may not be listed. Needs an administrator's credential.
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
                // One job that cannot be read does not hide the others.
                Err(error) => {
                    refusal(error)?;
                }
            }
        }
        Ok(None)
    }
}
