//! Encoded queries: conditions joined by `^`. As the platform does, a condition about a field that is not there, or that the account may
//! not read, is left out, and the others decide.
//!
//! Source: <https://www.servicenow.com/docs/r/api-reference/rest-api-explorer/c_RESTAPI.html>

use super::incident::ServiceNowIncident;
use super::instance::Instance;
use std::cmp::Reverse;

/// A condition.
#[derive(Debug, PartialEq, Eq)]
enum Condition {
    Is(String, String),
    In(String, Vec<String>),
}

/// The incidents that match, in the order that the query asks for.
///
/// # Errors
/// An operator that the simulator does not know.
pub(super) fn matching<'a>(
    instance: &'a Instance,
    query: &str,
) -> Result<Vec<&'a ServiceNowIncident>, String> {
    let mut conditions = Vec::new();
    let mut order = None;
    for part in query.split('^').filter(|part| !part.is_empty()) {
        if let Some(field) = part.strip_prefix("ORDERBYDESC") {
            order = Some((field.to_owned(), true));
        } else if let Some(field) = part.strip_prefix("ORDERBY") {
            order = Some((field.to_owned(), false));
        } else {
            conditions.push(condition(part)?);
        }
    }
    let is_known = |field: &str| instance.column(field).is_some() && !instance.hidden.contains(field);
    let fits = |incident: &&ServiceNowIncident| {
        conditions.iter().all(|condition| match condition {
            Condition::Is(field, value) => !is_known(field) || incident.field(field) == value,
            Condition::In(field, values) => {
                !is_known(field) || values.iter().any(|value| incident.field(field) == value)
            }
        })
    };
    let mut found: Vec<&ServiceNowIncident> = instance.incidents.iter().filter(fits).collect();
    match order {
        Some((field, true)) => found.sort_by_key(|incident| Reverse(incident.field(&field).to_owned())),
        Some((field, false)) => found.sort_by_key(|incident| incident.field(&field).to_owned()),
        None => {}
    }
    Ok(found)
}

fn condition(part: &str) -> Result<Condition, String> {
    let end = part.find(|c: char| !c.is_ascii_lowercase() && c != '_' && !c.is_ascii_digit());
    let (field, rest) = part.split_at(end.unwrap_or(part.len()));
    if let Some(values) = rest.strip_prefix("IN") {
        return Ok(Condition::In(field.to_owned(), values.split(',').map(str::to_owned).collect()));
    }
    match rest.strip_prefix('=') {
        Some(value) => Ok(Condition::Is(field.to_owned(), value.to_owned())),
        None => Err(format!("the simulator does not know the operator of `{part}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance() -> Instance {
        let mut instance = Instance::default();
        for key in ["a", "b", "c"] {
            let mut incident = instance.blank();
            incident.fields.insert("correlation_id".to_owned(), key.to_owned());
            instance.incidents.push(incident);
        }
        instance
    }

    fn found(instance: &Instance, query: &str) -> Vec<String> {
        let found = matching(instance, query).unwrap();
        found.iter().map(|incident| incident.field("correlation_id").to_owned()).collect()
    }

    #[test]
    fn conditions_are_joined_and_one_about_an_unknown_field_is_left_out() {
        let mut instance = instance();
        assert_eq!(found(&instance, "correlation_id=b^active=true"), ["b"]);
        assert_eq!(found(&instance, "correlation_idINa,c^ORDERBYDESCsys_created_on"), ["c", "a"]);
        assert_eq!(found(&instance, "correlation_id=b^active=false"), Vec::<String>::new());
        assert_eq!(found(&instance, "u_nothing=x"), ["a", "b", "c"]);
        assert!(matching(&instance, "correlation_idLIKEb").is_err());
        instance.hidden.insert("correlation_id".to_owned());
        assert_eq!(found(&instance, "correlation_id=b").len(), 3);
    }
}
