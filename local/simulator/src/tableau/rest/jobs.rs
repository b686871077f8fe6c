//! Jobs, and refreshes and runs of flows, which run as jobs.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_jobs_tasks_and_schedules.htm>

use super::call::{Answer, Call, Then};
use super::element::Element;
use super::error::RestError;
use super::fields::Fields;
use super::filter::{COMPARE, EQ, EQ_HAS, EQ_IN, Field, Filter, HAS, Spec, sort};
use super::page;
use crate::clock::{after, before};
use crate::tableau::events::seconds;
use crate::tableau::model::{Feature, FinishCode, Job, JobKind, JobShape, Model, Target};
use crate::tableau::version::RestVersion;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use tableau::SiteLuid;

/// The period of the refresh quota.
const HOUR: Duration = Duration::from_secs(3600);

pub(crate) const SPEC: Spec = &[
    ("jobType", EQ_IN),
    ("status", EQ),
    ("createdAt", COMPARE),
    ("startedAt", COMPARE),
    ("completedAt", COMPARE),
    ("progress", COMPARE),
    ("priority", COMPARE),
    ("title", EQ_HAS),
    ("subtitle", EQ_HAS),
    ("notes", HAS),
    ("args", HAS),
];

const FIELDS: Fields = Fields {
    row: "job",
    by_default: &[
        "id",
        "status",
        "createdAt",
        "startedAt",
        "endedAt",
        "priority",
        "jobType",
        "title",
        "subtitle",
    ],
    more: &[],
};

fn field(job: &Job, name: &str) -> Field {
    match name {
        "jobType" => Field::Text(job.kind.list_name().to_owned()),
        "status" => Field::Text(job.status().to_owned()),
        "createdAt" => Field::Time(Some(job.created_at)),
        "startedAt" => Field::Time(job.started_at),
        "completedAt" => Field::Time(job.completed_at),
        "progress" => Field::Number(if job.is_open() { 0 } else { 100 }),
        "priority" => Field::Number(i64::from(job.priority)),
        "title" => Field::Text(job.title.clone()),
        // The job's arguments are not simulated.
        "args" => Field::Text(String::new()),
        "subtitle" => Field::Text(job.target.kind().unwrap_or_default().to_owned()),
        _ => Field::Text(job.notes.clone().unwrap_or_default()),
    }
}

/// Lists jobs, the newest first unless the call sorts otherwise.
pub(crate) fn list(call: &mut Call<'_>) -> Result<Answer, RestError> {
    if !call.model.has(Feature::JobLists) {
        return Err(RestError::new("403079", "Listing jobs is not allowed on this site."));
    }
    let filter = Filter::parse(call.query("filter"), SPEC)?;
    let asked = FIELDS.asked(call.query("fields"))?;
    let site = call.site();
    let mut rows: Vec<&Job> = call.model.jobs.iter().filter(|j| j.site == site).collect();
    rows.retain(|job| filter.passes(|name| field(job, name)));
    rows.sort_by_key(|job| std::cmp::Reverse(job.created_at));
    sort(&mut rows, call.query("sort"), SPEC, |job, name| field(job, name))?;
    page::answer(call, "backgroundJobs", &rows, |job| {
        let element = Element::new("backgroundJob")
            .with("id", job.luid.as_str())
            .with("status", job.status())
            .with("createdAt", seconds(job.created_at))
            .with_some("startedAt", job.started_at.map(seconds))
            .with_some("endedAt", job.completed_at.map(seconds))
            .with("priority", job.priority)
            .with("jobType", job.kind.list_name())
            .with("title", job.title.as_str())
            .with_some("subtitle", job.target.kind());
        asked.of(element)
    })
}

