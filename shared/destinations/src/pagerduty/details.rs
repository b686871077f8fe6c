//! The table of details that PagerDuty shows below an alert: the whole text, and its parts by name.

use super::text;
use alerting::notification::Notification;
use plain_text::one_line;
use serde_json::{Map, Value};

/// The longest value but for the whole text, in characters.
const VALUE_LIMIT: usize = 1_000;
/// What stands at the end of a text that is cut.
const CUT: usize = 100;

/// The details, whose JSON has at most `room` bytes: the end of the text is left out where it would have more.
pub(super) fn of(shown: &Notification, room: usize) -> Map<String, Value> {
    let mut details = Map::new();
    let mut add = |name: &str, value: Option<String>| {
        let value = value.map(|value| text::cut_at_word(&value, VALUE_LIMIT));
        details.extend(value.filter(|value| !value.is_empty()).map(|value| (name.to_owned(), value.into())));
    };
    add("cause", text::cause(shown));
    add("cause_detail", text::detail(shown));
    add("next_step", shown.next_step.as_deref().map(one_line));
    for fact in &shown.facts {
        let name = fact.label.to_lowercase().replace(' ', "_");
        add(&name, Some(text::value(fact, shown.timezone.as_ref())));
    }
    add("standing", Some(text::standing(shown).collect::<Vec<_>>().join(" · ")));
    add("impact", text::impact(shown));
    add("event", shown.event.as_deref().map(|event| one_line(event.name.as_str())));
    let of_one = shown.event.as_deref().filter(|_| shown.subject.is_some());
    add("event_id", of_one.map(|event| event.id.short().to_owned()));
    add("object_luid", of_one.map(|event| event.subject.luid().to_owned()));
    let taken = Value::Object(details.clone()).to_string().len();
    details.insert("text".to_owned(), whole(text::lines(shown), room.saturating_sub(taken + CUT)).into());
    details
}

/// The lines as one text, of at most `room` bytes in JSON. What is left out is counted.
fn whole(lines: Vec<String>, room: usize) -> String {
    let mut left = room;
    let mut kept = Vec::new();
    let count = lines.len();
    for line in lines {
        // The line break takes two bytes in JSON.
        let Some(rest) = left.checked_sub(size(&line) + 2) else { break };
        left = rest;
        kept.push(line);
    }
    let more = count - kept.len();
    if more > 0 {
        kept.push(format!("… left out, since the event would be too large: {more} lines"));
    }
    kept.join("\n")
}

/// How many bytes a text has in JSON.
fn size(text: &str) -> usize {
    Value::from(text).to_string().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_leaves_out_is_counted() {
        let lines = || (0..100).map(|n| format!("line {n} \"{}\"", "x".repeat(90))).collect::<Vec<_>>();
        assert_eq!(whole(lines(), 100_000).lines().count(), 100);
        let cut = whole(lines(), 1_000);
        assert!(size(&cut) <= 1_000 + CUT, "{}", size(&cut));
        let kept = cut.lines().count() - 1;
        assert!(
            cut.ends_with(&format!("… left out, since the event would be too large: {} lines", 100 - kept))
        );
    }
}
