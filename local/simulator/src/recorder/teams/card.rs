//! What a flow and Teams check of a card: envelope, version, elements, actions, mentions, size. A real flow shows a failure in its run
//! history only.
//!
//! Sources: <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>,
//! <https://adaptivecards.io/explorer/>

use serde_json::{Map, Value};

/// The largest message, counted after Teams has wrapped it.
///
/// Source: <https://github.com/MicrosoftDocs/msteams-docs/issues/11274>, where a request of 24,453 bytes was 28,897.
const SIZE_LIMIT: usize = 28_672;
const CONTENT_TYPE: &str = "application/vnd.microsoft.card.adaptive";

/// What the run history says of a body that cannot be posted.
///
/// # Errors
/// The reason.
pub(super) fn check(body: &Value, size: usize) -> Result<(), String> {
    let Some(attachments) = body.get("attachments").and_then(Value::as_array) else {
        return Err("ExpressionEvaluationFailed: 'attachments' is of type 'Null'".to_owned());
    };
    if body["type"] != "message" {
        return Err(format!("BadRequest: the type of the message is {}", body["type"]));
    }
    if attachments.is_empty() {
        return Err("BadRequest: no attachment".to_owned());
    }
    for attachment in attachments {
        if attachment["contentType"] != CONTENT_TYPE {
            return Err(format!("BadRequest: content type {}", attachment["contentType"]));
        }
        card(&attachment["content"])?;
    }
    let wrapped = size + size * 2 / 11;
    if wrapped > SIZE_LIMIT {
        return Err(format!(
            "MessageSizeExceeded: {wrapped} bytes; the max allowed size is {SIZE_LIMIT} bytes"
        ));
    }
    Ok(())
}

fn card(card: &Value) -> Result<(), String> {
    if card["type"] != "AdaptiveCard" {
        return Err("Property 'type' must be 'AdaptiveCard'".to_owned());
    }
    let version = card["version"].as_str().unwrap_or_default();
    if !["1.0", "1.1", "1.2", "1.3", "1.4"].contains(&version) {
        return Err(format!("We're sorry, this card couldn't be displayed: version {version}"));
    }
    let known = ["type", "version", "$schema", "body", "actions", "fallbackText", "speak", "msteams", "lang"];
    only(card, &known)?;
    let body = card["body"].as_array().filter(|body| !body.is_empty()).ok_or("the card has no body")?;
    body.iter().try_for_each(element)?;
    actions(card.get("actions"))?;
    mentions(card)
}

fn only(value: &Value, known: &[&str]) -> Result<(), String> {
    let keys = value.as_object().map(Map::keys).into_iter().flatten();
    let unknown = keys.into_iter().find(|key| !known.contains(&key.as_str()));
    unknown.map_or(Ok(()), |key| Err(format!("{}: unknown property {key}", value["type"])))
}

/// The properties that every element has.
const OF_ALL: [&str; 8] =
    ["type", "id", "isVisible", "separator", "spacing", "height", "requires", "fallback"];

fn element(element: &Value) -> Result<(), String> {
    let kind = element["type"].as_str().unwrap_or_default();
    let own: &[&str] = match kind {
        "TextBlock" => &[
            "text",
            "wrap",
            "weight",
            "size",
            "color",
            "isSubtle",
            "fontType",
            "horizontalAlignment",
            "maxLines",
            "style",
        ],
        "FactSet" => &["facts"],
        "Container" => &["items", "style", "bleed", "minHeight", "verticalContentAlignment", "selectAction"],
        "ColumnSet" => &["columns", "style", "bleed"],
        "Column" => &["items", "width", "style", "bleed"],
        "ActionSet" => &["actions"],
        // Newer ones, such as `Table` of 1.5, are not shown.
        other => return Err(format!("We're sorry, this card couldn't be displayed: element {other}")),
    };
    only(element, &[own, OF_ALL.as_slice()].concat())?;
    let one_of = |name: &str, listed: &[&str]| match element.get(name) {
        None => Ok(()),
        Some(value)
            if value
                .as_str()
                .is_some_and(|value| listed.iter().any(|one| one.eq_ignore_ascii_case(value))) =>
        {
            Ok(())
        }
        Some(value) => Err(format!("{kind}: {name} {value}")),
    };
    one_of("weight", &["Lighter", "Default", "Bolder"])?;
    one_of("size", &["Small", "Default", "Medium", "Large", "ExtraLarge"])?;
    one_of("fontType", &["Default", "Monospace"])?;
    one_of("color", &["Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"])?;
    if kind == "Container" {
        one_of("style", &["default", "emphasis", "good", "attention", "warning", "accent"])?;
    }
    if kind == "TextBlock" && element["text"].as_str().is_none_or(str::is_empty) {
        return Err("TextBlock: text is missing".to_owned());
    }
    for fact in element.get("facts").and_then(Value::as_array).into_iter().flatten() {
        let is_text = |name: &str| fact[name].is_string();
        if !is_text("title") || !is_text("value") {
            return Err("FactSet: a fact has no title or no value".to_owned());
        }
    }
    for name in ["items", "columns"] {
        element.get(name).and_then(Value::as_array).into_iter().flatten().try_for_each(self::element)?;
    }
    actions(element.get("actions"))
}

fn actions(actions: Option<&Value>) -> Result<(), String> {
    for action in actions.and_then(Value::as_array).into_iter().flatten() {
        match action["type"].as_str().unwrap_or_default() {
            "Action.OpenUrl" => {
                let is_web = action["url"].as_str().is_some_and(|url| url.starts_with("https://"));
                if !is_web || !action["title"].is_string() {
                    return Err(format!("Action.OpenUrl: url {}", action["url"]));
                }
            }
            "Action.ShowCard" => card(&action["card"])?,
            "Action.ToggleVisibility" => {}
            other => return Err(format!("{other} does nothing in a card from a flow")),
        }
    }
    Ok(())
}

/// Each `<at>…</at>` needs an entity with the very same text, or it is shown as it is; and each entity needs its text.
fn mentions(card: &Value) -> Result<(), String> {
    let mut raw = Vec::new();
    collect(&card["body"], &mut raw);
    let entities = card["msteams"]["entities"].as_array().map(Vec::as_slice).unwrap_or_default();
    for entity in entities {
        let text = entity["text"].as_str().unwrap_or_default();
        let has_id = entity["mentioned"]["id"].as_str().is_some_and(|id| id.contains('@'));
        let is_there = raw.iter().any(|shown| shown.contains(text));
        if entity["type"] != "mention" || !text.starts_with("<at>") || !has_id || !is_there {
            return Err(format!("an entity mentions no one: {entity}"));
        }
    }
    let tags = raw.iter().flat_map(|text| text.split("<at>").skip(1)).map(|rest| rest.split("</at>").next());
    for name in tags.flatten() {
        if !entities.iter().any(|entity| entity["text"] == format!("<at>{name}</at>")) {
            return Err(format!("`<at>{name}</at>` is shown literally: no entity has this text"));
        }
    }
    Ok(())
}

/// All texts as they are sent.
fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            texts.extend(
                ["text", "title", "value"]
                    .iter()
                    .filter_map(|name| map.get(*name)?.as_str())
                    .map(str::to_owned),
            );
            map.values().for_each(|value| collect(value, texts));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        _ => {}
    }
}
