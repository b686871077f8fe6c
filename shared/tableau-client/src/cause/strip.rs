//! Removes what Tableau and programming languages put around a vendor's words.

use super::knowledge::Knowledge;
use super::normal::Normal;
use super::pattern::Pattern;

/// A sentence shorter than this is removed only where it is the whole line: it may be part of another sentence.
const LONG: usize = 40;

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
pub(super) fn strip(line: &str, knowledge: &Knowledge) -> Option<Stripped> {
    let mut rest = line.trim().to_owned();
    let mut classes = String::new();
    for _ in 0..TURNS {
        let before = rest.len();
        let without = without_class(&rest).to_owned();
        classes.push_str(&rest[..rest.len() - without.len()]);
        rest = without;
        rest = without_sentences(&rest, knowledge);
        rest = without_beginning(&rest, knowledge);
        if rest.len() == before {
            break;
        }
    }
    let is_blank = rest.chars().all(|c| c.is_whitespace() || c.is_ascii_punctuation());
    (!is_blank).then_some(Stripped { text: rest, classes })
}

fn without_sentences(line: &str, knowledge: &Knowledge) -> String {
    let normal = Normal::of(line);
    let text = normal.text.trim_end();
    let is_end = |rest: &str| rest.chars().all(|c| c.is_ascii_punctuation());
    let is_whole =
        |sentence: &Pattern<'_>| sentence.matches_at(text, 0).is_some_and(|end| is_end(&text[end..]));
    if knowledge.sentences().iter().filter(|sentence| sentence.0.len() < LONG).any(is_whole) {
        return String::new();
    }
    let long = knowledge.sentences().iter().filter(|sentence| sentence.0.len() >= LONG);
    let found = long.filter_map(|sentence| Some((sentence.0.len(), sentence.find_last(text)?)));
    // The sentence with most words of its own has the fewest of the vendor's words in its gaps.
    if let Some((_, range)) = found.max_by_key(|(length, _)| *length) {
        let range = normal.origin(&range);
        let rest = format!("{} {}", line[..range.start].trim_end(), line[range.end..].trim_start());
        return rest.trim().to_owned();
    }
    line.to_owned()
}

fn without_beginning(line: &str, knowledge: &Knowledge) -> String {
    let normal = Normal::of(line);
    for beginning in knowledge.beginnings() {
        if let Some(end) = beginning.matches_at(&normal.text, 0) {
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
        strip(line, Knowledge::get()).map(|stripped| stripped.text)
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
    }
}
