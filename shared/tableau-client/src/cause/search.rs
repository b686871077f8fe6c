//! Searches Tableau's job list for the job of a refresh.

use crate::{Error, Filter, Job, JobSummary, RefreshKind, TableauClient};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;
use std::time::Duration;
use tableau::{Event, JobLuid, Subject};
use tokio::time::Instant;

/// An event normally arrives shortly after its job ended. A job that ended longer ago is probably another run of the
/// same refresh; it is accepted only if a second search finds none nearer, because events can be late.
const NEAR: SignedDuration = SignedDuration::from_mins(2);
const LATE: SignedDuration = SignedDuration::from_mins(15);
/// The wait before the second search: an event may arrive before Tableau's list contains its job.
const SECOND_LOOK: Duration = Duration::from_secs(2);
/// How long jobs are fetched, in both searches together; each job is a call.
const TIME: Duration = Duration::from_secs(8);
/// How many jobs with another name are fetched at most: the object may have been renamed since.
const OTHERS: usize = 8;
/// How many jobs of the last minutes are listed at most.
const LISTED: usize = 3_000;

/// How well a listed job fits an event; the best comes first in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    title: Title,
    /// Whether the job is about the other kind of object: a workbook, although the event is about a data source, or
    /// the reverse.
    other_kind: bool,
    /// The time between the job's end and the event.
    milliseconds: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Title {
    /// The job's title equals the object's name, or the event has no name.
    Same,
    /// The title equals the name except for upper and lower case and spaces around it.
    Alike,
    /// The title contains the name.
    Contains,
    Other,
}

impl Title {
    fn is_ours(self) -> bool {
        self <= Self::Alike
    }
}

/// The result of searching for an event's job.
pub(super) enum Found {
    /// The job was found. Its type may say whether the refresh was full or incremental.
    Job(Box<Job>, Option<RefreshKind>),
    /// No listed job with this state and time can belong to the event.
    NoneListed,
    /// A job of the object's name is listed, but cannot be fetched; with Tableau's error code.
    Unreadable { code: String },
    /// So many jobs of the object's name are listed that the right one was not found in time.
    TooMany { jobs: usize },
    /// Jobs cannot be listed; with Tableau's error code.
    Refused { code: String },
}

/// A listed job that may belong to the event.
struct Listed {
    fit: Fit,
    luid: JobLuid,
    refresh: Option<RefreshKind>,
}

/// The result of fetching a listed job.
enum Looked {
    /// The job refreshed the event's object.
    Ours(Job),
    /// The job does not say which object it refreshed.
    Unsaid(Job),
    /// The job refreshed another object.
    Other,
    /// The job cannot be fetched; with Tableau's error code.
    Unreadable(String),
}

pub(super) struct Search<'a> {
    client: &'a TableauClient,
    event: &'a Event,
    /// The state to search for, as the job list names it: failed or succeeded.
    state: &'static str,
    /// When the event happened.
    around: Timestamp,
    /// When to stop fetching jobs.
    until: Instant,
    /// Jobs that are known to belong to other objects.
    others: HashSet<JobLuid>,
}

impl<'a> Search<'a> {
    /// A search for the job of a failed refresh.
    pub(super) fn of_failed(client: &'a TableauClient, event: &'a Event, now: Timestamp) -> Self {
        Self::new(client, event, now, "Failed")
    }

    /// A search for the job of a successful refresh.
    pub(super) fn of_succeeded(client: &'a TableauClient, event: &'a Event, now: Timestamp) -> Self {
        Self::new(client, event, now, "Success")
    }

    fn new(client: &'a TableauClient, event: &'a Event, now: Timestamp, state: &'static str) -> Self {
        let around = event.created_at.unwrap_or(now);
        let until = Instant::now() + TIME;
        let until = client.deadline().map_or(until, |deadline| until.min(deadline));
        Self { client, event, state, around, until, others: HashSet::new() }
    }

