//! Patterns for names and project paths: `*` stands for any text within a name, `**` for any number of path segments. Capital
//! and small letters are the same. No I/O.

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    /// As it is written.
    pub(crate) text: String,
    /// In small letters; escaped if it is a pattern.
    folded: String,
    /// The path of the project itself, where the pattern ends with `/**`.
    base: Option<String>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Pattern,
}

/// Stands for `/` in names, in which it separates nothing.
const SLASH: &str = "\u{1}";

/// A text that globs are compared with, made ready once for all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Folded(String);

impl Folded {
    /// A path whose segments are separated by `/`.
    pub(crate) fn path(text: &str) -> Self {
        Self(text.to_lowercase())
    }

    /// A name.
    pub(crate) fn name(text: &str) -> Self {
        Self(text.to_lowercase().replace('/', SLASH))
    }
}

impl Glob {
    /// A pattern for paths.
    pub(crate) fn path(text: &str) -> Self {
        let folded = text.trim_matches('/').to_lowercase();
        Self::new(text, folded)
    }

    /// A pattern for names.
    pub(crate) fn name(text: &str) -> Self {
        // Any number of stars is one: a name has no segments.
        let mut folded = text.to_lowercase().replace('/', SLASH);
        while folded.contains("**") {
            folded = folded.replace("**", "*");
        }
        Self::new(text, folded)
    }

    fn new(text: &str, folded: String) -> Self {
        let is_pattern = folded.contains(['*', '?']);
        let base = folded
            .strip_suffix("/**")
            .map(|base| if is_wild(base) { escaped(base) } else { base.to_owned() });
        let kind = if is_pattern { Kind::Pattern } else { Kind::Plain };
        let folded = if is_pattern { escaped(&folded) } else { folded };
        Self { text: text.to_owned(), folded, base, kind }
    }

    pub(crate) fn matches(&self, text: &Folded) -> bool {
        match self.kind {
            Kind::Plain => self.folded == text.0,
            Kind::Pattern => {
                fast_glob::glob_match(&self.folded, &text.0)
                    || self.base.as_ref().is_some_and(|base| match is_wild(base) {
                        true => fast_glob::glob_match(base, &text.0),
                        false => *base == text.0,
                    })
            }
        }
    }
}

fn is_wild(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Names may have brackets and braces, which would be classes and alternatives.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '[' | ']' | '{' | '}' | '!' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_pattern_is_a_path_from_the_top() {
        for (pattern, path, expected) in [
            ("Finance", "Finance", true),
            ("finance", "FINANCE", true),
            ("Finance", "Finance/Reports", false),
            ("Finance", "Old/Finance", false),
            ("Finance/**", "Finance", true),
            ("Finance/**", "Finance/Reports", true),
            ("Finance/**", "Finance/Reports/2026", true),
            ("Finance/**", "Finance 2", false),
            ("Finance/*", "Finance/Reports", true),
            ("Finance/*", "Finance", false),
            ("Finance/*", "Finance/Reports/2026", false),
            ("**/Sandbox", "Sandbox", true),
            ("**/Sandbox", "Finance/Sandbox", true),
            ("**/Sandbox/**", "Finance/Sandbox/Ana", true),
            ("Fin*", "Finance", true),
            ("Fin*", "Finance/Reports", false),
            ("[Archive] {old}!", "[Archive] {old}!", true),
            ("[Archive]*", "[Archive] 2020", true),
            ("[Archive]*", "A", false),
            ("/Finance/", "Finance", true),
            ("財務/**", "財務/月次", true),
            ("Größe?", "größe1", true),
        ] {
            assert_eq!(Glob::path(pattern).matches(&Folded::path(path)), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_star_in_a_name_stands_for_any_text_also_with_a_slash() {
        for (pattern, name, expected) in [
            ("Sales*", "sales", true),
            ("Sales*", "Sales Q3/Q4", true),
            ("*Q4", "Sales Q3/Q4", true),
            ("Sales/**", "Sales/Q4", true),
            ("*@example.com", "ana@example.com", true),
            ("*@example.com", "ana@example.org", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
        ] {
            assert_eq!(Glob::name(pattern).matches(&Folded::name(name)), expected, "{pattern} {name}");
        }
    }
}
