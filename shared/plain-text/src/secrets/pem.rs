//! Finds keys and certificates in PEM format, complete or cut off at either end.
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc7468>

use super::parts::Parts;

/// The shortest word in a line of prose that may be a piece of a key.
const PIECE: usize = 16;

/// Adds everything from `-----BEGIN` to the end of `-----END …-----`.
pub(super) fn find(text: &str, found: &mut Parts) {
    let mut at = 0;
    // The position of the last end mark. After it, no search for an end mark is necessary.
    let mut last_end = usize::MAX;
    while let Some((start, is_begin)) = next_mark(text, at) {
        if !is_begin {
            found.push(without_begin(text, at, start)..mark_end(text, start));
            at = mark_end(text, start);
            continue;
        }
        let body = mark_end(text, start);
        let end = match last_end {
            usize::MAX => next_end(text, body),
            _ => None,
        };
        let end = match end {
            Some(end) => mark_end(text, end),
            None => {
                last_end = body;
                without_end(text, body)
            }
        };
        found.push(start..end);
        at = end;
    }
}

/// Finds the next `----BEGIN` or `----END` from `at`, with all its dashes. The flag says whether it is `BEGIN`.
fn next_mark(text: &str, at: usize) -> Option<(usize, bool)> {
    let mut at = at;
    while let Some(start) = text[at..].find("----").map(|found| at + found) {
        let label = text[start..].trim_start_matches('-');
        at = text.len() - label.len();
        let label = label.strip_prefix(' ').unwrap_or(label);
        let is = |mark: &str| label.get(..mark.len()).is_some_and(|word| word.eq_ignore_ascii_case(mark));
        if is("BEGIN") || is("END") {
            return Some((start, is("BEGIN")));
        }
    }
    None
}

fn next_end(text: &str, from: usize) -> Option<usize> {
    let mut at = from;
    while let Some((start, is_begin)) = next_mark(text, at) {
        if !is_begin {
            return Some(start);
        }
        at = mark_end(text, start);
    }
    None
}

/// The end of a mark: after its closing dashes or, without these, after the word.
fn mark_end(text: &str, start: usize) -> usize {
    let opening = text[start..].len() - text[start..].trim_start_matches('-').len();
    let label = start + opening;
    let line =
        text[label..].bytes().take(80).position(|b| matches!(b, b'-' | b'\n')).map_or(label, |at| label + at);
    if text[line..].starts_with("--") {
        return text.len() - text[line..].trim_start_matches('-').len();
    }
    line.max(label)
}

/// The end of a key without an end mark: before the first line of prose.
fn without_end(text: &str, body: usize) -> usize {
    let mut end = body;
    for line in text[body..].split_inclusive('\n') {
        let is_header = line.starts_with("Proc-Type:") || line.starts_with("DEK-Info:");
        let mut words = line.split_whitespace();
        let is_prose = words.clone().count() > 2 && words.all(|word| word.len() < PIECE);
        if is_prose && !is_header && end > body {
            break;
        }
        end += line.len();
    }
    body + text[body..end].trim_end().len()
}

/// The start of a key without a `BEGIN` mark: the lines of one word before the end mark, or the word before it.
fn without_begin(text: &str, from: usize, end: usize) -> usize {
    let mut start = end;
    while start > from {
        let head = text[from..start].trim_end();
        let word = from + head.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        if word < from + head.len() {
            let line = from + head.rfind('\n').map_or(0, |at| at + 1);
            if !text[line..word].trim().is_empty() {
                // The last word of a line of prose belongs to the key only if the end mark stands on the same line.
                return if start == end && !text[from + head.len()..end].contains('\n') {
                    word
                } else {
                    start
                };
            }
        }
        start = word.min(start - 1).max(from);
        while !text.is_char_boundary(start) {
            start -= 1;
        }
    }
    start
}
