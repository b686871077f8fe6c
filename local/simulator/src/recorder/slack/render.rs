//! Renders a message as plain text for terminals. No colour.

use super::message::SlackMessage;
use super::mrkdwn::{plain, unescape};
use serde_json::Value;

/// The largest width of the left of two columns, in characters.
const COLUMN: usize = 38;

/// The lines of a message as Slack would show it: its blocks, or its text when it has no blocks.
pub fn render(message: &SlackMessage) -> String {
    if message.blocks.is_empty() {
        return plain(&message.text);
    }
    message.blocks.iter().map(block).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

fn block(block: &Value) -> String {
    let elements = || block.get("elements").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    match block.get("type").and_then(Value::as_str).unwrap_or_default() {
        "header" => {
            let title = text(block.get("text"));
            format!("{title}\n{}", "─".repeat(title.chars().count()))
        }
        "section" => section(block),
        "context" => {
            let parts: Vec<String> = elements().iter().map(element).filter(|t| !t.is_empty()).collect();
            format!("  {}", parts.join("  ").replace('\n', "\n  "))
        }
        "actions" => elements().iter().map(element).collect::<Vec<_>>().join("  "),
        "divider" => "─".repeat(COLUMN),
        "image" => element(block),
        "markdown" => block.get("text").and_then(Value::as_str).unwrap_or_default().to_owned(),
        other => format!("[{other}]"),
    }
}

fn section(block: &Value) -> String {
    let mut parts = Vec::new();
    if block.get("text").is_some() {
        parts.push(text(block.get("text")));
    }
    if let Some(fields) = block.get("fields").and_then(Value::as_array) {
        parts.push(columns(&fields.iter().map(|f| text(Some(f))).collect::<Vec<_>>()));
    }
    if let Some(accessory) = block.get("accessory") {
        parts.push(element(accessory));
    }
    parts.join("\n")
}

/// Renders a text object. Only `mrkdwn` has markup; `mrkdwn` and `plain_text` are both escaped.
fn text(object: Option<&Value>) -> String {
    let get = |key: &str| object.and_then(|o| o.get(key)).and_then(Value::as_str).unwrap_or_default();
    if get("type") == "mrkdwn" { plain(get("text")) } else { unescape(get("text")) }
}

fn element(element: &Value) -> String {
    let get = |key: &str| element.get(key).and_then(Value::as_str).unwrap_or_default();
    match get("type") {
        "image" => format!("[image: {}]", get("alt_text")),
        "button" => match (text(element.get("text")), get("url")) {
            (label, "") => format!("[{label}]"),
            (label, url) => format!("[{label}] ({url})"),
        },
        _ => text(Some(element)),
    }
}

/// Renders fields in two columns, as Slack does.
fn columns(fields: &[String]) -> String {
    let width =
        fields.iter().step_by(2).flat_map(|f| f.lines()).map(|l| l.chars().count()).max().unwrap_or(0);
    let width = width.min(COLUMN);
    let mut lines = Vec::new();
    for pair in fields.chunks(2) {
        let left: Vec<&str> = pair[0].lines().collect();
        let right: Vec<&str> = pair.get(1).map(|f| f.lines().collect()).unwrap_or_default();
        for at in 0..left.len().max(right.len()) {
            let left = left.get(at).unwrap_or(&"");
            let right = right.get(at).unwrap_or(&"");
            lines.push(format!("{left:<width$}   {right}").trim_end().to_owned());
        }
    }
    lines.join("\n")
}
