//! Checks blocks as Slack does.
//!
//! Source: <https://docs.slack.dev/reference/block-kit/blocks>

use serde_json::Value;

const KNOWN: [&str; 13] = [
    "actions",
    "context",
    "context_actions",
    "divider",
    "file",
    "header",
    "image",
    "input",
    "markdown",
    "rich_text",
    "section",
    "table",
    "video",
];

/// The limit over all blocks of a message, as observed; Slack documents no such limit.
/// Source: <https://github.com/slackapi/bolt-js/issues/2509>
const ALL_TEXT: usize = 13_200;

/// Slack's error code, and a text that says which block is wrong and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Invalid {
    pub(super) error: &'static str,
    pub(super) detail: String,
}

fn invalid(detail: String) -> Invalid {
    Invalid { error: "invalid_blocks", detail }
}

/// Checks the `blocks` of a message.
pub(super) fn check(blocks: &[Value]) -> Result<(), Invalid> {
    if blocks.len() > 50 {
        return Err(invalid(format!("{} blocks, at most 50", blocks.len())));
    }
    let mut ids = std::collections::BTreeSet::new();
    for (at, block) in blocks.iter().enumerate() {
        block_is_valid(block).map_err(|detail| invalid(format!("blocks[{at}]: {detail}")))?;
        if let Some(id) = block.get("block_id") {
            let id = id.as_str().filter(|id| id.chars().count() <= 255);
            let id = id.ok_or_else(|| invalid(format!("blocks[{at}]: bad block_id")))?;
            if !ids.insert(id) {
                return Err(invalid(format!("blocks[{at}]: block_id `{id}` is there twice")));
            }
        }
    }
    let length: usize = blocks.iter().map(text_length).sum();
    if length > ALL_TEXT {
        let detail = format!("{length} characters over all blocks, at most about {ALL_TEXT}");
        return Err(Invalid { error: "msg_blocks_too_long", detail });
    }
    Ok(())
}

fn text_length(value: &Value) -> usize {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| match value {
                Value::String(text) if key == "text" => text.chars().count(),
                other => text_length(other),
            })
            .sum(),
        Value::Array(items) => items.iter().map(text_length).sum(),
        _ => 0,
    }
}

fn block_is_valid(block: &Value) -> Result<(), String> {
    let kind = block.get("type").and_then(Value::as_str).ok_or("no type")?;
    match kind {
        "section" => section(block),
        "header" => text(block.get("text"), Some("plain_text"), 150).map_err(|e| format!("header text: {e}")),
        "context" => list(block, "elements", 10)?.iter().try_for_each(context_element),
        "actions" => list(block, "elements", 25)?.iter().try_for_each(element),
        "image" => image(block),
        kind if KNOWN.contains(&kind) => Ok(()),
        kind => Err(format!("unknown type `{kind}`")),
    }
}

fn section(block: &Value) -> Result<(), String> {
    if block.get("text").is_none() && block.get("fields").is_none() {
        return Err("a section needs text or fields".to_owned());
    }
    if block.get("text").is_some() {
        text(block.get("text"), None, 3000).map_err(|e| format!("section text: {e}"))?;
    }
    if block.get("fields").is_some() {
        for field in list(block, "fields", 10)? {
            text(Some(field), None, 2000).map_err(|e| format!("field: {e}"))?;
        }
    }
    block.get("accessory").map_or(Ok(()), element)
}

fn context_element(value: &Value) -> Result<(), String> {
    match value.get("type").and_then(Value::as_str) {
        Some("image") => image(value),
        _ => text(Some(value), None, 2000).map_err(|e| format!("context element: {e}")),
    }
}

fn element(value: &Value) -> Result<(), String> {
    let kind = value.get("type").and_then(Value::as_str).ok_or("element: no type")?;
    let short = |key: &str, most: usize| match value.get(key) {
        Some(v) if v.as_str().is_none_or(|t| t.chars().count() > most) => {
            Err(format!("{kind} {key}: over {most}"))
        }
        _ => Ok(()),
    };
    short("action_id", 255)?;
    match kind {
        "button" => {
            short("url", 3000)?;
            text(value.get("text"), Some("plain_text"), 75).map_err(|e| format!("button text: {e}"))
        }
        "image" => image(value),
        _ => Ok(()),
    }
}

fn image(value: &Value) -> Result<(), String> {
    let has = |key: &str| value.get(key).and_then(Value::as_str).is_some_and(|t| !t.is_empty());
    let source = has("image_url") || value.get("slack_file").is_some();
    if source && has("alt_text") { Ok(()) } else { Err("an image needs image_url and alt_text".to_owned()) }
}

fn list<'a>(block: &'a Value, key: &str, most: usize) -> Result<&'a Vec<Value>, String> {
    let list = block.get(key).and_then(Value::as_array).ok_or_else(|| format!("no {key}"))?;
    if (1..=most).contains(&list.len()) {
        Ok(list)
    } else {
        Err(format!("{} {key}, 1 to {most}", list.len()))
    }
}

/// Checks a text object of 1 to `most` characters.
fn text(value: Option<&Value>, kind: Option<&str>, most: usize) -> Result<(), String> {
    let value = value.ok_or("missing")?;
    let found = value.get("type").and_then(Value::as_str).unwrap_or_default();
    if !matches!(found, "plain_text" | "mrkdwn") || kind.is_some_and(|kind| kind != found) {
        return Err(format!("type `{found}` is not allowed"));
    }
    let length = value.get("text").and_then(Value::as_str).map(|t| t.chars().count()).ok_or("no text")?;
    if (1..=most).contains(&length) { Ok(()) } else { Err(format!("{length} characters, 1 to {most}")) }
}
