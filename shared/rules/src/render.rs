//! A problem with the line that it is about, for the command line. No I/O.

use crate::error::{self, Problem};
use crate::file::is_key;
use crate::lines::indentation;
use crate::secret::{HIDDEN, masked};
use plain_text::without_secrets;
use unicode_width::UnicodeWidthChar;

/// The most columns of a line that are shown: longer lines are cut on both sides.
const WIDEST: usize = 96;

/// The problem with an excerpt of the file: the line, and `^` below the place. `text` is the file that the problem is of.
///
/// Values of settings are shown as `…`, and so are tokens and URLs: a file may have a secret in the wrong place. What the
/// problem itself repeats is shown.
pub fn render(problem: &Problem, text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let index = problem.at.line.checked_sub(1).and_then(|index| usize::try_from(index).ok());
    let Some(line) = index.and_then(|index| text.lines().nth(index)) else { return problem.to_string() };
    let goes_on = is_within_setting(text, index.unwrap_or_default());
    let place = usize::try_from(problem.at.column.saturating_sub(1)).unwrap_or_default();
    let (shown, caret) = excerpt(line, goes_on, place, &problem.text);
    let number = problem.at.line.to_string();
    let margin = " ".repeat(number.len());
    let column = problem.at.column;
    let title = problem.to_string().replacen(
        &format!("line {number}"),
        &format!("line {number}, column {column}"),
        1,
    );
    format!("{title}\n{margin} |\n{number} | {shown}\n{margin} | {}^", " ".repeat(caret))
}

/// Whether the key below which this line stands is a setting's: the nearest line above that is indented less has it.
fn is_within_setting(text: &str, index: usize) -> bool {
    let lines: Vec<&str> = text.lines().take(index + 1).collect();
    let Some((line, above)) = lines.split_last() else { return false };
    let indent = indentation(line).len();
    let parent = above.iter().rev().find(|line| !line.trim().is_empty() && indentation(line).len() < indent);
    let Some((before, _)) = parent.and_then(|parent| parent.split_once(':')) else { return false };
    let key = before.trim_start_matches(['-', ' ', '{', '[']).trim_matches(['"', '\'']);
    !is_key(key) && crate::settings::workflow(key).is_none()
}

/// The line as it is shown, and the column below which `^` stands, from 0.
fn excerpt(line: &str, goes_on: bool, place: usize, problem: &str) -> (String, usize) {
    let visible = |c: char| match c {
        '\t' => '→',
        c => error::visible(c),
    };
    let code: String = line.chars().map(visible).collect();
    let parts = parts(&code, goes_on, problem);
    let mut shown = String::new();
    let mut caret = None;
    let mut at = 0;
    for (part, is_hidden) in parts {
        let count = part.chars().count();
        let begins = width(&shown);
        // A place in what is hidden is shown at its beginning.
        if caret.is_none() && place < at + count {
            let within: String = part.chars().take(if is_hidden { 0 } else { place - at }).collect();
            caret = Some(begins + width(&within));
        }
        shown.push_str(if is_hidden { HIDDEN } else { part });
        at += count;
    }
    let caret = caret.unwrap_or_else(|| width(&shown));
    cut(&shown, caret)
}

/// The line in parts, each with whether it is hidden. `goes_on`: whether a setting on a line above goes on here.
fn parts<'l>(line: &'l str, goes_on: bool, problem: &str) -> Vec<(&'l str, bool)> {
    let mut parts = Vec::new();
    let mut rest = line;
    let start = indentation(rest).len();
    parts.push((&rest[..start], false));
    rest = &rest[start..];
    // A line without a key may go on with a value from above.
    let mut is_setting = goes_on;
    while !rest.is_empty() {
        let end = token(rest);
        let (token, after) = rest.split_at(end);
        if token.starts_with(|c: char| c.is_whitespace() || "[]{},:-".contains(c)) && is_sign(token) {
            parts.push((token, false));
        } else if after.starts_with(':') && (after.len() == 1 || after[1..].starts_with(char::is_whitespace))
        {
            // Keys are shown.
            let key = token.trim_matches(['"', '\'', ' ', '→', '-', '–', '—']);
            is_setting = !is_key(key);
            parts.push((token, masked(token) != token));
        } else if let Some(colon) = glued(token) {
            let (name, value) = token.split_at(colon);
            parts.extend([(name, false), (value, true)]);
        } else {
            let is_repeated = |value: &str| value.chars().count() > 2 && problem.contains(value);
            let value = token.trim_matches(['"', '\'', '#', '`', ' ', '“', '”', '„', '‘', '’', '«', '»']);
            let is_plain = matches!(value, "true" | "false" | "null" | "~") || value.parse::<f64>().is_ok();
            let is_safe = !is_setting || is_plain || is_repeated(value) || is_event(value);
            let is_secret =
                masked(token) != token || without_secrets(line) != line && without_secrets(token) != token;
            parts.push((token, !is_safe || is_secret));
        }
        rest = after;
    }
    parts
}

/// Where the value begins that stands right after the colon of a setting, without a space.
fn glued(token: &str) -> Option<usize> {
    let (name, value) = token.split_once(':')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    (is_name && !value.is_empty() && !value.starts_with("//") && !is_key(name) && name.parse::<u8>().is_err())
        .then_some(name.len() + 1)
}

/// Names of events, families, workflows and days are no secrets.
fn is_event(value: &str) -> bool {
    crate::family::events(value).is_some() || crate::settings::workflow(value).is_some()
}

fn is_sign(token: &str) -> bool {
    token.chars().all(|c| c.is_whitespace() || "[]{},:".contains(c)) || token.trim() == "-"
}

/// Where the first token of a text ends: signs, a text in quotation marks, a comment, or a word with the spaces in it.
fn token(text: &str) -> usize {
    let mut chars = text.char_indices();
    let Some((_, first)) = chars.next() else { return 0 };
    let is_separator = |c: char| c.is_whitespace() || "[]{},".contains(c);
    if first == '-' && text[1..].starts_with(' ') {
        return 2;
    }
    if is_separator(first) || first == ':' {
        return chars.find(|(_, c)| !is_separator(*c)).map_or(text.len(), |(at, _)| at);
    }
    if matches!(first, '"' | '\'') {
        let closing = text[1..].find(first).map(|at| at + 2);
        return closing.unwrap_or(text.len());
    }
    if first == '#' {
        return text.find([',', ']', '}']).unwrap_or(text.len());
    }
    for (at, c) in chars {
        let rest = &text[at..];
        let is_end = "[]{},".contains(c)
            || rest.starts_with(" #")
            || (c == ':' && rest[1..].chars().next().is_none_or(char::is_whitespace));
        if is_end {
            return text[..at].trim_end().len();
        }
    }
    text.trim_end().len()
}

fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// The part of a long line around the caret.
fn cut(line: &str, caret: usize) -> (String, usize) {
    let from = if caret >= WIDEST { caret - WIDEST / 2 } else { 0 };
    let mut shown = String::new();
    let mut column = 0;
    let mut skipped = 0;
    for c in line.chars() {
        let wide = c.width().unwrap_or(0);
        if column < from {
            skipped += wide;
        } else if column - from >= WIDEST {
            shown.push_str(HIDDEN);
            break;
        } else {
            shown.push(c);
        }
        column += wide;
    }
    match skipped {
        0 => (shown, caret),
        _ => (format!("{HIDDEN}{shown}"), caret - skipped + 1),
    }
}
