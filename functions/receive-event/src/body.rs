//! The body of a request. No I/O.

use crate::problem::Problem;
use rules::check_own_event;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tableau::{OwnEvent, OwnSeverity};

const LONGEST_NAME: usize = 255;
const LONGEST_TEXT: usize = 3_000;
const LONGEST_VALUE: usize = 500;
const MOST_DATA: usize = 20;

/// What a caller sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    /// The event's name.
    pub(crate) event: String,
    /// What it is about.
    pub(crate) name: String,
    pub(crate) text: Option<String>,
    pub(crate) severity: OwnSeverity,
    pub(crate) data: BTreeMap<String, String>,
}

impl Body {
    /// Reads the body of a request, as `docs/openapi.yaml` has it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Problem> {
        let value: Value = serde_json::from_slice(bytes).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Problem::no_object(format!("The body is not JSON, at line {line}, column {column}."))
        })?;
        let Value::Object(mut members) = value else {
            return Err(Problem::no_object("The body has to be a JSON object.".to_owned()));
        };
        let event = required(&mut members, "event", usize::MAX)?;
        check_own_event(&event).map_err(|problem| Problem::malformed("event", problem))?;
        let name = required(&mut members, "name", LONGEST_NAME)?;
        if name.is_empty() {
            return Err(Problem::malformed("name", "is empty"));
        }
        let text = text(&mut members, "text", LONGEST_TEXT)?;
        let severity = match text_of_severity(&mut members)? {
            None => OwnSeverity::default(),
            Some(name) => OwnSeverity::named(&name)
                .ok_or_else(|| Problem::malformed("severity", "has to be info, warning or critical"))?,
        };
        let data = data(members.remove("data"))?;
        match members.keys().next() {
            Some(unknown) => Err(Problem::malformed(unknown, "is not known")),
            None => Ok(Self { event, name, text, severity, data }),
        }
    }
}

fn text(members: &mut Map<String, Value>, name: &str, longest: usize) -> Result<Option<String>, Problem> {
    match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) if text.chars().count() > longest => {
            Err(Problem::malformed(name, &format!("at most {longest} characters")))
        }
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Problem::malformed(name, "has to be a string")),
    }
}

fn text_of_severity(members: &mut Map<String, Value>) -> Result<Option<String>, Problem> {
    text(members, "severity", usize::MAX)
}

fn required(members: &mut Map<String, Value>, name: &str, longest: usize) -> Result<String, Problem> {
    text(members, name, longest)?.ok_or_else(|| Problem::malformed(name, "is missing"))
}

fn data(value: Option<Value>) -> Result<BTreeMap<String, String>, Problem> {
    const FORM: &str = "has to be an object of texts";
    let members = match value {
        None => return Ok(BTreeMap::new()),
        Some(Value::Object(members)) => members,
        Some(_) => return Err(Problem::malformed("data", FORM)),
    };
    if members.len() > MOST_DATA {
        return Err(Problem::malformed("data", &format!("at most {MOST_DATA} texts")));
    }
    let one = |(name, value): (String, Value)| {
        if !OwnEvent::is_name_of_data(&name) {
            let what = "names have 1 to 50 letters, digits and `_`, and begin with a letter";
            return Err(Problem::malformed("data", what));
        }
        match value {
            Value::String(text) if text.chars().count() <= LONGEST_VALUE => Ok((name, text)),
            Value::String(_) => {
                Err(Problem::malformed("data", &format!("{name}: at most {LONGEST_VALUE} characters")))
            }
            _ => Err(Problem::malformed("data", &format!("{name}: has to be a string"))),
        }
    };
    members.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(value: &Value) -> Result<Body, Problem> {
        Body::parse(value.to_string().as_bytes())
    }

    #[test]
    fn an_event_needs_a_name_and_a_subject() {
        let least = parse(&json!({"event": "PipelineFinished", "name": "x"})).unwrap();
        assert_eq!((least.severity, least.text, least.data.len()), (OwnSeverity::Info, None, 0));
        let most = json!({
            "event": "PipelineFinished", "name": "ä".repeat(255), "text": "ä".repeat(3_000), "severity": "critical",
            "data": (0..20).map(|n| (format!("a_{n}"), json!("ä".repeat(500)))).collect::<Map<_, _>>(),
        });
        let most = parse(&most).unwrap();
        assert_eq!((most.severity, most.data.len()), (OwnSeverity::Critical, 20));
    }

    #[test]
    fn what_is_wrong_is_named_and_no_value_is_repeated() {
        let with = |name: &str, value: Value| {
            let mut body = json!({"event": "PipelineFinished", "name": "x"});
            body[name] = value;
            body
        };
        for (body, field) in [
            (json!([]), None),
            (json!({"event": "PipelineFinished"}), Some("name")),
            (json!({"name": "x"}), Some("event")),
            (with("event", json!("WorkbookUpdated")), Some("event")),
            (with("event", json!("PdfPublished")), Some("event")),
            (with("event", json!("WebhookDisabled")), Some("event")),
            (with("event", json!("WeeklyReport")), Some("event")),
            (with("event", json!("WorkbookMoved")), Some("event")),
            (with("event", json!("RefreshFailed")), Some("event")),
            (with("event", json!("Any")), Some("event")),
            (with("event", json!("Created")), Some("event")),
            (with("event", json!("Test")), Some("event")),
            (with("event", json!("Unknown")), Some("event")),
            (with("event", json!("Unreadable")), Some("event")),
            (with("event", json!("pipelineFinished")), Some("event")),
            (with("event", json!("Pipeline Finished")), Some("event")),
            (with("event", json!("A".repeat(51))), Some("event")),
            (with("event", json!("Äb1")), Some("event")),
            (with("name", json!("")), Some("name")),
            (with("name", json!("x".repeat(256))), Some("name")),
            (with("name", json!(null)), Some("name")),
            (with("text", json!("x".repeat(3_001))), Some("text")),
            (with("text", json!(null)), Some("text")),
            (with("severity", json!("hunter2")), Some("severity")),
            (with("severity", json!(null)), Some("severity")),
            (with("data", json!([])), Some("data")),
            (with("data", json!({"a": 1})), Some("data")),
            (with("data", json!({"a b": "hunter2"})), Some("data")),
            (with("data", json!({"a": "x".repeat(501)})), Some("data")),
            (
                with("data", (0..21).map(|n| (format!("a{n}"), json!(""))).collect::<Map<_, _>>().into()),
                Some("data"),
            ),
            (with("more", json!(1)), Some("more")),
        ] {
            let answer = parse(&body).unwrap_err().answer();
            let problem: Value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!((answer.status, problem["field"].as_str()), (400, field), "{body}");
            assert!(!answer.body.contains("hunter2"));
        }
        assert_eq!(Body::parse(b"\xff").unwrap_err().code(), "malformed");
    }
}
