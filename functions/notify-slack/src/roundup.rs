//! Messages about many things at once, and about the end of a story. Pure.

use crate::message::short;
use crate::wording::clock;
use alerting::notification::duration;
use destinations::slack::mrkdwn::{cut, escape};
use destinations::slack::{Block, Message};
use incidents::{Burst, Closed, Digest, Entry, Member, Turn};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// All names together: Slack refuses messages with more than about 13,200 characters in blocks.
const NAMES_LIMIT: usize = 9_000;
/// What fits into one block.
const BLOCK_LIMIT: usize = 2_800;
/// With many, names are shortened.
const NAME_LIMIT: usize = 60;
const CAUSES_LIMIT: usize = 8;

/// The message about objects that began to fail together: by cause, the most frequent first, with each name.
pub(crate) fn burst(burst: &Burst, zone: Option<&TimeZone>) -> Message {
    let members: Vec<&Member> = burst.together_members().collect();
    let recovered = members.iter().filter(|member| member.recovered.is_some()).count();
    let failing = members.len() - recovered;
    let title = match (failing, recovered) {
        (0, all) => format!("✅ All {all} recovered"),
        (1, 0) => "🔴 1 extract refresh failed".to_owned(),
        (failing, 0) => format!("🔴 {failing} extract refreshes failed"),
        (1, recovered) => format!("🔴 1 extract refresh fails, {recovered} recovered"),
        (failing, recovered) => format!("🔴 {failing} extract refreshes fail, {recovered} recovered"),
    };
    let mut causes: BTreeMap<String, Vec<&Member>> = BTreeMap::new();
    for member in members.iter().filter(|member| member.recovered.is_none()) {
        causes.entry(short(&member.cause)).or_default().push(member);
    }
    let mut causes: Vec<(String, Vec<&Member>)> = causes.into_iter().collect();
    causes.iter_mut().for_each(|(_, members)| members.sort_by_key(|member| &member.name));
    causes.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
    let summary: Vec<String> =
        causes.iter().map(|(cause, members)| format!("{cause}: {}", members.len())).collect();

    let mut blocks = vec![Block::header(&title)];
    let mut room = NAMES_LIMIT;
    for (cause, members) in causes.iter().take(CAUSES_LIMIT) {
        blocks.push(Block::section(format!("*{}* – {}", escape(cause), members.len())));
        blocks.extend(names(members, &mut room).into_iter().map(Block::section));
    }
    let since = burst.since().map(|at| format!("since {} · ", clock(at, zone))).unwrap_or_default();
    let more = causes.iter().skip(CAUSES_LIMIT).map(|(_, members)| members.len()).sum::<usize>();
    let more = if more > 0 { format!(" · {more} more have other causes") } else { String::new() };
    blocks.push(Block::context([format!("{since}{} objects in this message{more}", members.len())]));
    let text = if summary.is_empty() { title.clone() } else { format!("{title} – {}", summary.join(", ")) };
    Message::new(&escape(&text), blocks)
}

/// Names as paragraphs that each fit into a block, within `room` characters; those that do not fit are counted.
fn names(members: &[&Member], room: &mut usize) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for (told, member) in members.iter().enumerate() {
        let name = escape(&cut(&short(&member.name), NAME_LIMIT));
        let length = name.chars().count() + 3;
        if length > *room {
            if let Some(last) = paragraphs.last_mut() {
                last.push_str(&format!(" … and {} more", members.len() - told));
            }
            break;
        }
        *room -= length;
        if paragraphs.last().is_some_and(|last| last.chars().count() + length > BLOCK_LIMIT) {
            paragraphs.push(String::new());
        }
        if let Some(last) = paragraphs.last_mut() {
            if !last.is_empty() {
                last.push_str(" · ");
            }
            last.push_str(&name);
        }
    }
    paragraphs.retain(|paragraph| !paragraph.trim().is_empty());
    paragraphs
}

/// The last word on objects that failed together.
pub(crate) fn burst_is_over(burst: &Burst) -> Message {
    let members: Vec<&Member> = burst.together_members().collect();
    let last = members.iter().filter_map(|member| member.recovered).max();
    let lasted = burst.since().zip(last).map(|(began, last)| last.duration_since(began));
    let after = lasted.map(|lasted| format!(" after {}", duration(lasted))).unwrap_or_default();
    let text = format!("✅ All {} recovered{after}", members.len());
    Message::new(&text, [Block::section(format!("{text}: those that began to fail together."))])
}

