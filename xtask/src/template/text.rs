//! The little that our templates need: sections, lists and placeholders. No I/O.

/// Keeps the lines between `{{#x}}` and `{{/x}}` where `x` is true, and those between `{{^x}}` and `{{/x}}` where it is not.
pub(crate) fn with_sections(template: &str, is_true: impl Fn(&str) -> bool) -> String {
    let mut is_kept = true;
    let mut kept = String::new();
    for line in template.lines() {
        let marker = line.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
        if let Some(name) = marker.and_then(|marker| marker.strip_prefix('#')) {
            is_kept = is_true(name);
        } else if let Some(name) = marker.and_then(|marker| marker.strip_prefix('^')) {
            is_kept = !is_true(name);
        } else if marker.is_some_and(|marker| marker.starts_with('/')) {
            is_kept = true;
        } else if is_kept {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Puts lines in the place of a line that holds the list's placeholder alone, as far in as that; none for an empty list.
pub(crate) fn with_lists(template: &str, lists: &[(&str, Vec<String>)]) -> String {
    let mut text = String::new();
    for line in template.lines() {
        let marker = line.trim();
        let list = lists.iter().find(|(name, _)| marker == format!("{{{{{name}}}}}"));
        let Some((_, items)) = list else {
            text.push_str(line);
            text.push('\n');
            continue;
        };
        let indent = &line[..line.len() - marker.len()];
        for item in items {
            text.push_str(format!("{indent}{item}").trim_end());
            text.push('\n');
        }
    }
    text
}

/// Puts values in the place of `{{placeholders}}`.
pub(crate) fn render(template: &str, values: &[(&str, String)]) -> String {
    values
        .iter()
        .fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
}

/// A sentence as a value in YAML: in quotes if it means something else without.
pub(crate) fn scalar(text: &str) -> String {
    let begins_plainly = text.starts_with(|c: char| c.is_alphabetic());
    let is_plain = begins_plainly && !text.contains(": ") && !text.contains(" #") && !text.ends_with(':');
    if is_plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_kept_or_left_out_and_a_list_has_the_indent_of_its_placeholder() {
        let template = "a:\n  {{#x}}\n  b: {{b}}\n  {{/x}}\n{{^x}}\nc: d\n{{/x}}\n  {{list}}\n";
        let of = |x: bool, list: &[&str]| {
            let text = with_sections(template, |name| name == "x" && x);
            let list = list.iter().map(|&item| item.to_owned()).collect();
            render(&with_lists(&text, &[("list", list)]), &[("b", "e".to_owned())])
        };
        assert_eq!(of(true, &["f", "g"]), "a:\n  b: e\n  f\n  g\n");
        assert_eq!(of(false, &[]), "a:\nc: d\n");
    }

    #[test]
    fn a_sentence_that_yaml_would_read_otherwise_is_in_quotes() {
        assert_eq!(scalar("Posts messages."), "Posts messages.");
        for (text, quoted) in [("It's: so.", "'It''s: so.'"), ("- a", "'- a'"), ("a #b", "'a #b'")] {
            assert_eq!(scalar(text), quoted);
        }
    }
}
