//! Selects dead letters. No I/O.

use super::dead_letter::{Content, DeadLetter};
use super::subject::Subject;
use crate::events::ids::Candidates;
use crate::events::options::SelectorOptions;
use crate::events::time_range::TimeRange;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as System};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tableau::EventId;
use workflow::BoxError;

/// How far a clock may be wrong. AWS refuses requests that are signed by a clock that is further off.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(15);

/// Which dead letters are selected.
#[derive(Clone, Debug)]
pub(super) struct Selector {
    /// The first digits of event ids or message ids; empty means all.
    pub(super) ids: BTreeSet<String>,
    /// The event's name; `None` means any.
    pub(super) event: Option<String>,
    /// When the dead letter came.
    pub(super) time_range: TimeRange,
    pub(super) started: Timestamp,
    /// Whether selected dead letters are sent back to their queue, so that they may fail and come again during the
    /// scan.
    pub(super) sends: bool,
    /// Whether messages that no workflow can read are selected too.
    pub(super) no_events: bool,
}

/// A message that is not an event and is left in the queue.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) message_id: String,
    pub(super) why: String,
    /// Whether the user asked for the message by its id.
    pub(super) named: bool,
}

/// What the selector has found so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The given first digits that matched a dead letter, with the ids that they matched.
    pub(super) found: BTreeMap<String, Candidates>,
    /// Messages that are not events, if only events are selected.
    pub(super) unread: Vec<Unread>,
    /// Events that also have a dead letter that is not selected.
    pub(super) others: BTreeSet<EventId>,
    /// Events and timers whose dead letters came after the command began.
    pub(super) newer: BTreeSet<Subject>,
    /// Events and timers that were replayed by this command and have failed again.
    pub(super) back: BTreeSet<Subject>,
    /// Events and timers that were selected earlier, with the latest time of AWS's clock known at that moment.
    sent: HashMap<Subject, Option<Timestamp>>,
    /// The latest time of AWS's clock seen so far. Dead letters carry times of that clock and not of this machine's.
    latest: Option<Timestamp>,
}

impl Selector {
    pub(super) fn read(options: &SelectorOptions, started: Timestamp) -> Result<Self, BoxError> {
        Ok(Self {
            ids: options.ids(),
            event: options.event.as_ref().map(|event| event.as_str().to_owned()),
            time_range: options.time_range.at(started)?,
            started,
            sends: false,
            no_events: false,
        })
    }

    /// The given first digits that match this dead letter, by its event id or message id, each with the complete id.
    /// `None` if ids were given and none matches.
    fn names<'a>(&'a self, letter: &'a DeadLetter) -> Option<Vec<(&'a String, &'a str)>> {
        let event = letter.event_id().map(EventId::as_str);
        let ids = || event.into_iter().chain([letter.message_id.as_str()]);
        let named = |beginning: &'a String| {
            let id = ids().find(|id| begins(id, beginning))?;
            Some((beginning, id))
        };
        let names: Vec<_> = self.ids.iter().filter_map(named).collect();
        (self.ids.is_empty() || !names.is_empty()).then_some(names)
    }

    /// Whether the dead letter has the wanted time and event name.
    fn fits(&self, letter: &DeadLetter) -> bool {
        let name = letter.event().map(|event| &event.name);
        self.time_range.holds(letter.sent_at) && (self.event.is_none() || self.event.as_ref() == name)
    }

    /// Whether a dead letter of a replayed event came after the replay. `sent` is the latest known time of AWS's
    /// clock at the replay, so that an older dead letter of the same event is recognised. If that does not decide,
    /// this machine's clock does, which may be wrong.
    fn is_back(&self, letter: &DeadLetter, sent: Option<Timestamp>) -> bool {
        letter.sent_at.is_some_and(|sent_at| {
            sent.is_none_or(|sent| sent_at > sent) && sent_at.duration_since(self.started) > -CLOCK_TOLERANCE
        })
    }

    /// Selects from some messages.
    pub(super) fn of(&self, messages: &[Message], seen: &mut Seen) -> Vec<DeadLetter> {
        let mut chosen = Vec::new();
        seen.latest = messages.iter().flat_map(times).chain(seen.latest).max();
        for message in messages {
            let letter = DeadLetter::read(message);
            let names = self.names(&letter);
            if let (Content::NoEvent(why), false) = (&letter.content, self.no_events) {
                let named = names.is_some_and(|names| !names.is_empty());
                let message_id = letter.message_id;
                seen.unread.push(Unread { message_id, why: why.clone(), named });
                continue;
            }
            let Some(names) = names.filter(|_| self.fits(&letter)) else {
                seen.others.extend(letter.event_id().cloned());
                continue;
            };
            for (beginning, id) in names {
                seen.found.entry(beginning.clone()).or_default().insert(id.to_owned(), letter.what());
            }
            if self.is_new(&letter, seen) {
                chosen.push(letter);
            }
        }
        // Recorded only now, so that all dead letters of an event that arrive together are selected.
        let sent = chosen.iter().filter_map(DeadLetter::subject).map(|subject| (subject, seen.latest));
        seen.sent.extend(sent);
        chosen
    }

    /// Whether the dead letter came after the command began; if so, it is recorded as newer.
    fn is_new(&self, letter: &DeadLetter, seen: &mut Seen) -> bool {
        let Some(subject) = letter.subject().filter(|_| self.sends) else { return true };
        match seen.sent.get(&subject) {
            Some(sent) if self.is_back(letter, *sent) => {
                seen.back.insert(subject);
                false
            }
            None if letter.sent_at.is_some_and(|sent_at| sent_at > self.started) => {
                seen.newer.insert(subject);
                false
            }
            _ => true,
        }
    }
}

