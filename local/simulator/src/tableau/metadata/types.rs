//! The types and fields of the Metadata API. A query is checked before any lookup, so a wrong query fails on an empty
//! site too.

use super::list::{self, unknown_argument};
use super::query::Selection;

/// The kind of value of a field.
enum Member {
    Value,
    One(&'static str),
    /// Nodes of this type; a `…Connection` field returns them in pages.
    Many(&'static str),
}

use Member::{Many, One, Value};

fn member(kind: &str, name: &str) -> Option<Member> {
    if name == "__typename" {
        return Some(Value);
    }
    let many = name.strip_suffix("Connection").unwrap_or(name);
    let list = match (kind, many) {
        ("Query", "workbooks") | ("PublishedDatasource", "downstreamWorkbooks") => Some("Workbook"),
        ("Query", "publishedDatasources") | ("Workbook", "upstreamDatasources") => {
            Some("PublishedDatasource")
        }
        ("Workbook" | "PublishedDatasource", "tags") => Some("Tag"),
        ("Workbook", "views") => Some("View"),
        ("Workbook" | "Dashboard", "sheets") => Some("Sheet"),
        ("Workbook", "dashboards") => Some("Dashboard"),
        ("Workbook", "embeddedDatasources") | ("Sheet", "parentEmbeddedDatasources") => {
            Some("EmbeddedDatasource")
        }
        ("EmbeddedDatasource", "parentPublishedDatasources") => Some("PublishedDatasource"),
        ("EmbeddedDatasource" | "PublishedDatasource", "upstreamTables") => Some("DatabaseTable"),
        _ => None,
    };
    if let Some(list) = list {
        return Some(Many(list));
    }
    match (kind, name) {
        ("Workbook" | "PublishedDatasource", "owner") => Some(One("TableauUser")),
        ("DatabaseTable", "database") => Some(One("Database")),
        (kind, name) => values(kind).contains(&name).then_some(Value),
    }
}

/// The scalar fields of a type.
fn values(kind: &str) -> &'static [&'static str] {
    match kind {
        "Workbook" => &[
            "id",
            "luid",
            "name",
            "description",
            "projectName",
            "projectLuid",
            "vizportalUrlId",
            "uri",
            "createdAt",
            "updatedAt",
        ],
        "PublishedDatasource" => &[
            "id",
            "luid",
            "name",
            "description",
            "projectName",
            "vizportalUrlId",
            "isCertified",
            "certificationNote",
            "hasExtracts",
            "hasActiveWarning",
            "createdAt",
            "updatedAt",
        ],
        "TableauUser" => &["id", "luid", "name", "username", "email"],
        "View" | "Sheet" | "Dashboard" => &["id", "luid", "name", "path", "createdAt", "updatedAt"],
        "EmbeddedDatasource" => &["id", "name", "hasExtracts"],
        "DatabaseTable" => &[
            "id",
            "luid",
            "name",
            "fullName",
            "schema",
            "connectionType",
            "tableType",
            "isEmbedded",
            "projectName",
        ],
        "Database" => &["id", "luid", "name", "connectionType", "isEmbedded", "projectName"],
        "Tag" => &["id", "name"],
        "PageInfo" => &["hasNextPage", "endCursor"],
        _ => &[],
    }
}

/// Checks the requested fields of a type.
pub(super) fn check(kind: &str, fields: &[Selection]) -> Result<(), String> {
    for (at, field) in fields.iter().enumerate() {
        let name = field.name.as_str();
        if fields[..at].iter().any(|before| before.key() == field.key()) {
            let key = field.key();
            return Err(format!("Validation error of type FieldsConflict: '{key}' is asked for twice"));
        }
        match member(kind, name) {
            None => return Err(undefined(name, kind)),
            Some(Value) => leaf(field)?,
            Some(One(of)) => {
                no_arguments(field)?;
                check_below(of, field)?;
            }
            Some(Many(of)) => {
                list::check(of, field)?;
                if name.ends_with("Connection") {
                    check_connection(of, field)?;
                } else {
                    check_below(of, field)?;
                }
            }
        }
    }
    Ok(())
}

fn check_connection(kind: &'static str, field: &Selection) -> Result<(), String> {
    needs_fields(field)?;
    for part in &field.fields {
        no_arguments(part)?;
        match part.name.as_str() {
            "nodes" => check_below(kind, part)?,
            "pageInfo" => check_below("PageInfo", part)?,
            "totalCount" | "__typename" => leaf(part)?,
            other => return Err(undefined(other, &format!("{kind}sConnection"))),
        }
    }
    Ok(())
}

fn check_below(kind: &str, field: &Selection) -> Result<(), String> {
    needs_fields(field)?;
    check(kind, &field.fields)
}

fn undefined(field: &str, kind: &str) -> String {
    format!(
        "Validation error of type FieldUndefined: Field '{field}' in type '{kind}' is undefined @ '{field}'"
    )
}

fn needs_fields(field: &Selection) -> Result<(), String> {
    let name = &field.name;
    if field.fields.is_empty() {
        return Err(format!("Validation error of type SubSelectionRequired @ '{name}'"));
    }
    Ok(())
}

fn leaf(field: &Selection) -> Result<(), String> {
    no_arguments(field)?;
    let name = &field.name;
    if field.fields.is_empty() {
        return Ok(());
    }
    Err(format!("Validation error of type SubSelectionNotAllowed @ '{name}'"))
}

fn no_arguments(field: &Selection) -> Result<(), String> {
    field.arguments.keys().next().map_or(Ok(()), |argument| Err(unknown_argument(argument, &field.name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tableau::metadata::asked::Asked;
    use crate::tableau::metadata::{query, schema};
    use crate::tableau::sample;
    use serde_json::Value as Json;
    use std::collections::BTreeSet;

    #[test]
    fn every_field_of_a_type_has_a_value() {
        let model = sample::model("2026-03-02T06:14:44Z".parse().unwrap());
        let site = model.default_site();
        let of = |kind: &str| values(kind).join(" ");
        let workbook = format!(
            "{} owner {{ {} }} tags {{ {} }} views {{ {} }} sheets {{ id }} dashboardsConnection {{ pageInfo {{ {} }} }}",
            of("Workbook"),
            of("TableauUser"),
            of("Tag"),
            of("View"),
            of("PageInfo")
        );
        let datasource = format!("{} owner {{ id }} tags {{ id }}", of("PublishedDatasource"));
        let text = format!(
            "{{ __typename workbooks {{ {workbook} upstreamDatasources {{ {datasource} }} }} \
             publishedDatasources {{ downstreamWorkbooks {{ {workbook} }} }} }}"
        );

        let fields = query::parse(&text, &Json::Null, None).unwrap();

        assert_eq!(check("Query", &fields), Ok(()));
        for field in &fields {
            let asked = Asked::new(&model, BTreeSet::new(), usize::MAX);
            assert_eq!(schema::root(&asked, site.as_str(), field).err(), None);
        }
    }
}
