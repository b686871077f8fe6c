//! Finds the end of a value that follows the name of a secret.

use std::ops::Range;

/// The longest value in brackets, in bytes.
const BRACKETS_LIMIT: usize = 8_192;
/// How many further lines a quoted value may have, if each is a single word: a key with line breaks.
const WRAPPED_LINES: usize = 64;
const WRAPPED_LINE_LIMIT: usize = 200;
/// How many bytes are read to find the next pair in a connection string such as `PWD=a b;Port=1`.
const LOOK_AHEAD: usize = 200;

/// The longest name in a connection string, in bytes.
const NAME_LIMIT: usize = 48;

/// How the end of a value is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// The value ends at its closing quote or bracket, otherwise at the end of the word.
    Word,
    /// Like [`Form::Word`], but the value may contain spaces up to the next `;` of a connection string.
    Chain,
    /// The value has several words, as headers do: `Basic dXNl…`, `a=1; b=2`.
    Header,
}

/// The range of the value that begins at `start`, without its quotes.
pub(super) fn of(text: &str, start: usize, form: Form) -> Range<usize> {
    let rest = &text[start..];
    let prefix = rest.bytes().take(2).take_while(u8::is_ascii_alphabetic).count();
    for skipped in [0, prefix] {
        if let Some(quote) = opening_quote(&rest[skipped..]) {
            let inner = start + skipped + quote.len();
            return inner..quoted_end(text, inner, quote);
        }
    }
    let end = match rest.as_bytes().first() {
        Some(b'{') => braces_end(text, start),
        Some(b'[') => brackets_end(text, start, b'[', b']'),
        Some(b'<') if !begins_tag(rest) => brackets_end(text, start, b'<', b'>'),
        Some(b'(') => brackets_end(text, start, b'(', b')'),
        _ => match form {
            Form::Word => word_end(text, start),
            Form::Chain => chain_end(text, start),
            Form::Header => header_end(text, start),
        },
    };
    start..end
}

/// The text of an XML element: up to the next tag or, without one, to the end of the line.
pub(super) fn of_element(text: &str, start: usize) -> Range<usize> {
    let rest = &text.as_bytes()[start..text.len().min(start + BRACKETS_LIMIT)];
    let end = match rest.starts_with(b"<![CDATA[") {
        true => rest.windows(3).position(|end| end == b"]]>"),
        false => rest.iter().position(|byte| *byte == b'<'),
    };
    start..end.map_or_else(|| line_end(text, start), |end| start + end)
}

/// Whether a `<` begins a tag (as in `</name>`) or stands alone, and does not open a value.
fn begins_tag(text: &str) -> bool {
    let Some(name) = text[1..].strip_prefix('/') else { return text[1..].starts_with(['<', '>', ' ', '\n']) };
    let end = name.find(|c: char| !(c.is_alphabetic() || matches!(c, ':' | '-' | '_' | '.')));
    end.is_some_and(|end| name[end..].starts_with('>'))
}

/// The quotation mark at the beginning of a text, with which the value ends.
pub(super) fn opening_quote(text: &str) -> Option<&str> {
    let quote = text.strip_prefix('\\').unwrap_or(text).chars().next()?;
    let is_quote = matches!(quote, '"' | '\'' | '`' | '“' | '”' | '„' | '‘' | '’' | '«' | '「');
    let length = quote.len_utf8() + usize::from(text.starts_with('\\'));
    is_quote.then(|| &text[..length])
}

fn closing_of(quote: &str) -> &[&str] {
    match quote {
        "“" | "„" | "”" => &["”", "“"],
        "‘" | "’" => &["’", "‘"],
        "«" => &["»"],
        "「" => &["」"],
        "\"" => &["\""],
        "'" => &["'"],
        "`" => &["`", "'"],
        "\\\"" => &["\\\""],
        "\\'" => &["\\'"],
        _ => &["\\`"],
    }
}

