//! Jira Cloud: creates issues.

use super::{Answer, json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde_json::{Map, Value, json};

/// The longest summary and the longest label, in characters.
const LIMIT: usize = 255;

/// Creates an issue. `number` is that of the next one.
pub(super) fn answer(
    credential: &(String, String),
    headers: &HeaderMap,
    body: &[u8],
    number: usize,
) -> Answer {
    let (user, token) = credential;
    let expected = format!("Basic {}", STANDARD.encode(format!("{user}:{token}")));
    if headers.get("authorization").and_then(|value| value.to_str().ok()) != Some(expected.as_str()) {
        return (401, "Client must be authenticated to access this resource.".to_owned());
    }
    let Some(body) = json(headers, body) else {
        return (
            400,
            json!({ "errorMessages": ["There was an error parsing JSON."], "errors": {} }).to_string(),
        );
    };
    let errors = problems(&body["fields"]);
    if !errors.is_empty() {
        return (400, json!({ "errorMessages": [], "errors": errors }).to_string());
    }
    let key = format!("{}-{number}", body["fields"]["project"]["key"].as_str().unwrap_or_default());
    (201, json!({ "id": format!("{}", 10_000 + number), "key": key, "self": "https://receiver.test/rest/api/3/issue/10001" }).to_string())
}

fn problems(fields: &Value) -> Map<String, Value> {
    let mut errors = Map::new();
    let mut wrong = |field: &str, why: &str| errors.insert(field.to_owned(), Value::from(why));
    let summary = fields["summary"].as_str().unwrap_or_default();
    if summary.trim().is_empty() {
        wrong("summary", "You must specify a summary of the issue.");
    } else if summary.contains(['\n', '\r']) {
        wrong("summary", "The summary is invalid because it contains newline characters.");
    } else if summary.chars().count() > LIMIT {
        wrong("summary", "Summary must be less than 255 characters.");
    }
    if fields["project"]["key"].as_str().is_none_or(str::is_empty) {
        wrong("project", "valid project is required");
    }
    if fields["issuetype"]["name"].as_str().is_none_or(str::is_empty) {
        wrong("issuetype", "Specify a valid issue type");
    }
    if !fields["description"].is_null() && !is_document(&fields["description"]) {
        wrong(
            "description",
            "Operation value must be an Atlassian Document (see the Atlassian Document Format)",
        );
    }
    let labels = fields["labels"].as_array().into_iter().flatten();
    for label in labels {
        let is_label = |text: &str| {
            !text.is_empty() && text.chars().count() <= LIMIT && !text.contains(char::is_whitespace)
        };
        if !label.as_str().is_some_and(is_label) {
            wrong("labels", "The label contains spaces which is invalid.");
        }
    }
    errors
}

/// Whether a value is a document, as far as paragraphs of text go. A text may not be empty.
fn is_document(value: &Value) -> bool {
    let is_text =
        |node: &Value| node["type"] == "text" && node["text"].as_str().is_some_and(|text| !text.is_empty());
    let all = |node: &Value, is: &dyn Fn(&Value) -> bool| {
        node["content"].as_array().is_some_and(|nodes| nodes.iter().all(is))
    };
    let is_paragraph = |node: &Value| node["type"] == "paragraph" && all(node, &is_text);
    value["type"] == "doc" && value["version"] == 1 && all(value, &is_paragraph)
}
