//! The job history of the sample site: the refreshes of the last nights, some of them failed.

use super::model::{FinishCode, FlowRun, Job, JobKind, JobShape, Model, Target, mint};
use super::notes;
use crate::clock::{after, before};
use jiff::Timestamp;
use std::time::Duration;
use tableau::SiteLuid;

const HOUR: u64 = 3600;

/// The failed refreshes: which content, how many hours ago, and the error notes.
const FAILED: [(&str, u64, &str); 7] = [
    ("General Ledger", 3, notes::SQL_SERVER_LOGIN),
    ("Sales Orders", 27, notes::SNOWFLAKE_LOGIN),
    ("Inventory Positions", 4, notes::POSTGRES_REFUSED),
    ("Shipments", 28, notes::POSTGRES_TIMEOUT),
    ("Superstore", 29, notes::QUERY_TIME_LIMIT),
    ("Pipeline Review", 30, notes::MISSING_TABLE),
    ("Customer Master", 5, notes::BRIDGE_NOT_CONNECTED),
];

pub(super) fn add_to(model: &mut Model, now: Timestamp) {
    let workbooks = model.workbooks.iter().filter(|w| w.has_extracts);
    let workbooks = workbooks.map(|w| (w.site.clone(), Target::Workbook(w.luid.clone()), w.name.clone()));
    let datasources = model.datasources.iter().filter(|d| d.has_extracts);
    let datasources =
        datasources.map(|d| (d.site.clone(), Target::Datasource(d.luid.clone()), d.name.clone()));
    let targets: Vec<(SiteLuid, Target, String)> = workbooks.chain(datasources).collect();
    for (index, (site, target, name)) in targets.into_iter().enumerate() {
        let minutes = index as u64 * 7;
        for hours in [74, 50, 26, 2] {
            let created_at = before(now, Duration::from_secs(hours * HOUR + minutes * 60));
            let mut job = Job::ended(site.clone(), target.clone(), &name, created_at);
            if target.kind() == Some("Data Source") && hours != 74 {
                job.kind = JobKind::IncrementalRefresh;
            }
            if name == "Customer Master" {
                job.finish = Some(FinishCode::Completed);
            }
            model.jobs.push(job);
        }
        for (_, hours, notes) in FAILED.iter().filter(|(failed, _, _)| *failed == name) {
            let created_at = before(now, Duration::from_secs(hours * HOUR));
            let mut job = Job::ended(site.clone(), target.clone(), &name, created_at);
            (job.finish, job.notes) = (Some(FinishCode::Error), Some((*notes).to_owned()));
            model.jobs.push(job);
        }
    }
    let created_at = before(now, Duration::from_secs(6 * HOUR));
    let mut mail = Job::ended(model.default_site(), Target::Nothing, "Weekly sales mail", created_at);
    mail.kind = JobKind::Subscription;
    model.jobs.push(mail);
    if let Some(flow) = model.flows.first() {
        let target = Target::Flow(flow.luid.clone());
        let mut job = Job::ended(flow.site.clone(), target, &flow.name, created_at);
        job.kind = JobKind::Flow;
        let luid = "0f3ac6d8-2b0e-4b5c-8d9e-5a54a1c6a0b7".to_owned();
        let user = Some(flow.owner.clone());
        let run = FlowRun { luid, flow: flow.luid.clone(), job: job.luid.clone(), user };
        model.flow_runs.push(run);
        model.jobs.push(job);
    }
    model.jobs.sort_by_key(|job| job.created_at);
}

impl Job {
    /// A successful full refresh that waited 8 s and ran for 95 s.
    fn ended(site: SiteLuid, target: Target, title: &str, created_at: Timestamp) -> Self {
        Self {
            luid: mint(),
            site,
            kind: JobKind::FullRefresh,
            target,
            title: title.to_owned(),
            priority: 50,
            created_at,
            started_at: Some(after(created_at, Duration::from_secs(8))),
            completed_at: Some(after(created_at, Duration::from_secs(103))),
            finish: Some(FinishCode::Success),
            notes: None,
            shape: JobShape::default(),
        }
    }
}
