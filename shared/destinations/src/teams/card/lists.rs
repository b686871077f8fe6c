//! Renders lists: the members of a group by cause, or the events of a digest. Items that do not fit are counted.

use super::element::{fact, fact_set, heading, paragraph};
use super::limits::weight;
use crate::teams::clock::clock;
use crate::teams::text::escape;
use crate::teams::words::{self, happened, object, times};
use alerting::notification::{Kind, List, Notification};
use jiff::tz::TimeZone;
use serde_json::Value;

/// The longest name in a list.
const NAME_LIMIT: usize = 60;
/// How many lists are shown: causes of a group.
const LISTS_LIMIT: usize = 8;
/// What the frame of a list takes, with its `… and 1,000 more`.
const FRAME: usize = 160;
/// What the frame of one line of a digest takes.
const LINE: usize = 30;

/// The lists in at most `room`, and how many objects or events they count without naming them.
pub(super) fn elements(shown: &Notification, room: usize) -> (Vec<Value>, usize) {
    let lists: Vec<&List> = shown.lists.iter().take(LISTS_LIMIT).collect();
    let headings: Vec<Option<String>> =
        lists.iter().map(|list| words::heading(list, shown.kind).map(|heading| escape(&heading))).collect();
    let taken: usize = headings.iter().flatten().map(|heading| weight_of(heading)).sum();
    let mut names =
        Names { room: room.saturating_sub(taken + (lists.len() + 1) * FRAME), left: 0, kind: shown.kind };
    let zone = shown.timezone.as_ref();
    let elements = match shown.kind {
        Kind::Digest => digest(&lists, headings, &mut names, zone),
        _ => group(&lists, headings, &mut names),
    };
    let others: usize = shown.lists.iter().skip(LISTS_LIMIT).map(|list| names.size(list)).sum();
    names.left += others;
    let others = (others > 0).then(|| paragraph(&format!("… and {others} more with other causes")));
    (elements.into_iter().chain(others).collect(), names.left)
}

/// The causes of a group in one set of facts, each with the names of its objects; or names alone.
fn group(lists: &[&List], headings: Vec<Option<String>>, names: &mut Names) -> Vec<Value> {
    let mut elements = Vec::new();
    let mut facts = Vec::new();
    for (list, heading) in lists.iter().zip(headings) {
        let (mut shown, more) = names.take(list, |item| escape(&object(item, NAME_LIMIT)), 3);
        shown.extend(more);
        let text = shown.join(" · ");
        match heading {
            Some(heading) => facts.push(fact(&heading, &text)),
            None if text.is_empty() => {}
            None => elements.push(paragraph(&text)),
        }
    }
    if !facts.is_empty() {
        elements.push(fact_set(facts));
    }
    elements
}

/// The events of quiet hours: a heading, and one line for each, with its time.
fn digest(
    lists: &[&List],
    headings: Vec<Option<String>>,
    names: &mut Names,
    zone: Option<&TimeZone>,
) -> Vec<Value> {
    let mut elements = Vec::new();
    for (list, title) in lists.iter().zip(headings) {
        let at = |item: &alerting::notification::Item| {
            item.when.map(|(first, _)| clock(first, zone)).unwrap_or_else(|| "•".to_owned())
        };
        let line = |item: &alerting::notification::Item| {
            format!("{}\n{}", escape(&at(item)), escape(&happened(item, zone)))
        };
        let (shown, more) = names.take(list, line, LINE);
        let facts: Vec<Value> =
            shown.iter().filter_map(|line| line.split_once('\n')).map(|(at, what)| fact(at, what)).collect();
        elements.extend(title.map(|title| heading(&title)));
        if !facts.is_empty() {
            elements.push(fact_set(facts));
        }
        elements.extend(more.map(|more| paragraph(&more)));
    }
    elements
}

/// Takes items as long as there is room.
struct Names {
    room: usize,
    left: usize,
    kind: Kind,
}

impl Names {
    /// The texts of the items that fit, and the words about the others. `frame` is what each text takes besides itself.
    fn take(
        &mut self,
        list: &List,
        text: impl Fn(&alerting::notification::Item) -> String,
        frame: usize,
    ) -> (Vec<String>, Option<String>) {
        let mut shown = Vec::new();
        for item in &list.items {
            let text = text(item);
            let taken = weight_of(&text) + frame + 16;
            if taken > self.room {
                // Shorter names of a later list might still fit, but a reader would take them for the complete list.
                self.room = 0;
                break;
            }
            self.room -= taken;
            shown.push(text);
        }
        let rest =
            list.items.iter().skip(shown.len()).map(|item| times(item, self.kind)).sum::<usize>() + list.more;
        self.left += rest;
        (shown, (rest > 0).then(|| format!("… and {rest} more")))
    }

    fn size(&self, list: &List) -> usize {
        list.items.iter().map(|item| times(item, self.kind)).sum::<usize>() + list.more
    }
}

/// What a text takes in JSON.
fn weight_of(text: &str) -> usize {
    weight(&Value::from(text))
}
