//! What Tableau says about the job of a refresh, or the run of a flow: started, found, looked at, cancelled.

use circuit::Guarded;
use guarded_tableau::{GuardedTableau, TableauError};
use jiff::{SignedDuration, Timestamp};
use refreshes::Target;
use std::collections::BTreeSet;
use std::time::Duration;
use tableau::{ContentKind, FlowRunLuid, JobLuid, Subject};
use tableau_client::{
    ContentLuid, Error, Filter, FlowRun, Job, JobEnd, JobLookup, RefreshKind, RefreshNow, RunFlow,
};
use workflow::Invocation;

/// How long one look at jobs may take, with all its calls.
const LONGEST_LOOK: Duration = Duration::from_secs(15);
/// The time that is kept for writing down what a look has found.
const TIME_TO_WRITE: Duration = Duration::from_secs(2);
/// How far the clocks of Tableau and of this service may differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(10);
/// How many jobs are listed to find one that was just made.
const MOST_LISTED: usize = 1_000;
const NOT_A_LUID: Error = Error::Invalid { operation: "refresh the content", reason: "the LUID is none" };

/// A job, or the run of a flow, in its present state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    /// The job's LUID, or that of the flow's run.
    pub(crate) id: String,
    /// When Tableau began, by our clock.
    pub(crate) began: Option<Timestamp>,
    /// When it ended, by our clock.
    pub(crate) ended_at: Option<Timestamp>,
    /// How it ended; `None` while it is open.
    pub(crate) end: Option<JobEnd>,
    /// Why it failed.
    pub(crate) notes: Option<String>,
    /// Whether it is full or incremental, if that is known.
    pub(crate) kind: Option<RefreshKind>,
}

/// What comes of looking for the job of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    /// This job is of the object.
    Job {
        seen: Box<Seen>,
        /// Whether it was made since the given time.
        is_since: bool,
    },
    /// No job of the object is open, or was made since.
    None,
    /// It is not known, for this reason.
    Unclear(String),
}

/// What comes of a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Posted {
    /// The LUID of the job, or of the flow's run if the answer names it.
    Queued(Option<String>),
    /// Tableau has a job of the object in its queue already.
    AlreadyQueued,
}

/// A time of Tableau's by our clock. `ahead`: how far its clock is ahead.
fn by_our_clock(at: Option<Timestamp>, ahead: SignedDuration) -> Option<Timestamp> {
    at.map(|at| at.checked_sub(ahead).unwrap_or(at))
}

impl Seen {
    fn of_job(job: &Job, kind: Option<RefreshKind>, ahead: SignedDuration) -> Self {
        Self {
            id: job.id.to_string(),
            began: by_our_clock(job.started_at, ahead),
            ended_at: by_our_clock(job.completed_at, ahead),
            end: job.end(),
            notes: job.notes(),
            kind,
        }
    }

    fn of_run(run: &FlowRun, ahead: SignedDuration) -> Self {
        Self {
            id: run.id.to_string(),
            began: by_our_clock(run.started_at, ahead),
            ended_at: by_our_clock(run.completed_at, ahead),
            end: run.end(),
            notes: run.failure().map(str::to_owned),
            kind: Some(RefreshKind::Full),
        }
    }
}

/// The object's LUID as its own type.
pub(crate) fn luid(target: &Target) -> Result<ContentLuid, Error> {
    ContentLuid::of(target.kind, &target.luid).ok_or(NOT_A_LUID)
}

/// What Tableau refreshes. `None` for a flow.
pub(crate) fn subject(target: &Target) -> Option<Subject> {
    match target.kind {
        ContentKind::Workbook => target.luid.parse().ok().map(Subject::Workbook),
        ContentKind::Datasource => target.luid.parse().ok().map(Subject::Datasource),
        ContentKind::Flow => None,
    }
}

/// Starts a refresh, or runs a flow. Never sent twice.
///
/// # Errors
/// When Tableau does not answer or refuses.
pub(crate) async fn post(
    tableau: &GuardedTableau,
    target: &Target,
    kind: RefreshKind,
    invocation: &Invocation,
) -> Result<Posted, Guarded<TableauError>> {
    let client = tableau.client();
    let post = async {
        if let ContentLuid::Flow(luid) = luid(target)? {
            return Ok(match client.run_flow(&luid).await? {
                RunFlow::Queued(job) => Posted::Queued(job.flow_run().map(ToString::to_string)),
                RunFlow::AlreadyQueued => Posted::AlreadyQueued,
            });
        }
        let subject = subject(target).ok_or(NOT_A_LUID)?;
        Ok(match client.refresh_now(&subject, kind).await? {
            RefreshNow::Queued(job) => Posted::Queued(Some(job.id.to_string())),
            RefreshNow::AlreadyQueued => Posted::AlreadyQueued,
        })
    };
    // The limit of refreshes says nothing about other calls: it must not open the circuit. The lane waits for it.
    let call = async {
        match post.await {
            Err(error @ Error::Refused { status: 429, .. }) => Ok(Err(error)),
            other => other.map(Ok),
        }
    };
    tableau.call(invocation, call).await?.map_err(|error| Guarded::Call(TableauError(error)))
}

