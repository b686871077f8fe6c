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
/// How many characters are shown before the words that tell the cause, where the line is too long.
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
/// `told` is where the line tells the cause.
pub(super) fn shown(line: &str, told: Range<usize>) -> String {
    let cut = without_drivers(line);
    let told_from = told.start.saturating_sub(line.len() - cut.len());
    let skipped = skipped(cut, told_from, told.end.saturating_sub(line.len() - cut.len()));
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

/// How many bytes to leave out at the beginning, so that the words that tell the cause are within the limit.
fn skipped(line: &str, told_from: usize, told_to: usize) -> usize {
    let within = |at: usize| line.get(..at).map_or(usize::MAX, |start| start.chars().count());
    if within(told_to.min(line.len())) < LINE_LIMIT || within(told_from) <= BEFORE {
        return 0;
    }
    let before = line[..told_from].char_indices().rev().map(|(at, _)| at).nth(BEFORE - 1).unwrap_or_default();
    line[before..told_from].find(char::is_whitespace).map_or(told_from, |space| before + space + 1)
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
