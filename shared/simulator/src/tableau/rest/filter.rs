//! `?filter=` and `?sort=`.
//!
//! Source: <https://help.tableau.com/current/api/rest_api/en-us/REST/rest_api_concepts_filtering_and_sorting.htm>

use super::call::malformed;
use super::error::RestError;
use jiff::Timestamp;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The value of a field, as filters see it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    Text(String),
    Texts(Vec<String>),
    /// No time passes no filter.
    Time(Option<Timestamp>),
    Number(i64),
}

/// Which operators a list takes for which field.
pub(crate) type Spec = &'static [(&'static str, &'static [&'static str])];

pub(crate) const EQ: &[&str] = &["eq"];
pub(crate) const EQ_IN: &[&str] = &["eq", "in"];
pub(crate) const EQ_HAS: &[&str] = &["eq", "has"];
pub(crate) const HAS: &[&str] = &["has"];
pub(crate) const COMPARE: &[&str] = &["eq", "gt", "gte", "lt", "lte"];

/// Conditions that must all hold, one per field: the same field twice, and the last one wins.
#[derive(Debug, Default)]
pub(crate) struct Filter(BTreeMap<String, (String, String)>);

impl Filter {
    /// Reads `field:op:value,field:op:value`.
    pub(crate) fn parse(text: Option<&str>, spec: Spec) -> Result<Self, RestError> {
        let mut conditions = BTreeMap::new();
        for part in text.map(split).unwrap_or_default() {
            let mut pieces = part.splitn(3, ':');
            let (Some(field), Some(op), Some(value)) = (pieces.next(), pieces.next(), pieces.next()) else {
                return Err(malformed(&format!("'{part}' is not a filter expression.")));
            };
            let known = spec.iter().any(|(name, ops)| *name == field && ops.contains(&op));
            // Not even encoded: Tableau reads an encoded ampersand as one.
            if !known || value.contains('&') {
                return Err(malformed(&format!("The filter expression '{part}' is not valid here.")));
            }
            conditions.insert(field.to_owned(), (op.to_owned(), value.to_owned()));
        }
        Ok(Self(conditions))
    }

    /// Whether a row passes; `field` gives the value of each field.
    pub(crate) fn passes(&self, field: impl Fn(&str) -> Field) -> bool {
        self.0.iter().all(|(name, (op, value))| passes(&field(name), op, value))
    }
}

/// Parts between commas, those inside brackets excepted.
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

fn passes(field: &Field, op: &str, value: &str) -> bool {
    match (field, op) {
        (Field::Text(text), "has") => text.contains(value),
        (Field::Text(text), "in") => list(value).any(|v| v == text),
        (Field::Text(text), _) => text == value,
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
    value.trim_start_matches('[').trim_end_matches(']').split(',').map(str::trim)
}

/// Sorts rows as `?sort=field:asc,field:desc` says; fields nobody knows are an error.
pub(crate) fn sort<T>(
    rows: &mut [T],
    text: Option<&str>,
    spec: Spec,
    field: impl Fn(&T, &str) -> Field,
) -> Result<(), RestError> {
    for part in text.map(split).unwrap_or_default().into_iter().rev() {
        let (name, direction) = part.split_once(':').unwrap_or((part, "asc"));
        if !spec.iter().any(|(known, _)| *known == name) || !matches!(direction, "asc" | "desc") {
            return Err(malformed(&format!("The sort expression '{part}' is not valid here.")));
        }
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

    const SPEC: Spec = &[("jobType", EQ_IN), ("createdAt", COMPARE), ("title", EQ_HAS)];

    fn row(name: &str) -> Field {
        match name {
            "jobType" => Field::Text("refresh_extracts".to_owned()),
            "createdAt" => Field::Time(Some("2026-03-02T06:14:44.9Z".parse().unwrap())),
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
            ("createdAt:lte:yesterday", false),
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
    fn unknown_fields_operators_and_ampersands_are_refused() {
        for text in ["colour:eq:red", "jobType:has:x", "title:eq", "title:eq:R&D"] {
            assert_eq!(Filter::parse(Some(text), SPEC).unwrap_err().code, "400000", "{text}");
        }
    }
}
