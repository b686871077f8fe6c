//! Access rules. Administrators may do everything, owners everything with their content, project leaders everything in
//! their projects. For other users an allowed or denied capability decides, or else the site role.

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

    /// Whether the caller's role allows publishing.
    fn publishes(&self) -> bool {
        let role = self.model.user(self.user()).map(|u| u.role);
        matches!(role, Some(SiteRole::Creator | SiteRole::ExplorerCanPublish)) || self.is_administrator()
    }

    /// The workbook of a view; other content is returned unchanged.
    fn content<'a>(&'a self, luid: &'a str) -> &'a str {
        self.model.view(luid).map_or(luid, |view| view.workbook.as_str())
    }

    /// Whether the caller owns this workbook, data source or flow, or this view's workbook.
    pub(crate) fn owns(&self, luid: &str) -> bool {
        let luid = self.content(luid);
        let workbook = self.model.workbook(luid).map(|w| &w.owner);
        let owner = workbook.or_else(|| self.model.datasource(luid).map(|d| &d.owner));
        let owner = owner.or_else(|| self.model.flow(luid).map(|f| &f.owner));
        owner.is_some_and(|owner| owner.as_str() == self.user())
    }

    fn project_of(&self, luid: &str) -> Option<&ProjectLuid> {
        let luid = self.content(luid);
        let workbook = self.model.workbook(luid).map(|w| &w.project);
        let project = workbook.or_else(|| self.model.datasource(luid).map(|d| &d.project));
        project.or_else(|| self.model.flow(luid).map(|f| &f.project))
    }

    /// Whether the caller leads the project of this content.
    fn leads_project_of(&self, luid: &str) -> bool {
        self.project_of(luid).is_some_and(|project| self.model.leads(project, self.user()))
    }

    /// Whether the caller has every capability on this content without a setting.
    pub(crate) fn governs(&self, luid: &str) -> bool {
        self.is_administrator() || self.owns(luid) || self.leads_project_of(luid)
    }

    /// Whether the caller has a capability. `by_role` applies when it is neither allowed nor denied.
    fn can(&self, capability: &str, luid: &str, by_role: bool) -> bool {
        let said = self.model.capability(luid, self.user(), capability);
        said.map_or(by_role, |mode| mode == Mode::Allow) || self.governs(luid)
    }

    /// Tags may be changed by callers with a role above Viewer, and by callers with an explicit `Read` capability.
    pub(crate) fn may_tag(&self, luid: &str) -> Result<(), RestError> {
        only_if(self.can("Read", luid, self.publishes()))
    }

    pub(crate) fn may_change(&self, luid: &str) -> Result<(), RestError> {
        only_if(self.can("Write", luid, false))
    }

    pub(crate) fn may_delete(&self, luid: &str) -> Result<(), RestError> {
        only_if(self.can("Delete", luid, false) && self.sees(luid))
    }

    /// Permissions may be set by these callers; for workbooks and data sources only they may read them.
    pub(crate) fn may_permit(&self, luid: &str) -> Result<(), RestError> {
        only_if(self.can("ChangePermissions", luid, false))
    }

    /// Whether the caller sees this content: every user does unless denied.
    pub(crate) fn sees(&self, luid: &str) -> bool {
        self.can("Read", luid, true)
    }

    pub(crate) fn may_read(&self, luid: &str) -> Result<(), RestError> {
        only_if(self.sees(luid))
    }

    /// Exports are for callers who see the content and are not denied its images (`ExportImage`) or its data
    /// (`ExportData`).
    pub(crate) fn may_export(&self, capability: &str, luid: &str) -> Result<(), RestError> {
        only_if(self.sees(luid) && self.can(capability, luid, true))
    }

    /// Projects may be changed by their leaders and administrators.
    pub(crate) fn may_lead(&self, project: &Project) -> Result<(), RestError> {
        only_if(self.is_administrator() || self.model.leads(&project.luid, self.user()))
    }

    /// Certification is for project leaders and administrators; ownership alone is not enough.
    pub(crate) fn may_judge(&self, luid: &str) -> Result<(), RestError> {
        only_if(self.is_administrator() || self.leads_project_of(luid))
    }

    /// Whether the caller may run a flow, and see its runs.
    pub(crate) fn runs_flow(&self, luid: &str) -> bool {
        self.can("Execute", luid, self.publishes())
    }

    pub(crate) fn may_run(&self, luid: &str) -> Result<(), RestError> {
        only_if(self.runs_flow(luid))
    }

    /// The error code of the refusal, by kind of content.
    pub(crate) fn may_refresh(&self, luid: &str) -> Result<(), RestError> {
        if self.can("ExtractRefresh", luid, self.publishes()) {
            return Ok(());
        }
        let code = if self.model.workbook(luid).is_some() { "403076" } else { "403077" };
        Err(RestError::new(code, "The user is not permitted to refresh this."))
    }
}