/// How long a look may take, so that what it finds can be written down.
fn time_of_look(invocation: &Invocation) -> Duration {
    LONGEST_LOOK.min(invocation.remaining().saturating_sub(TIME_TO_WRITE))
}

/// A job of the object that was made since `since`, or that is open. `known`: jobs of earlier refreshes, which it is not.
///
/// # Errors
/// When Tableau does not answer, or the credential lacks a scope.
pub(crate) async fn find(
    tableau: &GuardedTableau,
    target: &Target,
    since: Timestamp,
    known: &BTreeSet<String>,
    invocation: &Invocation,
) -> Result<Found, Guarded<TableauError>> {
    let client = tableau.client().within(time_of_look(invocation));
    let call = async {
        let object = luid(target)?;
        if let ContentLuid::Flow(flow) = &object {
            let Some(run) = client.find_flow_run(flow, since).await? else { return Ok(Found::None) };
            let since = since.checked_add(client.clock_ahead()).unwrap_or(since);
            let is_since = run.started_at.is_none_or(|at| at.as_second() >= since.as_second());
            return Ok(Found::Job { seen: Box::new(with_reason(&client, &run).await), is_since });
        }
        Ok(match client.find_other_job(&object, &target.name, since, known).await? {
            JobLookup::Found(found) => {
                let seen = Box::new(Seen::of_job(&found.job, found.kind, client.clock_ahead()));
                Found::Job { seen, is_since: found.is_since }
            }
            JobLookup::NoneListed => Found::None,
            JobLookup::Refused { code } => {
                Found::Unclear(format!("the user may not see jobs (Tableau's code {code})"))
            }
            JobLookup::Unreadable { code } => {
                Found::Unclear(format!("Tableau does not show a job of this name (code {code})"))
            }
            other => Found::Unclear(match other {
                JobLookup::TooMany { jobs } => format!("{jobs} jobs have this name, too many to look at"),
                _ => "Tableau's job list does not say".to_owned(),
            }),
        })
    };
    tableau.call(invocation, call).await
}

/// Whether a job that was made since `since` is full or incremental, as the list has it: a single job does not say it. `None` if the list
/// does not have it.
///
/// # Errors
/// When Tableau does not answer, or does not let the service see jobs.
pub(crate) async fn kind_of(
    tableau: &GuardedTableau,
    id: &str,
    since: Timestamp,
    invocation: &Invocation,
) -> Result<Option<RefreshKind>, Guarded<TableauError>> {
    let client = tableau.client();
    let since = since.checked_add(client.clock_ahead() - CLOCKS_DIFFER).unwrap_or(since);
    let listed = async { client.jobs(Filter::all().refreshes().created_since(since)).all(MOST_LISTED).await };
    let listed = tableau.call(invocation, listed).await?;
    let kind = listed.iter().find(|job| job.id.as_str() == id).and_then(|job| job.job_type.as_deref());
    Ok(kind.map(|kind| match kind.to_ascii_lowercase().contains("increment") {
        true => RefreshKind::Incremental,
        false => RefreshKind::Full,
    }))
}

/// A job by its LUID, or the run of a flow by its own.
///
/// # Errors
/// When Tableau does not answer or refuses.
pub(crate) async fn fetch(
    tableau: &GuardedTableau,
    target: &Target,
    id: &str,
    invocation: &Invocation,
) -> Result<Seen, Guarded<TableauError>> {
    let client = &tableau.client().within(time_of_look(invocation));
    let call = async {
        if target.kind == ContentKind::Flow {
            let luid: FlowRunLuid = id.parse().map_err(|_| NOT_A_LUID)?;
            let run = client.flow_run(&luid).await?;
            return Ok(with_reason(client, &run).await);
        }
        let luid: JobLuid = id.parse().map_err(|_| NOT_A_LUID)?;
        let job = client.job(&luid).await?;
        Ok(Seen::of_job(&job, None, client.clock_ahead()))
    };
    tableau.call(invocation, call).await
}

/// The run of a flow, with the notes of its job if it does not say itself why it failed. Only administrators may read them.
async fn with_reason(client: &tableau_client::TableauClient, run: &FlowRun) -> Seen {
    let seen = Seen::of_run(run, client.clock_ahead());
    let Some(job) = run.background_job_id.as_ref().filter(|_| run.end() == Some(JobEnd::Failed)) else {
        return seen;
    };
    if seen.notes.is_some() {
        return seen;
    }
    let notes = client.job(job).await.ok().and_then(|job| job.notes());
    Seen { notes, ..seen }
}

/// Cancels a job, or the run of a flow.
///
/// # Errors
/// When Tableau does not answer or refuses, also because it has ended.
pub(crate) async fn cancel(
    tableau: &GuardedTableau,
    target: &Target,
    id: &str,
    invocation: &Invocation,
) -> Result<(), Guarded<TableauError>> {
    let client = tableau.client();
    let call = async {
        if target.kind == ContentKind::Flow {
            let luid: FlowRunLuid = id.parse().map_err(|_| NOT_A_LUID)?;
            return client.cancel_flow_run(&luid).await;
        }
        let luid: JobLuid = id.parse().map_err(|_| NOT_A_LUID)?;
        client.cancel_job(&luid).await
    };
    tableau.call(invocation, call).await
}
