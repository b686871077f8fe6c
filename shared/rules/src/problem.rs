//! What the parser finds wrong, in words for who writes the file. No I/O.

/// How an entry of `do` is written.
pub(crate) const ACTION: &str =
    "expected one workflow with its settings, as in `- notify-slack: { channel: data-alerts }`";

/// What is wrong with the field at this path, when the parser has `found` this.
pub(crate) fn problem(path: &str, found: &str) -> String {
    if found.contains("found a tab") || found.starts_with("tabs ") {
        return "a tab indents this line or the next one: write spaces".to_owned();
    }
    let path = path.trim_end_matches(".?").trim_end_matches(".value");
    if !path.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let no_fields = found == "expected mapping start";
        return if no_fields { "write `rules:`, and below it a list of rules" } else { found }.to_owned();
    }
    let name = path.rsplit('.').next().unwrap_or_default();
    let expected = match (name.split('[').next().unwrap_or_default(), found) {
        ("do", "expected mapping start") => ACTION,
        ("quiet", "expected mapping start") => "write { from: 19:00, to: 08:00 }",
        ("on", "expected sequence start") => "write a list: [WorkbookCreated]",
        ("do", "expected sequence start") => {
            "write a list, a dash before each entry: `- notify-slack: { channel: data-alerts }`"
        }
        (_, "expected sequence start") => "write a list, a dash before each entry",
        (_, "expected mapping start") => "write fields with their values, as in { name: value }",
        (_, "expected string scalar") => "write a text",
        (_, "invalid boolean") => "write true or false",
        _ => found,
    };
    format!("{path}: {expected}")
}
