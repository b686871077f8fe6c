//! `Notification` → one line of a text message. Pure.
//!
//! A text has one segment of 160 characters where GSM 03.38 has all its characters; a name in another script may have two segments. What
//! does not fit is left out in a fixed order, or cut with `...`. The link stands last, whole or not at all.

use super::gsm::{Encoding, plain, segments};
use alerting::notification::{Cause, Kind, Notification, Status, Value, duration};
use plain_text::{is_blank, one_line};

/// How many segments a text in UCS-2 may have.
const SEGMENTS_OF_UCS2: usize = 2;
/// More characters fit into no text, whatever they are.
const MOST_CHARACTERS: usize = 160;
/// How many names of a group or digest are tried.
const NAMES: usize = 3;
/// The shortest name that a cut leaves, before the text does without its link.
const SHORTEST_NAME: usize = 24;
/// The shortest part of a rule's own words that is worth its place.
const SHORTEST_WORDS: usize = 16;
/// How much of a text is considered: more than any text message has room for.
const LONGEST: usize = 300;
/// What stands at the end of what was cut.
const CUT: &str = "...";

/// The text of a notification. `note` is a sentence that it says in any case.
pub fn text(shown: &Notification, note: Option<&str>) -> String {
    let parts = Parts::of(shown);
    let note = note.map(line).unwrap_or_default();
    let heads = parts.heads(parts.cause.as_deref());
    let without_cause = parts.heads(None);
    let chosen = [(parts.link.as_deref(), &heads), (None, &heads), (None, &without_cause)];
    let chosen = chosen.into_iter().find_map(|(link, heads)| {
        heads.iter().find(|head| fits(&assembled(head, &note, link))).map(|head| (head.clone(), link))
    });
    let (head, link) = chosen.unwrap_or_else(|| {
        let longest = without_cause.last().map(String::as_str).unwrap_or_default();
        (cut(longest, 1, |head| fits(&assembled(head, &note, None))).unwrap_or_default(), None)
    });
    let with_words = parts.words.as_ref().and_then(|words| {
        let all = |words: &str| assembled(&sentence(&head, words), &note, link);
        cut(words, SHORTEST_WORDS, |words| fits(&all(words))).map(|words| all(&words))
    });
    with_words.unwrap_or_else(|| assembled(&head, &note, link))
}

/// What a text can say.
struct Parts {
    /// What happened, or the rule's own title.
    title: String,
    /// To what: the object's name, or a few names of a group.
    names: Vec<String>,
    /// The project.
    place: Option<String>,
    /// Why.
    cause: Option<String>,
    /// How it stands.
    state: Option<String>,
    /// The rule's own words below the title.
    words: Option<String>,
    link: Option<String>,
}

impl Parts {
    fn of(shown: &Notification) -> Self {
        let title = match &shown.own_title {
            Some(own) => name(own),
            None => line(&shown.title),
        };
        let names = match (&shown.own_title, &shown.subject) {
            (Some(_), _) => vec![String::new()],
            (None, Some(subject)) => shortened_name(&name(subject)),
            (None, None) => listed(shown),
        };
        Self {
            title,
            names,
            place: place(shown),
            cause: cause(shown),
            state: state(shown),
            words: shown.own_text.as_deref().map(line).filter(|words| !words.is_empty()),
            link: link(shown),
        }
    }

    /// The beginning of the text, first with everything, then with less and less.
    fn heads(&self, cause: Option<&str>) -> Vec<String> {
        let whole = self.names.first().map(String::as_str).unwrap_or_default();
        let mut heads = vec![
            self.head(whole, self.place.as_deref(), cause, self.state.as_deref()),
            self.head(whole, None, cause, self.state.as_deref()),
            self.head(whole, self.place.as_deref(), cause, None),
        ];
        heads.extend(self.names.iter().map(|name| self.head(name, None, cause, None)));
        heads
    }

    fn head(&self, name: &str, place: Option<&str>, cause: Option<&str>, state: Option<&str>) -> String {
        let mut head = self.title.clone();
        if !name.is_empty() {
            head = format!("{head}: {name}");
        }
        if let Some(place) = place {
            head = format!("{head} ({place})");
        }
        for part in [cause, state].into_iter().flatten() {
            head = format!("{head} - {part}");
        }
        head
    }
}

