//! What fits of the lists of a message: the members of a group by cause, the events of quiet hours, or what a weekly report lists. Items that do not fit are
//! counted. Nothing here is escaped.

use super::words::{LISTED_LIMIT, named, short};
use alerting::notification::clock::{span, time};
use alerting::notification::{Item, Kind, List, Notification};
use jiff::tz::TimeZone;

/// How many lists are shown: causes of a group.
const LISTS_LIMIT: usize = 8;

/// What fits of the lists of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fitted {
    pub(super) lists: Vec<FittedList>,
    /// How many objects or events belong to further lists.
    pub(super) others: usize,
}

/// What fits of one list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FittedList {
    pub(super) heading: Option<String>,
    pub(super) items: Vec<String>,
    /// How many further objects or events the list counts.
    pub(super) more: usize,
}

impl Fitted {
    /// How many objects or events are counted, but not named.
    pub(super) fn left(&self) -> usize {
        self.others + self.lists.iter().map(|list| list.more).sum::<usize>()
    }

    /// The words about further lists.
    pub(super) fn others(&self) -> Option<String> {
        (self.others > 0).then(|| format!("… and {} more with other causes", self.others))
    }
}

impl FittedList {
    /// The words about further items.
    pub(super) fn more(&self) -> Option<String> {
        (self.more > 0).then(|| format!("… and {} more", self.more))
    }
}

/// What fits into `room`. `cost` is what one text takes of it; `frame` is what a list takes besides its texts.
pub(super) fn fit(shown: &Notification, room: usize, frame: usize, cost: impl Fn(&str) -> usize) -> Fitted {
    let lists: Vec<&List> = shown.lists.iter().take(LISTS_LIMIT).collect();
    let kind = shown.kind;
    let zone = shown.timezone.as_ref();
    let headings: Vec<Option<String>> = lists.iter().map(|list| heading(list, kind)).collect();
    let taken: usize = headings.iter().flatten().map(|heading| cost(heading)).sum();
    let mut room = room.saturating_sub(taken + (lists.len() + 1) * frame);
    let text = |item: &Item, with_place| match kind.lists_lines() {
        true => happened(item, zone, with_place),
        false => object(item, with_place),
    };
    // Projects and owners are left out if there is not enough room for those of all items: names are more important.
    let mut items = lists.iter().flat_map(|list| &list.items);
    let with_place = items.try_fold(room, |left, item| left.checked_sub(cost(&text(item, true)))).is_some();
    let mut fitted = Fitted::default();
    for (list, heading) in lists.into_iter().zip(headings) {
        let mut items = Vec::new();
        for item in &list.items {
            let text = text(item, with_place);
            let Some(left) = room.checked_sub(cost(&text)) else {
                // Shorter names of a later list might still fit, but a reader would take them for the complete list.
                room = 0;
                break;
            };
            room = left;
            items.push(text);
        }
        let rest: usize = list.items.iter().skip(items.len()).map(|item| times(item, kind)).sum();
        fitted.lists.push(FittedList { heading, items, more: rest + list.more });
    }
    let further = shown.lists.iter().skip(LISTS_LIMIT);
    fitted.others = further.map(|list| size(list, kind)).sum();
    fitted
}

/// The heading of a list, in a group with its size.
fn heading(list: &List, kind: Kind) -> Option<String> {
    let heading = named(list.heading.as_deref()?, LISTED_LIMIT);
    Some(if kind.lists_lines() { heading } else { format!("{heading} – {}", size(list, kind)) })
}

fn size(list: &List, kind: Kind) -> usize {
    list.items.iter().map(|item| times(item, kind)).sum::<usize>() + list.more
}

/// How many events or objects an item of a list stands for: in a digest repeated events count, in a group each object counts once.
fn times(item: &Item, kind: Kind) -> usize {
    if kind == Kind::Digest { item.times.max(1) } else { 1 }
}

/// Where an item is and whose it is: ` (Finance, Ana Ruiz)`.
fn place(item: &Item, with_place: bool) -> String {
    let known = [&item.place.project, &item.place.owner].into_iter().flatten().filter(|_| with_place);
    let known: Vec<String> = known.map(|name| named(name, LISTED_LIMIT)).collect();
    if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) }
}

/// An object of a group.
fn object(item: &Item, with_place: bool) -> String {
    let name = format!("{}{}", named(&item.name, LISTED_LIMIT), place(item, with_place));
    if item.times > 1 { format!("{name} ({} times)", item.times) } else { name }
}

/// One line of a digest or report: what happened to what, why, how often and when.
fn happened(item: &Item, zone: Option<&TimeZone>, with_place: bool) -> String {
    let what = item.what.as_deref().map(|what| format!("{}: ", short(what))).unwrap_or_default();
    let cause = item.cause.as_deref().map(|cause| format!(" – {}", short(cause))).unwrap_or_default();
    let when = item.when.map(|(first, last)| match item.times {
        0 | 1 => format!(" · {}", time(first, zone)),
        times => format!(" · {times} times, {}", span(first, last, zone)),
    });
    format!("• {what}{}{}{cause}{}", short(&item.name), place(item, with_place), when.unwrap_or_default())
}
