//! Renders lists: the members of a group by cause, the events of a digest, or what a weekly report lists. Items that do not fit are counted.

use super::parts::{markup, named, short};
use crate::slack::blocks::Block;
use crate::slack::mrkdwn::escape;
use alerting::notification::clock::{span, time};
use alerting::notification::{Item, Kind, List, Notification};
use jiff::tz::TimeZone;

/// The total length of all names in a message.
const NAMES_LIMIT: usize = 9_000;
/// The longest text of one block.
const BLOCK_LIMIT: usize = 2_800;
/// The longest name in a list.
const NAME_LIMIT: usize = 60;
/// How many causes are listed.
const LISTS_LIMIT: usize = 8;
/// The longest heading, as markup.
const HEADING_LIMIT: usize = 300;
/// The space for `… and 1,000,000 more` and for the count after a heading.
const COUNTS: usize = 60;

/// How many items belong to lists that do not fit into the message.
pub(super) fn not_listed(shown: &Notification) -> usize {
    shown.lists.iter().skip(LISTS_LIMIT).map(size).sum()
}

/// Renders the lists into at most `room` characters.
pub(super) fn blocks(shown: &Notification, zone: Option<&TimeZone>, room: usize) -> Vec<Block> {
    let lists: Vec<&List> = shown.lists.iter().take(LISTS_LIMIT).collect();
    let is_digest = shown.kind == Kind::Digest;
    let has_lines = shown.kind.lists_lines();
    let heading = |list: &List| {
        let heading = markup(&short(list.heading.as_deref()?), HEADING_LIMIT);
        Some(if has_lines { format!("*{heading}*") } else { format!("*{heading}* – {}", size(list)) })
    };
    let headings: Vec<Option<String>> = lists.iter().map(|list| heading(list)).collect();
    let taken: usize = headings.iter().flatten().map(|heading| heading.chars().count()).sum();
    let mut room = room.saturating_sub(taken + lists.len() * COUNTS).min(NAMES_LIMIT);
    let separator = if has_lines { "\n" } else { " · " };
    let text = |item: &Item, with_place| match has_lines {
        true => happened(item, zone, with_place),
        false => name(item, with_place),
    };
    let length = |item| text(item, true).chars().count() + separator.chars().count();
    // Projects and owners are left out if there is not enough room for those of all items: names are more important.
    let mut items = lists.iter().flat_map(|list| &list.items);
    let with_place = items.try_fold(room, |left, item| left.checked_sub(length(item))).is_some();
    // In a digest repeated events count; in a group each object counts once.
    let counts = |item: &Item| if is_digest { times(item) } else { 1 };
    let mut blocks = Vec::new();
    for (list, heading) in lists.into_iter().zip(headings) {
        let mut paragraphs = Paragraphs { separator, texts: Vec::new() };
        let mut shown_items = 0;
        for item in &list.items {
            let text = text(item, with_place);
            let length = text.chars().count() + separator.chars().count();
            if length > room {
                break;
            }
            room -= length;
            shown_items += 1;
            paragraphs.add(text);
        }
        let rest = list.items.iter().skip(shown_items).map(counts).sum::<usize>() + list.more;
        if rest > 0 {
            // Shorter names of a later list might still fit, but a reader would take them for the complete list.
            room = if shown_items < list.items.len() { 0 } else { room };
            paragraphs.end(&format!("… and {rest} more"));
        }
        match heading {
            // Above lines the heading is the first line of the text.
            Some(heading) if has_lines => blocks.extend(under(&heading, paragraphs.texts)),
            heading => blocks.extend(heading.into_iter().chain(paragraphs.texts)),
        }
    }
    blocks.into_iter().map(Block::section).collect()
}

/// Text split into paragraphs that each fit into one block.
struct Paragraphs {
    separator: &'static str,
    texts: Vec<String>,
}

impl Paragraphs {
    fn add(&mut self, text: String) {
        let length = text.chars().count() + self.separator.chars().count();
        match self.texts.last_mut().filter(|last| last.chars().count() + length <= BLOCK_LIMIT) {
            Some(last) => {
                last.push_str(self.separator);
                last.push_str(&text);
            }
            None => self.texts.push(text),
        }
    }

    /// Appends a few words to the last paragraph.
    fn end(&mut self, words: &str) {
        let separator = if self.separator == "\n" { "\n" } else { " " };
        match self.texts.last_mut() {
            Some(last) => {
                last.push_str(separator);
                last.push_str(words);
            }
            None => self.texts.push(words.to_owned()),
        }
    }
}

/// Paragraphs with a heading in the first one, if the heading fits.
fn under(heading: &str, mut paragraphs: Vec<String>) -> Vec<String> {
    match paragraphs.first_mut() {
        Some(first) if first.chars().count() + heading.chars().count() < BLOCK_LIMIT => {
            first.insert_str(0, &format!("{heading}\n"));
        }
        _ => paragraphs.insert(0, heading.to_owned()),
    }
    paragraphs
}

/// How many objects or events a list represents.
fn size(list: &List) -> usize {
    list.items.iter().map(times).sum::<usize>() + list.more
}

fn times(item: &Item) -> usize {
    item.times.max(1)
}

/// Where an item is and whose it is: ` (Finance, Ana Ruiz)`.
fn place(item: &Item) -> String {
    let known = [&item.place.project, &item.place.owner].into_iter().flatten();
    let known: Vec<String> = known.map(|name| escape(&named(name, NAME_LIMIT))).collect();
    if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) }
}

fn name(item: &Item, with_place: bool) -> String {
    let place = if with_place { place(item) } else { String::new() };
    let name = format!("{}{place}", escape(&named(&item.name, NAME_LIMIT)));
    if item.times > 1 { format!("{name} ({} times)", item.times) } else { name }
}

/// One line of a digest or report.
fn happened(item: &Item, zone: Option<&TimeZone>, with_place: bool) -> String {
    let what = item.what.as_deref().map(|what| format!("*{}*: ", escape(&short(what)))).unwrap_or_default();
    let cause =
        item.cause.as_deref().map(|cause| format!(" – {}", escape(&short(cause)))).unwrap_or_default();
    let when = item.when.map(|(first, last)| match item.times {
        0 | 1 => format!(" · {}", time(first, zone)),
        times => format!(" · {times} times, {}", span(first, last, zone)),
    });
    let place = if with_place { place(item) } else { String::new() };
    format!("• {what}{}{place}{cause}{}", escape(&short(&item.name)), when.unwrap_or_default())
}
