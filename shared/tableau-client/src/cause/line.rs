//! Prepares a line of a job's notes for a chat.

use super::shorten::shorten;
use plain_text::REMOVED;
use std::ops::Range;

/// The longest line, in characters.
const LINE_LIMIT: usize = 300;
/// How many bytes of the notes are read. Tableau's notes have only a few lines.
const NOTES_LIMIT: usize = 256 * 1024;
/// How many bytes of a line are prepared. What follows is not shown.
const WINDOW: usize = 4 * LINE_LIMIT;
/// How many characters are shown before the matched part, where the line is too long.
const BEFORE: usize = 60;

/// The beginning of the notes, up to the limit, without an incomplete word at the end.
pub(super) fn beginning(notes: &str) -> &str {
    if notes.len() <= NOTES_LIMIT {
        return notes;
    }
    let start = &notes[..notes.floor_char_boundary(NOTES_LIMIT)];
    start.rfind(char::is_whitespace).map_or(start, |end| &start[..end])
}

/// The line for a message: without the names of drivers before it, private parts shortened, at most 300 characters.
/// `matched` is the part of the line by which the cause was recognised.
pub(super) fn shown(line: &str, matched: Range<usize>) -> String {
    let cut = without_drivers(line);
    let drivers = line.len() - cut.len();
    let matched = matched.start.saturating_sub(drivers)..matched.end.saturating_sub(drivers);
    let skipped = skipped(cut, matched);
    let window = &cut[skipped..];
    let shortened = shorten(&window[..window.floor_char_boundary(WINDOW)]);
    if skipped == 0 { short(&shortened) } else { short(&format!("…{shortened}")) }
}

/// A line without `[Vendor][Driver]` before the text. A code in brackets stays.
fn without_drivers(line: &str) -> &str {
    let mut rest = line;
    while let Some((group, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let is_name = group.contains(char::is_lowercase) && !group.contains(':');
        let after = after.trim_start();
        if !is_name
            || group.contains(REMOVED.trim_matches(['[', ']']))
            || !after.contains(char::is_alphabetic)
        {
            break;
        }
        rest = after;
    }
    rest
}

/// How many bytes to leave out at the beginning, so that the matched part is within the limit.
fn skipped(line: &str, matched: Range<usize>) -> usize {
    let within = |at: usize| line.get(..at).map_or(usize::MAX, |start| start.chars().count());
    if within(matched.end.min(line.len())) < LINE_LIMIT || within(matched.start) <= BEFORE {
        return 0;
    }
    let start = matched.start;
    let before = line[..start].char_indices().rev().map(|(at, _)| at).nth(BEFORE - 1).unwrap_or_default();
    let space = line[before..start].char_indices().find(|(_, c)| c.is_whitespace());
    space.map_or(start, |(at, c)| before + at + c.len_utf8())
}

fn short(line: &str) -> String {
    if line.chars().count() <= LINE_LIMIT {
        return line.to_owned();
    }
    let mut short: String = line.chars().take(LINE_LIMIT - 1).collect();
    // Half of `[removed]` would look like a part of the note, so it is cut off too.
    if let Some(at) = short.rfind('[')
        && short.len() - at < REMOVED.len()
        && REMOVED.starts_with(&short[at..])
    {
        short.truncate(at);
    }
    format!("{}…", short.trim_end())
}
