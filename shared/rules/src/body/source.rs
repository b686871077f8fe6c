//! The parts of a template: text that stands as it is, and tags with their words and signs. No I/O.
//!
//! minijinja keeps its own parser to itself, and its list of variables leaves out those of slices and of filter blocks.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    /// A text with its quotation marks.
    Text,
    Number,
    Sign,
}

/// A word or a sign of a tag.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
    /// Where it begins, in bytes.
    pub(super) at: usize,
}

/// A part of a template.
#[derive(Clone, Debug)]
pub(super) enum Part<'t> {
    /// It stands in the body as it is.
    Raw { at: usize, text: &'t str },
    /// `{{ … }}`, or a block: `{% … %}`.
    Tag { at: usize, end: usize, is_block: bool, tokens: Vec<Token<'t>> },
}

impl Token<'_> {
    /// Where it ends, in bytes.
    pub(super) fn end(&self) -> usize {
        self.at + self.text.len()
    }

    /// Whether it is this word or sign.
    pub(super) fn is(&self, text: &str) -> bool {
        self.kind != Kind::Text && self.text == text
    }
}

/// The number of the line, from 1, that this byte stands on.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// The parts of a template that minijinja can read. Of another template, as far as they can be followed.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let opens = ["{{", "{%", "{#"].iter().filter_map(|open| rest.find(open));
        let begin = opens.min().unwrap_or(rest.len());
        let (raw, tag) = rest.split_at(begin);
        if !raw.is_empty() {
            parts.push(Part::Raw { at, text: raw });
        }
        at += begin;
        if tag.starts_with("{#") {
            at = tag.find("#}").map_or(text.len(), |end| at + end + 2);
            continue;
        }
        if tag.is_empty() {
            break;
        }
        let is_block = tag.starts_with("{%");
        let (tokens, end) = tokens(text, at + 2, if is_block { "%}" } else { "}}" });
        let is_raw = is_block && tokens.first().is_some_and(|first| first.is("raw"));
        parts.push(Part::Tag { at, end, is_block, tokens });
        at = end;
        if is_raw {
            let raw = text.get(at..).unwrap_or_default();
            let length = end_of_raw(raw);
            parts.push(Part::Raw { at, text: raw.get(..length).unwrap_or_default() });
            at += length;
        }
    }
    parts
}

/// How long the text is that `{% endraw %}` ends.
fn end_of_raw(text: &str) -> usize {
    let is_end = |(_, tag): &(usize, &str)| {
        let tag = tag.trim_start_matches("{%").trim_start_matches(['-', '+']);
        tag.trim_start().starts_with("endraw")
    };
    let tags = text.match_indices("{%").filter_map(|(at, _)| Some((at, text.get(at..)?)));
    tags.into_iter().find(is_end).map_or(text.len(), |(at, _)| at)
}

/// The tokens of a tag, and where the text behind it begins.
fn tokens<'t>(text: &'t str, from: usize, close: &str) -> (Vec<Token<'t>>, usize) {
    let mut tokens = Vec::new();
    let mut depth = 0_usize;
    let is_control = |at: usize| text.get(at..).is_some_and(|rest| rest.starts_with(['-', '+']));
    let mut at = if is_control(from) { from + 1 } else { from };
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if depth == 0 && rest.starts_with(close) {
            return (tokens, at + close.len());
        }
        if depth == 0 && is_control(at) && text.get(at + 1..).is_some_and(|rest| rest.starts_with(close)) {
            return (tokens, at + 1 + close.len());
        }
        let Some((kind, length)) = token(rest) else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        let text = rest.get(..length).unwrap_or_default();
        match text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        tokens.push(Token { kind, text, at });
        at += length;
    }
    (tokens, text.len())
}

/// The token at the beginning of a text; `None` for white space.
fn token(text: &str) -> Option<(Kind, usize)> {
    const PAIRS: [&str; 6] = ["==", "!=", "<=", ">=", "//", "**"];
    let first = text.chars().next().filter(|c| !c.is_whitespace())?;
    let length = |is_part: fn(char) -> bool| text.find(|c: char| !is_part(c)).unwrap_or(text.len());
    Some(match first {
        '"' | '\'' => (Kind::Text, quoted(text, first)),
        'a'..='z' | 'A'..='Z' | '_' => (Kind::Name, length(|c| c.is_ascii_alphanumeric() || c == '_')),
        '0'..='9' => (Kind::Number, length(|c| c.is_ascii_digit())),
        _ if PAIRS.iter().any(|pair| text.starts_with(pair)) => (Kind::Sign, 2),
        other => (Kind::Sign, other.len_utf8()),
    })
}

/// How long a text in quotation marks is, with both of them.
fn quoted(text: &str, mark: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == mark => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let shown = parts(text).into_iter().map(|part| match part {
            Part::Raw { text, .. } => format!("[{text}]"),
            Part::Tag { tokens, .. } => tokens.iter().map(|token| token.text).collect::<Vec<_>>().join(" "),
        });
        shown.collect::<Vec<_>>().join("/")
    }

    #[test]
    fn a_template_is_text_and_tags() {
        for (text, expected) in [
            ("{\"a\": {{- x.y|line(3) -}} }", "[{\"a\": ]/x . y | line ( 3 )/[ }]"),
            ("{# {{ a }} #}{% if a != 'b}}' %}1", "if a != 'b}}'/[1]"),
            ("{{ {\"a\": {\"b\": 1}} }}.", "{ \"a\" : { \"b\" : 1 } }/[.]"),
            ("{% raw %}{{ x }}{% endraw %}é", "raw/[{{ x }}]/endraw/[é]"),
            ("{{ \"a\\\"}}\" }}", "\"a\\\"}}\""),
            ("{{ a", "a"),
            ("", ""),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        assert_eq!(line_of("a\nb\nc", 2), 2);
    }
}