/// Whether an id begins with these digits. Ids are hexadecimal digits, with or without dashes.
fn begins(id: &str, beginning: &str) -> bool {
    id.get(..beginning.len()).is_some_and(|start| start.eq_ignore_ascii_case(beginning))
}

/// The times of AWS's clock that a message carries.
fn times(message: &Message) -> impl Iterator<Item = Timestamp> {
    let time = |name| message.attributes()?.get(&name)?.parse().ok();
    let times = [System::SentTimestamp, System::ApproximateFirstReceiveTimestamp].map(time);
    times.into_iter().flatten().filter_map(|ms| Timestamp::from_millisecond(ms).ok())
}

#[cfg(test)]
mod tests {
    use super::super::dead_letter::EventFacts;
    use super::*;
    use tableau::Payload;

    fn selector(ids: &[&str]) -> Selector {
        let started = Timestamp::from_second(1_764_000_000).unwrap();
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        Selector {
            ids,
            event: None,
            time_range: TimeRange::default(),
            started,
            sends: true,
            no_events: false,
        }
    }

    fn id() -> EventId {
        // 66764cae3f271aa0…
        EventId::of(&Payload::parse(br#"{"event_type":"SiteUpdated","resource":"SITE"}"#).unwrap())
    }

    const MESSAGE: &str = "0f1E2d3c-0000-4000-8000-000000000000";

    fn letter(sent_at: Option<Timestamp>) -> DeadLetter {
        let name = "SiteUpdated".to_owned();
        DeadLetter {
            message_id: MESSAGE.to_owned(),
            content: Content::Event(EventFacts { id: id(), name, resource: String::new() }),
            body: String::new(),
            sent_at,
            reason: String::new(),
        }
    }

    #[test]
    fn all_events_are_taken_unless_some_are_named_by_event_or_by_message() {
        let letter = letter(None);
        assert_eq!(selector(&[]).names(&letter), Some(vec![]));
        assert_eq!(selector(&["00000000"]).names(&letter), None);
        let both = selector(&["00000000", "66764cae3f27", "0f1e2d3c-0000"]);
        let event = ("66764cae3f27".to_owned(), id());
        let message = "0f1e2d3c-0000".to_owned();
        assert_eq!(both.names(&letter), Some(vec![(&message, MESSAGE), (&event.0, event.1.as_str())]));
    }

    #[test]
    fn a_letter_is_of_the_name_and_of_the_time_that_was_asked_for() {
        let started = selector(&[]).started;
        let time_range = TimeRange { since: Some(started), until: None };
        let named =
            |event: &str, time_range| Selector { event: Some(event.to_owned()), time_range, ..selector(&[]) };
        assert!(named("SiteUpdated", TimeRange::default()).fits(&letter(None)));
        assert!(!named("SiteDeleted", TimeRange::default()).fits(&letter(None)));
        assert!(named("SiteUpdated", time_range).fits(&letter(Some(started))));
        assert!(!named("SiteUpdated", time_range).fits(&letter(Some(Timestamp::UNIX_EPOCH))));
        assert!(!named("SiteUpdated", time_range).fits(&letter(None)));
    }

    /// A test message that came `came` seconds after the command began, and was first received `received` seconds
    /// after that.
    fn message(id: &str, came: i64, received: i64) -> Message {
        let at = |seconds: i64| ((1_764_000_000 + seconds) * 1_000).to_string();
        let body = r#"{"event_type":"SiteUpdated","resource":"SITE"}"#;
        let message = Message::builder().message_id(id).body(body);
        let message = message.attributes(System::SentTimestamp, at(came));
        message.attributes(System::ApproximateFirstReceiveTimestamp, at(received)).build()
    }

    fn taken(selector: &Selector, messages: &[Message], seen: &mut Seen) -> Vec<String> {
        selector.of(messages, seen).into_iter().map(|letter| letter.message_id).collect()
    }

    #[test]
    fn all_letters_of_an_event_are_meant() {
        let named = selector(&["66764cae3f27"]);
        let mut seen = Seen::default();
        let together = [message("1", -60, 0), message("2", -55, 0)];
        assert_eq!(taken(&named, &together, &mut seen), ["1", "2"]);
        // The first event was replayed since; AWS's clock was then already later than this message's time.
        assert_eq!(taken(&named, &[message("3", -5, 1)], &mut seen), ["3"]);
        assert!(seen.back.is_empty() && seen.newer.is_empty());
    }

    #[test]
    fn what_fails_again_is_not_replayed_in_a_circle_even_when_a_clock_is_wrong() {
        let selector = selector(&[]);
        // This machine's clock is right, five minutes ahead, or five minutes behind.
        for wrong in [0, -300, 300] {
            let mut seen = Seen::default();
            let first = message("1", -3_600, -3_000);
            assert_eq!(taken(&selector, &[first], &mut seen), ["1"]);
            assert!(taken(&selector, &[message("2", wrong + 2, wrong + 2)], &mut seen).is_empty());
            assert_eq!((seen.back.len(), seen.newer.len()), (1, 0));
        }
    }

    #[test]
    fn what_came_after_we_began_is_left_when_letters_are_sent_and_shown_when_not() {
        let mut selector = selector(&[]);
        let mut seen = Seen::default();
        assert!(taken(&selector, &[message("1", 1, 1)], &mut seen).is_empty());
        assert_eq!((seen.back.len(), seen.newer.len()), (0, 1));
        selector.sends = false;
        let mut seen = Seen::default();
        for id in ["1", "2"] {
            assert_eq!(taken(&selector, &[message(id, 1, 1)], &mut seen), [id]);
        }
        assert!(seen.back.is_empty() && seen.newer.is_empty());
    }
}
