//! Chooses and cuts the one line of a job's notes that may be shown in a chat.

use super::pattern::{Pattern, normalised, origins};
use super::shorten::shortened;
use super::wrappers::{is_wrapper, without_beginning, without_sentences};
use plain_text::REMOVED;

/// The longest line, in characters.
const LIMIT: usize = 300;
/// How many characters before the recognised words stay when a line is cut at its beginning.
const BEFORE: usize = 60;

/// How many bytes before and after the recognised words are looked at when a line is cut.
const WINDOW: (usize, usize) = (1_000, 4_000);

/// A line of the notes, or a part of one.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    /// Whether it is printed around a cause, such as Tableau's closing sentence or a line of a stack trace.
    pub(super) is_wrapper: bool,
}

/// The lines of the notes, without what is printed before a cause on the same line, and the lines from which something
/// was removed, whole.
pub(super) fn lines(notes: &str) -> (Vec<Line<'_>>, Vec<&str>) {
    let mut lines = Vec::new();
    let mut whole = Vec::new();
    for line in notes.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let parts = without_sentences(line);
        if parts.is_empty() {
            lines.push(Line { text: line, is_wrapper: true });
        }
        let mut rest = 0;
        for part in parts {
            let text = without_beginning(part);
            rest += text.len();
            if !text.is_empty() {
                let is_wrapper = is_wrapper(part) || (text.len() < part.len() && is_wrapper(text));
                lines.push(Line { text, is_wrapper });
            }
        }
        if rest < line.len() {
            whole.push(line);
        }
    }
    (lines, whole)
}

/// The line to show: the one with the words that were recognised, or else the first one that says something.
pub(super) fn shown(lines: &[Line<'_>], found: Option<(usize, &Pattern)>) -> String {
    let says = |line: &&Line<'_>| says_something(without_prefixes(line.text));
    let chosen = match found {
        Some((n, _)) => Some(main_line(lines, n)),
        None => {
            let own = lines.iter().position(|line| !line.is_wrapper && says(&line));
            own.or_else(|| lines.iter().position(|line| says(&line))).or((!lines.is_empty()).then_some(0))
        }
    };
    let Some(chosen) = chosen else { return String::new() };
    let pattern = found.map(|(_, pattern)| pattern);
    let mut text = message(window(lines[chosen].text, pattern), pattern);
    if text.ends_with(':')
        && let Some(next) = lines.get(chosen + 1).filter(|next| !next.is_wrapper && says(next))
    {
        text = format!("{text} {}", without_prefixes(next.text));
    }
    cut(&shortened(&text), pattern)
}

/// The part of a very long line that may be shown, so that the rest is not worked on.
fn window<'a>(line: &'a str, pattern: Option<&Pattern>) -> &'a str {
    if line.len() <= WINDOW.0 + WINDOW.1 {
        return line;
    }
    let place = pattern.and_then(|pattern| pattern.find(&normalised(line), 0));
    let (start, end) = place.map_or((0, 0), |place| {
        let origins = origins(line);
        (origins[place.start], origins[place.end])
    });
    let from = line.floor_char_boundary(start.saturating_sub(WINDOW.0));
    &line[from..line.floor_char_boundary(end.saturating_add(WINDOW.1))]
}

/// The number of the line that a detail or hint belongs to; any other line's own number.
fn main_line(lines: &[Line<'_>], n: usize) -> usize {
    let is_detail = |line: &Line<'_>| {
        let text = line.text.to_ascii_lowercase();
        ["detail:", "hint:", "context:"].iter().any(|word| text.starts_with(word))
    };
    let mut main = n;
    while is_detail(&lines[main]) && main > 0 && !lines[main - 1].is_wrapper {
        main -= 1;
    }
    main
}

/// Whether a line has words besides `[removed]`.
fn says_something(line: &str) -> bool {
    line.replace(REMOVED, "").contains(char::is_alphabetic)
}