pub(crate) fn job(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.job(call.id()).filter(|j| j.site == call.site());
    let job = found.ok_or_else(|| RestError::not_found("404018", "Job", call.id()))?;
    if job.shape == JobShape::Unreadable {
        return Err(RestError::new("400031", format!("The job '{}' cannot be shown.", job.luid)));
    }
    let finish = match (job.finish, job.started_at) {
        (Some(finish), _) => Some(finish.code()),
        // User imports show a `finishCode` while they run: only `completedAt` says that a job has ended.
        (None, Some(_)) => {
            Some(FinishCode::Error.code()).filter(|_| call.settings.running_jobs_show_a_finish_code)
        }
        (None, None) => None,
    };
    let element = Element::new("job")
        .with("id", job.luid.as_str())
        .with("mode", "Asynchronous")
        .with("type", job.kind.type_name())
        .with("progress", if job.is_open() { 0_u8 } else { 100 })
        .with("createdAt", seconds(job.created_at))
        .with_some("startedAt", job.started_at.map(seconds))
        .with_some("completedAt", job.completed_at.map(seconds))
        .with_some("finishCode", finish);
    let element = match job.shape {
        JobShape::StatusNotesAlone => element,
        _ => element.child_some(extract_refresh(job)).child_some(run_flow(call.model, job)),
    };
    let element = match job.shape {
        JobShape::NotesBeside => element.many(lines(job)),
        JobShape::StatusNotes | JobShape::StatusNotesAlone => element.child_some(status_notes(job)),
        _ => element,
    };
    Ok(Answer::ok(Element::root().child(element)))
}

/// Cancels a job that has not ended. The call needs no body.
pub(crate) fn cancel(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let id = call.id().to_owned();
    let site = call.site();
    let now = call.now;
    let found = call.model.jobs.iter_mut().find(|j| j.luid.as_str() == id && j.site == site);
    let job = found.ok_or_else(|| RestError::not_found("404018", "Job", &id))?;
    if !job.is_open() {
        return Err(RestError::new("403091", "The job cannot be cancelled, because it is already complete."));
    }
    job.cancel(now);
    Ok(Answer::no_content().status(200))
}

fn extract_refresh(job: &Job) -> Option<Element> {
    let name = match &job.target {
        Target::Workbook(_) => "workbook",
        Target::Datasource(_) => "datasource",
        Target::Flow(_) | Target::Nothing => return None,
    };
    let about = Element::new(name).with_some("id", job.target.luid()).with("name", job.title.as_str());
    let refresh = Element::new("extractRefreshJob").child(about);
    Some(match job.shape {
        JobShape::Notes | JobShape::Unreadable => {
            refresh.child_some(job.notes.as_deref().map(|notes| Element::new("notes").text(notes)))
        }
        JobShape::ListOfNotes => refresh.many(lines(job)),
        JobShape::NotesBeside | JobShape::StatusNotes | JobShape::StatusNotesAlone => refresh,
    })
}

/// The part of a job that only runs of flows have. That notes stand in it as they do for refreshes is a guess.
fn run_flow(model: &Model, job: &Job) -> Option<Element> {
    let run = model.run_of_job(&job.luid)?;
    let flow = Element::new("flow").with("id", run.flow.as_str()).with("name", job.title.as_str());
    let about = Element::new("runFlowJobType").with("flowRunId", run.luid.as_str()).child(flow);
    Some(match job.shape {
        JobShape::Notes | JobShape::Unreadable => {
            about.child_some(job.notes.as_deref().map(|notes| Element::new("notes").text(notes)))
        }
        JobShape::ListOfNotes => about.many(lines(job)),
        JobShape::NotesBeside | JobShape::StatusNotes | JobShape::StatusNotesAlone => about,
    })
}

/// The notes, one element per line.
fn lines(job: &Job) -> Vec<Element> {
    job.notes.iter().flat_map(|notes| notes.lines()).map(|line| Element::new("notes").text(line)).collect()
}

fn status_notes(job: &Job) -> Option<Element> {
    let note = |text: &str| {
        Element::new("statusNote").with("type", "RefreshFailed").with("value", "1").with("text", text)
    };
    Some(Element::new("statusNotes").many(vec![note(job.notes.as_deref()?)]))
}

pub(crate) fn refresh_workbook(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.workbook(call.id()).filter(|w| w.site == call.site());
    let workbook = found.ok_or_else(|| RestError::not_found("404006", "Workbook", call.id()))?;
    let about = (workbook.site.clone(), Target::Workbook(workbook.luid.clone()), workbook.name.clone());
    let (has_extracts, kind) = (workbook.has_extracts, kind(call, workbook.incremental));
    refresh(call, has_extracts, about, kind)
}

