//! Lists of the Metadata API: which nodes, in which order, on which page.
//!
//! Source: <https://help.tableau.com/current/api/metadata_api/en-us/reference/workbook.doc.html>

use super::query::Selection;
use super::schema::{Node, conflict, undefined};
use crate::tableau::model::Model;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

/// The nodes of a page, unless a call asks for fewer or more.
const PAGE: usize = 100;

/// The value of a list: the nodes that pass its filter in the order that it asks for. `…Connection` gives a page of them.
pub(super) fn show<'a>(
    model: &'a Model,
    mut nodes: Vec<Node<'a>>,
    kind: &'static str,
    field: &Selection,
) -> Result<Value, String> {
    let is_connection = field.name.ends_with("Connection");
    let known: &[&str] = if is_connection {
        &["filter", "orderBy", "first", "after", "offset"]
    } else {
        &["filter", "orderBy"]
    };
    if let Some(unknown) = field.arguments.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(unknown_argument(unknown, &field.name));
    }
    match field.arguments.get("filter") {
        None | Some(Value::Null) => {}
        Some(Value::Object(conditions)) => {
            for (name, wanted) in conditions {
                nodes = filtered(model, nodes, kind, name, wanted)?;
            }
        }
        Some(_) => return Err(wrong_type("filter", &field.name)),
    }
    let orders = orders(kind, field)?;
    nodes.sort_by(|a, b| {
        let by = |(name, descending): &(&str, bool)| {
            let ordering = compare(&a.scalar(model, name), &b.scalar(model, name));
            if *descending { ordering.reverse() } else { ordering }
        };
        // What is equal is in the order of the ids.
        orders.iter().map(by).fold(Ordering::Equal, Ordering::then).then_with(|| a.id().cmp(&b.id()))
    });
    if is_connection {
        page(model, &nodes, field)
    } else {
        field.needs_fields(kind)?;
        nodes.iter().map(|node| node.show(model, &field.fields)).collect()
    }
}

fn unknown_argument(name: &str, field: &str) -> String {
    format!("Validation error of type UnknownArgument: Unknown field argument '{name}' @ '{field}'")
}

fn wrong_type(argument: &str, field: &str) -> String {
    format!(
        "Validation error of type WrongType: argument '{argument}' has a value of another type @ '{field}'"
    )
}

/// Those of which a field is as it is wanted: `name` is one text, `nameWithin` one of several. Upper and lower case matter.
fn filtered<'a>(
    model: &'a Model,
    nodes: Vec<Node<'a>>,
    kind: &str,
    name: &str,
    wanted: &Value,
) -> Result<Vec<Node<'a>>, String> {
    let one = name.strip_suffix("Within");
    let field = one.unwrap_or(name);
    let unknown = || {
        format!(
            "Validation error of type WrongType: argument 'filter' contains a field not in '{kind}_Filter': '{name}'"
        )
    };
    let field = *fields(kind).iter().find(|known| **known == field).ok_or_else(unknown)?;
    let fits = |value: &Value| if is_flag(field) { value.is_boolean() } else { value.is_string() };
    let sound = match (one, wanted) {
        (Some(_), Value::Array(values)) => !is_flag(field) && values.iter().all(fits),
        (Some(_), _) => false,
        (None, value) => fits(value),
    };
    if !sound {
        return Err(wrong_type("filter", name));
    }
    let passes = |node: &Node<'a>| {
        let value = node.scalar(model, field);
        wanted.as_array().map_or_else(|| value == *wanted, |any| any.contains(&value))
    };
    Ok(nodes.into_iter().filter(passes).collect())
}

/// The fields that filters and orders know.
fn fields(kind: &str) -> &'static [&'static str] {
    match kind {
        "Workbook" => {
            &["id", "luid", "name", "projectName", "projectLuid", "vizportalUrlId", "createdAt", "updatedAt"]
        }
        "PublishedDatasource" => &[
            "id",
            "luid",
            "name",
            "projectName",
            "vizportalUrlId",
            "isCertified",
            "hasExtracts",
            "hasActiveWarning",
            "createdAt",
            "updatedAt",
        ],
        "View" => &["id", "luid", "name", "path"],
        _ => &["id", "name"],
    }
}

