//! What the parser finds wrong, in words for who writes the file. No I/O.

use crate::comment::Comment;

/// How an entry of `do` is written.
pub(crate) const ACTION: &str =
    "expected one workflow with its settings, as in `- notify-slack: { channel: data-alerts }`";

/// How the parser begins to say that there is no value where it needs one.
const NULL: &str = "cannot deserialize null into";

/// The comment that explains what the parser has found on this line, if one does.
pub(crate) fn comment(text: &str, found: &str, line: u64) -> Option<Comment> {
    // What is no YAML may be so because of a bracket far above; what is YAML and no rule is wrong where it stands.
    let is_yaml = ["unknown field", "missing field", "duplicate", "expected ", "invalid boolean", NULL];
    if !is_yaml.iter().any(|start| found.starts_with(start)) {
        return Comment::in_place_of_value(text, line)
            .filter(|_| found.starts_with("comments must be separated"))
            .or_else(|| Comment::that_hides_a_bracket(text));
    }
    let may_be_a_comment = found.starts_with(NULL) || found.starts_with("expected ");
    Comment::in_place_of_value(text, line).filter(|_| may_be_a_comment)
}

/// What is wrong, when the parser cannot read the text as YAML and has `found` this.
pub(crate) fn of_syntax(found: &str) -> String {
    if found.contains("found a tab") || found.starts_with("tabs ") {
        return "a tab indents this line or the next one: write spaces".to_owned();
    }
    if found.starts_with("alias references") {
        return "`*` at the beginning of a value is an alias in YAML: put the value in quotation marks"
            .to_owned();
    }
    if found == "expected string scalar" {
        return "write a text before the colon".to_owned();
    }
    let special = ["unexpected character", "mapping values are not allowed", "mapping keys are not"];
    match special.iter().any(|start| found.starts_with(start)) {
        true => format!("{found}: put a value with such characters in quotation marks"),
        false => found.to_owned(),
    }
}

/// What to say of a key that is none of `names`.
pub(crate) fn unknown_key(key: &str, names: &[&str]) -> String {
    match tableau::nearest(key, names.iter().copied()) {
        Some(near) => format!("unknown field `{key}`; did you mean `{near}`?"),
        None => format!("unknown field `{key}`; there are: {}", names.join(", ")),
    }
}

/// What to say of a key that is not known, when the parser has `found` this and the key is near to one that is.
fn unknown_field(found: &str) -> Option<String> {
    let (key, known) = found.strip_prefix("unknown field `")?.split_once("`, expected ")?;
    // Names with or without quotation marks: the parser and serde differ.
    let known = known
        .trim_start_matches("one of ")
        .split([',', ' ', '`'])
        .filter(|name| !name.is_empty() && *name != "or");
    let near = tableau::nearest(key, known)?;
    Some(format!("unknown field `{key}`; did you mean `{near}`?"))
}

/// What is wrong with the settings of a workflow at this path, when serde says this.
pub(crate) fn of_settings(path: &str, problem: &str) -> String {
    let Some((found, expected)) =
        problem.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
    else {
        return unknown_field(problem).unwrap_or_else(|| problem.to_owned());
    };
    let expected = match expected {
        "a string" => "a text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "fields with their values, as in { name: value }",
        other => other,
    };
    match found {
        "null" => format!("{path}: it has no value: write {expected}"),
        found => format!("{path}: write {expected}, not {}", kind(found)),
    }
}

/// What was found, as people call it.
fn kind(found: &str) -> String {
    match found.split_once(" `").map(|(_, value)| value) {
        Some(value) => format!("`{value}"),
        None => match found.split_once(" \"") {
            Some((_, value)) => format!("\"{value}"),
            None => format!("a {}", found.replace("sequence", "list").replace("map", "list of fields")),
        },
    }
}

/// What is wrong with a text that has typographic quotation marks around it, as a word processor makes them.
pub(crate) fn typographic_quotes(name: &str, text: &str) -> Option<String> {
    let is_quote = |c: char| matches!(c, '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}');
    let first = text.chars().next().filter(|c| is_quote(*c))?;
    let inner = text.trim_matches(is_quote);
    if !text.ends_with(is_quote) || inner.is_empty() {
        return None;
    }
    let name = if name.is_empty() { String::new() } else { format!("{name}: ") };
    Some(format!("{name}`{first}` is no quotation mark in YAML: write {inner} or \"{inner}\""))
}
