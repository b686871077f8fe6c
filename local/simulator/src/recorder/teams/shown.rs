//! The texts of a card as Teams shows them.

use serde_json::Value;

/// The texts of a card without escapes, in their order.
pub(super) fn texts(card: &Value) -> Vec<String> {
    elements(&card["body"]).flat_map(lines_of).collect()
}

pub(super) fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(super) fn lines_of(element: &Value) -> Vec<String> {
    match element["type"].as_str().unwrap_or_default() {
        "TextBlock" => vec![plain(text(&element["text"]))],
        "FactSet" => elements(&element["facts"])
            .map(|fact| format!("{}  {}", plain(text(&fact["title"])), plain(text(&fact["value"]))))
            .collect(),
        "Container" | "Column" => elements(&element["items"]).flat_map(lines_of).collect(),
        "ColumnSet" => elements(&element["columns"]).flat_map(lines_of).collect(),
        other => vec![format!("[{other}]")],
    }
}

pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Markdown as it is shown: without the signs of emphasis and the backslashes of escapes.
fn plain(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut chars = markdown.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next()),
            '*' | '\u{200b}' => {}
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_emphasis_are_not_shown() {
        assert_eq!(plain(r"**Cause** – sales\_eu \*x\* a\\b <"), r"Cause – sales_eu *x* a\b <");
    }
}
