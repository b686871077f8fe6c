//! Extract refreshes on a schedule. They are listed, and run when they are told to; time alone starts none.

use super::{FinishCode, Model, Target, Workbook};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use tableau::SiteLuid;

#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) luid: String,
    pub(crate) site: SiteLuid,
    pub(crate) target: Target,
    pub(crate) priority: u32,
}

/// The hour of the day that tasks run at. The sites are in UTC.
pub(crate) const STARTS_AT_HOUR: i8 = 4;

impl Task {
    /// When it runs next: the first start after `now`.
    pub(crate) fn next_run_at(&self, now: Timestamp) -> Timestamp {
        let now = now.to_zoned(TimeZone::UTC);
        let today = now.date().at(STARTS_AT_HOUR, 0, 0, 0);
        let start = if today > now.datetime() { today } else { today.saturating_add(1.day()) };
        start.to_zoned(TimeZone::UTC).map_or(now.timestamp(), |start| start.timestamp())
    }
}

impl Model {
    /// A daily refresh.
    pub(crate) fn schedule(&mut self, site: SiteLuid, target: Target) {
        let luid = uuid::Uuid::new_v4().to_string();
        self.tasks.push(Task { luid, site, target, priority: 50 });
    }

    /// How many refreshes of this failed since the last that did not.
    pub(crate) fn failed_in_a_row(&self, target: &Target) -> usize {
        let mut ended: Vec<_> = self.jobs.iter().filter(|j| j.target == *target && !j.is_open()).collect();
        ended.sort_by_key(|job| std::cmp::Reverse(job.created_at));
        ended.iter().take_while(|job| job.finish == Some(FinishCode::Error)).count()
    }

    /// When the data of a workbook was refreshed last: its own, or that of a data source that it uses.
    pub(crate) fn last_refreshed(&self, workbook: &Workbook) -> Timestamp {
        let mut targets = vec![Target::Workbook(workbook.luid.clone())];
        targets.extend(self.datasources_of(workbook).map(|d| Target::Datasource(d.luid.clone())));
        let good = [Some(FinishCode::Success), Some(FinishCode::Completed)];
        let ended = self.jobs.iter().filter(|j| targets.contains(&j.target) && good.contains(&j.finish));
        ended.filter_map(|job| job.completed_at).max().unwrap_or(workbook.updated_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tableau::model::{Job, JobKind, JobShape, mint};

    fn job(target: &Target, second: i64, finish: FinishCode) -> Job {
        let at = Timestamp::from_second(second).unwrap();
        Job {
            luid: mint(),
            site: mint(),
            kind: JobKind::FullRefresh,
            target: target.clone(),
            title: String::new(),
            priority: 50,
            created_at: at,
            started_at: Some(at),
            completed_at: Some(at),
            finish: Some(finish),
            notes: None,
            shape: JobShape::default(),
        }
    }

    #[test]
    fn failures_are_counted_since_the_last_success() {
        let site = super::super::Site { luid: mint(), name: String::new(), content_url: String::new() };
        let mut model = Model::new(site, Timestamp::UNIX_EPOCH);
        let target = Target::Workbook(mint());
        for (second, finish) in [(1, FinishCode::Error), (2, FinishCode::Success), (4, FinishCode::Error)] {
            model.jobs.push(job(&target, second, finish));
        }
        model.jobs.push(job(&target, 3, FinishCode::Error));

        assert_eq!(model.failed_in_a_row(&target), 2);
    }
}
