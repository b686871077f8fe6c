//! A look at the job of a run, and what it leads to.

use crate::end::of_job;
use crate::engine::Engine;
use crate::jobs::{self, Found, Seen};
use crate::meaning::may_not_see;
use circuit::Guarded;
use guarded_tableau::TableauError;
use jiff::Timestamp;
use refreshes::{EndStatus, LONGEST_RUN, Place, Run, Start, State};
use tableau_client::Error;
use workflow::{Failure, Invocation, chain};

/// What a look at a job has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// The run has ended.
    Ended,
    /// The job has not ended.
    Open,
    /// The job cannot be seen.
    Unseen {
        /// Whether that is so until a person changes it, and not for a moment.
        for_good: bool,
    },
}

impl Engine {
    /// Looks at the job of a run. What cannot be seen is no failure. `is_asked`: a caller asked, and the time of the next look stays.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn look(
        &self,
        place: &Place,
        run: &Run,
        is_asked: bool,
        invocation: &Invocation,
    ) -> Result<Look, Failure> {
        let Some(job) = run.job() else { return self.look_for(place, run, is_asked, invocation).await };
        match jobs::fetch(self.facts.tableau(), &run.target, job, invocation).await {
            Ok(seen) => self.conclude(place, run, &seen, is_asked, invocation).await,
            Err(error) => {
                let refused = may_not_see(&error);
                let for_good = refused.is_some();
                let why = refused.unwrap_or_else(|| trouble(&error));
                let hindered = format!("a look at its job: {why}");
                self.looked(place, run, None, (Some(&hindered), is_asked), invocation).await?;
                Ok(Look::Unseen { for_good })
            }
        }
    }

    /// Looks for the job of a run of which none is known.
    async fn look_for(
        &self,
        place: &Place,
        run: &Run,
        is_asked: bool,
        invocation: &Invocation,
    ) -> Result<Look, Failure> {
        let start = Start { run: run.number, at: run.began().unwrap_or(run.made_at) };
        let known = self.earlier_jobs(place).await?;
        let found = jobs::find(self.facts.tableau(), &run.target, start.at, &known, invocation).await;
        let (why, for_good) = match found {
            Ok(Found::Job { seen, is_since }) => {
                let _ = self.note_job(place, run, start, (&seen, is_since), invocation).await?;
                return self.conclude(place, run, &seen, is_asked, invocation).await;
            }
            Ok(Found::None) => ("Tableau does not list it".to_owned(), true),
            Ok(Found::Unclear(why)) => (why, true),
            Err(error) => match may_not_see(&error) {
                Some(why) => (why, true),
                None => (trouble(&error), false),
            },
        };
        let hindered = format!("the event of its end, because Tableau does not show its job: {why}");
        self.looked(place, run, None, (Some(&hindered), is_asked), invocation).await?;
        Ok(Look::Unseen { for_good })
    }

    async fn looked(
        &self,
        place: &Place,
        run: &Run,
        began: Option<Timestamp>,
        (hindered, is_asked): (Option<&str>, bool),
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let now = invocation.time();
        if run.began().is_some_and(|began| now.duration_since(began) >= LONGEST_RUN) {
            let hours = LONGEST_RUN.as_hours();
            let message = format!(
                "It is not known how the refresh of {} ended: Tableau has not shown its end for {hours} hours.",
                run.target.name
            );
            return self.end(place, run.number, &run.end(EndStatus::Failed, now, message), invocation).await;
        }
        let changed = self.board.looked(place, run.number, began, (hindered, is_asked), now).await?;
        self.arm(&changed.timers, now).await
    }

    /// Draws the conclusion from what a job says.
    pub(crate) async fn conclude(
        &self,
        place: &Place,
        run: &Run,
        seen: &Seen,
        is_asked: bool,
        invocation: &Invocation,
    ) -> Result<Look, Failure> {
        let Some(how) = seen.end else {
            self.looked(place, run, seen.began, (None, is_asked), invocation).await?;
            return Ok(Look::Open);
        };
        let mut end = of_job(run, seen, how, invocation.time());
        if end.status == EndStatus::Failed {
            self.name_owner(&run.target, &mut end, invocation).await;
        }
        self.end(place, run.number, &end, invocation).await?;
        Ok(Look::Ended)
    }

    /// Cancels the job of a run that no one waits for any more. If Tableau does not answer, the timer does it again.
    pub(crate) async fn cancel(
        &self,
        place: &Place,
        run: &Run,
        invocation: &Invocation,
    ) -> Result<(), Failure> {
        let State::Running { job: Some(job), .. } = &run.state else { return Ok(()) };
        let Err(error) = jobs::cancel(self.facts.tableau(), &run.target, job, invocation).await else {
            let message = "All callers have cancelled the refresh.";
            let end = run.end(EndStatus::Cancelled, invocation.time(), message);
            return self.end(place, run.number, &end, invocation).await;
        };
        tracing::warn!(job.luid = job, reason = chain(&error), "a job was not cancelled");
        let is_refused = match &error {
            Guarded::Call(TableauError(error @ Error::Refused { .. })) => !error.is_transient(),
            _ => false,
        };
        // It may have ended meanwhile.
        let look = self.look(place, run, false, invocation).await?;
        if is_refused && matches!(look, Look::Open | Look::Unseen { for_good: true }) {
            let now = invocation.time();
            let changed = self.board.goes_on(place, run.number, now).await?;
            self.arm(&changed.timers, now).await?;
        }
        Ok(())
    }
}

/// Why a look failed, in few words.
fn trouble(error: &Guarded<TableauError>) -> String {
    match error {
        Guarded::CircuitOpen(_) => "Tableau does not answer at the moment".to_owned(),
        Guarded::Call(TableauError(Error::Refused { status, code, .. })) => {
            format!("Tableau answered {status} ({code})")
        }
        Guarded::Call(TableauError(error)) if error.is_misconfiguration() => {
            "the service's sign-in to Tableau has to be repaired".to_owned()
        }
        Guarded::Call(_) => "Tableau did not answer".to_owned(),
    }
}
