//! Names of tables, columns and files inside a line. They may look like any error: a column can be called `access_denied`.

use super::normal::Normal;
use std::ops::Range;

/// The longest name in quotes, in bytes. A longer text in quotes is a message.
const NAME_LIMIT: usize = 128;
/// How many names in quotes of one line are looked at.
const NAMES_LIMIT: usize = 100;
/// Words after which a name without quotes is a table's, a column's or a file's.
const NAMED_WORDS: [&str; 16] = [
    "column",
    "field",
    "file",
    "from",
    "identifier",
    "into",
    "join",
    "name",
    "object",
    "relation",
    "schema",
    "table",
    "select",
    "variable",
    "where",
    "view",
];
/// How many words before a name say what it is: `table not found orders`.
const WORDS_BEFORE: usize = 3;

/// The names in a line.
pub(super) struct Names {
    in_quotes: Vec<Range<usize>>,
    without_quotes: Vec<Range<usize>>,
    /// Names in lower case with an underscore, wherever they are.
    identifiers: Vec<Range<usize>>,
}

impl Names {
    /// The names in quotes and without: `column 'access denied'`, `x = 'failed'`, `no such column: t.account_locked`. A text
    /// in quotes after a colon is a message, as in JSON.
    pub(super) fn of(line: &Normal, original: &str) -> Self {
        Self {
            in_quotes: in_quotes(&line.text),
            without_quotes: without_quotes(line, original),
            identifiers: identifiers(line, original),
        }
    }

    /// Whether a part of the line in its normal form begins in a name in quotes, is in a name without quotes, or is less than a
    /// whole identifier, such as `access denied` in `access_denied_id`.
    pub(super) fn hold(&self, part: &Range<usize>) -> bool {
        let cuts = |name: &Range<usize>| {
            name.contains(&part.start) && (name.start < part.start || part.end < name.end)
        };
        // It may also reach from one identifier into another: `SELECT paused_id FROM paused`.
        let begins = self.identifiers.iter().any(|name| name.start == part.start && name.end < part.end);
        let ends = |name: &Range<usize>| part.start < name.start && name.contains(&(part.end - 1));
        if self.identifiers.iter().any(|name| cuts(name) || (begins && ends(name))) {
            return true;
        }
        let is_inside = |name: &Range<usize>| name.start <= part.start && part.end <= name.end;
        self.in_quotes.iter().any(|name| name.contains(&part.start))
            || self.without_quotes.iter().any(is_inside)
    }
}

fn in_quotes(line: &str) -> Vec<Range<usize>> {
    let mut names = Vec::new();
    let mut from = 0;
    while let Some(found) = line.get(from..).and_then(|rest| rest.find(['\'', '"'])) {
        let open = from + found;
        from = open + 1;
        if names.len() == NAMES_LIMIT {
            break;
        }
        if line[..open].ends_with(|c: char| c.is_alphanumeric()) {
            continue;
        }
        if let Some(close) = closing(line, open) {
            from = close + 1;
            if follows_a_word(&line[..open]) {
                names.push(open + 1..close);
            }
        }
    }
    names
}

/// Where the quote that opens here is closed: before a character that is part of no word.
fn closing(line: &str, open: usize) -> Option<usize> {
    let quote = line[open..].chars().next()?;
    let end = line.floor_char_boundary(open + 1 + NAME_LIMIT + 1);
    let closes = |(at, _): &(usize, &str)| !line[open + 2 + at..].starts_with(|c: char| c.is_alphanumeric());
    line[open + 1..end].match_indices(quote).find(closes).map(|(at, _)| open + 1 + at)
}

fn follows_a_word(before: &str) -> bool {
    before.ends_with(' ')
        && before.trim_end().ends_with(|c: char| c.is_alphanumeric() || matches!(c, ')' | '='))
}

/// Names that have an underscore or a dot and come soon after a word such as "column".
fn without_quotes(line: &Normal, original: &str) -> Vec<Range<usize>> {
    let mut names = Vec::new();
    let mut before: Vec<String> = Vec::new();
    for token in original.split_whitespace() {
        let start = token.as_ptr().addr() - original.as_ptr().addr();
        let name = token.trim_matches(|c: char| !c.is_alphanumeric());
        let is_name = name.trim_end_matches(['.', ',']).contains(['_', '.']);
        let is_announced =
            before.iter().rev().take(WORDS_BEFORE).any(|word| NAMED_WORDS.contains(&word.as_str()));
        if is_name && is_announced {
            names.push(line.place(&(start..start + token.len())));
        }
        before.push(name.to_ascii_lowercase());
        // What is in the next sentence is not announced by this one.
        if token.ends_with('.') {
            before.clear();
        }
    }
    names
}

/// Words in lower case that underscores join. Codes of vendors are in capitals.
fn identifiers(line: &Normal, original: &str) -> Vec<Range<usize>> {
    let is_of_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '/');
    let names = original
        .split(|c: char| !is_of_name(c))
        .map(|name| name.trim_matches('/'))
        .filter(|name| name.trim_matches('_').contains('_') && name.contains(char::is_lowercase));
    let place = |name: &str| {
        let start = name.as_ptr().addr() - original.as_ptr().addr();
        line.place(&(start..start + name.len()))
    };
    names.map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_name(line: &str, part: &str) -> bool {
        let normal = Normal::of(line);
        let at = normal.text.find(part).unwrap();
        Names::of(&normal, line).hold(&(at..at + part.len()))
    }

    #[test]
    fn what_is_in_quotes_after_a_word_is_a_name_and_after_a_colon_a_message() {
        for line in [
            "unknown column 'access denied' in 'field list'",
            "object \"access denied\" does not exist",
            "select * from t where x = 'access denied' and y = 'z'",
            "the user's column 'access denied'",
        ] {
            assert!(is_name(line, "access denied"), "{line}");
        }
        for line in [
            "access denied for user 'svc'@'host'",
            "{\"error\":\"access denied\",\"message\":\"x\"}",
            "error message: 'access denied'",
            "the user's access denied by the server's owner",
            "column 'a access denied",
            "'access denied'",
        ] {
            assert!(!is_name(line, "access denied"), "{line}");
        }
        assert!(!is_name("unknown column 'x' in 'field list'", "column 'x"));
        assert!(is_name("object 'my drive' does not exist", "drive' does not exist"));
        assert!(!is_name(&format!("it said 'access denied {}'", "x".repeat(200)), "access denied"));
        assert!(!is_name("spalte 'é' und 'access denied'é", "access denied"));
    }

    #[test]
    fn what_has_an_underscore_or_a_dot_after_a_word_such_as_column_is_a_name() {
        for line in [
            "no such column: t.access_denied",
            "Table not found ACCESS_DENIED",
            "SELECT a FROM access_denied, b",
            "é file access_denied.csv is empty",
            "the page has access_denied_id",
            "SELECT access_denied, b",
        ] {
            assert!(is_name(line, "access denied"), "{line}");
        }
        for line in [
            "error: ACCESS_DENIED",
            "the table cannot be read: access denied",
            "The column is there. ACCESS_DENIED",
            "ACCESS_DENIED: column 'x'",
        ] {
            assert!(!is_name(line, "access denied"), "{line}");
        }
    }
}
