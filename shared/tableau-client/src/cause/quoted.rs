//! Names of tables, columns and files inside a line. They may look like any error: a column can be called `access_denied`.

use std::ops::Range;

/// The longest name in quotes, in bytes. A longer text in quotes is a message.
const NAME_LIMIT: usize = 128;

/// Whether a part of a line in its normal form begins in a name in quotes: `column 'access denied'`, `x = 'failed'`. A
/// text in quotes after a colon is a message, as in JSON.
pub(super) fn begins_in_name(line: &str, part: &Range<usize>) -> bool {
    names(line).any(|name| name.contains(&part.start))
}

fn names(line: &str) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let open = from + line.get(from..)?.find(['\'', '"'])?;
            let is_word_before = line[..open].ends_with(|c: char| c.is_alphanumeric());
            let Some(close) = closing(line, open).filter(|_| !is_word_before) else {
                from = open + 1;
                continue;
            };
            from = close + 1;
            if follows_a_word(&line[..open]) && close - open <= NAME_LIMIT {
                return Some(open + 1..close);
            }
        }
    })
}

/// Where the quote that opens here is closed: before a character that is part of no word.
fn closing(line: &str, open: usize) -> Option<usize> {
    let quote = line[open..].chars().next()?;
    let closes = |(at, _): &(usize, &str)| !line[open + 2 + at..].starts_with(|c: char| c.is_alphanumeric());
    line[open + 1..].match_indices(quote).find(closes).map(|(at, _)| open + 1 + at)
}

fn follows_a_word(before: &str) -> bool {
    before.ends_with(' ')
        && before.trim_end().ends_with(|c: char| c.is_alphanumeric() || matches!(c, ')' | '='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_name(line: &str, part: &str) -> bool {
        let at = line.find(part).unwrap();
        begins_in_name(line, &(at..at + part.len()))
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
}
