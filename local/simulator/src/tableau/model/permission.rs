//! Evaluates what a user may do, by capabilities and by ownership.

use super::{Capability, Mode, Model, SiteRole};
use tableau::ProjectLuid;

/// The capabilities that a Viewer cannot use even when they are granted.
const BEYOND_VIEWERS: [&str; 6] =
    ["ChangeHierarchy", "ChangePermissions", "Delete", "ExtractRefresh", "ProjectLeader", "Write"];

impl Model {
    /// The capability setting of this user: on the object, or for a view on its workbook. `None` when there is no
    /// setting, or when the user's site role is too low for it.
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

    /// Whether this user leads a project: as owner or by a capability, on the project or a parent project.
    pub(crate) fn leads(&self, project: &ProjectLuid, user: &str) -> bool {
        let mut next = self.project(project);
        // Limits the number of steps, in case a project contains itself.
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
