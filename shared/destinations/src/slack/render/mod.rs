//! Renders a notification as a Slack message. Pure; decides nothing about timing, grouping or suppression.

mod impact;
mod lists;
mod mentions;
mod parts;

use super::blocks::{Block, Message};
use super::mrkdwn::{escape, link};
use alerting::notification::{List, Mentioned, Notification, Value};
pub(super) use mentions::Called;
use parts::{cause, fields, next_step, short, small_print, status};

/// Slack refuses messages with more than about 13,200 characters in blocks.
const ALL_LIMIT: usize = 13_000;
/// The longest link that is shown, as markup. Of a longer one the query is left out, and a link that is still longer is
/// not shown, because half a link does not work.
const LINK_LIMIT: usize = 1_500;

/// Renders a notification as a Slack message that calls no one. Everything is escaped, and cut to what Slack accepts.
pub fn render(shown: &Notification) -> Message {
    render_for(shown, &Called::default())
}

// For a person who is woken by it, the order is: what and why, what to do, whose it is, how bad it is.
/// Renders a notification as a Slack message that calls these people, below its header. Each mention stands once: a mention in a
/// block notifies, and the line is for push notifications.
pub(crate) fn render_for(shown: &Notification, called: &Called) -> Message {
    let zone = shown.timezone.as_ref();
    let title = short(&shown.title);
    let name = shown.subject.as_deref().map(short);
    let own_title = shown.own_title.as_deref().map(short);
    let usual = || name.as_ref().map_or_else(|| title.clone(), |name| format!("{title}: {name}"));
    let headline = own_title.unwrap_or_else(usual);
    let mut above: Vec<Block> = [
        Some(Block::header(&format!("{} {headline}", shown.symbol))),
        called.paragraph().map(Block::section),
        shown.own_text.as_deref().map(|text| Block::section(escape(text))),
        cause(shown).map(Block::section),
        next_step(shown).map(Block::section),
        Block::fields(fields(shown, zone)),
        status(shown, zone).map(Block::section),
    ]
    .into_iter()
    .flatten()
    .collect();
    let links: Vec<String> =
        shown.links.iter().filter_map(|link| bounded(&link.url, link.label)).take(1).collect();
    let not_listed = lists::not_listed(shown);
    let below: Vec<Block> = [
        (!links.is_empty()).then(|| Block::section(links.join("\n"))),
        small_print(shown, zone, not_listed).map(|text| Block::context([text])),
    ]
    .into_iter()
    .flatten()
    .collect();
    let room = |above: &[Block]| ALL_LIMIT.saturating_sub(above.iter().chain(&below).map(length).sum());
    let used_by = shown.impact.as_ref().and_then(|impact| impact::line(impact, room(&above)));
    above.extend(used_by.map(Block::section));
    let room = room(&above);
    let lists = lists::blocks(shown, zone, room);
    Message::new(&line(shown, title, name), above.into_iter().chain(lists).chain(below))
}

/// A link, without its query if it is too long with it.
fn bounded(url: &str, label: &str) -> Option<String> {
    let fits = |link: &String| link.chars().count() <= LINK_LIMIT;
    let without_query = || url.split_once('?').and_then(|(page, _)| link(page, label)).filter(fits);
    link(url, label).filter(fits).or_else(without_query)
}

/// The line for push notifications and screen readers. For several objects it begins with the symbol, as the header
/// does.
fn line(shown: &Notification, title: String, name: Option<String>) -> String {
    let facts = shown.facts.iter().map(parts::shortened).collect();
    let counts = |list: &List| List {
        heading: list.heading.as_deref().map(short),
        items: Vec::new(),
        more: list.items.len() + list.more,
    };
    let lists = shown.lists.iter().map(counts).collect();
    let is_about_many = name.is_none();
    let brief = Notification {
        thread: None,
        title,
        event: None,
        subject: name,
        own_title: shown.own_title.as_deref().map(short),
        own_text: None,
        mentioned: Mentioned::default(),
        cause: shown.cause.as_ref().map(parts::shortened_cause),
        facts,
        lists,
        status: Vec::new(),
        impact: None,
        links: Vec::new(),
        footnotes: Vec::new(),
        next_step: None,
        timezone: None,
        ..*shown
    };
    let summary = escape(&brief.summary());
    let site = brief.facts.iter().find_map(|fact| match (fact.label.as_ref(), &fact.value) {
        ("Site", Value::Text(site)) => Some(format!(" · {}", escape(site))),
        _ => None,
    });
    if is_about_many {
        format!("{} {summary}", shown.symbol)
    } else {
        format!("{summary}{}", site.unwrap_or_default())
    }
}

/// How many characters Slack counts for a block.
fn length(block: &Block) -> usize {
    let count = |text: &super::Text| text.as_str().chars().count();
    match block {
        Block::Header { text } => count(text),
        Block::Section { text, fields } => text.iter().chain(fields).map(count).sum(),
        Block::Context { elements } => elements.iter().map(count).sum(),
    }
}
