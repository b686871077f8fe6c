//! What is wrong with values, in words for the author of the file. No I/O.

/// How an entry of `do` is written.
pub(crate) const ACTION: &str =
    "expected one workflow with its settings, as in `- notify-slack: { channel: data-alerts }`";

/// What to say of a key that is not known, when the parser has `found` this and the key is near to one that is.
fn unknown_field(found: &str) -> Option<String> {
    let (key, known) = found.strip_prefix("unknown field `")?.split_once("`, expected ")?;
    // Names with or without quotation marks: the parser and serde differ.
    let known = known
        .trim_start_matches("one of ")
        .split([',', ' ', '`'])
        .filter(|name| !name.is_empty() && *name != "or");
    let known: Vec<&str> = known.collect();
    if let Some(problem) = glued(key, &known) {
        return Some(problem);
    }
    let near = tableau::nearest(key, known)?;
    Some(format!("unknown field `{key}`; did you mean `{near}`?"))
}

/// What to say of a value that is none of a few words, when serde has found this.
fn unknown_word(path: &str, found: &str) -> Option<String> {
    let (word, known) = found.strip_prefix("unknown variant `")?.split_once("`, expected ")?;
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    Some(match tableau::nearest(word, known.iter().copied()) {
        Some(near) => format!("{path}: there is no `{word}`; did you mean `{near}`?"),
        None => format!("{path}: there is no `{word}`; there are: {}", known.join(", ")),
    })
}

/// What is wrong with a key that has its value glued to it: `channel:data-alerts`.
pub(crate) fn glued(key: &str, known: &[&str]) -> Option<String> {
    let (name, _) = key.split_once(':').filter(|(name, _)| known.contains(name))?;
    Some(format!("`{name}`: a space is missing after the colon: write `{name}: …`"))
}

/// What is wrong with the settings of a workflow at this path, when serde says this.
pub(crate) fn of_settings(path: &str, problem: &str) -> String {
    let Some((found, expected)) =
        problem.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "))
    else {
        let known = || unknown_field(problem).or_else(|| unknown_word(path, problem));
        return known().unwrap_or_else(|| problem.to_owned());
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
