//! Where a request stands, for its caller. No I/O.

use crate::end::{Cause, EndStatus, Refusal};
use crate::keys::Place;
use crate::lane::{Lane, Limits};
use crate::request::{Outcome, Request, Status};
use crate::run::{Past, Run, Runs, State};
use crate::say::moment;
use jiff::Timestamp;

/// Where a request stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Its status.
    pub status: Status,
    /// Whether the refresh is incremental.
    pub incremental: bool,
    /// When Tableau began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The job at Tableau.
    pub job: Option<String>,
    /// What it waits for.
    pub waits_for: Option<String>,
    /// One sentence for people.
    pub message: String,
    /// Why it failed.
    pub cause: Option<Cause>,
    /// Why it was not started.
    pub refusal: Option<Refusal>,
}

impl Request {
    /// What came of the request, if that is settled at `now`. What was written down counts.
    pub fn result(&self, runs: &Runs, now: Timestamp) -> Option<Outcome> {
        if let Some(outcome) = &self.outcome {
            return Some(outcome.clone());
        }
        match runs.ended(self.run) {
            Some(past) if past.end.at <= self.until => Some(of_end(past)),
            Some(past) => {
                Some(self.timed_out(past.began.is_some(), past.end.started_at, past.end.job.clone()))
            }
            None if now < self.until && (runs.has(self.run) || runs.last < self.run) => None,
            None => {
                let run = runs.open(self.run);
                let began = run.and_then(began_at_tableau);
                let job = run.and_then(|run| run.job().map(str::to_owned));
                Some(self.timed_out(began.is_some(), began, job))
            }
        }
    }

    fn timed_out(&self, has_begun: bool, started_at: Option<Timestamp>, job: Option<String>) -> Outcome {
        let since = moment(started_at.unwrap_or(self.requested_at));
        let doing = if has_begun { "running" } else { "queued" };
        let left = if job.is_some() { " The job is left alone." } else { "" };
        let minutes = self.until.duration_since(self.requested_at).as_mins();
        Outcome {
            status: Status::TimedOut,
            started_at,
            ended_at: self.until,
            job,
            incremental: self.incremental,
            message: format!(
                "{} is still {doing} since {since}: the request's limit of {minutes} minutes is over.{left}",
                self.target.sentence()
            ),
            cause: None,
            refusal: None,
        }
    }

    /// Where the request stands at `now`.
    pub fn view(&self, runs: &Runs, lane: &Lane, limits: Limits, now: Timestamp) -> View {
        if let Some(outcome) = self.result(runs, now) {
            return View {
                status: outcome.status,
                incremental: outcome.incremental,
                started_at: outcome.started_at,
                ended_at: Some(outcome.ended_at),
                job: outcome.job,
                waits_for: None,
                message: outcome.message,
                cause: outcome.cause,
                refusal: outcome.refusal,
            };
        }
        let place = Place::new(&self.site, &self.target.luid);
        let run = runs.open(self.run);
        let (status, waits_for) = match run {
            Some(run) => of_run(run, &place, lane, limits, now),
            None => {
                let why = "the refresh that runs to end: it began before this request, or is not what was asked for";
                (Status::Queued, Some(why.to_owned()))
            }
        };
        let began = run.and_then(began_at_tableau);
        let message = match (&waits_for, began) {
            (Some(why), _) => format!("{} waits for {why}.", self.target.sentence()),
            (None, Some(at)) => {
                format!("{} is being refreshed since {}.", self.target.sentence(), moment(at))
            }
            (None, None) => format!("{} is being refreshed.", self.target.sentence()),
        };
        View {
            status,
            incremental: run.map_or(self.incremental, |run| run.incremental),
            started_at: began,
            ended_at: None,
            job: run.and_then(|run| run.job().map(str::to_owned)),
            waits_for,
            message,
            cause: None,
            refusal: None,
        }
    }
}

fn began_at_tableau(run: &Run) -> Option<Timestamp> {
    match run.state {
        State::Running { began, .. } => began,
        State::Waiting | State::Held { .. } | State::Starting { .. } => None,
    }
}

fn of_run(run: &Run, place: &Place, lane: &Lane, limits: Limits, now: Timestamp) -> (Status, Option<String>) {
    match &run.state {
        State::Waiting | State::Held { .. } => {
            let why = match &run.hindered {
                Some(why) => why.clone(),
                None => lane.waits_for(&run.ticket(&place.luid), limits, now),
            };
            (Status::Queued, Some(why))
        }
        State::Starting { .. } => (
            Status::Queued,
            Some(run.hindered.clone().unwrap_or_else(|| "Tableau's answer to the start".to_owned())),
        ),
        State::Running { began: Some(_), .. } => (Status::Running, run.hindered.clone()),
        State::Running { job: None, .. } => (Status::Running, run.hindered.clone()),
        State::Running { began: None, .. } => (
            Status::Queued,
            Some(run.hindered.clone().unwrap_or_else(|| "a free worker of Tableau".to_owned())),
        ),
    }
}

fn of_end(past: &Past) -> Outcome {
    let end = &past.end;
    Outcome {
        status: match end.status {
            EndStatus::Succeeded => Status::Succeeded,
            EndStatus::Failed => Status::Failed,
            EndStatus::Cancelled => Status::Cancelled,
        },
        started_at: end.started_at,
        ended_at: end.at,
        job: end.job.clone(),
        incremental: end.incremental,
        message: end.message.clone(),
        cause: end.cause.clone(),
        refusal: end.refusal,
    }
}
