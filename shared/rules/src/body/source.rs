//! The parts of a template: text that stands as it is, and tags with their words and signs. No I/O.
//!
//! minijinja keeps its own parser to itself, and its list of variables leaves out those of slices and of filter blocks.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    /// A name behind a dot. It is no word of the language, even if it is spelt like one.
    Field,
    /// A text with its quotation marks.
    Text,
    Number,
    Sign,
}

/// The words behind which a value begins.
const OPERATORS: [&str; 8] = ["and", "elif", "else", "if", "in", "is", "not", "or"];

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

impl<'t> Token<'t> {
    /// Where it ends, in bytes.
    pub(super) fn end(&self) -> usize {
        self.at + self.text.len()
    }

    /// Whether it is this word or sign.
    pub(super) fn is(&self, text: &str) -> bool {
        !matches!(self.kind, Kind::Text | Kind::Field) && self.text == text
    }

    /// Whether a value can end with it, so that a `-` behind it subtracts.
    pub(super) fn ends_value(&self) -> bool {
        match self.kind {
            Kind::Name => !OPERATORS.contains(&self.text),
            Kind::Field | Kind::Text | Kind::Number => true,
            Kind::Sign => matches!(self.text, ")" | "]" | "}"),
        }
    }

    /// A text without its quotation marks; `None` for others, and for a text with escapes, which is not as it is written.
    pub(super) fn content(&self) -> Option<&'t str> {
        let inner = self.text.get(1..self.text.len().saturating_sub(1))?;
        (self.kind == Kind::Text && !inner.contains('\\')).then_some(inner)
    }

    /// Whether it is this key as the author wrote it: a name, a number, or a text.
    pub(super) fn spells(&self, key: &str) -> bool {
        match self.kind {
            Kind::Text => self.content() == Some(key),
            Kind::Name | Kind::Field | Kind::Number => self.text == key,
            Kind::Sign => false,
        }
    }
}

/// The `recursive` at the end of a block of `for`.
pub(super) fn loop_end<'a, 't>(tokens: &'a [Token<'t>]) -> Option<&'a Token<'t>> {
    match tokens {
        [first, .., before, last] if first.is("for") && before.ends_value() && last.is("recursive") => {
            Some(last)
        }
        _ => None,
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
            // As in minijinja, `{#}` does not end the comment that it begins.
            let begin = if is_control(text, at + 2) { 3 } else { 2 };
            let end = tag.get(begin..).and_then(|comment| comment.find("#}"));
            at = end.map_or(text.len(), |end| at + begin + end + 2);
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

/// Whether a sign stands there that says what happens to the white space around a tag.
fn is_control(text: &str, at: usize) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with(['-', '+']))
}

/// How long the text is that `{% endraw %}` ends.
fn end_of_raw(text: &str) -> usize {
    let is_end = |(_, tag): &(usize, &str)| {
        let tag = tag.trim_start_matches("{%").trim_start_matches(['-', '+']);
        let behind = tag.trim_start().strip_prefix("endraw").map(str::trim_start);
        behind.is_some_and(|behind| behind.strip_prefix(['-', '+']).unwrap_or(behind).starts_with("%}"))
    };
    let tags = text.match_indices("{%").filter_map(|(at, _)| Some((at, text.get(at..)?)));
    tags.into_iter().find(is_end).map_or(text.len(), |(at, _)| at)
}

