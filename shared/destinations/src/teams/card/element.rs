//! Elements of an Adaptive Card, version 1.4 or older, and the envelope of a flow's trigger.

use alerting::notification::Severity;
use serde_json::{Value, json};

/// The version of every card: flows do not show newer ones.
const VERSION: &str = "1.4";

/// A paragraph. `text` is escaped Markdown.
pub(super) fn paragraph(text: &str) -> Value {
    json!({ "type": "TextBlock", "text": text, "wrap": true })
}

/// A paragraph close to the one above it, to which it belongs.
pub(super) fn line(text: &str) -> Value {
    json!({ "type": "TextBlock", "text": text, "wrap": true, "spacing": "Small" })
}

/// A paragraph in bold type: a heading.
pub(super) fn heading(text: &str) -> Value {
    json!({ "type": "TextBlock", "text": text, "wrap": true, "weight": "Bolder" })
}

/// Technical text: the line of a job's notes.
pub(super) fn code(text: &str) -> Value {
    json!({ "type": "TextBlock", "text": text, "wrap": true, "fontType": "Monospace", "size": "Small", "spacing": "Small" })
}

/// The small print.
pub(super) fn small_print(text: &str) -> Value {
    json!({ "type": "TextBlock", "text": text, "wrap": true, "isSubtle": true, "size": "Small" })
}

/// The title with a coloured ground. The symbol in the text says the same as the colour.
pub(super) fn title(text: &str, severity: Severity) -> Value {
    let style = match severity {
        Severity::Error => "attention",
        Severity::Resolved => "good",
        Severity::Notice => "warning",
        Severity::Info => "emphasis",
    };
    let text =
        json!({ "type": "TextBlock", "text": text, "wrap": true, "weight": "Bolder", "size": "Medium" });
    json!({ "type": "Container", "style": style, "bleed": true, "items": [text] })
}

/// Names and values in two columns.
pub(super) fn fact_set(facts: Vec<Value>) -> Value {
    json!({ "type": "FactSet", "facts": facts })
}

/// One line of [`fact_set`]; both texts are escaped Markdown.
pub(super) fn fact(title: &str, value: &str) -> Value {
    json!({ "title": title, "value": value })
}

/// A button that opens a page. The address is no Markdown.
pub(super) fn open_url(title: &str, url: &str) -> Value {
    json!({ "type": "Action.OpenUrl", "title": title, "url": url })
}

/// The card in its envelope. Actions are at the level of the card; without any, the key is not there.
pub(super) fn envelope(body: Vec<Value>, actions: Vec<Value>, entities: &[Value], fallback: &str) -> Value {
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": VERSION,
        "fallbackText": fallback,
        "msteams": { "width": "Full" },
        "body": body,
    });
    if !entities.is_empty() {
        card["msteams"]["entities"] = Value::from(entities.to_vec());
    }
    if !actions.is_empty() {
        card["actions"] = Value::from(actions);
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card,
        }],
    })
}
