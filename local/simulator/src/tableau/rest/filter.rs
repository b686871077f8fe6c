//! Parses and applies `?filter=` and `?sort=`.
//!
//! A field with a list of values, a number, a flag or a time takes no other values. A wrong filter is `400065`, a wrong order `400066`. Names compare without regard to case, other texts with it.
//!
//! Sources: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_filtering_and_sorting.htm>,
//! `tableau/server-client-python#442`, `#600`, `#753`.

use super::error::RestError;
use jiff::Timestamp;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A field's value, for filters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    Text(String),
    Texts(Vec<String>),
    /// A missing time matches no filter.
    Time(Option<Timestamp>),
    Number(i64),
}

/// The operators that a list accepts for each field.
pub(crate) type Spec = &'static [(&'static str, &'static [&'static str])];

pub(crate) const EQ: &[&str] = &["eq"];
pub(crate) const EQ_IN: &[&str] = &["eq", "in"];
pub(crate) const EQ_HAS: &[&str] = &["eq", "has"];
pub(crate) const HAS: &[&str] = &["has"];
pub(crate) const COMPARE: &[&str] = &["eq", "gt", "gte", "lt", "lte"];
/// Operators for user names.
pub(crate) const USER_NAME: &[&str] = &["cieq", "eq", "in", "like"];
pub(crate) const EQ_IN_LIKE: &[&str] = &["eq", "in", "like"];

/// The kind of value that a condition accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Name,
    Text,
    Time,
    Number,
    Flag,
    /// One of these words, spelt exactly.
    Word(&'static [&'static str]),
}

/// The job statuses of the list of jobs.
///
/// Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_ref_jobs_tasks_and_schedules.htm#query_jobs>
const STATUSES: &[&str] = &["Pending", "InProgress", "Success", "Failed", "Cancelled"];
/// Kinds of jobs. Tableau lists no more than examples; these are the names that its server gives to what a REST call can start or
/// a schedule runs.
const JOB_TYPES: &[&str] = &[
    "refresh_extracts",
    "increment_extracts",
    "refresh_extracts_via_bridge",
    "increment_extracts_via_bridge",
    "run_flow",
    "single_subscription_notify",
    "subscription_notify",
    "check_data_alert",
    "encrypt_extracts",
    "decrypt_extracts",
];
/// Site roles, including those of older versions.
///
/// Source: `tableau/server-client-python:tableauserverclient/models/user_item.py`
const SITE_ROLES: &[&str] = &[
    "Creator",
    "Explorer",
    "ExplorerCanPublish",
    "Guest",
    "Interactor",
    "Publisher",
    "ReadOnly",
    "ServerAdministrator",
    "SiteAdministrator",
    "SiteAdministratorCreator",
    "SiteAdministratorExplorer",
    "SupportUser",
    "Unlicensed",
    "UnlicensedWithPublish",
    "Viewer",
    "ViewerWithPublish",
];
/// The kinds of views.
const SHEET_TYPES: &[&str] = &["view", "dashboard", "story"];

/// A field has the same kind of value in every list.
fn kind(field: &str) -> Kind {
    match field {
        "name" | "friendlyName" | "ownerName" | "projectName" | "workbookName" => Kind::Name,
        "createdAt" | "updatedAt" | "startedAt" | "completedAt" | "lastLogin" => Kind::Time,
        "priority" | "progress" | "size" | "sheetCount" | "sheetNumber" | "favoritesTotal" | "hitsTotal" => {
            Kind::Number
        }
        "hasExtracts" | "isCertified" | "isPublished" | "displayTabs" | "topLevelProject" => Kind::Flag,
        "status" => Kind::Word(STATUSES),
        "jobType" => Kind::Word(JOB_TYPES),
        "siteRole" => Kind::Word(SITE_ROLES),
        "sheetType" => Kind::Word(SHEET_TYPES),
        _ => Kind::Text,
    }
}

/// Conditions that must all hold. If a field occurs twice, the last condition counts.
#[derive(Debug, Default)]
pub(crate) struct Filter(BTreeMap<String, (String, String)>);

fn wrong(detail: String) -> RestError {
    RestError::new("400065", detail)
}

impl Filter {
    /// Parses `field:op:value,field:op:value`.
    pub(crate) fn parse(text: Option<&str>, spec: Spec) -> Result<Self, RestError> {
        let mut conditions = BTreeMap::new();
        for part in text.map(split).unwrap_or_default() {
            let mut pieces = part.splitn(3, ':');
            let (Some(field), Some(op), Some(value)) = (pieces.next(), pieces.next(), pieces.next()) else {
                return Err(wrong(format!("'{part}' is not a filter expression.")));
            };
            let Some((_, ops)) = spec.iter().find(|(name, _)| *name == field) else {
                let detail = "The filter query contains a key which is not recognized for this api version";
                return Err(wrong(format!("{detail}: '{field}'.")));
            };
            if !ops.contains(&op) {
                return Err(wrong(format!("The operator '{op}' is not valid for '{field}'.")));
            }
            // An ampersand ends a value, even a percent-encoded one.
            if value.is_empty() || value.contains('&') {
                return Err(wrong(format!("The filter query is missing a value for key '{field}'.")));
            }
            if !fits(kind(field), op, value) {
                return Err(wrong(format!("The value of '{field}' is not valid.")));
            }
            conditions.insert(field.to_owned(), (op.to_owned(), value.to_owned()));
        }
        Ok(Self(conditions))
    }

