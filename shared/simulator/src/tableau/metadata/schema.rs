//! What can be asked for: workbooks, published data sources, and what leads from one to the other.

use super::query::Selection;
use crate::tableau::events::seconds;
use crate::tableau::model::{Datasource, Model, User, View, Workbook};
use serde_json::{Map, Value, json};

/// Something with fields.
#[derive(Clone, Copy)]
enum Node<'a> {
    Workbook(&'a Workbook),
    Datasource(&'a Datasource),
    User(&'a User),
    View(&'a View),
    Tag(&'a str),
}

/// What a field holds.
enum Found<'a> {
    Value(Value),
    One(Option<Node<'a>>),
    Many(Vec<Node<'a>>),
}

/// The value of a field of the query itself.
pub(super) fn root(model: &Model, site: &str, field: &Selection) -> Result<Value, String> {
    let (name, is_connection) =
        field.name.strip_suffix("Connection").map_or((field.name.as_str(), false), |name| (name, true));
    let mut nodes: Vec<Node<'_>> = match name {
        "workbooks" => {
            model.workbooks.iter().filter(|w| w.site.as_str() == site).map(Node::Workbook).collect()
        }
        "publishedDatasources" => {
            model.datasources.iter().filter(|d| d.site.as_str() == site).map(Node::Datasource).collect()
        }
        _ => return Err(undefined(&field.name, "Query")),
    };
    if let Some(Value::Object(filter)) = field.arguments.get("filter") {
        for (name, wanted) in filter {
            let one = name.strip_suffix("Within").unwrap_or(name);
            let mut kept = Vec::new();
            for node in nodes {
                if passes(&node.field(model, one)?, wanted) {
                    kept.push(node);
                }
            }
            nodes = kept;
        }
    }
    if is_connection {
        page(model, &nodes, field)
    } else {
        nodes.iter().map(|n| n.show(model, &field.fields)).collect()
    }
}

fn passes(found: &Found<'_>, wanted: &Value) -> bool {
    match (found, wanted) {
        (Found::Value(value), Value::Array(any)) => any.contains(value),
        (Found::Value(value), one) => value == one,
        _ => false,
    }
}

fn undefined(field: &str, kind: &str) -> String {
    format!(
        "Validation error of type FieldUndefined: Field '{field}' in type '{kind}' is undefined @ '{field}'"
    )
}

/// `first` nodes after a cursor, which is the number of the last one seen.
fn page(model: &Model, nodes: &[Node<'_>], field: &Selection) -> Result<Value, String> {
    let number = |value: Option<&Value>| value.and_then(Value::as_u64).map(|n| n as usize);
    let after = field.arguments.get("after").and_then(Value::as_str).and_then(|cursor| cursor.parse().ok());
    let start = after.unwrap_or(0).min(nodes.len());
    let end = start.saturating_add(number(field.arguments.get("first")).unwrap_or(100)).min(nodes.len());
    let mut answer = Map::new();
    for part in &field.fields {
        let value = match part.name.as_str() {
            "nodes" => {
                nodes[start..end].iter().map(|n| n.show(model, &part.fields)).collect::<Result<_, _>>()?
            }
            "totalCount" => json!(nodes.len()),
            "pageInfo" => json!({ "hasNextPage": end < nodes.len(), "endCursor": end.to_string() }),
            other => return Err(undefined(other, "Connection")),
        };
        answer.insert(part.key().to_owned(), value);
    }
    Ok(Value::Object(answer))
}

impl<'a> Node<'a> {
    fn show(&self, model: &'a Model, fields: &[Selection]) -> Result<Value, String> {
        let mut shown = Map::new();
        for field in fields {
            let value = match self.field(model, &field.name)? {
                Found::Value(value) => value,
                Found::One(node) => node.map_or(Ok(Value::Null), |n| n.show(model, &field.fields))?,
                Found::Many(nodes) => {
                    nodes.iter().map(|n| n.show(model, &field.fields)).collect::<Result<_, _>>()?
                }
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
            Self::View(_) => "View",
            Self::Tag(_) => "Tag",
        }
    }

    fn field(&self, model: &'a Model, name: &str) -> Result<Found<'a>, String> {
        let found = match (self, name) {
            (_, "__typename") => Some(Found::Value(json!(self.kind()))),
            (Self::Workbook(workbook), name) => of_workbook(model, workbook, name),
            (Self::Datasource(datasource), name) => of_datasource(model, datasource, name),
            (Self::User(user), name) => of_user(user, name),
            (Self::View(view), "luid" | "id") => Some(Found::Value(json!(view.luid))),
            (Self::View(view), "name") => Some(Found::Value(json!(view.name))),
            (Self::View(view), "path") => Some(Found::Value(json!(view.content_url.replace("/sheets", "")))),
            (Self::Tag(tag), "name") => Some(Found::Value(json!(tag))),
            _ => None,
        };
        found.ok_or_else(|| undefined(name, self.kind()))
    }
}

fn of_workbook<'a>(model: &'a Model, workbook: &'a Workbook, name: &str) -> Option<Found<'a>> {
    Some(match name {
        // The Metadata API has ids of its own; what they look like is not for callers to know.
        "id" | "luid" => Found::Value(json!(workbook.luid)),
        "name" => Found::Value(json!(workbook.name)),
        "description" => Found::Value(json!(workbook.description.as_deref().unwrap_or_default())),
        "projectName" => Found::Value(json!(model.project(&workbook.project).map(|p| &p.name))),
        "projectLuid" => Found::Value(json!(workbook.project)),
        "vizportalUrlId" => Found::Value(json!(workbook.number.to_string())),
        "createdAt" => Found::Value(json!(seconds(workbook.created_at))),
        "updatedAt" => Found::Value(json!(seconds(workbook.updated_at))),
        "owner" => Found::One(model.user(workbook.owner.as_str()).map(Node::User)),
        "tags" => Found::Many(workbook.tags.iter().map(|tag| Node::Tag(tag)).collect()),
        "views" | "sheets" => Found::Many(model.views_of(workbook).map(Node::View).collect()),
        "upstreamDatasources" => Found::Many(model.datasources_of(workbook).map(Node::Datasource).collect()),
        "embeddedDatasources" => Found::Many(Vec::new()),
        _ => return None,
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
        "id" | "luid" => Found::Value(json!(datasource.luid)),
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
        "tags" => Found::Many(datasource.tags.iter().map(|tag| Node::Tag(tag)).collect()),
        "downstreamWorkbooks" => Found::Many(users().map(Node::Workbook).collect()),
        _ => return None,
    })
}

fn of_user<'a>(user: &'a User, name: &str) -> Option<Found<'a>> {
    Some(Found::Value(match name {
        "id" | "luid" => json!(user.luid),
        "name" => json!(user.full_name),
        "username" => json!(user.name),
        "email" => json!(user.email.as_deref().unwrap_or(&user.name)),
        _ => return None,
    }))
}
