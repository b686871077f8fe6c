//! What can be asked for: workbooks, published data sources, and what leads from one to the other.

use super::lineage;
use super::list;
use super::query::Selection;
use crate::tableau::events::seconds;
use crate::tableau::model::{Datasource, Model, User, View, Workbook};
use serde_json::{Map, Value, json};
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

/// The value of a field of the query itself.
pub(super) fn root(model: &Model, site: &str, field: &Selection) -> Result<Value, String> {
    let name = field.name.strip_suffix("Connection").unwrap_or(&field.name);
    match name {
        "workbooks" => {
            let nodes = model.workbooks.iter().filter(|w| w.site.as_str() == site).map(Node::Workbook);
            list::show(model, nodes.collect(), "Workbook", field)
        }
        "publishedDatasources" => {
            let nodes = model.datasources.iter().filter(|d| d.site.as_str() == site).map(Node::Datasource);
            list::show(model, nodes.collect(), "PublishedDatasource", field)
        }
        _ => Ok(json!("Query")),
    }
}

impl<'a> Node<'a> {
    pub(super) fn show(&self, model: &'a Model, fields: &[Selection]) -> Result<Value, String> {
        let mut shown = Map::new();
        for field in fields {
            let value = match self.field(model, &field.name)? {
                Found::Value(value) => value,
                Found::One(node) => node.map_or(Ok(Value::Null), |node| node.show(model, &field.fields))?,
                Found::Many(kind, nodes) => list::show(model, nodes, kind, field)?,
            };
            shown.insert(field.key().to_owned(), value);
        }
        Ok(Value::Object(shown))
    }

    fn kind(&self) -> &'static str {
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

    /// The value of a field without fields of its own; `null` if it is none.
    pub(super) fn scalar(&self, model: &'a Model, name: &str) -> Value {
        match self.field(model, name) {
            Ok(Found::Value(value)) => value,
            _ => Value::Null,
        }
    }

    fn field(&self, model: &'a Model, name: &str) -> Result<Found<'a>, String> {
        let found = match (self, name) {
            (_, "__typename") => Some(Found::Value(json!(self.kind()))),
            (_, "id") => Some(Found::Value(json!(self.id()))),
            (Self::Workbook(workbook), name) => of_workbook(model, workbook, name),
            (Self::Datasource(datasource), name) => of_datasource(model, datasource, name),
            (Self::User(user), name) => of_user(user, name),
            (Self::View(view), name) => lineage::of_view(model, view, name),
            (Self::Embedded(_, datasource), name) => lineage::of_embedded(datasource, name),
            (Self::Tag(tag), "name") => Some(Found::Value(json!(tag))),
            _ => None,
        };
        found.ok_or_else(|| format!("Field '{name}' has no value"))
    }
}

/// The list that a field is a page of, if it is one.
pub(super) fn without_connection(name: &str) -> &str {
    name.strip_suffix("Connection").unwrap_or(name)
}

fn tags(tags: &[String]) -> Found<'_> {
    Found::Many("Tag", tags.iter().map(|tag| Node::Tag(tag)).collect())
}

fn of_workbook<'a>(model: &'a Model, workbook: &'a Workbook, name: &str) -> Option<Found<'a>> {
    Some(match name {
        "luid" => Found::Value(json!(workbook.luid)),
        "name" => Found::Value(json!(workbook.name)),
        "description" => Found::Value(json!(workbook.description.as_deref().unwrap_or_default())),
        "projectName" => Found::Value(json!(model.project(&workbook.project).map(|p| &p.name))),
        "projectLuid" => Found::Value(json!(workbook.project)),
        "vizportalUrlId" => Found::Value(json!(workbook.number.to_string())),
        "uri" => Found::Value(json!(format!("sites/1/workbooks/{}", workbook.number))),
        "createdAt" => Found::Value(json!(seconds(workbook.created_at))),
        "updatedAt" => Found::Value(json!(seconds(workbook.updated_at))),
        "owner" => Found::One(model.user(workbook.owner.as_str()).map(Node::User)),
        name => match without_connection(name) {
            "tags" => tags(&workbook.tags),
            "views" => Found::Many("View", model.views_of(workbook).map(Node::View).collect()),
            "sheets" => lineage::sheets(model, workbook),
            "dashboards" => lineage::dashboards(model, workbook),
            "embeddedDatasources" => lineage::embedded(model, workbook),
            "upstreamDatasources" => Found::Many(
                "PublishedDatasource",
                model.datasources_of(workbook).map(Node::Datasource).collect(),
            ),
            _ => return None,
        },
    })
}

fn of_datasource<'a>(model: &'a Model, datasource: &'a Datasource, name: &str) -> Option<Found<'a>> {
    let warned = || {
        model
            .labels
            .iter()
            .any(|l| l.content == datasource.luid.as_str() && l.active && l.warning().is_some())
    };
    let users =
        || model.workbooks.iter().filter(|w| model.datasources_of(w).any(|d| d.luid == datasource.luid));
    Some(match name {
        "luid" => Found::Value(json!(datasource.luid)),
        "name" => Found::Value(json!(datasource.name)),
        "description" => Found::Value(json!(datasource.description.as_deref().unwrap_or_default())),
        "projectName" => Found::Value(json!(model.project(&datasource.project).map(|p| &p.name))),
        "vizportalUrlId" => Found::Value(json!(datasource.number.to_string())),
        "isCertified" => Found::Value(json!(datasource.certified.is_some())),
        "certificationNote" => Found::Value(json!(datasource.certified)),
        "hasExtracts" => Found::Value(json!(datasource.has_extracts)),
        "hasActiveWarning" => Found::Value(json!(warned())),
        "createdAt" => Found::Value(json!(seconds(datasource.created_at))),
        "updatedAt" => Found::Value(json!(seconds(datasource.updated_at))),
        "owner" => Found::One(model.user(datasource.owner.as_str()).map(Node::User)),
        name => match without_connection(name) {
            "tags" => tags(&datasource.tags),
            "upstreamTables" => lineage::tables(),
            "downstreamWorkbooks" => Found::Many("Workbook", users().map(Node::Workbook).collect()),
            _ => return None,
        },
    })
}

fn of_user<'a>(user: &'a User, name: &str) -> Option<Found<'a>> {
    Some(Found::Value(match name {
        "luid" => json!(user.luid),
        "name" => json!(user.full_name),
        "username" => json!(user.name),
        "email" => json!(user.email.as_deref().unwrap_or(&user.name)),
        _ => return None,
    }))
}