    /// Searches once, and again after two seconds if the result is not enough.
    pub(super) async fn run(mut self, is_enough: impl Fn(&Job) -> bool) -> Result<Found, Error> {
        match self.look(NEAR).await? {
            Found::NoneListed | Found::Unreadable { .. } => {}
            Found::Job(job, _) if !is_enough(&job) => {}
            found => return Ok(found),
        }
        tokio::time::sleep(SECOND_LOOK).await;
        self.look(LATE).await
    }

    async fn look(&mut self, within: SignedDuration) -> Result<Found, Error> {
        let jobs = match self.listed(within).await {
            Ok(jobs) => jobs,
            Err(error) => return refusal(error).map(|code| Found::Refused { code }),
        };
        let ours = jobs.iter().filter(|job| job.fit.title.is_ours()).count();
        let mut unreadable = None;
        let mut unsaid = None;
        for (at, Listed { fit, luid, refresh }) in jobs.iter().enumerate() {
            if self.others.contains(luid) {
                continue;
            }
            if !fit.title.is_ours() && at >= ours + OTHERS {
                break;
            }
            if Instant::now() >= self.until {
                if fit.title.is_ours() {
                    return Ok(Found::TooMany { jobs: ours });
                }
                break;
            }
            match self.look_at(luid).await? {
                Looked::Ours(job) => return Ok(Found::Job(Box::new(job), *refresh)),
                Looked::Unsaid(job) if fit.title == Title::Same && ours == 1 => {
                    unsaid = Some((job, *refresh))
                }
                Looked::Unreadable(code) if fit.title.is_ours() => {
                    unreadable.get_or_insert(code);
                }
                Looked::Unreadable(_) => {}
                Looked::Other | Looked::Unsaid(_) => {
                    self.others.insert(luid.clone());
                }
            }
        }
        // The only job of that name; the job itself does not say which object it refreshed.
        if let Some((job, refresh)) = unsaid {
            return Ok(Found::Job(Box::new(job), refresh));
        }
        Ok(unreadable.map_or(Found::NoneListed, |code| Found::Unreadable { code }))
    }

    /// Lists the refreshes with the wanted state and time, the most likely first. The list is filtered by state and
    /// not by job type, because Tableau may have job types that are unknown here.
    async fn listed(&self, within: SignedDuration) -> Result<Vec<Listed>, Error> {
        let since = self.around.checked_sub(within).unwrap_or(self.around);
        let ended = Filter::all().in_state(self.state).ended_since(since);
        let jobs = self.client.jobs(ended).all(LISTED).await?;
        let refreshes = jobs.into_iter().filter(is_refresh).map(|job| Listed {
            fit: fit(&job, self.event, self.around),
            refresh: refresh_kind(&job),
            luid: job.id,
        });
        let mut jobs: Vec<Listed> = refreshes.collect();
        jobs.sort_by_key(|job| job.fit);
        Ok(jobs)
    }

    async fn look_at(&self, luid: &JobLuid) -> Result<Looked, Error> {
        let job = match self.client.job(luid).await {
            Ok(job) => job,
            // A job that no longer exists, is forbidden, or cannot be parsed must not hide the others.
            Err(error) => return refusal(error).map(Looked::Unreadable),
        };
        Ok(match job.subject() {
            Some(subject) if subject == self.event.subject => Looked::Ours(job),
            Some(_) => Looked::Other,
            None => Looked::Unsaid(job),
        })
    }
}

/// The error code of a permanent refusal of this request; any other error is returned as an error.
pub(super) fn refusal(error: Error) -> Result<String, Error> {
    if error.is_transient() || error.is_misconfiguration() {
        return Err(error);
    }
    Ok(error.code().unwrap_or("an answer of another shape").to_owned())
}

pub(super) fn is_refresh(job: &JobSummary) -> bool {
    let kind = job.job_type.as_deref().map(str::to_ascii_lowercase);
    kind.is_none_or(|kind| kind.contains("refresh") || kind.contains("increment"))
}