/// The tokens of a tag, and where the text behind it begins.
fn tokens<'t>(text: &'t str, from: usize, close: &str) -> (Vec<Token<'t>>, usize) {
    let mut tokens = Vec::new();
    let mut depth = 0_usize;
    let mut at = if is_control(text, from) { from + 1 } else { from };
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if depth == 0 && rest.starts_with(close) {
            return (tokens, at + close.len());
        }
        if depth == 0
            && is_control(text, at)
            && text.get(at + 1..).is_some_and(|rest| rest.starts_with(close))
        {
            return (tokens, at + 1 + close.len());
        }
        let is_behind_dot = tokens.last().is_some_and(|last: &Token<'_>| last.is("."));
        let Some((kind, length)) = token(rest, is_behind_dot) else {
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
fn token(text: &str, is_behind_dot: bool) -> Option<(Kind, usize)> {
    const PAIRS: [&str; 6] = ["==", "!=", "<=", ">=", "//", "**"];
    let first = text.chars().next().filter(|c| !c.is_whitespace())?;
    let length = |is_part: fn(char) -> bool| text.find(|c: char| !is_part(c)).unwrap_or(text.len());
    Some(match first {
        '"' | '\'' => (Kind::Text, quoted(text, first)),
        'a'..='z' | 'A'..='Z' | '_' => {
            let kind = if is_behind_dot { Kind::Field } else { Kind::Name };
            (kind, length(|c| c.is_ascii_alphanumeric() || c == '_'))
        }
        '0'..='9' => (Kind::Number, number(text, is_behind_dot)),
        _ if PAIRS.iter().any(|pair| text.starts_with(pair)) => (Kind::Sign, 2),
        other => (Kind::Sign, other.len_utf8()),
    })
}

/// How long a number is, as minijinja reads it: `1_000`, `1.5`, `1e3`, `0x1f`. Behind a dot it has no fraction: `a.1.0` asks twice.
fn number(text: &str, is_behind_dot: bool) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize, is_digit: fn(u8) -> bool| {
        let rest = bytes.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| is_digit(**byte) || **byte == b'_').count()
    };
    let decimal = |from: usize| digits(from, |byte| byte.is_ascii_digit());
    match bytes {
        [b'0', b'x' | b'X', ..] => return digits(2, |byte| byte.is_ascii_hexdigit()),
        [b'0', b'b' | b'B' | b'o' | b'O', ..] => return decimal(2),
        _ => {}
    }
    let has_exponent = |at: usize| matches!(bytes.get(at), Some(b'e' | b'E'));
    let mut end = decimal(0);
    if !is_behind_dot && bytes.get(end) == Some(&b'.') {
        let is_digit_or_sign = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'+' | b'-');
        let is_exponent = has_exponent(end + 1) && bytes.get(end + 2).is_some_and(is_digit_or_sign);
        let is_name = bytes.get(end + 1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
        if is_name && !is_exponent {
            return end;
        }
        end = decimal(end + 1);
    }
    if has_exponent(end) {
        let has_sign = matches!(bytes.get(end + 1), Some(b'+' | b'-'));
        end = decimal(end + if has_sign { 2 } else { 1 });
    }
    end
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
            ("{#} {{ a }} #}{#-} {{ b }} #}{#-#}{#- c -#}.", "[.]"),
            ("{% raw %}{% endraws %}{{ x }}{%- endraw -%}.", "raw/[{% endraws %}{{ x }}]/endraw/[.]"),
            ("{{ a", "a"),
            ("", ""),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        assert_eq!(line_of("a\nb\nc", 2), 2);
    }

    #[test]
    fn a_number_is_read_as_minijinja_reads_it() {
        for (text, expected) in [
            ("1_000", "1_000"),
            ("1e3", "1e3"),
            ("1E-3-1", "1E-3 - 1"),
            ("1.5e+3", "1.5e+3"),
            ("1.e3", "1.e3"),
            ("0x1f", "0x1f"),
            ("0b1_0 0o17", "0b1_0 0o17"),
            ("a.1.0", "a . 1 . 0"),
            ("1.a", "1 . a"),
            ("12:3", "12 : 3"),
        ] {
            assert_eq!(shown(&format!("{{{{ {text} }}}}")), expected, "{text}");
            let is_known = minijinja::Environment::empty().compile_expression(text).is_ok();
            assert!(is_known || text.contains([' ', ':']), "{text}");
        }
    }
}
