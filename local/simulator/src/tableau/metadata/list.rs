//! Lists of the Metadata API: filter, order and page.
//!
//! Source: <https://help.tableau.com/current/api/metadata_api/en-us/reference/workbook.doc.html>

use super::asked::{Asked, PermissionMode};
use super::node::Node;
use super::query::Selection;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

/// The default number of nodes on a page.
const PAGE: usize = 100;

/// Checks the arguments of a list.
pub(super) fn check(kind: &'static str, field: &Selection) -> Result<(), String> {
    arguments(kind, field).map(|_| ())
}

/// The arguments of a list.
struct Arguments<'a> {
    /// A field name and the accepted values.
    conditions: Vec<(&'static str, Vec<&'a Value>)>,
    /// The field names to order by, and whether each order is descending.
    orders: Vec<(&'static str, bool)>,
    start: usize,
    size: usize,
    mode: Option<PermissionMode>,
}

fn arguments<'a>(kind: &'static str, field: &'a Selection) -> Result<Arguments<'a>, String> {
    let known: &[&str] = match field.name.ends_with("Connection") {
        true => &["filter", "orderBy", "permissionMode", "first", "after", "offset"],
        false => &["filter", "orderBy", "permissionMode"],
    };
    if let Some(unknown) = field.arguments.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(unknown_argument(unknown, &field.name));
    }
    let conditions = match field.arguments.get("filter") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(filter)) => {
            filter.iter().map(|(name, wanted)| condition(kind, name, wanted)).collect::<Result<_, _>>()?
        }
        Some(_) => return Err(wrong_type("filter", &field.name)),
    };
    let size = number(field, "first")?.unwrap_or(PAGE);
    let mode = match field.arguments.get("permissionMode") {
        None | Some(Value::Null) => None,
        Some(mode) => {
            let mode = mode.as_str().and_then(PermissionMode::named);
            Some(mode.ok_or_else(|| wrong_type("permissionMode", &field.name))?)
        }
    };
    Ok(Arguments { conditions, orders: orders(kind, field)?, start: start(field)?, size, mode })
}

pub(super) fn unknown_argument(argument: &str, field: &str) -> String {
    format!("Validation error of type UnknownArgument: Unknown field argument '{argument}' @ '{field}'")
}

fn wrong_type(argument: &str, field: &str) -> String {
    format!(
        "Validation error of type WrongType: argument '{argument}' has a value of another type @ '{field}'"
    )
}

/// `name` accepts one text, `nameWithin` several. Case matters.
fn condition<'a>(
    kind: &str,
    name: &str,
    wanted: &'a Value,
) -> Result<(&'static str, Vec<&'a Value>), String> {
    let one = name.strip_suffix("Within");
    let field = one.unwrap_or(name);
    let unknown = || {
        format!(
            "Validation error of type WrongType: argument 'filter' contains a field not in '{kind}_Filter': '{name}'"
        )
    };
    let field = *fields(kind).iter().find(|known| **known == field).ok_or_else(unknown)?;
    let is_flag = field.starts_with("is") || field.starts_with("has");
    let values: Vec<&Value> = match (one, wanted) {
        (Some(_), Value::Array(values)) if !is_flag => values.iter().collect(),
        (Some(_), _) => return Err(wrong_type("filter", name)),
        (None, value) => vec![value],
    };
    let fits = |value: &&Value| if is_flag { value.is_boolean() } else { value.is_string() };
    if values.iter().all(fits) { Ok((field, values)) } else { Err(wrong_type("filter", name)) }
}

/// The fields that filters and orders accept.
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
        "View" | "Sheet" | "Dashboard" => &["id", "luid", "name", "path", "createdAt", "updatedAt"],
        _ => &["id", "name"],
    }
}

/// `{field: NAME, direction: DESC}`, or a list of these in which the first matters most.
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

/// Converts a field name such as `projectName` to `PROJECT_NAME`.
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

/// A whole number of an argument, zero or more.
fn number(field: &Selection, name: &str) -> Result<Option<usize>, String> {
    match field.arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
            number.map(Some).ok_or_else(|| wrong_type(name, &field.name))
        }
    }
}

/// The start of a page: after a cursor (the index of the last node seen), or at an offset.
fn start(field: &Selection) -> Result<usize, String> {
    let offset = number(field, "offset")?;
    match field.arguments.get("after") {
        None | Some(Value::Null) => Ok(offset.unwrap_or(0)),
        Some(_) if offset.is_some() => Err("after and offset cannot be set at the same time".to_owned()),
        Some(cursor) => {
            let cursor = cursor.as_str().and_then(|cursor| cursor.parse().ok());
            cursor.ok_or_else(|| "The cursor is not valid".to_owned())
        }
    }
}

/// The nodes that pass the list's filter, in the requested order. A `…Connection` field returns one page of them.
/// `mode` counts unless the list asks for another one.
pub(super) fn show<'a>(
    asked: &Asked<'a>,
    mode: PermissionMode,
    mut nodes: Vec<Node<'a>>,
    kind: &'static str,
    field: &Selection,
) -> Result<Value, String> {
    let arguments = arguments(kind, field)?;
    let mode = arguments.mode.unwrap_or(mode);
    if mode == PermissionMode::Filter {
        nodes.retain(|node| !node.is_hidden(asked));
    }
    for (name, wanted) in &arguments.conditions {
        nodes.retain(|node| wanted.contains(&&node.scalar(asked, name)));
    }
    nodes.sort_by(|a, b| {
        let by = |(name, descending): &(&str, bool)| {
            let ordering = compare(&a.scalar(asked, name), &b.scalar(asked, name));
            if *descending { ordering.reverse() } else { ordering }
        };
        // Nodes that compare as equal are ordered by id.
        arguments
            .orders
            .iter()
            .map(by)
            .fold(Ordering::Equal, Ordering::then)
            .then_with(|| a.id().cmp(&b.id()))
    });
    let shown = |nodes: &[Node<'a>], fields: &[Selection]| -> Result<Value, String> {
        nodes.iter().take_while(|_| asked.takes_node()).map(|node| node.show(asked, mode, fields)).collect()
    };
    if !field.name.ends_with("Connection") {
        return shown(&nodes, &field.fields);
    }
    let start = arguments.start.min(nodes.len());
    let end = start.saturating_add(asked.page(arguments.size)).min(nodes.len());
    let mut page = Map::new();
    for part in &field.fields {
        let value = match part.name.as_str() {
            "nodes" => shown(&nodes[start..end], &part.fields)?,
            "pageInfo" => page_info(part, end, nodes.len()),
            "totalCount" => json!(nodes.len()),
            _ => json!(format!("{kind}sConnection")),
        };
        page.insert(part.key().to_owned(), value);
    }
    Ok(Value::Object(page))
}

fn compare(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => a.as_str().cmp(&b.as_str()),
    }
}

fn page_info(part: &Selection, end: usize, all: usize) -> Value {
    let value = |name: &str| match name {
        "hasNextPage" => json!(end < all),
        "endCursor" => json!(end.to_string()),
        _ => json!("PageInfo"),
    };
    part.fields.iter().map(|field| (field.key().to_owned(), value(&field.name))).collect::<Map<_, _>>().into()
}
