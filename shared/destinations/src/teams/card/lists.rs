//! The lists of a card.

use super::element::{heading, line, paragraph};
use super::limits::weight;
use crate::teams::lists::fit;
use crate::teams::text::escape;
use alerting::notification::Notification;
use serde_json::Value;

/// What the elements of a list take, with its heading and its `… and 1,000 more`.
const FRAME: usize = 200;
/// What an element takes that shows one line.
const LINE: usize = 70;
/// Between the names of a group.
const SEPARATOR: &str = " · ";

/// The lists in at most `room`, and how many objects or events they count without naming them.
pub(super) fn elements(shown: &Notification, room: usize) -> (Vec<Value>, usize) {
    let has_lines = shown.kind.lists_lines();
    let besides = if has_lines { LINE } else { weight(&Value::from(SEPARATOR)) };
    let fitted = fit(shown, room, FRAME, |text| weight(&Value::from(escape(text))) + besides);
    let mut elements = Vec::new();
    for list in &fitted.lists {
        let more = list.more();
        let texts = list.items.iter().chain(&more).map(|text| escape(text));
        elements.extend(list.heading.as_deref().map(|text| heading(&escape(text))));
        if has_lines {
            elements.extend(texts.map(|text| line(&text)));
        } else {
            let names: Vec<String> = texts.collect();
            let names = Some(names.join(SEPARATOR)).filter(|names| !names.is_empty());
            let element = if list.heading.is_some() { line } else { paragraph };
            elements.extend(names.map(|names| element(&names)));
        }
    }
    elements.extend(fitted.others().map(|others| paragraph(&others)));
    (elements, fitted.left())
}
