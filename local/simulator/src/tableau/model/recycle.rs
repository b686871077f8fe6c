//! Puts deleted content into the Recycle Bin.

use super::recycled::{DATASOURCES, Recycled, WORKBOOKS};
use super::{Model, Project};
use jiff::Timestamp;
use tableau::{ProjectLuid, UserLuid};

impl Model {
    /// Puts a workbook or data source into the Recycle Bin, which keeps nothing else that can be deleted here. Without
    /// `deleter`, the site's first administrator is the one.
    pub(crate) fn recycle(&mut self, luid: &str, deleter: Option<UserLuid>, at: Timestamp) {
        let workbook =
            self.workbook(luid).map(|w| (WORKBOOKS, &w.site, w.name.clone(), &w.project, w.owner.clone()));
        let datasource = || {
            self.datasource(luid).map(|d| (DATASOURCES, &d.site, d.name.clone(), &d.project, d.owner.clone()))
        };
        let Some((kind, site, name, project, owner)) = workbook.or_else(datasource) else { return };
        let administrator = self.users.iter().find(|u| u.site == *site && u.role.is_administrator());
        let deleter = deleter.or_else(|| administrator.map(|u| u.luid.clone()));
        let path = self.path_of(project);
        let recycled =
            Recycled { kind, luid: luid.to_owned(), site: site.clone(), name, path, owner, deleter, at };
        self.recycled.push(recycled);
    }

    /// The names of a project and of those around it, from the top, separated by `/`.
    fn path_of(&self, project: &ProjectLuid) -> String {
        let around = |project: &&Project| project.parent.as_ref().and_then(|parent| self.project(parent));
        let mut names: Vec<&str> =
            std::iter::successors(self.project(project), around).map(|p| p.name.as_str()).collect();
        names.reverse();
        names.join("/")
    }
}