pub(crate) fn refresh_datasource(call: &mut Call<'_>) -> Result<Answer, RestError> {
    let found = call.model.datasource(call.id()).filter(|d| d.site == call.site());
    let datasource = found.ok_or_else(|| RestError::not_found("404004", "Datasource", call.id()))?;
    let about =
        (datasource.site.clone(), Target::Datasource(datasource.luid.clone()), datasource.name.clone());
    let (has_extracts, kind) = (datasource.has_extracts, kind(call, datasource.incremental));
    refresh(call, has_extracts, about, kind)
}

/// The version from which on a refresh can be incremental.
const INCREMENTAL: RestVersion = RestVersion { major: 3, minor: 28 };

/// What runs: a full refresh too where an incremental one is asked of an extract that is not set up for it, or of an older version.
///
/// Source: `tableau/server-client-python#761`
fn kind(call: &Call<'_>, is_set_up: bool) -> JobKind {
    let incremental = call.body.flag(&["extractRefresh", "incremental"]).unwrap_or(false);
    if incremental && is_set_up && call.version >= INCREMENTAL {
        JobKind::IncrementalRefresh
    } else {
        JobKind::FullRefresh
    }
}

/// Uses one refresh of the site's quota, if it has one. The error text is the only place where Tableau says how long
/// to wait.
fn spend(call: &mut Call<'_>) -> Result<(), RestError> {
    let site = call.site();
    let now = call.now;
    let hour_ago = before(call.now, HOUR);
    call.model.refreshes.retain(|(_, at)| *at > hour_ago);
    if let Some(quota) = call.settings.refreshes_per_hour {
        let spent: Vec<Timestamp> =
            call.model.refreshes.iter().filter(|(of, _)| *of == site).map(|(_, at)| *at).collect();
        if spent.len() >= quota {
            // The next refresh is allowed once this one is an hour old.
            let free_at =
                spent.get(spent.len() - quota).map_or_else(|| after(now, HOUR), |at| after(*at, HOUR));
            return Err(RestError::new("429000", too_many_refreshes(free_at.duration_since(now))));
        }
    }
    call.model.refreshes.push((site, now));
    Ok(())
}

/// The wait in whole minutes, rounded up, so that a caller who waits as long is accepted.
fn too_many_refreshes(wait: SignedDuration) -> String {
    const MINUTE: i128 = 60_000_000_000;
    let minutes = (wait.as_nanos() + MINUTE - 1) / MINUTE;
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    format!("Too many requests for 'api.rest.refresh_extracts'. Please try again in {minutes} {unit}.")
}

pub(crate) fn refresh(
    call: &mut Call<'_>,
    has_extracts: bool,
    about: (SiteLuid, Target, String),
    kind: JobKind,
) -> Result<Answer, RestError> {
    if !call.model.has(Feature::RunNow) {
        return Err(RestError::new("409082", "Running refreshes now is not allowed on this site."));
    }
    let luid = about.1.luid().unwrap_or_default().to_owned();
    call.may_refresh(&luid)?;
    call.knows_published(&luid)?;
    if !has_extracts {
        return Err(RestError::new("403104", "A live connection has nothing to refresh."));
    }
    if call.model.refresh(&about.1, Job::is_queued).is_some() {
        let detail = format!("Job for '{luid}' is already queued. Not queuing a duplicate.");
        return Err(RestError::new("409093", detail));
    }
    spend(call)?;
    Ok(queue(call, about, kind).status(202))
}

/// Queues a refresh or a run of a flow, and answers its job.
pub(crate) fn queue(call: &mut Call<'_>, about: (SiteLuid, Target, String), kind: JobKind) -> Answer {
    let luid = about.1.luid().unwrap_or_default().to_owned();
    let job = call.model.queue_refresh(about, kind, call.now).clone();
    let element = Element::new("job")
        .with("id", job.luid.as_str())
        .with("mode", "Asynchronous")
        .with("type", job.kind.type_name())
        .with("createdAt", seconds(job.created_at))
        .child_some(extract_refresh(&job))
        .child_some(run_flow(call.model, &job));
    let then = Then::Refresh { target: luid, job: job.luid };
    Answer::ok(Element::root().child(element)).then(then)
}
