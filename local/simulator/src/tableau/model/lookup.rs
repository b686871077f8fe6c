//! Finds objects by id, name or path.

use super::{
    Datasource, FinishCode, Flow, FlowRun, Group, Job, Members, Model, Project, Site, Target, User, View,
    WebhookRecord, Workbook, mint,
};
use crate::clock::before;
use jiff::Timestamp;
use std::time::Duration;
use tableau::{JobLuid, ProjectLuid, SiteLuid, UserLuid};

/// The age of a site's projects: older than the content in them.
const PROJECT_AGE: Duration = Duration::from_secs(200 * 86_400);

impl Model {
    /// The groups that a user is in, the group of all users first.
    pub(crate) fn groups_of(&self, user: &User) -> Vec<&Group> {
        let is_in = |group: &&Group| match &group.members {
            Members::All => true,
            Members::These(members) => members.contains(&user.luid),
        };
        self.groups.iter().filter(|group| group.site == user.site).filter(is_in).collect()
    }

    pub(crate) fn site(&self, luid: &str) -> Option<&Site> {
        self.sites.iter().find(|s| s.luid.as_str() == luid)
    }

    /// The default site of new content.
    pub(crate) fn default_site(&self) -> SiteLuid {
        self.sites.first().map_or_else(mint, |s| s.luid.clone())
    }

    pub(crate) fn workbook(&self, luid: &str) -> Option<&Workbook> {
        self.workbooks.iter().find(|w| w.luid.as_str() == luid)
    }

    pub(crate) fn datasource(&self, luid: &str) -> Option<&Datasource> {
        self.datasources.iter().find(|d| d.luid.as_str() == luid)
    }

    pub(crate) fn view(&self, luid: &str) -> Option<&View> {
        self.views.iter().find(|v| v.luid.as_str() == luid)
    }

    pub(crate) fn webhook(&self, luid: &str) -> Option<&WebhookRecord> {
        self.webhooks.iter().find(|w| w.luid == luid)
    }

    pub(crate) fn flow(&self, luid: &str) -> Option<&Flow> {
        self.flows.iter().find(|f| f.luid.as_str() == luid)
    }

    pub(crate) fn run_of_job(&self, job: &JobLuid) -> Option<&FlowRun> {
        self.flow_runs.iter().find(|run| run.job == *job)
    }

    pub(crate) fn user(&self, luid: &str) -> Option<&User> {
        self.users.iter().find(|u| u.luid.as_str() == luid)
    }

    pub(crate) fn project(&self, luid: &ProjectLuid) -> Option<&Project> {
        self.projects.iter().find(|p| p.luid == *luid)
    }

    pub(crate) fn job(&self, luid: &str) -> Option<&Job> {
        self.jobs.iter().find(|j| j.luid.as_str() == luid)
    }

