//! The nodes of the Metadata API and the values of their fields.

use crate::tableau::model::{Datasource, User, View, Workbook};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A node: an object with fields.
#[derive(Clone, Copy)]
pub(super) enum Node<'a> {
    Workbook(&'a Workbook),
    Datasource(&'a Datasource),
    User(&'a User),
    View(&'a View),
    /// An embedded data source: a workbook's connection to a published data source.
    Embedded(&'a Workbook, &'a Datasource),
    Tag(&'a str),
}

/// The value of a field.
pub(super) enum Found<'a> {
    Value(Value),
    One(Option<Node<'a>>),
    /// A list: the type of its nodes, and the nodes.
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

    /// The LUID of the workbook or data source whose permissions decide who sees this node. `None`: all users see it.
    pub(super) fn content(&self) -> Option<&str> {
        match self {
            Self::Workbook(workbook) | Self::Embedded(workbook, _) => Some(workbook.luid.as_str()),
            Self::Datasource(datasource) => Some(datasource.luid.as_str()),
            Self::View(view) => Some(view.workbook.as_str()),
            Self::User(_) | Self::Tag(_) => None,
        }
    }

    /// The Metadata API's own id of a node. Real ids are no LUIDs, and their format is not specified.
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

/// The name of the list that a `…Connection` field pages through, if the field is one.
pub(super) fn without_connection(name: &str) -> &str {
    name.strip_suffix("Connection").unwrap_or(name)
}
