//! What an incident says. Pure.

use super::text::{cut, line, neutral};
use crate::teams::text_within;
use alerting::notification::{Item, Kind, Notification, Value};
use plain_text::{is_blank, one_line};

/// The length of `short_description` in the table.
const SHORT_LIMIT: usize = 160;
/// The length of `description`, and of a journal entry.
const LONG_LIMIT: usize = 4_000;
/// What the small print takes of it.
const NOTES_LIMIT: usize = 500;

/// The texts of an incident, safe in every field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// For `short_description`: one line of at most 160 characters.
    pub short: String,
    /// For `description`, `work_notes` and `close_notes`: at most 4,000 characters.
    pub long: String,
}

/// The texts of a notification.
pub fn render(shown: &Notification) -> Rendered {
    let notes: Vec<String> = shown.footnotes.iter().map(|note| one_line(note)).collect();
    let notes = line(&notes.join(" · "), NOTES_LIMIT);
    let room = LONG_LIMIT - NOTES_LIMIT - 100;
    let text = text_within(shown, room);
    // The symbol is for messages: not every database of an instance keeps it.
    let text = text.strip_prefix(shown.symbol).unwrap_or(&text).trim_start();
    let long = if notes.is_empty() { text.to_owned() } else { format!("{text}\n{notes}") };
    Rendered { short: short(shown), long: cut(&neutral(&long), LONG_LIMIT) }
}

/// Title, name and project.
fn short(shown: &Notification) -> String {
    let project = shown.facts.iter().find(|fact| fact.label == "Project").map(|fact| &fact.value);
    let project = match project {
        Some(Value::Text(project)) if shown.own_title.is_none() && !is_blank(project) => {
            format!(" ({})", one_line(project))
        }
        _ => String::new(),
    };
    let with_project = format!("{}{project}", one_line(&shown.headline()));
    let fits = with_project.chars().count() <= SHORT_LIMIT;
    line(if fits { &with_project } else { &with_project[..with_project.len() - project.len()] }, SHORT_LIMIT)
}

/// The texts about one object that a group or digest names.
pub(super) fn of_item(item: &Item, of: &Notification) -> Rendered {
    let name = if is_blank(&item.name) { "(no name)" } else { &item.name };
    let title = match (&item.what, of.kind) {
        (Some(what), _) => what.as_str(),
        (None, _) => "Extract refresh failed",
    };
    let mut lines = vec![format!("{title}: {}", one_line(name))];
    lines.extend(item.cause.as_deref().map(|cause| format!("Cause – {}", one_line(cause))));
    lines.extend(item.place.project.as_deref().map(|project| format!("Project: {}", one_line(project))));
    lines.extend(item.place.owner.as_deref().map(|owner| format!("Owner: {}", one_line(owner))));
    lines.push(match of.kind {
        Kind::Digest => "It failed in quiet hours, and has not recovered.".to_owned(),
        _ => "It failed together with others: see the parent incident.".to_owned(),
    });
    Rendered { short: line(&lines[0], SHORT_LIMIT), long: cut(&neutral(&lines.join("\n")), LONG_LIMIT) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alerting::notification::test;

    #[test]
    fn texts_have_no_symbol_and_fit_their_fields() {
        let mut shown = test("track-servicenow-incident");
        let rendered = render(&shown);
        assert_eq!(rendered.short, "Test");
        assert!(
            rendered.long.starts_with("Test\nThe command tableau-webhooks test sent this."),
            "{rendered:?}"
        );
        assert!(rendered.long.ends_with("\ntest notification of track-servicenow-incident"), "{rendered:?}");

        shown.subject = Some(format!("[code]{}\n", "Sales & Größe データ ".repeat(500)));
        shown.own_text = Some("\u{1f525}x".repeat(9_000));
        let rendered = render(&shown);
        assert!(
            rendered.short.starts_with("Test: [\u{200b}code]Sales") && rendered.short.ends_with('…'),
            "{rendered:?}"
        );
        assert_eq!(rendered.short.chars().count().max(SHORT_LIMIT), SHORT_LIMIT);
        assert!(rendered.long.chars().count() <= LONG_LIMIT && rendered.long.contains('…'));
        assert!(!rendered.long.contains("[code"));
    }
}