    pub(crate) fn job_mut(&mut self, luid: &JobLuid) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|j| j.luid == *luid)
    }

    /// The views of a workbook, in the order of its tabs.
    pub(crate) fn views_of<'a>(&'a self, workbook: &'a Workbook) -> impl Iterator<Item = &'a View> {
        self.views.iter().filter(|v| v.workbook == workbook.luid)
    }

    /// The published data sources that a workbook uses.
    pub(crate) fn datasources_of<'a>(
        &'a self,
        workbook: &'a Workbook,
    ) -> impl Iterator<Item = &'a Datasource> {
        self.datasources.iter().filter(|d| d.site == workbook.site && workbook.uses.contains(&d.name))
    }

    /// The first refresh of `target` in this state.
    pub(crate) fn refresh(&self, target: &Target, state: fn(&Job) -> bool) -> Option<&Job> {
        self.jobs.iter().find(|j| j.is_refresh() && j.target == *target && state(j))
    }

    /// The site, target and name of a workbook, data source or flow.
    pub(crate) fn refreshable(&self, luid: &str) -> Option<(SiteLuid, Target, String)> {
        if let Some(w) = self.workbook(luid) {
            return Some((w.site.clone(), Target::Workbook(w.luid.clone()), w.name.clone()));
        }
        if let Some(d) = self.datasource(luid) {
            return Some((d.site.clone(), Target::Datasource(d.luid.clone()), d.name.clone()));
        }
        let f = self.flow(luid)?;
        Some((f.site.clone(), Target::Flow(f.luid.clone()), f.name.clone()))
    }

    /// The project at a path such as `Finance/Month End`; missing projects are added. `\/` is a slash within a name. An
    /// empty path is the default project.
    pub(crate) fn project_at(&mut self, site: &SiteLuid, path: &str, now: Timestamp) -> ProjectLuid {
        let default = self.default_project(site);
        let owner = default.and_then(|project| project.owner.clone());
        let default = default.map(|project| project.luid.clone());
        let mut parent: Option<ProjectLuid> = None;
        for name in names(path).iter().map(|name| name.trim()).filter(|n| !n.is_empty()) {
            let same = |p: &&Project| p.name == name || (p.is_default && p.name.eq_ignore_ascii_case(name));
            let found = self.projects.iter().filter(|p| p.site == *site && p.parent == parent).find(same);
            let luid = found.map(|p| p.luid.clone());
            parent = Some(luid.unwrap_or_else(|| {
                let luid: ProjectLuid = mint();
                self.projects.push(Project {
                    luid: luid.clone(),
                    site: site.clone(),
                    name: name.to_owned(),
                    description: String::new(),
                    parent: parent.clone(),
                    owner: owner.clone(),
                    content_permissions: "ManagedByOwner".to_owned(),
                    is_default: false,
                    created_at: before(now, PROJECT_AGE),
                    updated_at: before(now, PROJECT_AGE),
                });
                luid
            }));
        }
        parent.or(default).unwrap_or_else(mint)
    }

    /// The default project, which Tableau creates with a site.
    pub(crate) fn default_project(&self, site: &SiteLuid) -> Option<&Project> {
        self.projects.iter().find(|project| project.site == *site && project.is_default)
    }

    /// The user with this user name (with or without domain) or full name.
    pub(crate) fn user_named(&self, site: &SiteLuid, name: &str) -> Option<UserLuid> {
        let is = |u: &&User| {
            let local = u.name.split_once('@').map(|(local, _)| local);
            u.site == *site && (u.name == name || local == Some(name) || u.full_name == name)
        };
        self.users.iter().find(is).map(|u| u.luid.clone())
    }

    /// How many refreshes of this object failed since its last success.
    pub(crate) fn failed_in_a_row(&self, target: &Target) -> usize {
        let mut ended: Vec<_> = self.jobs.iter().filter(|j| j.target == *target && !j.is_open()).collect();
        ended.sort_by_key(|job| std::cmp::Reverse(job.created_at));
        ended.iter().take_while(|job| job.finish == Some(FinishCode::Error)).count()
    }

    /// When the workbook's data was last refreshed: its own extract or that of a data source it uses.
    pub(crate) fn last_refreshed(&self, workbook: &Workbook) -> Timestamp {
        let mut targets = vec![Target::Workbook(workbook.luid.clone())];
        targets.extend(self.datasources_of(workbook).map(|d| Target::Datasource(d.luid.clone())));
        let good = [Some(FinishCode::Success), Some(FinishCode::Completed)];
        let ended = self.jobs.iter().filter(|j| targets.contains(&j.target) && good.contains(&j.finish));
        ended.filter_map(|job| job.completed_at).max().unwrap_or(workbook.updated_at)
    }
}

/// The names in a path; `\/` is a slash within a name.
fn names(path: &str) -> Vec<String> {
    let slash = '\u{0}';
    let escaped = path.replace("\\/", &slash.to_string());
    escaped.split('/').map(|name| name.replace(slash, "/")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tableau::model::{JobKind, JobShape};

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
