//! Text from outside in the fields of ServiceNow.

use plain_text::{is_invisible, one_line, visible};

/// Keeps two characters apart that mean something together.
const APART: char = '\u{200b}';

/// Makes a text mean nothing but itself. In journal fields, ServiceNow shows what stands between `[code]` and `[/code]` as HTML, so
/// each of these is taken apart. Control characters and invisible ones are removed before.
///
/// Source: <https://www.servicenow.com/docs/r/platform-administration/r_UseHTMLInJournalFields.html>
pub fn neutral(text: &str) -> String {
    let text = visible(text);
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text.as_ref();
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        out.push(c);
        if c == '[' && is_code(rest) {
            out.push(APART);
        }
    }
    out
}

/// Whether `code` follows, in whatever case, behind a slash, white space or invisible characters.
fn is_code(rest: &str) -> bool {
    let letters = rest.chars().filter(|c| !c.is_whitespace() && !is_invisible(*c) && *c != '/');
    letters.take(4).map(|c| c.to_ascii_lowercase()).eq("code".chars())
}

/// A text on one line of at most `limit` characters, an ellipsis in place of the rest.
pub(super) fn line(text: &str, limit: usize) -> String {
    cut(&neutral(&one_line(text)), limit)
}

/// At most `limit` characters of a text, an ellipsis in place of the rest.
pub(super) fn cut(text: &str, limit: usize) -> String {
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

    #[test]
    fn what_would_be_html_in_a_journal_is_text() {
        for (name, expected) in [
            ("[code]<b>x</b>[/code]", "[\u{200b}code]<b>x</b>[\u{200b}/code]"),
            ("[CoDe]<script>", "[\u{200b}CoDe]<script>"),
            ("[ / code ]", "[\u{200b} / code ]"),
            ("[\ncode]", "[\u{200b}\ncode]"),
            ("[co\u{200b}de]", "[\u{200b}code]"),
            ("[[code]]", "[[\u{200b}code]]"),
            ("Sales [EU] <b>", "Sales [EU] <b>"),
            ("a\u{0}b\r\nc", "ab\nc"),
        ] {
            assert_eq!(neutral(name), expected, "{name:?}");
        }
    }

    #[test]
    fn a_cut_shows_and_a_line_has_no_breaks() {
        assert_eq!(line("Sales\nOrders", 40), "Sales Orders");
        assert_eq!(line("Sales Orders", 7), "Sales…");
        assert_eq!(cut("Sales", 5), "Sales");
    }

    proptest! {
        #[test]
        fn no_text_begins_or_ends_code(text in "(\\[|/|code|CODE| |\u{200b}|\\]|.){0,30}") {
            let shown = neutral(&text).to_lowercase();
            prop_assert!(!shown.contains("[code") && !shown.contains("[/code"), "{shown:?}");
        }
    }
}
