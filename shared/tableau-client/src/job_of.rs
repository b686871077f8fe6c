//! Finds the job of an object: one that is open, or one that was created since a time.

use crate::find::ContentLuid;
use crate::{Error, Filter, FlowRun, Job, JobSummary, RefreshKind, TableauClient};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use tableau::{FlowLuid, JobLuid, Subject};

/// How far Tableau's clock may be behind what the header of its answers says. Its times are whole seconds, rounded down.
const SKEW: SignedDuration = SignedDuration::from_secs(5);
/// How far it may be from ours while no answer has shown it.
const UNKNOWN_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// How many listed jobs of one state are read at most.
const LISTED: usize = 3_000;
/// How many jobs are fetched at most: those with the object's name first.
const LOOKS: usize = 25;
/// How many of these may have another name: the object may have been renamed.
const OTHERS: usize = 8;
/// How many runs of a flow are read at most, of those that are open and of those that began since.
const RUNS: u16 = 100;

/// What comes of looking for the job of an object.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum JobLookup {
    /// The job, whose own object is the one that was asked for.
    Found(Box<FoundJob>),
    /// No open job, and none that was created since the time, is of this object.
    NoneListed,
    /// More jobs have the object's name than are fetched, or more are open or new than are listed, and none of those that were
    /// fetched is of the object. It may have one.
    TooMany {
        /// How many of the listed jobs have the name.
        jobs: usize,
    },
    /// A job with the object's name cannot be fetched; with Tableau's error code. It may be the object's.
    Unreadable {
        /// The error code.
        code: String,
    },
    /// The user may not list jobs, or the site forbids it (403079); with Tableau's error code. Nothing is known of the object.
    Refused {
        /// The error code.
        code: String,
    },
}

/// A job that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundJob {
    /// The job.
    pub job: Job,
    /// Whether it refreshes in full or incrementally, as the type of the listed job says. Tableau runs a full refresh in place of
    /// an incremental one where the extract is not set up for it (`tableau/server-client-python#761`).
    pub kind: Option<RefreshKind>,
    /// Whether it was created at the given time or later, by Tableau's clock.
    pub is_since: bool,
}

/// When a job was created.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Age {
    /// At the time or later: it is ours, unless another caller was as fast.
    Since,
    /// A moment before, by Tableau's clock.
    Moment,
    /// Before: it is another caller's, or a schedule's.
    Before,
}

/// A listed job, the most likely first.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Listed {
    is_other_name: bool,
    is_other_kind: bool,
    age: Age,
    seconds: i64,
    luid: JobLuid,
    is_incremental: Option<bool>,
}

impl TableauClient {
    /// Finds the job that refreshes a workbook or data source: one that was created since `since`, or else one that is queued or
    /// runs. `since` is by our clock, and compared with Tableau's by the header `Date` of its answers. `name` is the object's name, by which the jobs to fetch are chosen; what a job refreshes is taken from the job
    /// itself, since titles are not unique. At most 3 lists (of 3,000 jobs each) and 25 jobs are fetched. Administrators only.
    /// REST API 3.1+; JWT scope `tableau:jobs:read`.
    ///
    /// For a flow use [`TableauClient::find_flow_run`].
    ///
    /// # Errors
    /// [`Error::Invalid`] for a flow. [`Error`] when Tableau does not answer, and when the credential's user lacks the scope: then
    /// nothing is known of the object.
    pub async fn find_job(
        &self,
        object: &ContentLuid,
        name: &str,
        since: Timestamp,
    ) -> Result<JobLookup, Error> {
        self.find_other_job(object, name, since, &BTreeSet::new()).await
    }

