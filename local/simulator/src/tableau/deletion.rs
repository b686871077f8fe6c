//! Deletes content from a site.

use super::events::About;
use super::model::Members;
use super::sending::{Fired, NotFound};
use super::state::State;
use std::sync::Arc;
use tableau::{EventName, UserLuid};

const EVENTS: [EventName; 4] = [
    EventName::WorkbookDeleted,
    EventName::DatasourceDeleted,
    EventName::ViewDeleted,
    EventName::UserDeleted,
];

impl State {
    /// Removes a workbook, data source, view or user with its dependents, and fires its `…Deleted` event. Workbooks and data
    /// sources come into the Recycle Bin, deleted by `deleter`, or by the site's administrator.
    pub(crate) fn delete(self: &Arc<Self>, luid: &str, deleter: Option<UserLuid>) -> Result<Fired, NotFound> {
        let event = EVENTS.iter().find(|e| About::find(&self.model(), e, luid).is_some());
        let what = "workbook, data source, view or user";
        let event = event.ok_or_else(|| NotFound { what, luid: luid.to_owned() })?;
        // Build the event first: it needs the name of the deleted object.
        let fired = self.fire(event, luid)?;
        let now = self.settings.clock.now();
        let mut model = self.model();
        model.recycle(luid, deleter, now);
        model.workbooks.retain(|w| w.luid.as_str() != luid);
        model.datasources.retain(|d| d.luid.as_str() != luid);
        model.views.retain(|v| v.luid.as_str() != luid && v.workbook.as_str() != luid);
        model.tasks.retain(|t| t.target.luid() != Some(luid));
        model.labels.retain(|l| l.content != luid);
        model.capabilities.retain(|c| c.on != luid && c.user.as_str() != luid);
        model.users.retain(|u| u.luid.as_str() != luid);
        for group in &mut model.groups {
            if let Members::These(members) = &mut group.members {
                members.retain(|member| member.as_str() != luid);
            }
        }
        model.sessions.retain(|s| s.user.as_str() != luid);
        Ok(fired)
    }
}
