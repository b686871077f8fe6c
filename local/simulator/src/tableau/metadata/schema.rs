//! Resolves the fields of workbooks, published data sources, and the nodes between them.

use super::asked::{Asked, PermissionMode};
use super::lineage;
use super::list;
use super::node::{Found, Node, without_connection};
use super::query::Selection;
use crate::tableau::events::seconds;
use crate::tableau::model::{Datasource, Model, User, Workbook};
use serde_json::{Map, Value, json};

/// The value of a top-level field of a query.
pub(super) fn root(asked: &Asked<'_>, site: &str, field: &Selection) -> Result<Value, String> {
    let model = asked.model;
    let mode = PermissionMode::Obfuscate;
    let name = field.name.strip_suffix("Connection").unwrap_or(&field.name);
    match name {
        "workbooks" => {
            let nodes = model.workbooks.iter().filter(|w| w.site.as_str() == site).map(Node::Workbook);
            list::show(asked, mode, nodes.collect(), "Workbook", field)
        }
        "publishedDatasources" => {
            let nodes = model.datasources.iter().filter(|d| d.site.as_str() == site).map(Node::Datasource);
            list::show(asked, mode, nodes.collect(), "PublishedDatasource", field)
        }
        _ => Ok(json!("Query")),
    }
}

impl<'a> Node<'a> {
    /// The node with these fields. Below it, lists are in `mode` unless they ask for another one.
    pub(super) fn show(
        &self,
        asked: &Asked<'a>,
        mode: PermissionMode,
        fields: &[Selection],
    ) -> Result<Value, String> {
        let mut shown = Map::new();
        for field in fields {
            let value = match self.visible(asked, &field.name)? {
                Found::Value(value) => value,
                Found::One(node) => match node.filter(|_| asked.takes_node()) {
                    Some(node) => node.show(asked, mode, &field.fields)?,
                    None => Value::Null,
                },
                Found::Many(kind, nodes) => list::show(asked, mode, nodes, kind, field)?,
            };
            shown.insert(field.key().to_owned(), value);
        }
        Ok(Value::Object(shown))
    }

    /// The value of a scalar field; `null` for other fields.
    pub(super) fn scalar(&self, asked: &Asked<'a>, name: &str) -> Value {
        match self.visible(asked, name) {
            Ok(Found::Value(value)) => value,
            _ => Value::Null,
        }
    }

    /// Whether the query's user may not see this node.
    pub(super) fn is_hidden(&self, asked: &Asked<'a>) -> bool {
        self.content().is_some_and(|luid| asked.hides(luid))
    }

    /// The value of a field. Of a node that the user may not see, only the type and the id have one.
    fn visible(&self, asked: &Asked<'a>, name: &str) -> Result<Found<'a>, String> {
        let found = self.field(asked.model, name)?;
        Ok(match found {
            found if matches!(name, "__typename" | "id") || !self.is_hidden(asked) => found,
            Found::Value(_) => Found::Value(Value::Null),
            Found::One(_) => Found::One(None),
            Found::Many(kind, _) => Found::Many(kind, Vec::new()),
        })
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