fn is_flag(field: &str) -> bool {
    field.starts_with("is") || field.starts_with("has")
}

/// Fields, and whether each is in descending order: `{field: NAME, direction: DESC}`, or a list of these.
fn orders(kind: &str, field: &Selection) -> Result<Vec<(&'static str, bool)>, String> {
    let wrong = || wrong_type("orderBy", &field.name);
    let orders = match field.arguments.get("orderBy") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(orders)) => orders.iter().collect(),
        Some(one) => vec![one],
    };
    let read = |order: &Value| {
        let members = order.as_object().filter(|members| members.len() == 2).ok_or_else(wrong)?;
        let text = |name: &str| members.get(name).and_then(Value::as_str).ok_or_else(wrong);
        let name = text("field")?;
        let known = fields(kind).iter().find(|known| constant(known) == name).ok_or_else(wrong)?;
        match text("direction")? {
            "ASC" => Ok((*known, false)),
            "DESC" => Ok((*known, true)),
            _ => Err(wrong()),
        }
    };
    orders.into_iter().map(read).collect()
}

/// `projectName` as `PROJECT_NAME`.
fn constant(field: &str) -> String {
    let mut constant = String::new();
    for c in field.chars() {
        if c.is_ascii_uppercase() {
            constant.push('_');
        }
        constant.push(c.to_ascii_uppercase());
    }
    constant
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => a.as_str().cmp(&b.as_str()),
    }
}

/// A whole number of an argument, which is not below zero.
fn number(field: &Selection, name: &str) -> Result<Option<usize>, String> {
    match field.arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
            number.map(Some).ok_or_else(|| wrong_type(name, &field.name))
        }
    }
}

/// Where a page begins: after a cursor, which is the number of the last node seen, or at an offset.
fn start(field: &Selection) -> Result<usize, String> {
    let offset = number(field, "offset")?;
    match (field.arguments.get("after"), offset) {
        (None | Some(Value::Null), offset) => Ok(offset.unwrap_or(0)),
        (Some(_), Some(_)) => Err("after and offset cannot be set at the same time".to_owned()),
        (Some(cursor), None) => {
            let cursor = cursor.as_str().and_then(|cursor| cursor.parse().ok());
            cursor.ok_or_else(|| "The cursor is not valid".to_owned())
        }
    }
}

fn page(model: &Model, nodes: &[Node<'_>], field: &Selection) -> Result<Value, String> {
    let start = start(field)?.min(nodes.len());
    let end = start.saturating_add(number(field, "first")?.unwrap_or(PAGE)).min(nodes.len());
    field.needs_fields("Connection")?;
    let mut answer = Map::new();
    for part in &field.fields {
        if let Some(argument) = part.arguments.keys().next() {
            return Err(unknown_argument(argument, &part.name));
        }
        let value = match part.name.as_str() {
            "nodes" => {
                part.needs_fields("nodes")?;
                nodes[start..end].iter().map(|n| n.show(model, &part.fields)).collect::<Result<_, _>>()?
            }
            "totalCount" => part.leaf(json!(nodes.len()))?,
            "pageInfo" => page_info(part, end, nodes.len())?,
            other => return Err(undefined(other, "Connection")),
        };
        if answer.insert(part.key().to_owned(), value).is_some() {
            return Err(conflict(part.key()));
        }
    }
    Ok(Value::Object(answer))
}

fn page_info(part: &Selection, end: usize, all: usize) -> Result<Value, String> {
    part.needs_fields("PageInfo")?;
    let mut info = Map::new();
    for field in &part.fields {
        let value = match field.name.as_str() {
            "hasNextPage" => json!(end < all),
            "endCursor" => json!(end.to_string()),
            other => return Err(undefined(other, "PageInfo")),
        };
        info.insert(field.key().to_owned(), field.leaf(value)?);
    }
    Ok(Value::Object(info))
}
