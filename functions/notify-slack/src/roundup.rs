//! Messages about many things at once, and about the end of a story. Pure.

use crate::message::short;
use crate::wording::duration;
use destinations::slack::mrkdwn::{cut, date, escape};
use destinations::slack::{Block, Message};
use incidents::{Burst, Closed, Digest, Member};
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
pub(crate) fn burst(burst: &Burst) -> Message {
    let members: Vec<&Member> = burst.together_members().collect();
    let recovered = members.iter().filter(|member| member.recovered.is_some()).count();
    let failing = members.len() - recovered;
    let title = match (failing, recovered) {
        (0, all) => format!("✅ All {all} recovered"),
        (failing, 0) => format!("🔴 {failing} extract refreshes failed"),
        (failing, recovered) => format!("🔴 {failing} extract refreshes fail, {recovered} recovered"),
    };
    let mut causes: BTreeMap<&str, Vec<&Member>> = BTreeMap::new();
    for member in members.iter().filter(|member| member.recovered.is_none()) {
        causes.entry(member.cause.as_str()).or_default().push(member);
    }
    let mut causes: Vec<(&str, Vec<&Member>)> = causes.into_iter().collect();
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
    let since = burst.since().map(|at| format!("since {} · ", clock(at))).unwrap_or_default();
    let more = causes.iter().skip(CAUSES_LIMIT).map(|(_, members)| members.len()).sum::<usize>();
    let more = if more > 0 { format!(" · {more} more have other causes") } else { String::new() };
    let unnamed = match burst.more {
        0 => String::new(),
        more => format!(" · {more} more came when there were too many to name"),
    };
    blocks.push(Block::context([format!("{since}{} objects in this message{more}{unnamed}", members.len())]));
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

/// The word that an object's failures are over.
pub(crate) fn recovery(name: &str, closed: &Closed) -> Message {
    let (streak, lasted) = (&closed.streak, closed.streak.lasted(closed.at));
    let failures = match streak.failures {
        1 => "1 failure".to_owned(),
        failures => format!("{failures} failures"),
    };
    let text = format!("Recovered after {}: {}", duration(lasted), short(name));
    let body = format!("It had {failures} since {}.", clock(streak.since));
    Message::new(&escape(&text), [Block::header(&format!("✅ {text}")), Block::section(body)])
}

/// What happened in quiet hours, the same things together.
pub(crate) fn digest(digest: &Digest) -> Message {
    let entries = digest.untold();
    let mut lines: Vec<(Timestamp, String)> = Vec::new();
    let mut groups: BTreeMap<(&str, &str), Vec<Timestamp>> = BTreeMap::new();
    for entry in &entries {
        groups.entry((entry.what.as_str(), entry.name.as_str())).or_default().push(entry.at);
    }
    for ((what, name), times) in groups {
        let cause = entries.iter().rev().find_map(|entry| {
            (entry.what == what && entry.name == name).then_some(entry.cause.as_deref())?
        });
        let cause = cause.map(|cause| format!(" – {}", escape(cause))).unwrap_or_default();
        let (first, last) = (times.iter().min().copied(), times.iter().max().copied());
        let (Some(first), Some(last)) = (first, last) else { continue };
        let when = match times.len() {
            1 => clock(first),
            n => format!("{n} times, {} to {}", clock(first), clock(last)),
        };
        lines.push((first, format!("• *{}*: {}{cause} ({when})", escape(what), escape(&short(name)))));
    }
    lines.sort();
    let events = entries.len() + usize::try_from(digest.more).unwrap_or_default();
    let title = format!("🌅 {} in quiet hours", counted(events));
    let mut blocks = vec![Block::header(&title)];
    let (mut paragraph, mut room, mut shown) = (String::new(), NAMES_LIMIT, 0);
    for (_, line) in &lines {
        let length = line.chars().count() + 1;
        if length > room {
            break;
        }
        room -= length;
        shown += 1;
        if paragraph.chars().count() + length > BLOCK_LIMIT {
            blocks.push(Block::section(std::mem::take(&mut paragraph)));
        }
        paragraph.push_str(line);
        paragraph.push('\n');
    }
    if !paragraph.is_empty() {
        blocks.push(Block::section(paragraph.trim_end()));
    }
    let more = lines.len() - shown + usize::try_from(digest.more).unwrap_or_default();
    if more > 0 {
        blocks.push(Block::context([format!("… and {more} more")]));
    }
    Message::new(&title, blocks)
}

fn counted(events: usize) -> String {
    if events == 1 { "1 event".to_owned() } else { format!("{events} events") }
}

/// A time on each reader's own clock.
fn clock(at: Timestamp) -> String {
    date(at, &at.strftime("%a %-d %b %Y, %H:%M UTC").to_string())
}

/// How long a streak has lasted, for the message about it.
pub(crate) fn so_far(failures: u32, since: Timestamp, lasted: SignedDuration) -> String {
    format!("failure no. {failures} since {}, for {}", clock(since), duration(lasted))
}
