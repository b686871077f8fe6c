//! Patterns for names and project paths: `*` stands for any text within a name, `?` for one character, `**` for any number of
//! path segments. Brackets and braces are letters, as names have them. Capital and small letters are the same. No I/O.

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    /// As it is written.
    pub(crate) text: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// Any number of segments, also none.
    Any,
    /// One segment. `*` and `?` are wild.
    One(Vec<char>),
}

/// A text that globs are compared with, made ready once for all of them: its segments in small letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Folded(Vec<Vec<char>>);

impl Folded {
    /// A path whose segments are separated by `/`.
    pub(crate) fn path(text: &str) -> Self {
        Self(text.split('/').map(folded).collect())
    }

    /// A name, in which `/` separates nothing.
    pub(crate) fn name(text: &str) -> Self {
        Self(vec![folded(text)])
    }

    /// A path by its names.
    pub(crate) fn names<S: AsRef<str>>(names: &[S]) -> Self {
        Self(names.iter().map(|name| folded(name.as_ref())).collect())
    }
}

impl Glob {
    /// A pattern for paths.
    pub(crate) fn path(text: &str) -> Self {
        let segment = |text: &str| if text == "**" { Segment::Any } else { Segment::One(folded(text)) };
        Self { text: text.to_owned(), segments: text.trim_matches('/').split('/').map(segment).collect() }
    }

    /// A pattern for paths by its names, which is written as `text`.
    pub(crate) fn names(text: &str, names: &[String]) -> Self {
        let segment = |name: &String| if name == "**" { Segment::Any } else { Segment::One(folded(name)) };
        Self { text: text.to_owned(), segments: names.iter().map(segment).collect() }
    }

    /// A pattern for names.
    pub(crate) fn name(text: &str) -> Self {
        Self { text: text.to_owned(), segments: vec![Segment::One(folded(text))] }
    }

    pub(crate) fn matches(&self, text: &Folded) -> bool {
        let is_any = |segment: &Segment| matches!(segment, Segment::Any);
        let is_one = |segment: &Segment, text: &Vec<char>| match segment {
            Segment::Any => true,
            Segment::One(pattern) => matches(pattern, text, |c| *c == '*', |p, c| *p == '?' || p == c),
        };
        matches(&self.segments, &text.0, is_any, is_one)
    }
}

/// In small letters, the same at the end of a word as within it.
fn folded(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

/// Whether all of a text is what a pattern says, in which some parts stand for any number of the text's.
fn matches<P, T>(
    pattern: &[P],
    text: &[T],
    is_any: impl Fn(&P) -> bool,
    is_one: impl Fn(&P, &T) -> bool,
) -> bool {
    let mut at = 0;
    let mut read = 0;
    // Behind the last part that stands for any number, and how far the text was read there.
    let mut again: Option<(usize, usize)> = None;
    while read < text.len() {
        match (pattern.get(at), again) {
            (Some(part), _) if is_any(part) => {
                at += 1;
                again = Some((at, read));
            }
            (Some(part), _) if is_one(part, &text[read]) => {
                at += 1;
                read += 1;
            }
            (_, Some((after, from))) => {
                at = after;
                read = from + 1;
                again = Some((after, read));
            }
            (_, None) => return false,
        }
    }
    pattern[at..].iter().all(is_any)
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
            ("**", "Finance/Reports", true),
            ("*", "Finance", true),
            ("*", "Finance/Reports", false),
            ("**/Reports", "Finance/Old Reports", false),
            ("Finance/**/2026", "Finance/2026", true),
            ("Finance/**/2026", "Finance/Reports/EU/2026", true),
            ("*/Reports/**", "Finance/Reports", true),
            ("*/Reports/**", "Finance/EU/Reports", false),
            ("[EU]/**", "[eu]/Sales", true),
            ("[EU]/**", "e/Sales", false),
            ("", "Finance", false),
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
            ("a?c", "aöc", true),
            ("a**c", "a/b/c", true),
            ("İ*", "i̇x", true),
            ("財?", "財務", true),
            ("ΣΑΣ*", "Σασα", true),
            ("*ΣΑΣ", "σας", true),
            ("[Prod] *", "[PROD] Sales", true),
            ("[Prod] *", "P Sales", false),
            ("{a,b}", "{A,B}", true),
            ("{a,b}", "a", false),
            ("!a*", "!abc", true),
            ("a\\b*", "A\\bc", true),
            ("*a*b*", "xxayybzz", true),
            ("*a*b*", "xxbyyazz", false),
            ("ab*ba", "aba", false),
            ("?", "", false),
            ("*", "", true),
        ] {
            assert_eq!(Glob::name(pattern).matches(&Folded::name(name)), expected, "{pattern} {name}");
        }
    }
}
