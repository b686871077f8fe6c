//! The things that have fields, and what a field can hold.

use crate::tableau::model::{Datasource, User, View, Workbook};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Something with fields.
#[derive(Clone, Copy)]
pub(super) enum Node<'a> {
    Workbook(&'a Workbook),
    Datasource(&'a Datasource),
    User(&'a User),
    View(&'a View),
    /// What a workbook holds to connect to a published data source.
    Embedded(&'a Workbook, &'a Datasource),
    Tag(&'a str),
}

/// What a field holds.
pub(super) enum Found<'a> {
    Value(Value),
    One(Option<Node<'a>>),
    /// The type of the nodes, and the nodes.
    Many(&'static str, Vec<Node<'a>>),
}

impl Node<'_> {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Workbook(_) => "Workbook",
            Self::Datasource(_) => "PublishedDatasource",
            Self::User(_) => "TableauUser",
            Self::View(view) if view.sheet_type == "view" => "Sheet",
            Self::View(_) => "Dashboard",
            Self::Embedded(..) => "EmbeddedDatasource",
            Self::Tag(_) => "Tag",
        }
    }

    /// The Metadata API has ids of its own: they are no LUIDs, and what they look like is not for callers to know.
    pub(super) fn id(&self) -> String {
        let own = match self {
            Self::Workbook(workbook) => workbook.luid.to_string(),
            Self::Datasource(datasource) => datasource.luid.to_string(),
            Self::User(user) => user.luid.to_string(),
            Self::View(view) => view.luid.to_string(),
            Self::Embedded(workbook, datasource) => format!("{} {}", workbook.luid, datasource.luid),
            Self::Tag(tag) => (*tag).to_owned(),
        };
        let hash = Sha256::digest(format!("{} {own}", self.kind()));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        uuid::Uuid::from_bytes(bytes).to_string()
    }
}

/// The list that a field is a page of, if it is one.
pub(super) fn without_connection(name: &str) -> &str {
    name.strip_suffix("Connection").unwrap_or(name)
}
