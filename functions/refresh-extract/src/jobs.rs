//! What Tableau's job list says about an object: the truth after a lost or doubtful answer.

use circuit::Guarded;
use guarded_tableau::{GuardedTableau, TableauError};
use jiff::{SignedDuration, Timestamp};
use refreshes::Target;
use tableau_client::{Filter, Job, JobSummary};
use workflow::Invocation;

/// How far the clocks of Tableau and of this service may differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(10);
/// How many listed jobs of the same name are looked at.
const MOST_LOOKS: usize = 20;
/// How many jobs are listed.
const LISTED: usize = 200;

/// What the list says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found {
    /// This job is of the object.
    Job(Box<Job>),
    /// No job of the object is open or was made since.
    None,
}

/// A job of the object that is open, or that was made since `since` and has ended. Verified by the job's object: others may have the
/// same name. The newest counts.
///
/// # Errors
/// When Tableau does not answer, or does not let the service see jobs.
pub(crate) async fn find(
    tableau: &GuardedTableau,
    target: &Target,
    since: Timestamp,
    invocation: &Invocation,
) -> Result<Found, Guarded<TableauError>> {
    let client = tableau.client();
    let since = since.checked_sub(CLOCKS_DIFFER).unwrap_or(since);
    let listed = async { client.jobs(Filter::all().refreshes().titled(&target.name)).all(LISTED).await };
    let mut listed = tableau.call(invocation, listed).await?;
    listed.retain(|job| is_open(job) || job.created_at.is_some_and(|at| at >= since));
    // Open ones first, and of those the newest.
    listed.sort_by_key(|job| std::cmp::Reverse((is_open(job), job.created_at)));
    for summary in listed.iter().take(MOST_LOOKS) {
        let job = match tableau.call(invocation, client.job(&summary.id)).await {
            Ok(job) => job,
            Err(Guarded::Call(error)) if error.is_not_found() || error.code() == Some("400031") => continue,
            Err(error) => return Err(error),
        };
        if job.subject().is_some_and(|subject| subject.luid().eq_ignore_ascii_case(&target.luid)) {
            return Ok(Found::Job(Box::new(job)));
        }
    }
    Ok(Found::None)
}

fn is_open(job: &JobSummary) -> bool {
    job.ended_at.is_none() && matches!(job.status.as_deref(), None | Some("Pending" | "InProgress"))
}
