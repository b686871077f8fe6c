//! Who may do what. Administrators may do everything, owners what concerns what they own, project leaders what concerns
//! what is in their projects. For others, a capability that was given or denied decides, and their site role if none was.

use super::call::Call;
use super::error::RestError;
use crate::tableau::model::{Mode, Project, SiteRole};
use tableau::ProjectLuid;

fn forbidden() -> RestError {
    RestError::new("403004", "The user is not permitted to do this to this object.")
}

fn only_if(may: bool) -> Result<(), RestError> {
    if may { Ok(()) } else { Err(forbidden()) }
}

impl Call<'_> {
    fn user(&self) -> &str {
        self.session.as_ref().map_or("", |s| s.user.as_str())
    }

    /// Whether the session's user publishes content.
    fn publishes(&self) -> bool {
        let role = self.model.user(self.user()).map(|u| u.role);
        matches!(role, Some(SiteRole::Creator | SiteRole::ExplorerCanPublish)) || self.is_administrator()
    }

    /// The workbook of a view; anything else is itself.
    fn content<'a>(&'a self, luid: &'a str) -> &'a str {
        self.model.view(luid).map_or(luid, |view| view.workbook.as_str())
    }

    /// Whether the session's user owns this workbook or data source, or the workbook of this view.
    pub(crate) fn owns(&self, luid: &str) -> bool {
        let luid = self.content(luid);
        let workbook = self.model.workbook(luid).map(|w| &w.owner);
        let owner = workbook.or_else(|| self.model.datasource(luid).map(|d| &d.owner));
        owner.is_some_and(|owner| owner.as_str() == self.user())
    }

    fn project_of(&self, luid: &str) -> Option<&ProjectLuid> {
        let luid = self.content(luid);
        let workbook = self.model.workbook(luid).map(|w| &w.project);
        workbook.or_else(|| self.model.datasource(luid).map(|d| &d.project))
    }

    /// Whether the session's user leads the project that this is in.
    fn leads_project_of(&self, luid: &str) -> bool {
        self.project_of(luid).is_some_and(|project| self.model.leads(project, self.user()))
    }

    /// Whether the session's user has every capability here without being given one.
    pub(crate) fn governs(&self, luid: &str) -> bool {
        self.is_administrator() || self.owns(luid) || self.leads_project_of(luid)
    }

    /// Whether the session's user has a capability; `by_role` is what holds where none was given or denied.
    fn can(&self, capability: &str, luid: &str, by_role: bool) -> bool {
        let said = self.model.capability(luid, self.user(), capability);
        said.map_or(by_role, |mode| mode == Mode::Allow) || self.governs(luid)
    }

    /// Tags are for everybody who may do more than look, and for who was given to look at just this.
    pub(crate) fn may_tag(&self, luid: &str) -> Result<(), RestError> {
        only_if(self.can("Read", luid, self.publishes()))
    }

    pub(crate) fn may_change(&self, luid: &str) -> Result<(), RestError> {
        only_if(self.can("Write", luid, false))
    }

    pub(crate) fn may_delete(&self, luid: &str) -> Result<(), RestError> {
        only_if(self.can("Delete", luid, false) && self.sees(luid))
    }

    /// Setting permissions, and for workbooks and data sources seeing them.
    pub(crate) fn may_permit(&self, luid: &str) -> Result<(), RestError> {
        only_if(self.can("ChangePermissions", luid, false))
    }

    /// Whether the session's user sees this; everybody does who is not denied it.
    pub(crate) fn sees(&self, luid: &str) -> bool {
        self.can("Read", luid, true)
    }

    pub(crate) fn may_read(&self, luid: &str) -> Result<(), RestError> {
        only_if(self.sees(luid))
    }

    /// Files are for who sees this and is not denied its images (`ExportImage`) or its data (`ExportData`).
    pub(crate) fn may_export(&self, capability: &str, luid: &str) -> Result<(), RestError> {
        only_if(self.sees(luid) && self.can(capability, luid, true))
    }

    /// A project is changed by its leaders and administrators.
    pub(crate) fn may_lead(&self, project: &Project) -> Result<(), RestError> {
        only_if(self.is_administrator() || self.model.leads(&project.luid, self.user()))
    }

    /// Certification is for project leaders and administrators: an owner alone may not.
    pub(crate) fn may_judge(&self, luid: &str) -> Result<(), RestError> {
        only_if(self.is_administrator() || self.leads_project_of(luid))
    }

    /// The code of the refusal depends on what it is.
    pub(crate) fn may_refresh(&self, luid: &str) -> Result<(), RestError> {
        if self.can("ExtractRefresh", luid, self.publishes()) {
            return Ok(());
        }
        let code = if self.model.workbook(luid).is_some() { "403076" } else { "403077" };
        Err(RestError::new(code, "The user is not permitted to refresh this."))
    }
}