/// The same, among what happened in quiet hours.
pub(crate) fn burst_in_digest(burst: &Burst, now: Timestamp) -> Entry {
    Entry {
        what: format!("✅ All {} recovered", burst.together_members().count()),
        object: String::new(),
        name: "those that began to fail together".to_owned(),
        at: burst.together_members().filter_map(|member| member.recovered).max().unwrap_or(now),
        cause: None,
        turn: Turn::None,
        told: false,
    }
}

/// The word that an object's failures are over, because it recovered or was deleted.
pub(crate) fn end(name: &str, closed: &Closed, deleted: bool, zone: Option<&TimeZone>) -> Message {
    let (streak, lasted) = (&closed.streak, duration(closed.streak.lasted(closed.at)));
    let failures = match streak.failures {
        1 => "1 failure".to_owned(),
        failures => format!("{failures} failures"),
    };
    let (symbol, text) = match deleted {
        true => ("🗑️", format!("Deleted, {lasted} after it began to fail: {}", short(name))),
        false => ("✅", format!("Recovered after {lasted}: {}", short(name))),
    };
    let body = format!("It had {failures} since {}.", clock(streak.since, zone));
    Message::new(&escape(&text), [Block::header(&format!("{symbol} {text}")), Block::section(body)])
}

/// What happened in quiet hours: what still fails, and then all of it, the same things together.
pub(crate) fn digest(digest: &Digest, zone: Option<&TimeZone>) -> Message {
    let entries = digest.untold();
    let title = format!("🌅 {} in quiet hours", counted(entries.len() + digest.unnamed()));
    let mut lines = Lines { paragraphs: Vec::new(), room: NAMES_LIMIT, left_out: digest.unnamed() };
    let failing = digest.still_failing();
    if !failing.is_empty() {
        lines.add(format!("*{} still failing*", failing.len()));
        let mut failing: Vec<&Entry> = failing.into_values().collect();
        failing.sort_by_key(|entry| &entry.name);
        failing.iter().for_each(|entry| lines.add(format!("• {}{}", name(entry), cause(entry))));
        lines.paragraphs.push(String::new());
        lines.add("*All that happened*".to_owned());
    }
    let mut groups: BTreeMap<(&str, &str), Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        groups.entry((entry.what.as_str(), entry.object.as_str())).or_default().push(entry);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|entries| entries.first().map(|entry| entry.at));
    for entries in groups {
        let [first, .., last] = entries.as_slice() else {
            entries.iter().for_each(|entry| lines.add(happened(entry, &clock(entry.at, zone))));
            continue;
        };
        let times = format!("{} times, {} to {}", entries.len(), clock(first.at, zone), clock(last.at, zone));
        lines.add(happened(last, &times));
    }
    let mut blocks = vec![Block::header(&title)];
    let paragraphs = lines.paragraphs.iter().map(|paragraph| paragraph.trim_end());
    blocks.extend(paragraphs.filter(|paragraph| !paragraph.is_empty()).map(Block::section));
    if lines.left_out > 0 {
        blocks.push(Block::context([format!("… and {} more", lines.left_out)]));
    }
    Message::new(&title, blocks)
}

/// Lines that together fit into a message; those that do not are counted.
struct Lines {
    paragraphs: Vec<String>,
    room: usize,
    left_out: usize,
}

impl Lines {
    fn add(&mut self, line: String) {
        let length = line.chars().count() + 1;
        if length > self.room {
            (self.room, self.left_out) = (0, self.left_out + 1);
            return;
        }
        self.room -= length;
        match self.paragraphs.last_mut().filter(|last| last.chars().count() + length <= BLOCK_LIMIT) {
            Some(last) => *last += &format!("{line}\n"),
            None => self.paragraphs.push(format!("{line}\n")),
        }
    }
}

fn happened(entry: &Entry, when: &str) -> String {
    format!("• *{}*: {}{} ({when})", escape(&short(&entry.what)), name(entry), cause(entry))
}

fn name(entry: &Entry) -> String {
    escape(&short(&entry.name))
}

fn cause(entry: &Entry) -> String {
    entry.cause.as_deref().map(|cause| format!(" – {}", escape(&short(cause)))).unwrap_or_default()
}

fn counted(events: usize) -> String {
    if events == 1 { "1 event".to_owned() } else { format!("{events} events") }
}

/// How long a streak has lasted, for the message about it.
pub(crate) fn so_far(
    failures: u32,
    since: Timestamp,
    lasted: SignedDuration,
    zone: Option<&TimeZone>,
) -> String {
    format!("failure no. {failures} since {}, for {}", clock(since, zone), duration(lasted))
}