/// A line without names of classes and drivers before its words. Of a JSON object only the message.
fn message(line: &str, pattern: Option<&Pattern>) -> String {
    let from_json = || {
        let value: serde_json::Value =
            serde_json::from_str(line).ok().filter(serde_json::Value::is_object)?;
        let mut strings = Vec::new();
        collect(&value, "", &mut strings);
        let said = ["error_description", "message", "detail", "error"];
        let main = said.iter().find_map(|key| strings.iter().find(|(of, _)| of.eq_ignore_ascii_case(key)))?.1;
        let has_words = |text: &str| pattern.is_some_and(|words| words.find(&normalised(text), 0).is_some());
        let words = strings.iter().map(|(_, text)| *text).find(|text| has_words(text));
        Some(match words {
            Some(words) if !has_words(main) => format!("{words}: {main}"),
            _ => main.to_owned(),
        })
    };
    let message = from_json().unwrap_or_else(|| line.to_owned());
    let one_line: Vec<&str> = message.split_whitespace().collect();
    without_prefixes(&one_line.join(" ")).to_owned()
}

fn collect<'a>(value: &'a serde_json::Value, key: &'a str, strings: &mut Vec<(&'a str, &'a str)>) {
    match value {
        serde_json::Value::String(text) => strings.push((key, text)),
        serde_json::Value::Array(all) => all.iter().for_each(|one| collect(one, key, strings)),
        serde_json::Value::Object(all) => all.iter().for_each(|(key, one)| collect(one, key, strings)),
        _ => {}
    }
}

/// A line without names of classes, of drivers and of what is printed before a cause.
fn without_prefixes(line: &str) -> &str {
    let mut rest = line;
    loop {
        let shorter = without_beginning(without_drivers(without_classes(rest)));
        if shorter.len() == rest.len() || !says_something(shorter) {
            return rest;
        }
        rest = shorter;
    }
}

/// Removes Java class names: `java.lang.RuntimeException: com.x.YException: text` becomes `text`.
fn without_classes(mut line: &str) -> &str {
    while let Some((head, rest)) = line.split_once(':') {
        let is_class = head.contains('.') && (head.ends_with("Exception") || head.ends_with("Error"));
        if !is_class || head.contains(char::is_whitespace) || !rest.contains(char::is_alphanumeric) {
            break;
        }
        line = rest.trim_start();
    }
    line
}

/// Removes names in brackets that an ODBC driver prints: `[Microsoft][ODBC Driver 17 for SQL Server]text` becomes
/// `text`. A code in brackets stays.
fn without_drivers(line: &str) -> &str {
    let mut rest = line;
    let mut groups = 0;
    let mut names_driver = false;
    while let Some((group, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        if group.contains([':', '[', '"']) || group.len() > 60 {
            break;
        }
        let lower = group.to_ascii_lowercase();
        names_driver |= ["odbc", "jdbc", "driver"].iter().any(|word| lower.contains(word));
        let is_code = !lower.contains("driver") && lower.contains(|c: char| c.is_ascii_digit());
        if is_code && !lower.contains("mysql") {
            break;
        }
        groups += 1;
        rest = after;
    }
    if groups > 1 || names_driver { rest.trim_start() } else { line }
}

/// Cuts a line to the limit. The words of the pattern stay visible.
fn cut(line: &str, pattern: Option<&Pattern>) -> String {
    if line.chars().count() <= LIMIT {
        return line.to_owned();
    }
    let place = pattern.and_then(|pattern| pattern.find(&normalised(line), 0));
    let origins = origins(line);
    let (start, end) = place.map_or((0, 0), |place| (origins[place.start], origins[place.end]));
    let chars = |text: &str| text.chars().count();
    if chars(&line[..end]) < LIMIT {
        return cut_end(line);
    }
    let from = line[..start].char_indices().rev().nth(BEFORE).map_or(0, |(at, _)| at);
    let from = line[from..start].find(' ').map_or(from, |at| from + at + 1);
    let rest = format!("…{}", &line[from..]);
    if chars(&rest) <= LIMIT { rest } else { cut_end(&rest) }
}

fn cut_end(line: &str) -> String {
    let mut short: String = line.chars().take(LIMIT - 1).collect();
    // Half of `[removed]` would look like a part of the note, so it is cut off too.
    if let Some(at) = short.rfind('[')
        && short.len() - at < REMOVED.len()
        && REMOVED.starts_with(&short[at..])
    {
        short.truncate(at);
    }
    format!("{}…", short.trim_end())
}
