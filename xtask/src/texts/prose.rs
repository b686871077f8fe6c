//! Which literals are texts for people.

use super::kind::Kind;

/// Whether a literal that may be anything is a text for people: two words or more, and no expression, query, path or pattern.
pub(super) fn is_prose(literal: &str) -> bool {
    let plain = without_placeholders(literal);
    let words = plain.split_whitespace().filter(|word| is_word(word)).count();
    let has_space = literal.trim().contains(' ');
    let has_placeholder = plain != literal;
    has_space && (words > 1 || words == 1 && has_placeholder) && !is_expression(&plain)
}

/// Whether a literal that is meant for people has something to read.
pub(super) fn has_words(literal: &str) -> bool {
    without_placeholders(literal).chars().filter(|c| c.is_alphabetic()).count() > 1
}

/// Whether a text of the kinds that are made of parts is a part only: few words that begin in the middle of a sentence, such as
/// `an array`. The whole sentence is read where it is made.
pub(super) fn is_part_of_a_sentence(text: &str, kind: Kind) -> bool {
    let is_short = text.split_whitespace().count() < 4;
    let begins_within = text.chars().next().is_some_and(|c| c.is_lowercase() || c == '{' || c == '(');
    matches!(kind, Kind::Error | Kind::Output | Kind::Message) && is_short && begins_within
}

/// A single word with a capital: a heading, or the text of a button.
pub(super) fn is_label(literal: &str) -> bool {
    let mut letters = literal.trim_end_matches(':').chars();
    letters.next().is_some_and(char::is_uppercase) && literal.len() > 3 && letters.all(|c| c.is_lowercase())
}

/// The text without what `format!` fills in.
fn without_placeholders(literal: &str) -> String {
    let mut text = String::with_capacity(literal.len());
    let mut depth = 0_usize;
    for c in literal.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            c if depth == 0 => text.push(c),
            _ => {}
        }
    }
    text
}

/// A word of a sentence, perhaps with a mark behind it.
fn is_word(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    word.chars().filter(|c| c.is_alphabetic()).count() > 1
        && word.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '-'))
}

/// An expression of DynamoDB or SQL, code, YAML with CloudFormation's tags, XML, a head of HTTP.
fn is_expression(text: &str) -> bool {
    const STARTS: [&str; 11] = [
        "<?xml",
        "ADD ",
        "HTTP/1.1",
        "REMOVE ",
        "SELECT ",
        "SET ",
        "begins_with(",
        "import ",
        "mod ",
        "pub ",
        "query ",
    ];
    const PARTS: [&str; 5] = ["!Equals", "!Or", "!Ref", "!Sub", "attribute_"];
    let text = text.trim_start();
    let has_name = text
        .split([' ', '(', ','])
        .any(|word| word.starts_with([':', '#']) && word.chars().nth(1).is_some_and(char::is_alphabetic));
    let is_markup = text.starts_with('<') && text.ends_with('>');
    let has_code =
        STARTS.iter().any(|word| text.starts_with(word)) || PARTS.iter().any(|part| text.contains(part));
    has_code || has_name || is_markup
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_prose_and_an_expression_is_none() {
        for prose in
            ["cannot read {path}: {error}", "the queue is empty", "{count} events", "not a data source"]
        {
            assert!(is_prose(prose), "{prose}");
        }
        for other in [
            "attribute_exists(pk) AND #state = :open",
            "SET #state = :state, until = :until",
            "#a = :b AND begins_with(sk, :start)",
            "dead_letters",
            "{workflow}#{id}",
            "<site id=\"{id}\"> </site>",
            "query datasources { name }",
            " REMOVE {}",
            "pub use {module}::{settings};",
            "Condition: !Equals [!Ref {name}Enabled, false]",
            "%Y-%m-%d %H:%M",
            "https://example.com/a b",
        ] {
            assert!(!is_prose(other), "{other}");
        }
    }
}
