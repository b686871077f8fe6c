//! Renders a post as plain text for terminals and tests. No colour.

use super::post::TeamsPost;
use super::shown::{elements, lines_of, text};

/// The lines of a post: a card as Teams would show it, or each plain field that is not empty.
pub fn render_post(post: &TeamsPost) -> String {
    if let Some(card) = post.card() {
        let mut lines: Vec<String> = elements(&card["body"]).flat_map(lines_of).collect();
        let actions = elements(&card["actions"]);
        lines
            .extend(actions.map(|action| format!("[{}] ({})", text(&action["title"]), text(&action["url"]))));
        return lines.join("\n");
    }
    let fields = post.body.as_object().into_iter().flatten();
    let shown =
        fields.filter_map(|(name, value)| Some((name, value.as_str().filter(|value| !value.is_empty())?)));
    shown
        .map(|(name, value)| format!("{name}: {}", value.replace('\n', "\n    ")))
        .collect::<Vec<_>>()
        .join("\n")
}
