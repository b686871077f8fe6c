//! The end of a run: its words, and the requests that get it.

use crate::engine::Engine;
use crate::jobs::{Seen, subject};
use jiff::Timestamp;
use refreshes::{Cause, Changed, End, EndStatus, Past, Place, Refusal, Run, Runs, Start, Target};
use std::sync::Arc;
use std::time::Duration;
use tableau_client::{JobEnd, diagnose};
use tokio::task::JoinSet;
use workflow::{Failure, Invocation, chain};

/// How many requests are settled at the same time, before that is written down.
const SETTLED_AT_ONCE: usize = 16;
/// The time that settling so many needs at most.
const TIME_OF_SETTLING: Duration = Duration::from_secs(8);

impl Engine {
    /// Ends a run, and settles who waited for it.
    pub(crate) async fn end(
        &self,
        place: &Place,
        number: u64,
        end: &End,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let now = invocation.time();
        let changed = self.board.end(place, number, end, now).await?;
        self.ended(place, number, end, &changed, invocation).await
    }

    /// Ends a run whose start Tableau has refused, and settles who waited for it.
    pub(crate) async fn refuse(
        &self,
        place: &Place,
        start: Start,
        end: &End,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let now = invocation.time();
        let changed = self.board.refuse(place, start, end, now).await?;
        self.ended(place, start.run, end, &changed, invocation).await
    }

    async fn ended(
        &self,
        place: &Place,
        number: u64,
        end: &End,
        changed: &Changed<bool>,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        self.arm(&changed.timers, invocation.time()).await?;
        if changed.result {
            tracing::info!(
                resource.luid = place.luid,
                site.luid = place.site,
                run = number,
                job.luid = end.job,
                outcome = ?end.status,
                "refresh ended"
            );
        }
        self.settle(place, &changed.runs, invocation).await
    }

    /// Writes down what came of the requests of runs that have ended, as many as there is time for. Each time some are noted, so that
    /// the timer or the next attempt goes on with the others.
    pub(crate) async fn settle(
        &self,
        place: &Place,
        runs: &Runs,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        for ended in runs.unsettled() {
            let past = Arc::new(Past { unsettled: Vec::new(), ..ended.clone() });
            for some in ended.unsettled.chunks(SETTLED_AT_ONCE) {
                if invocation.remaining() < TIME_OF_SETTLING {
                    let what = "some requests have not got the result of their refresh yet";
                    return if invocation.retried { Err(Failure::transient(what)) } else { Ok(()) };
                }
                let now = invocation.time();
                let mut settling = JoinSet::new();
                for waiter in some {
                    let board = self.board.clone();
                    let past = Arc::clone(&past);
                    let id = waiter.id.clone();
                    settling.spawn(async move { board.settle_by(&past, &id, now).await });
                }
                while let Some(settled) = settling.join_next().await {
                    let timer = settled.map_err(Failure::transient)??;
                    self.arm(timer.as_slice(), now).await?;
                }
                let ids: Vec<String> = some.iter().map(|waiter| waiter.id.clone()).collect();
                let changed = self.board.settled(place, past.number, &ids, now).await?;
                self.arm(&changed.timers, now).await?;
            }
        }
        Ok(())
    }

    /// Ends a run whose job Tableau does not show, by an event.
    pub(crate) async fn end_by_event(
        &self,
        place: &Place,
        run: &Run,
        succeeded: bool,
        at: Timestamp,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let name = &run.target.name;
        let end = if run.fresh_since.is_some() {
            // Without the job it is not known of which refresh the event is.
            let text = format!(
                "It is not known whether the refresh of {name} has ended, or one that began before: Tableau does not show jobs to the user of \
                 the service. Make that user a site administrator, or ask without fresh."
            );
            run.end(EndStatus::Failed, at, text)
        } else if succeeded {
            run.end(EndStatus::Succeeded, at, format!("{} was refreshed.", run.target.sentence()))
        } else {
            let text =
                "failed. Tableau does not show the service why: the user of its credential may not see jobs.";
            run.end(EndStatus::Failed, at, format!("The refresh of {name} {text}"))
        };
        self.end(place, run.number, &end, invocation).await
    }

    /// Says whose the content is, and where its page is: who reads the result has to know whom to ask.
    pub(crate) async fn name_owner(&self, target: &Target, end: &mut End, invocation: &Invocation) {
        let (Some(cause), Some(subject)) = (&mut end.cause, subject(target)) else { return };
        let content = match self
            .facts
            .tableau()
            .call(invocation, self.facts.tableau().client().content(&subject))
            .await
        {
            Ok(Some(content)) => content,
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(reason = chain(&error), "the owner of failed content is not known");
                return;
            }
        };
        if let Some(owner) = content.owner {
            cause.next_step.push_str(&format!(" Owner: {}.", owner.name));
        }
        if let Some(link) = content.link {
            cause.next_step.push_str(&format!(" Page: {link}"));
        }
    }
}

/// The end of a run that was not started.
pub(crate) fn refusal(run: &Run, refusal: Refusal, why: &str, now: Timestamp) -> End {
    let message = format!("{} was not refreshed: {why}.", run.target.sentence());
    End { refusal: Some(refusal), ..run.end(EndStatus::Failed, now, message) }
}

/// The end of a run by its job.
pub(crate) fn of_job(run: &Run, seen: &Seen, how: JobEnd, now: Timestamp) -> End {
    let at = seen.ended_at.unwrap_or(now);
    let sentence = run.target.sentence();
    let end = |status, message: String| End {
        started_at: seen.began,
        job: Some(seen.id.clone()),
        ..run.end(status, at, message)
    };
    match how {
        JobEnd::Success | JobEnd::CompletedByBridge => {
            end(EndStatus::Succeeded, format!("{sentence} was refreshed."))
        }
        JobEnd::Cancelled => {
            end(EndStatus::Cancelled, format!("The refresh of {} was cancelled in Tableau.", run.target.name))
        }
        JobEnd::Failed => {
            let cause = seen.notes.as_ref().map(|notes| {
                let found = diagnose(notes);
                Cause {
                    class: found.class.name().to_owned(),
                    line: found.line,
                    next_step: found.next_step.to_owned(),
                }
            });
            let message = match &cause {
                Some(cause) => {
                    format!("The refresh of {} failed: {}", run.target.name, full_stop(&cause.line))
                }
                None => format!("The refresh of {} failed, and its job does not say why.", run.target.name),
            };
            End { cause, ..end(EndStatus::Failed, message) }
        }
        _ => {
            let message = format!("The job of {} has ended, and Tableau does not say how.", run.target.name);
            end(EndStatus::Failed, message)
        }
    }
}

fn full_stop(line: &str) -> String {
    if line.ends_with(['.', '!', '?']) { line.to_owned() } else { format!("{line}.") }
}