/// One line, as it is sent. Signs that were left out leave no second space.
fn line(text: &str) -> String {
    let text: String = one_line(text).chars().take(LONGEST).collect();
    one_line(&plain(&text)).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name on one line; a placeholder for one that has nothing to show.
fn name(text: &str) -> String {
    let text = line(text);
    if is_blank(&text) { "(no name)".to_owned() } else { text }
}

/// The name, and shorter forms of it.
fn shortened_name(name: &str) -> Vec<String> {
    let count = name.chars().count().min(MOST_CHARACTERS);
    let shorter = (SHORTEST_NAME..count).rev().map(|length| shortened(name, length));
    std::iter::once(name.to_owned()).chain(shorter).collect()
}

/// A few names of a group or digest, then fewer, then none.
fn listed(shown: &Notification) -> Vec<String> {
    let items: Vec<_> = match shown.kind {
        // What still fails, else what happened.
        Kind::Digest => {
            shown.lists.first().map(|list| list.items.as_slice()).unwrap_or_default().iter().collect()
        }
        _ => shown.lists.iter().flat_map(|list| &list.items).collect(),
    };
    let total = match shown.kind {
        Kind::Digest => items.len() + shown.lists.first().map_or(0, |list| list.more),
        _ => shown.lists.iter().map(|list| list.items.len() + list.more).sum(),
    };
    let heading = match (shown.kind, shown.lists.first().and_then(|list| list.heading.as_deref())) {
        (Kind::Digest, Some(heading)) => format!("{}: ", line(heading)),
        _ => String::new(),
    };
    let text = |count: usize| {
        let named: Vec<String> = items
            .iter()
            .take(count)
            .map(|item| match &item.what {
                Some(what) => format!("{}: {}", line(what), name(&item.name)),
                None => name(&item.name),
            })
            .collect();
        let more = match total.saturating_sub(named.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{heading}{}{more}", named.join(", "))
    };
    let counts = (1..=items.len().min(NAMES)).rev();
    let without =
        if heading.is_empty() { String::new() } else { heading.trim_end_matches([':', ' ']).to_owned() };
    counts.map(text).chain([without, String::new()]).collect()
}

/// The project that the object is in, or was in.
fn place(shown: &Notification) -> Option<String> {
    let project = shown.facts.iter().find_map(|fact| match (fact.label.as_ref(), &fact.value) {
        ("Project" | "Was in", Value::Text(project)) => Some(line(project)),
        _ => None,
    });
    project.filter(|project| !project.is_empty() && shown.subject.is_some() && shown.own_title.is_none())
}

/// Why it failed: of a group each cause, with its number of objects.
fn cause(shown: &Notification) -> Option<String> {
    match (&shown.cause, shown.kind) {
        (Some(Cause::Known { title, .. }), Kind::Resolved) => Some(format!("it was: {}", line(title))),
        (Some(Cause::Known { title, .. }), _) => Some(line(title)),
        (None, Kind::GroupOpened | Kind::GroupUpdated | Kind::GroupResolved) => {
            let causes = shown.lists.iter().filter_map(|list| {
                Some(format!("{}: {}", line(list.heading.as_deref()?), list.items.len() + list.more))
            });
            Some(causes.collect::<Vec<_>>().join(", ")).filter(|causes| !causes.is_empty())
        }
        _ => None,
    }
}

/// How the incident stands, if this is more than its first failure; how much a webhook has missed; and how many refreshes of
/// a week failed.
fn state(shown: &Notification) -> Option<String> {
    shown.status.iter().find_map(|status| match status {
        Status::Flapping { .. } => Some("flapping, short failures send no text".to_owned()),
        Status::Failures { count, .. } if *count > 1 => Some(format!("{count} failures in a row")),
        Status::MissedDeliveries { last_enabled: Some(last), until } => {
            Some(format!("events of up to {} are lost", duration(until.duration_since(*last))))
        }
        Status::FailedInWeek { .. } => status.sentence(None).map(|sentence| sentence.bold),
        Status::NoEventsInWeek => Some("no events".to_owned()),
        _ => None,
    })
}

/// The address of the object's page, if a text can have it without a change.
fn link(shown: &Notification) -> Option<String> {
    let url = shown.links.first().map(|link| link.url.as_str())?;
    let is_whole =
        plain(url) == url && !url.contains(char::is_whitespace) && Encoding::of(url) == Encoding::Gsm;
    is_whole.then(|| url.to_owned())
}

/// Two sentences: the first ends with a full stop if it has no end of its own.
fn sentence(first: &str, second: &str) -> String {
    match (first.is_empty(), second.is_empty()) {
        (true, _) => second.to_owned(),
        (_, true) => first.to_owned(),
        _ if first.ends_with(['.', '!', '?']) => format!("{first} {second}"),
        _ => format!("{first}. {second}"),
    }
}

/// The whole text.
fn assembled(head: &str, note: &str, link: Option<&str>) -> String {
    let text = sentence(head, note);
    match link {
        Some(link) => format!("{text} {link}"),
        None => text,
    }
}

/// Whether a text has as few segments as it may have.
fn fits(text: &str) -> bool {
    if text.chars().count() > MOST_CHARACTERS {
        return false;
    }
    let most = match Encoding::of(text) {
        Encoding::Gsm => 1,
        Encoding::Ucs2 => SEGMENTS_OF_UCS2,
    };
    segments(text) <= most
}

/// The longest beginning of a text that fits, with `...` behind it; the whole text if that fits. `None` if fewer than `shortest`
/// characters would be left.
fn cut(text: &str, shortest: usize, fits: impl Fn(&str) -> bool) -> Option<String> {
    if fits(text) {
        return Some(text.to_owned());
    }
    let count = text.chars().count();
    (shortest..count).rev().map(|length| shortened(text, length)).find(|shorter| fits(shorter))
}

/// The first `length` characters, with `...` behind them.
fn shortened(text: &str, length: usize) -> String {
    let beginning: String = text.chars().take(length).collect();
    format!("{}{CUT}", beginning.trim_end_matches([' ', '.', ',', ':', '-', '(']))
}

#[cfg(test)]
mod tests;
