//! What to say of keys that a map of the file does not have. No I/O.

use super::keys::{CONDITIONS, FILE, RULE, Shape, TAGS, TIME, TIME_EXAMPLE};
use crate::hints;
use crate::problem;
use crate::settings;
use plain_text::is_invisible;

fn of_conditions() -> Vec<&'static str> {
    CONDITIONS.iter().map(|(name, _)| *name).collect()
}

/// What to say of a key that a map does not have.
pub(super) fn key(key: &str, fields: &[(&str, Shape)], names: &[&str]) -> String {
    let has = |of: &[(&str, Shape)]| of.iter().any(|(name, _)| *name == key);
    let is = |of: &[(&str, Shape)]| std::ptr::eq(fields, of);
    if key.chars().any(|c| is_invisible(c) || (c.is_whitespace() && c != ' ')) {
        return format!(
            "unknown field `{}`: it has an invisible character or a no-break space; type it anew",
            plain_text::one_line(key)
        );
    }
    if let Some(problem) = problem::glued(key, names) {
        return problem;
    }
    if is(RULE) && has(CONDITIONS) {
        return format!("`{key}` is a condition: write it below `where`");
    }
    if (is(RULE) || is(FILE)) && settings::workflow(key).is_some() {
        return format!("`{key}` is a workflow: write it as an entry of `do`, `- {key}:`");
    }
    if is(RULE) && key == "channel" {
        return "`channel` is a setting of a workflow: write do: [{ notify-slack: { channel: … } }]"
            .to_owned();
    }
    if is(CONDITIONS) && has(TAGS) {
        return format!("write it below `tags`, as in tags: {{ {key}: [critical] }}");
    }
    if is(CONDITIONS) && has(TIME) {
        return format!("write it below `time`, as in {TIME_EXAMPLE}");
    }
    if is(CONDITIONS) && has(RULE) {
        return format!("`{key}` is not a condition: indent it like the rule's `name`");
    }
    if is(FILE) && has(RULE) {
        return format!("`{key}` belongs to a rule: write it below `rules`, in an entry with a dash");
    }
    match hints::meant(key, names) {
        Some(near) => format!("unknown field `{key}`; did you mean `{near}`?"),
        None if is(RULE) => match hints::meant(key, &of_conditions()) {
            Some(near) => {
                format!("unknown field `{key}`; did you mean the condition `{near}`, below `where`?")
            }
            None => format!("unknown field `{key}`; there are: {}", names.join(", ")),
        },
        None => format!("unknown field `{key}`; there are: {}", names.join(", ")),
    }
}