    /// As [`TableauClient::find_job`], but for jobs that the caller knows to be of earlier refreshes.
    ///
    /// # Errors
    /// As for [`TableauClient::find_job`].
    pub async fn find_other_job(
        &self,
        object: &ContentLuid,
        name: &str,
        since: Timestamp,
        known: &BTreeSet<String>,
    ) -> Result<JobLookup, Error> {
        let subject = match object {
            ContentLuid::Workbook(luid) => Subject::Workbook(luid.clone()),
            ContentLuid::Datasource(luid) => Subject::Datasource(luid.clone()),
            ContentLuid::Flow(_) => {
                let reason = "a flow has runs, and `find_flow_run` finds them";
                return Err(Error::Invalid { operation: "find the job", reason });
            }
        };
        let (listed, is_whole) = match self.jobs_since(&subject, name, since).await {
            Ok((mut listed, is_whole)) => {
                listed.retain(|job| !known.contains(job.luid.as_str()));
                (listed, is_whole)
            }
            Err(error @ Error::Refused { status: 400..500, .. }) if !is_worth_telling(&error) => {
                let code = error.code().unwrap_or_default().to_owned();
                return Ok(JobLookup::Refused { code });
            }
            Err(error) => return Err(error),
        };
        let named = listed.iter().filter(|job| !job.is_other_name).count();
        let mut unreadable = None;
        let looked = named.min(LOOKS) + OTHERS.min(LOOKS.saturating_sub(named));
        for one in listed.iter().take(looked) {
            match self.job(&one.luid).await {
                Ok(job) if job.subject().as_ref() == Some(&subject) => {
                    let kind = one.is_incremental.map(|incremental| match incremental {
                        true => RefreshKind::Incremental,
                        false => RefreshKind::Full,
                    });
                    let found = FoundJob { job, kind, is_since: one.age == Age::Since };
                    return Ok(JobLookup::Found(Box::new(found)));
                }
                Ok(_) => {}
                // A job that is gone or cannot be shown must not hide the others.
                Err(error @ Error::Refused { status: 400..500, .. }) if !is_worth_telling(&error) => {
                    if !one.is_other_name && !error.is_not_found() {
                        unreadable.get_or_insert_with(|| error.code().unwrap_or_default().to_owned());
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(match unreadable {
            _ if named > LOOKS || !is_whole => JobLookup::TooMany { jobs: named },
            Some(code) => JobLookup::Unreadable { code },
            None => JobLookup::NoneListed,
        })
    }

    /// Refreshes that are queued, run, or were created since the time, the most likely first, and whether these are all.
    async fn jobs_since(
        &self,
        subject: &Subject,
        name: &str,
        since: Timestamp,
    ) -> Result<(Vec<Listed>, bool), Error> {
        let earlier = self.before(since);
        let of = |filter: Filter<JobSummary>| self.jobs(filter).all(LISTED);
        let mut jobs = of(Filter::all().created_since(earlier)).await?;
        let mut is_whole = jobs.len() < LISTED;
        let since = self.by_its_clock(since);
        let earlier = since.checked_sub(SKEW).unwrap_or(since);
        // While its clock was not known, too many were listed.
        jobs.retain(|job| job.created_at.is_none_or(|created| created >= earlier));
        // One after the other: a job that begins meanwhile is in the second list, if it was in neither before.
        for state in ["Pending", "InProgress"] {
            let listed = of(Filter::all().in_state(state)).await?;
            is_whole &= listed.len() < LISTED;
            jobs.extend(listed);
        }
        let refreshes =
            jobs.iter().filter(|job| is_refresh(job)).map(|job| listed(job, subject, name, since));
        let sorted: BTreeSet<Listed> = refreshes.collect();
        let mut known = BTreeSet::new();
        Ok((sorted.into_iter().filter(|job| known.insert(job.luid.clone())).collect(), is_whole))
    }

    /// Finds the run of a flow that is queued or runs, or else the newest that began since `since`. Among open ones, one that began
    /// since the time or is queued comes first. At most two lists of 100 runs are fetched. For everybody who may run the flow.
    /// REST API 3.10+; JWT scope `tableau:flow_runs:read`.
    ///
    /// # Errors
    /// As for [`TableauClient::flow_runs`].
    pub async fn find_flow_run(&self, flow: &FlowLuid, since: Timestamp) -> Result<Option<FlowRun>, Error> {
        let earlier = self.before(since);
        // Runs that are queued have no start: they are asked for by their progress. In this order, a run that begins or ends
        // meanwhile is in one of the lists.
        let runs = |filter: Filter<FlowRun>| self.flow_runs(filter.of_flow(flow)).page_size(RUNS);
        let open = runs(Filter::all().unfinished()).all(RUNS.into()).await?;
        let begun = runs(Filter::all().started_since(earlier)).all(RUNS.into()).await?;
        let since = self.by_its_clock(since).checked_sub(SKEW).unwrap_or(since);
        let is_ours = |run: &FlowRun| run.flow_id.as_ref().is_none_or(|of| of == flow);
        let is_since = |run: &FlowRun| run.started_at.is_none_or(|at| at.as_second() >= since.as_second());
        let all = open.into_iter().chain(begun).filter(is_ours);
        let fits = all.filter(|run| run.end().is_none() || is_since(run));
        Ok(fits.max_by_key(|run| {
            (run.end().is_none() && is_since(run), is_since(run), run.started_at.unwrap_or(Timestamp::MAX))
        }))
    }
}

impl TableauClient {
    /// A time of ours as Tableau's clock has it.
    fn by_its_clock(&self, at: Timestamp) -> Timestamp {
        at.checked_add(self.clock_ahead()).unwrap_or(at)
    }

    /// From when on jobs are listed that may have been created since a time of ours.
    fn before(&self, since: Timestamp) -> Timestamp {
        let since = match self.clock().ahead() {
            Some(_) => self.by_its_clock(since).checked_sub(SKEW),
            None => since.checked_sub(UNKNOWN_SKEW),
        };
        since.unwrap_or(Timestamp::MIN)
    }
}

/// Whether a person has to do something, or Tableau may answer later: that says nothing about the list.
fn is_worth_telling(error: &Error) -> bool {
    error.is_transient() || error.is_misconfiguration()
}

fn is_refresh(job: &JobSummary) -> bool {
    let kind = job.job_type.as_deref().map(str::to_ascii_lowercase);
    kind.is_none_or(|kind| kind.contains("refresh") || kind.contains("increment"))
}

fn listed(job: &JobSummary, subject: &Subject, name: &str, since: Timestamp) -> Listed {
    let title = job.title.as_deref().unwrap_or_default().trim().to_lowercase();
    let subtitle = job.subtitle.as_deref().unwrap_or_default().to_lowercase().replace([' ', '_'], "");
    let other_kind = match subject {
        Subject::Workbook(_) => "datasource",
        _ => "workbook",
    };
    let kind = job.job_type.as_deref().map(str::to_ascii_lowercase);
    let seconds = job.created_at.map_or(0, |created| created.as_second() - since.as_second());
    let age = match seconds {
        0.. => Age::Since,
        seconds if seconds >= -SKEW.as_secs() => Age::Moment,
        _ => Age::Before,
    };
    Listed {
        is_other_name: title != name.trim().to_lowercase(),
        is_other_kind: subtitle == other_kind,
        age,
        seconds: seconds.abs(),
        luid: job.id.clone(),
        is_incremental: kind.map(|kind| kind.contains("increment")),
    }
}
