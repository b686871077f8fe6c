//! The Markdown subset of Adaptive Cards, and how other text is escaped in it.
//!
//! Source: <https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format>

/// Keeps two characters apart that mean something together.
const APART: char = '\u{200b}';

/// Escapes text from outside for a `TextBlock` or a `FactSet`.
///
/// A backslash keeps emphasis, code and links from beginning. What has no escape is taken apart by a zero-width space: `<at>`, which
/// mentions people; entities such as `&lt;`; `{{DATE(…)}}`; and the signs that make a line a heading, a list or a quotation.
/// Addresses of actions are no Markdown and must not be escaped.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut is_start = true;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        match c {
            '\\' | '*' | '_' | '[' | ']' | '`' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '<' | '{' => {
                out.push(c);
                out.push(APART);
            }
            '&' if next.is_some_and(|next| next == '#' || next.is_ascii_alphabetic()) => {
                out.push(c);
                out.push(APART);
            }
            '#' | '-' | '+' | '>' | '=' | '|' if is_start => {
                out.push('\\');
                out.push(c);
            }
            '.' | ')' if is_number(&out) => {
                out.push('\\');
                out.push(c);
            }
            '\r' => out.push(' '),
            _ => out.push(c),
        }
        is_start = match c {
            '\n' => true,
            ' ' | '\t' => is_start,
            _ => false,
        };
    }
    out
}

/// Whether the line so far is a number, as in `1. Sales`, which would begin a list.
fn is_number(out: &str) -> bool {
    let line = out.rsplit('\n').next().unwrap_or_default().trim_start();
    !line.is_empty() && line.len() <= 9 && line.bytes().all(|byte| byte.is_ascii_digit())
}

/// Cuts a text to `limit` characters, an ellipsis in place of the rest.
pub fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let short: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", short.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // D028
    #[test]
    fn names_show_as_they_are() {
        for (name, expected) in [
            ("sales_eu_west", r"sales\_eu\_west"),
            ("*bold* [link](https://evil.example)", r"\*bold\* \[link\](https://evil.example)"),
            (r"a\b `c` ~d~", r"a\\b \`c\` \~d\~"),
            ("# Sales", r"\# Sales"),
            ("- Sales - EU", r"\- Sales - EU"),
            ("1. Sales 2.5", r"1\. Sales 2.5"),
            ("2026 figures", "2026 figures"),
            ("AT&T R&D", "AT&\u{200b}T R&\u{200b}D"),
            ("a & b <3", "a & b <\u{200b}3"),
            ("<at>Dana</at>", "<\u{200b}at>Dana<\u{200b}/at>"),
            ("{{DATE(2026-11-01T10:00:00Z)}}", "{\u{200b}{\u{200b}DATE(2026-11-01T10:00:00Z)}}"),
            ("売上_2026", r"売上\_2026"),
        ] {
            assert_eq!(escape(name), expected);
        }
    }

    #[test]
    fn a_cut_shows() {
        assert_eq!(cut("Sales", 5), "Sales");
        assert_eq!(cut("Sales Orders", 7), "Sales…");
    }

    proptest! {
        #[test]
        fn no_text_mentions_formats_or_ends_the_escape(text in ".*") {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains("<at>") && !escaped.contains("{{"));
            let mut is_escaped = false;
            for c in escaped.chars() {
                prop_assert!(is_escaped || !"*_[]`~".contains(c), "{escaped}");
                is_escaped = c == '\\' && !is_escaped;
            }
            prop_assert!(!is_escaped, "{escaped}");
        }
    }
}
