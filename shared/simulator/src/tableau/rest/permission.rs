//! Who may do what. Administrators may do everything, whoever owns something what concerns it; capabilities that are
//! given one by one are not simulated.

use super::call::Call;
use super::error::RestError;
use crate::tableau::model::{Project, SiteRole};

fn forbidden() -> RestError {
    RestError::new("403004", "The user is not permitted to do this to this object.")
}

impl Call<'_> {
    fn user(&self) -> Option<&str> {
        self.session.as_ref().map(|s| s.user.as_str())
    }

    /// Whether the session's user publishes content.
    fn publishes(&self) -> bool {
        let role = self.user().and_then(|user| self.model.user(user)).map(|u| u.role);
        matches!(role, Some(SiteRole::Creator | SiteRole::ExplorerCanPublish)) || self.is_administrator()
    }

    /// Whether the session's user owns this workbook or data source.
    pub(crate) fn owns(&self, luid: &str) -> bool {
        let workbook = self.model.workbook(luid).map(|w| &w.owner);
        let owner = workbook.or_else(|| self.model.datasource(luid).map(|d| &d.owner));
        owner.is_some_and(|owner| Some(owner.as_str()) == self.user())
    }

    /// Whether the session's user owns the project: such users stand for project leaders.
    fn leads_project_of(&self, luid: &str) -> bool {
        let workbook = self.model.workbook(luid).map(|w| &w.project);
        let project = workbook.or_else(|| self.model.datasource(luid).map(|d| &d.project));
        let owner = project.and_then(|p| self.model.project(p)).and_then(|p| p.owner.as_ref());
        owner.is_some_and(|owner| Some(owner.as_str()) == self.user())
    }

    /// Tags are for everybody who may do more than look.
    pub(crate) fn may_tag(&self, luid: &str) -> Result<(), RestError> {
        let workbook = self.model.view(luid).map_or(luid, |view| view.workbook.as_str());
        if self.publishes() || self.owns(workbook) { Ok(()) } else { Err(forbidden()) }
    }

    /// A workbook is changed by its owner, project leaders and administrators.
    pub(crate) fn may_change(&self, luid: &str) -> Result<(), RestError> {
        let may = self.is_administrator() || self.owns(luid) || self.leads_project_of(luid);
        if may { Ok(()) } else { Err(forbidden()) }
    }

    /// A project is changed by its owner and administrators.
    pub(crate) fn may_lead(&self, project: &Project) -> Result<(), RestError> {
        let owns = project.owner.as_ref().is_some_and(|owner| Some(owner.as_str()) == self.user());
        if owns || self.is_administrator() { Ok(()) } else { Err(forbidden()) }
    }

    /// Certification and warnings are for project leaders and administrators: an owner alone may not.
    pub(crate) fn may_judge(&self, luid: &str) -> Result<(), RestError> {
        if self.is_administrator() || self.leads_project_of(luid) { Ok(()) } else { Err(forbidden()) }
    }

    /// Refreshing is for publishers and owners; the code of the refusal depends on what it is.
    pub(crate) fn may_refresh(&self, luid: &str) -> Result<(), RestError> {
        if self.publishes() || self.owns(luid) {
            return Ok(());
        }
        let code = if self.model.workbook(luid).is_some() { "403076" } else { "403077" };
        Err(RestError::new(code, "The user is not permitted to refresh this."))
    }
}