/// Whether a job's type says full or incremental: `refresh_extracts`, `increment_extracts`,
/// `increment_extracts_via_bridge`.
pub(super) fn refresh_kind(job: &JobSummary) -> Option<RefreshKind> {
    let kind = job.job_type.as_deref()?.to_ascii_lowercase();
    Some(if kind.contains("increment") { RefreshKind::Incremental } else { RefreshKind::Full })
}

fn fit(job: &JobSummary, event: &Event, around: Timestamp) -> Fit {
    let alike = |text: &str| text.trim().to_lowercase();
    let title = match (&job.title, &event.resource_name) {
        (_, None) => Title::Same,
        (Some(title), Some(name)) if title == name => Title::Same,
        (Some(title), Some(name)) if alike(title) == alike(name) => Title::Alike,
        (Some(title), Some(name)) if title.contains(name.as_str()) => Title::Contains,
        _ => Title::Other,
    };
    // Tableau writes `Data Source` or `Datasource`. Any other text is ignored.
    let kind = job.subtitle.as_deref().map(|kind| alike(kind).replace([' ', '_'], ""));
    let other_kind = matches!(
        (&event.subject, kind.as_deref()),
        (Subject::Workbook(_), Some("datasource")) | (Subject::Datasource(_), Some("workbook"))
    );
    let distance = |ended: Timestamp| (ended.as_millisecond() - around.as_millisecond()).abs();
    Fit { title, other_kind, milliseconds: job.ended_at.map_or(i64::MAX, distance) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use tableau::Payload;

    fn event(name: Value) -> Event {
        let payload = json!({
            "resource": "EXTRACTS", "event_type": "DatasourceRefreshFailed", "resource_name": name,
            "site_luid": "s-1", "resource_luid": "d-1", "created_at": "2025-01-15T17:14:45Z",
        });
        Event::try_from(&Payload::parse(payload.to_string().as_bytes()).unwrap()).unwrap()
    }

    fn job(title: &str, subtitle: &str, second: u32) -> JobSummary {
        serde_json::from_value(json!({
            "id": format!("{title}-{subtitle}-{second}").replace(' ', ""), "title": title, "subtitle": subtitle,
            "endedAt": format!("2025-01-15T17:14:{second:02}Z"), "jobType": "refresh_extracts",
        }))
        .unwrap()
    }

    #[test]
    fn the_same_title_comes_first_then_the_same_kind_then_the_nearest_end() {
        let event = event(json!("Sales"));
        let around = event.created_at.unwrap();
        let mut jobs = [
            job("Other", "Data Source", 45),
            job("Sales Orders", "Data Source", 45),
            job("sales ", "Data Source", 45),
            job("Sales", "Workbook", 45),
            job("Sales", "Data Source", 40),
            job("Sales", "", 44),
            job("Sales", "Datasource", 43),
        ];
        jobs.sort_by_key(|job| fit(job, &event, around));
        let order: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
        assert_eq!(
            order,
            [
                "Sales--44",
                "Sales-Datasource-43",
                "Sales-DataSource-40",
                "Sales-Workbook-45",
                "sales-DataSource-45",
                "SalesOrders-DataSource-45",
                "Other-DataSource-45",
            ]
        );
    }

    #[test]
    fn refreshes_of_every_type_count_and_other_jobs_do_not() {
        let of =
            |kind: Value| is_refresh(&serde_json::from_value(json!({"id": "j", "jobType": kind})).unwrap());
        for kind in
            ["refresh_extracts", "increment_extracts", "refresh_extracts_via_bridge", "RefreshExtract"]
        {
            assert!(of(json!(kind)), "{kind}");
        }
        assert!(of(json!(null)));
        for kind in ["run_flow", "single_subscription_notify", "encrypt_extracts", "subscription"] {
            assert!(!of(json!(kind)), "{kind}");
        }
    }
}
