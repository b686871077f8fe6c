//! Of which events the Recycle Bin is asked.

use tableau::{Action, Event, Object, Subject};
use tableau_client::DeletedKind;

/// Whether the event says that a workbook or data source was deleted. A label is deleted, and what it was on is there.
pub fn is_deletion(event: &Event) -> bool {
    event.name.action() == Some(Action::Deleted)
        && event.name.object() != Some(Object::Label)
        && kind(event).is_some()
}

/// The kind of the event's object in the Recycle Bin. `None` for what is not kept there.
pub(crate) fn kind(event: &Event) -> Option<DeletedKind> {
    match event.subject {
        Subject::Workbook(_) => Some(DeletedKind::Workbook),
        Subject::Datasource(_) => Some(DeletedKind::Datasource),
        _ => None,
    }
}
