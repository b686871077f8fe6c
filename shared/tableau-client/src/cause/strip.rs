//! Removes what Tableau and programming languages put around a vendor's words.

use super::knowledge::Knowledge;
use super::normal::Normal;
use super::pattern::{Pattern, Steps};
use std::ops::Range;

/// A sentence shorter than this is removed only where it is the whole line: it may be part of another sentence.
const LONG: usize = 40;

/// Classes of Tableau's own. Alone they tell nothing, while `java.net.UnknownHostException` does.
const OWN_CLASSES: &str = "com.tableausoftware.";
/// How many wrappers are removed from one line, so that a hostile line costs little.
const TURNS: usize = 16;

/// A line without wrappers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stripped {
    /// The vendor's words.
    pub(super) text: String,
    /// The names of classes before them, which can tell the cause too: `UnknownHostException`.
    pub(super) classes: String,
}

/// A line without wrappers. `None` if nothing remains.
pub(super) fn strip(line: &str, knowledge: &Knowledge, steps: &Steps) -> Option<Stripped> {
    let mut rest = line.trim().to_owned();
    let mut classes = String::new();
    for _ in 0..TURNS {
        let before = rest.len();
        if is_class(rest.trim_end_matches(':')) && rest.starts_with(OWN_CLASSES) {
            return None;
        }
        let without = without_class(&rest).to_owned();
        classes.push_str(&rest[..rest.len() - without.len()]);
        rest = without;
        rest = without_sentences(&rest, knowledge, steps);
        rest = without_beginning(&rest, knowledge, steps);
        if rest.len() == before {
            break;
        }
    }
    let is_blank = rest.chars().all(|c| c.is_whitespace() || c.is_ascii_punctuation());
    (!is_blank).then_some(Stripped { text: rest, classes })
}

fn without_sentences(line: &str, knowledge: &Knowledge, steps: &Steps) -> String {
    let normal = Normal::of(line);
    let text = normal.text.trim_end();
    let is_whole = |sentence: &Pattern<'_>| sentence.matches_whole(text, steps);
    if knowledge.sentences().iter().filter(|sentence| sentence.0.len() < LONG).any(is_whole) {
        return String::new();
    }
    let long = knowledge.sentences().iter().filter(|sentence| sentence.0.len() >= LONG);
    let found = long.filter_map(|sentence| Some((sentence, sentence.find_last(text, steps)?)));
    // The sentence with most words of its own has the fewest of the vendor's words in its gaps.
    if let Some((sentence, range)) = found.max_by_key(|(sentence, _)| sentence.0.len()) {
        let range = normal.origin(&whole_sentence(sentence.0, text, range));
        let rest = format!("{} {}", line[..range.start].trim_end(), line[range.end..].trim_start());
        return rest.trim().to_owned();
    }
    line.to_owned()
}

/// A range with the rest of its sentence, where the pattern is open at an end.
fn whole_sentence(pattern: &str, text: &str, range: Range<usize>) -> Range<usize> {
    let ends = |at: usize, c: char| {
        c == '。'
            || (matches!(c, '.' | ':' | ';')
                && text[at + c.len_utf8()..].starts_with(|c: char| c.is_whitespace()))
    };
    let start = match pattern.starts_with('*') {
        true => {
            let before = text[..range.start].char_indices().rev().find(|(at, c)| ends(*at, *c));
            before.map_or(0, |(at, c)| at + c.len_utf8())
        }
        false => range.start,
    };
    let end = match pattern.ends_with('*') {
        true => {
            let after = text[range.end..].char_indices().find(|(at, c)| ends(range.end + at, *c));
            after.map_or(text.len(), |(at, _)| range.end + at)
        }
        false => range.end,
    };
    start..end
}

fn without_beginning(line: &str, knowledge: &Knowledge, steps: &Steps) -> String {
    let normal = Normal::of(line);
    for beginning in knowledge.beginnings() {
        if let Some(end) = beginning.matches_start(&normal.text, steps) {
            return line[normal.origin(&(end..end)).start..].trim_start().to_owned();
        }
    }
    line.to_owned()
}

/// A line without the name of a Java class before it: `java.lang.RuntimeException: text` becomes `text`.
fn without_class(line: &str) -> &str {
    match line.split_once(':') {
        Some((head, rest)) if is_class(head) && !rest.trim().is_empty() => rest.trim_start(),
        _ => line,
    }
}

fn is_class(head: &str) -> bool {
    let is_error = head.ends_with("Exception") || head.ends_with("Error");
    is_error && head.contains('.') && !head.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(line: &str) -> Option<String> {
        strip(line, Knowledge::get(), &Steps::new()).map(|stripped| stripped.text)
    }

    #[test]
    fn closing_sentences_and_class_names_go() {
        let closing = "Unable to connect to the Snowflake server \"x.example.com\". Check that the server is running and \
                       that you have access privileges to the requested database.";
        assert_eq!(stripped(closing), None);
        assert_eq!(stripped(&format!("ERROR: it broke. {closing}")).as_deref(), Some("ERROR: it broke."));
        assert_eq!(stripped("java.lang.RuntimeException: com.x.YException: text").as_deref(), Some("text"));
        assert_eq!(stripped("Error: 5: text").as_deref(), Some("Error: 5: text"));
        assert_eq!(stripped("  at com.tableau.X(Y.java:12)"), None);
        assert_eq!(stripped(" . "), None);
        assert_eq!(stripped("SQL = SELECT user_has_been_disabled FROM crm"), None);
        assert_eq!(stripped("Request ID: 7d4"), None);
        assert_eq!(stripped("com.tableausoftware.nativeapi.exceptions.ConnectivityException:"), None);
        assert_eq!(
            stripped("java.net.UnknownHostException").as_deref(),
            Some("java.net.UnknownHostException")
        );
        let spanish = "No se puede conectar al servidor \"db\". Compruebe que el servidor se está ejecutando y que tiene \
                       acceso a la base de datos solicitada.";
        assert_eq!(stripped(spanish), None);
        assert_eq!(stripped(&format!("Se rompió. {spanish}")).as_deref(), Some("Se rompió."));
    }
}
