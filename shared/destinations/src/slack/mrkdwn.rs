//! Slack's markup language, and how other text is escaped in it.
//!
//! Source: <https://docs.slack.dev/messaging/formatting-message-text>

use plain_text::{is_invisible, one_line};

/// The longest name of an emoji. Source: <https://docs.slack.dev/reference/methods/admin.emoji.add>
const EMOJI_LIMIT: usize = 101;

/// Cuts a text to `limit` characters; an ellipsis replaces the rest.
pub fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(limit.saturating_sub(1)).collect();
    // Half an entity (`&am`) would be shown literally, so it is cut off too.
    if let Some(start) = short.rfind('&')
        && !short[start..].contains(';')
        && short.len() - start < 5
    {
        short.truncate(start);
    }
    short.push('…');
    short
}

/// Escapes text from outside for use inside markup.
///
/// `&`, `<` and `>` become entities, so that mentions (`<!channel>`) and links lose their effect. Slack has no escape
/// for `*`, `_`, `~` and `` ` ``: where one of them could begin or end formatting, at the edge of a word, a
/// zero-width space separates it from its neighbours. The same is done for emoji names (`:warning:`).
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut before: Option<char> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            ':' if begins_emoji(chars.clone()) => out.extend([':', '\u{200b}']),
            '*' | '_' | '~' | '`' => {
                let inside_word = before.is_some_and(char::is_alphanumeric)
                    && chars.peek().copied().is_some_and(char::is_alphanumeric);
                if inside_word {
                    out.push(c);
                } else {
                    out.extend(['\u{200b}', c, '\u{200b}']);
                }
            }
            c => out.push(c),
        }
        before = Some(c);
    }
    out
}

/// Whether the characters after a colon are an emoji name with its second colon.
fn begins_emoji(behind: impl Iterator<Item = char>) -> bool {
    let is_part =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '+' | '\'');
    let mut has_letter = false;
    for c in behind.take(EMOJI_LIMIT) {
        match c {
            ':' => return has_letter,
            c if is_part(c) => has_letter |= !c.is_ascii_digit(),
            _ => return false,
        }
    }
    false
}

/// A link with a label on one line. `None` when the address is not http or https, which a message must not link to.
pub fn link(url: &str, label: &str) -> Option<String> {
    let lower = url.to_ascii_lowercase();
    if !lower.starts_with("https://") && !lower.starts_with("http://") {
        return None;
    }
    let mut address = String::with_capacity(url.len());
    for c in url.chars() {
        match c {
            '|' => address.push_str("%7C"),
            '<' => address.push_str("%3C"),
            '>' => address.push_str("%3E"),
            '&' => address.push_str("&amp;"),
            c if c.is_whitespace() || c.is_control() => address.push_str("%20"),
            c if is_invisible(c) => {
                c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| address.push_str(&format!("%{byte:02X}")));
            }
            c => address.push(c),
        }
    }
    Some(format!("<{address}|{}>", escape(&one_line(label)).replace('|', "¦")))
}

/// Technical text on one line in a code span. Backticks and line breaks, which would end the span, are replaced.
pub fn code(text: &str) -> String {
    let line =
        one_line(text).replace('`', "'").replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("`{line}`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn mentions_and_links_in_names_stay_text() {
        assert_eq!(escape("<!channel> & <@U123|x>"), "&lt;!channel&gt; &amp; &lt;@U123|x&gt;");
        assert_eq!(code("a`b <!here>\nc"), "`a'b &lt;!here&gt; c`");
    }

    #[test]
    fn formatting_characters_stay_text_and_ordinary_names_stay_as_they_are() {
        assert_eq!(escape("sales_daily_v2"), "sales_daily_v2");
        assert_eq!(escape(":warning: KPI 10:30:45"), ":\u{200b}warning: KPI 10:30:45");
        assert_eq!(escape("*bold*"), "\u{200b}*\u{200b}bold\u{200b}*\u{200b}");
    }

    #[test]
    fn a_link_takes_no_other_scheme_and_no_end_of_its_own() {
        assert_eq!(
            link("https://t.example/a b|c>d?e=1&f=2", "Open").unwrap(),
            "<https://t.example/a%20b%7Cc%3Ed?e=1&amp;f=2|Open>"
        );
        assert_eq!(link("javascript:alert(1)", "Open"), None);
        assert_eq!(
            link("https://t.example/\u{202e}a", "Open").unwrap(),
            "<https://t.example/%E2%80%AEa|Open>"
        );
    }

    // D029
    #[test]
    fn a_label_is_on_one_line_and_has_no_markup() {
        assert_eq!(
            link("https://t.example/", "Sales\n*EU*|>").unwrap(),
            "<https://t.example/|Sales \u{200b}*\u{200b}EU\u{200b}*\u{200b}¦&gt;>"
        );
    }

    #[test]
    fn a_cut_leaves_no_half_entity() {
        assert_eq!(cut("abc&amp;def", 7), "abc…");
        assert_eq!(cut("abcdef", 6), "abcdef");
    }

    proptest! {
        #[test]
        fn no_name_can_mention_or_link(name in ".*") {
            let escaped = escape(&name);
            prop_assert!(!escaped.contains('<') && !escaped.contains('>'));
            let code = code(&name);
            prop_assert_eq!(code.matches('`').count(), 2);
            prop_assert!(!code.contains('<') && !code.contains('\n'));
        }

        #[test]
        fn a_cut_is_never_longer_than_asked(text in ".*", limit in 1usize..50) {
            prop_assert!(cut(&text, limit).chars().count() <= limit);
        }
    }
}