/// The end of a quoted value. A quote inside it is escaped or doubled, or followed by a letter. Without a closing
/// quote the value ends with its line.
fn quoted_end(text: &str, start: usize, quote: &str) -> usize {
    if let Some(end) = quoted_end_in_line(text, start, quote) {
        return end;
    }
    let mut end = line_end(text, start);
    let line = end;
    for _ in 0..WRAPPED_LINES {
        let Some(next) = text[end..].strip_prefix('\n') else { break };
        let begin = text.len() - next.len();
        let next_end = line_end(text, begin);
        let word = text[begin..next_end].trim();
        if word.len() > WRAPPED_LINE_LIMIT || word.contains(char::is_whitespace) {
            break;
        }
        if let Some(end) = quoted_end_in_line(text, begin, quote) {
            return end;
        }
        end = next_end;
    }
    line
}

fn quoted_end_in_line(text: &str, start: usize, quote: &str) -> Option<usize> {
    let closings = closing_of(quote);
    let mut at = start;
    let mut doubtful = None;
    while let Some(c) = text[at..].chars().next().filter(|c| *c != '\n') {
        if doubtful.is_some_and(|first| at > first + LOOK_AHEAD) {
            break;
        }
        let rest = &text[at..];
        if let Some(closing) = closings.iter().find(|closing| rest.starts_with(**closing)) {
            let behind = &rest[closing.len()..];
            let is_doubled = behind.starts_with(closing) && at > start;
            match behind.chars().next() {
                Some(_) if is_doubled => at += closing.len(),
                Some(next) if next.is_alphanumeric() => {
                    doubtful.get_or_insert(at);
                }
                _ => return Some(at),
            }
            at += closing.len();
        } else if c == '\\' {
            at += 1 + rest[1..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
        } else {
            at += c.len_utf8();
        }
    }
    // A quote followed by a letter, and no further quote: the value ends with the word after that quote.
    doubtful.map(|at| word_end(text, at))
}

/// The end of a value in braces: ODBC's `{a;b}`, in which `}}` means one brace, or a JSON object.
fn braces_end(text: &str, start: usize) -> usize {
    let inner = text[start + 1..].trim_start();
    if opening_quote(inner).is_some() || inner.starts_with(['{', '[']) || begins_pair(inner) {
        return brackets_end(text, start, b'{', b'}');
    }
    let bytes = text.as_bytes();
    let mut at = start + 1;
    while at < bytes.len().min(start + BRACKETS_LIMIT) && bytes[at] != b'\n' {
        match (bytes[at], bytes.get(at + 1)) {
            (b'}', Some(b'}')) => at += 2,
            (b'}', _) => return at + 1,
            _ => at += 1,
        }
    }
    line_end(text, start)
}

fn brackets_end(text: &str, start: usize, open: u8, close: u8) -> usize {
    let mut depth = 0;
    for (at, byte) in text.bytes().enumerate().skip(start).take(BRACKETS_LIMIT) {
        if byte == open {
            depth += 1;
        } else if byte == close {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    line_end(text, start)
}

/// How many bytes are read of a value that may not be removed in the end: text that is not removed is read again.
const NEAR: usize = 600;

/// Like [`of`], but reads only the first bytes of the value.
pub(super) fn near(text: &str, start: usize, form: Form) -> Range<usize> {
    of(&text[..text.floor_char_boundary(start + NEAR)], start, form)
}

/// The end of a word that is a value. Punctuation belongs to it, unless it ends the word or something new begins
/// after it.
pub(super) fn word_end(text: &str, start: usize) -> usize {
    let mut at = start;
    for c in text[start..].chars() {
        if c.is_whitespace() || c == '<' {
            break;
        }
        let behind = &text[at + c.len_utf8()..];
        let ends = match c {
            ';' if begins_name(behind) || text[start..at].ends_with('=') => true,
            ';' | ',' | '&' | '|' => {
                ends_here(behind) || opening_quote(behind).is_some() || begins_pair(behind)
            }
            ')' | ']' | '}' | '>' | '"' | '\'' | '`' => at > start && ends_here(behind),
            _ => false,
        };
        if ends {
            break;
        }
        at += c.len_utf8();
    }
    start + text[start..at].trim_end_matches(['.', ',', ';', ':', '\\']).len()
}

/// Whether the text begins with something that does not belong to the word before it.
fn ends_here(behind: &str) -> bool {
    let next = behind.strip_prefix('\\').unwrap_or(behind).chars().next();
    next.is_none_or(|c| c.is_whitespace() || ".,;:)]}>\"'`&|<".contains(c))
}

/// Whether a text begins with a name and `=`, or with a quoted name.
pub(super) fn begins_pair(text: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ');
    let name = text.char_indices().take(48).find(|(_, c)| !is_name(*c));
    name.is_some_and(|(at, c)| at > 0 && c == '=')
}

/// Whether a text begins like a connection-string name that was cut off: `End` for `EndpointSuffix=`.
fn begins_name(text: &str) -> bool {
    let is_name = |c: char| c.is_ascii_alphabetic() || matches!(c, ' ' | '_' | '-');
    let end =
        text.char_indices().take(NAME_LIMIT).find(|(_, c)| !is_name(*c)).map_or(text.len(), |(at, _)| at);
    let behind = &text[end..];
    let is_cut = behind.is_empty() || behind.starts_with(['\n', '…', '"', '\'']) || behind.starts_with("...");
    text.starts_with(|c: char| c.is_ascii_uppercase()) && end <= NAME_LIMIT && is_cut
}

/// The end of a value such as `PWD=hun ter2;Port=1`: spaces belong to the value if a `;` ends it and no other `=`
/// comes first.
fn chain_end(text: &str, start: usize) -> usize {
    let mut ahead = text[start..].char_indices().take(LOOK_AHEAD);
    let end = ahead.find(|(_, c)| matches!(c, ';' | '=' | '\n' | '"'));
    if let Some((at, ';')) = end {
        let behind = text[start + at + 1..].trim_start_matches([' ', '\t']);
        let is_prose = text[start..start + at].contains(". ") || text[start..start + at].contains(": ");
        if !is_prose && (behind.is_empty() || behind.starts_with(['\n', '"', '\'']) || begins_pair(behind)) {
            return (start + at).max(word_end(text, start));
        }
    }
    word_end(text, start)
}

/// The end of a header's value: its first two words, and further words after `,` or `;` or with `=`.
fn header_end(text: &str, start: usize) -> usize {
    let mut end = start;
    let mut at = start;
    for words in 0_usize.. {
        let begin = at + (text[at..].len() - text[at..].trim_start_matches([' ', '\t']).len());
        let word = &text[begin..word_end_of_header(text, begin)];
        if word.is_empty() {
            break;
        }
        let goes_on = words == 0 || text[..end].ends_with([',', ';']) || word.contains('=');
        let is_token_of_scheme = words == 1 && !text[start..end].contains(['=', ';', ',']);
        if !goes_on && !is_token_of_scheme {
            break;
        }
        end = begin + word.len();
        at = end;
    }
    start + text[start..end].trim_end_matches(['.', ',', ';', ':']).len()
}

/// The end of a word in a header: spaces between quotes belong to it; a quote that ends the whole header does not.
fn word_end_of_header(text: &str, start: usize) -> usize {
    let mut at = start;
    let mut is_quoted = false;
    for c in text[start..].chars() {
        let behind = &text[at + c.len_utf8()..];
        match c {
            '\n' => break,
            '"' if is_quoted => is_quoted = false,
            '"' if text[start..at].ends_with('=') && line_has_quote(behind) => is_quoted = true,
            '"' | '\'' | '`' if ends_here(behind) => break,
            c if c.is_whitespace() && !is_quoted => break,
            '<' if !is_quoted => break,
            _ => {}
        }
        at += c.len_utf8();
    }
    at
}

fn line_has_quote(text: &str) -> bool {
    text.bytes().take(LOOK_AHEAD).take_while(|b| *b != b'\n').any(|b| b == b'"')
}

pub(super) fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end)
}
