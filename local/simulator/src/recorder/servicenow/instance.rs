//! The incidents of an instance, its groups and users, and what its administrators have changed.

use super::columns::{COLUMNS, Column};
use super::incident::ServiceNowIncident;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that an instance keeps.
#[derive(Debug)]
pub(super) struct Instance {
    /// The incidents, oldest first.
    pub(super) incidents: Vec<ServiceNowIncident>,
    /// The names of groups and users, by their ids.
    pub(super) names: BTreeMap<String, String>,
    /// Columns that an administrator has added.
    pub(super) added: BTreeSet<String>,
    /// Fields that a data policy demands of a new incident.
    pub(super) demanded: Vec<String>,
    /// Fields that the account may not read, and by which it cannot search.
    pub(super) hidden: BTreeSet<String>,
    /// Whether the account may write journals. Without the right, the instance answers as if it had stored the entry.
    pub(super) takes_journals: bool,
    /// Whether incidents that are not active can be changed.
    pub(super) locks_closed: bool,
    /// The number of the state Resolved.
    pub(super) resolved: String,
    count: usize,
}

impl Default for Instance {
    fn default() -> Self {
        let names = ["Service Desk", "BI Platform", "Tableau Service", "Beth Anglin"];
        let names = names.iter().map(|name| (id(), (*name).to_owned())).collect();
        Self {
            incidents: Vec::new(),
            names,
            added: BTreeSet::new(),
            demanded: Vec::new(),
            hidden: BTreeSet::new(),
            takes_journals: true,
            locks_closed: false,
            resolved: "6".to_owned(),
            count: 0,
        }
    }
}

/// A new id.
pub(super) fn id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

impl Instance {
    /// What a field holds; `None` if there is no such field.
    pub(super) fn column(&self, name: &str) -> Option<Column> {
        if self.added.contains(name) {
            return Some(Column::Text(255));
        }
        COLUMNS.iter().find(|(column, _)| *column == name).map(|(_, column)| *column)
    }

    /// The incident with this id, or with this number.
    pub(super) fn find(&mut self, id: &str) -> Option<&mut ServiceNowIncident> {
        self.incidents.iter_mut().find(|incident| incident.field("sys_id") == id || incident.number() == id)
    }

    /// An incident as the instance makes it before anything is filled in.
    pub(super) fn blank(&mut self) -> ServiceNowIncident {
        self.count += 1;
        let count = self.count;
        let seconds = count % 60;
        let minutes = count / 60;
        let created = format!("2026-11-29 {:02}:{:02}:{seconds:02}", minutes / 60, minutes % 60);
        let fields = [
            ("sys_id", id()),
            ("number", format!("INC{:07}", 10_000 + count)),
            ("state", "1".to_owned()),
            ("active", "true".to_owned()),
            ("urgency", "3".to_owned()),
            ("impact", "3".to_owned()),
            ("priority", "5".to_owned()),
            ("category", "inquiry".to_owned()),
            ("sys_created_on", created.clone()),
            ("sys_updated_on", created),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value)).into();
        ServiceNowIncident { fields, ..ServiceNowIncident::default() }
    }

    /// The name of a group or user.
    pub(super) fn name_of(&self, id: &str) -> Option<&str> {
        self.names.get(id).map(String::as_str)
    }

    /// The id of the group or user with this name.
    pub(super) fn id_of(&self, name: &str) -> Option<&str> {
        self.names.iter().find(|(_, known)| *known == name).map(|(id, _)| id.as_str())
    }
}