    /// Whether a condition is on this field.
    pub(crate) fn names(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// Whether a row matches all conditions; `field` returns the value of a field.
    pub(crate) fn passes(&self, field: impl Fn(&str) -> Field) -> bool {
        self.0.iter().all(|(name, (op, value))| passes(&field(name), kind(name), op, value))
    }
}

fn fits(kind: Kind, op: &str, value: &str) -> bool {
    if op == "in" {
        let inner = value.strip_prefix('[').and_then(|value| value.strip_suffix(']'));
        return inner.is_some() && list(value).all(|value| !value.is_empty() && fits(kind, "eq", value));
    }
    match kind {
        Kind::Name | Kind::Text => true,
        Kind::Time => is_time(value),
        Kind::Number => value.parse::<i64>().is_ok(),
        Kind::Flag => matches!(value, "true" | "false"),
        Kind::Word(words) => words.contains(&value),
    }
}

/// Whether the text is a time in Tableau's format, such as `2026-03-02T06:14:44Z`, optionally with fractions of a
/// second. Other formats are not documented.
fn is_time(value: &str) -> bool {
    let is_form = value.len() >= "2026-03-02T06:14:44Z".len()
        && value.bytes().all(|byte| byte.is_ascii_digit() || b"-T:.Z".contains(&byte))
        && value.as_bytes().get(10) == Some(&b'T');
    is_form && value.parse::<Timestamp>().is_ok()
}

/// Splits a text at commas outside brackets.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0_u32;
    let parts = text.split(move |c| {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.filter(|part| !part.is_empty()).collect()
}

fn passes(field: &Field, kind: Kind, op: &str, value: &str) -> bool {
    let same = |a: &str, b: &str| match kind == Kind::Name || op == "cieq" {
        true => a.to_lowercase() == b.to_lowercase(),
        false => a == b,
    };
    match (field, op) {
        (Field::Text(text), "has") => text.contains(value),
        (Field::Text(text), "like") => is_like(text, value),
        (Field::Text(text), "in") => list(value).any(|v| same(text, v)),
        (Field::Text(text), _) => same(text, value),
        (Field::Texts(texts), "in") => list(value).any(|v| texts.iter().any(|t| t == v)),
        (Field::Texts(texts), _) => texts.iter().any(|t| t == value),
        (Field::Time(time), op) => match (time, value.parse::<Timestamp>()) {
            // Tableau's times have whole seconds.
            (Some(time), Ok(value)) => ordered(time.as_second().cmp(&value.as_second()), op),
            _ => false,
        },
        (Field::Number(number), op) => value.parse().is_ok_and(|v| ordered(number.cmp(&v), op)),
    }
}

/// Whether a name matches a pattern in which `*` stands for any characters.
fn is_like(text: &str, pattern: &str) -> bool {
    crate::fault::matches(&pattern.to_lowercase(), &text.to_lowercase())
}

fn ordered(ordering: Ordering, op: &str) -> bool {
    match op {
        "gt" => ordering.is_gt(),
        "gte" => ordering.is_ge(),
        "lt" => ordering.is_lt(),
        "lte" => ordering.is_le(),
        _ => ordering.is_eq(),
    }
}

/// The values of `[a,b]`.
fn list(value: &str) -> impl Iterator<Item = &str> {
    let inner = value.strip_prefix('[').and_then(|value| value.strip_suffix(']')).unwrap_or(value);
    inner.split(',').map(str::trim)
}

/// Sorts rows as `?sort=field:asc,field:desc` asks.
pub(crate) fn sort<T>(
    rows: &mut [T],
    text: Option<&str>,
    spec: Spec,
    field: impl Fn(&T, &str) -> Field,
) -> Result<(), RestError> {
    for part in text.map(split).unwrap_or_default().into_iter().rev() {
        let known = part.split_once(':').filter(|(name, direction)| {
            spec.iter().any(|(known, _)| known == name) && matches!(*direction, "asc" | "desc")
        });
        let invalid = || RestError::new("400066", format!("The sort expression '{part}' is not valid here."));
        let (name, direction) = known.ok_or_else(invalid)?;
        rows.sort_by(|a, b| {
            let ordering = field(a, name).cmp(&field(b, name));
            if direction == "desc" { ordering.reverse() } else { ordering }
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: Spec = &[
        ("jobType", EQ_IN),
        ("createdAt", COMPARE),
        ("title", EQ_HAS),
        ("name", USER_NAME),
        ("priority", COMPARE),
        ("isCertified", EQ),
        ("tags", EQ_IN),
        ("status", EQ),
        ("siteRole", EQ_IN),
        ("sheetType", EQ_IN),
    ];

    fn row(name: &str) -> Field {
        match name {
            "jobType" => Field::Text("refresh_extracts".to_owned()),
            "createdAt" => Field::Time(Some("2026-03-02T06:14:44.9Z".parse().unwrap())),
            "priority" => Field::Number(50),
            "isCertified" => Field::Text("true".to_owned()),
            "tags" => Field::Texts(vec!["Critical".to_owned()]),
            _ => Field::Text("Sales Orders".to_owned()),
        }
    }

    #[test]
    fn all_conditions_must_hold() {
        for (text, expected) in [
            ("", true),
            ("jobType:eq:refresh_extracts", true),
            ("jobType:in:[increment_extracts,refresh_extracts],title:has:Orders", true),
            ("jobType:in:[increment_extracts,refresh_extracts],title:eq:Orders", false),
            ("createdAt:gte:2026-03-02T06:14:44Z", true),
            ("createdAt:gt:2026-03-02T06:14:44Z", false),
            ("createdAt:lt:2026-03-02T06:14:45Z", true),
            ("priority:lte:50,isCertified:eq:true", true),
            ("priority:gt:50", false),
        ] {
            assert_eq!(Filter::parse(Some(text), SPEC).unwrap().passes(row), expected, "{text}");
        }
    }

    #[test]
    fn names_compare_without_regard_to_case_and_other_texts_with_it() {
        for (text, expected) in [
            ("name:eq:sales ORDERS", true),
            ("name:in:[budget,SALES orders]", true),
            ("name:cieq:sales orders", true),
            ("name:like:SALES*", true),
            ("name:like:*ord*", true),
            ("name:like:ord*", false),
            ("title:eq:sales orders", false),
            ("tags:eq:critical", false),
            ("tags:in:[critical,Critical]", true),
        ] {
            assert_eq!(Filter::parse(Some(text), SPEC).unwrap().passes(row), expected, "{text}");
        }
    }

    #[test]
    fn the_last_condition_on_a_field_wins() {
        let text = "createdAt:gt:2030-01-01T00:00:00Z,createdAt:lt:2030-01-01T00:00:00Z";
        assert!(Filter::parse(Some(text), SPEC).unwrap().passes(row));
    }

    #[test]
    fn a_condition_that_cannot_be_met_as_it_is_meant_is_refused() {
        for text in [
            "colour:eq:red",
            "jobType:has:x",
            "jobType:EQ:x",
            "JobType:eq:x",
            "title:eq",
            "title:eq:",
            "title:eq:R&D",
            "title:eq:a,b",
            "jobType:in:refresh_extracts",
            "jobType:in:[]",
            "createdAt:lte:yesterday",
            "createdAt:lte:2026-03-02",
            "createdAt:lte:2026-03-02T06:14Z",
            "createdAt:lte:2026-03-02 06:14:44Z",
            "createdAt:lte:2026-03-02T06:14:44",
            "createdAt:lte:2026-13-02T06:14:44Z",
            "createdAt:lte:2026-03-02T06:14:44Z[UTC]",
            "priority:eq:high",
            "priority:gt:5.5",
            "priority:gt:99999999999999999999",
            "isCertified:eq:True",
            "isCertified:eq:1",
            "status:eq:bogus",
            "status:eq:failed",
            "jobType:eq:bogus",
            "jobType:in:[refresh_extracts,bogus]",
            "jobType:in:[refresh_extracts,]",
            "siteRole:eq:Bogus",
            "siteRole:in:[Viewer,viewer]",
            "sheetType:eq:worksheet",
        ] {
            assert_eq!(Filter::parse(Some(text), SPEC).unwrap_err().code, "400065", "{text}");
        }
        for text in ["colour:asc", "title", "title:up", "title:ASC", "title:asc:desc"] {
            let sorted = sort(&mut [0, 1], Some(text), SPEC, |_, name| row(name));
            assert_eq!(sorted.unwrap_err().code, "400066", "{text}");
        }
    }

    #[test]
    fn the_readme_lists_every_field_that_can_be_filtered_by() {
        use super::super::{content, flow_runs, flows, jobs, projects, users, views};
        for (list, spec) in [
            ("workbooks", content::WORKBOOK),
            ("data sources", content::DATASOURCE),
            ("views", views::SPEC),
            ("projects", projects::SPEC),
            ("users", users::SPEC),
            ("flows", flows::SPEC),
            ("runs of flows", flow_runs::SPEC),
            ("jobs", jobs::SPEC),
        ] {
            let start = format!("| {list} | ");
            let row = include_str!("../../../README.md").lines().find_map(|line| line.strip_prefix(&start));
            let listed = row.unwrap_or_default();
            for (field, _) in spec {
                assert!(listed.contains(&format!("`{field}`")), "{field} of {list}");
            }
            let fields =
                listed.split('`').skip(1).step_by(2).filter(|word| !matches!(*word, "cieq" | "like"));
            assert_eq!(fields.count(), spec.len(), "{list}");
        }
    }
}
