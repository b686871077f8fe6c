//! What a user may do by capabilities and by owning.

use super::{Capability, Mode, Model, SiteRole};
use tableau::ProjectLuid;

/// What a Viewer cannot do, whatever is given.
const BEYOND_VIEWERS: [&str; 6] =
    ["ChangeHierarchy", "ChangePermissions", "Delete", "ExtractRefresh", "ProjectLeader", "Write"];

impl Model {
    /// What was said about a capability of this user: on the thing, or for a view on its workbook. `None` when nothing
    /// was, or when the site role is too low for what was given.
    pub(crate) fn capability(&self, on: &str, user: &str, name: &str) -> Option<Mode> {
        let said = |on: &str| {
            let fits = |c: &&Capability| c.on == on && c.user.as_str() == user && c.name == name;
            self.capabilities.iter().find(fits).map(|c| c.mode)
        };
        let workbook = self.view(on).map(|view| view.workbook.as_str());
        let mode = said(on).or_else(|| said(workbook?))?;
        let role = self.user(user)?.role;
        let too_low =
            matches!(role, SiteRole::Viewer | SiteRole::Unlicensed) && BEYOND_VIEWERS.contains(&name);
        (mode == Mode::Deny || !too_low).then_some(mode)
    }

    /// Whether this user leads a project: by owning it or by a capability, there or in a project that it is in.
    pub(crate) fn leads(&self, project: &ProjectLuid, user: &str) -> bool {
        let mut next = self.project(project);
        // No deeper than there are projects, should one be in itself.
        for _ in 0..self.projects.len() {
            let Some(project) = next else { return false };
            let owns = project.owner.as_ref().is_some_and(|owner| owner.as_str() == user);
            let is_leader =
                || self.capability(project.luid.as_str(), user, "ProjectLeader") == Some(Mode::Allow);
            if owns || is_leader() {
                return true;
            }
            next = project.parent.as_ref().and_then(|parent| self.project(parent));
        }
        false
    }
}
