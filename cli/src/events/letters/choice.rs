//! Which dead letters are meant. No I/O.

use super::letter::Letter;
use crate::events::options::ChoiceOptions;
use crate::events::span::Span;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName as System};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashMap};
use tableau::EventId;
use workflow::BoxError;

/// How far a clock may be off. AWS takes no request that is signed by one that is further off.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(15);

/// Which letters are meant.
#[derive(Debug)]
pub(super) struct Choice {
    /// Beginnings of event ids; none: all.
    pub(super) ids: BTreeSet<String>,
    /// The event's name; none: any.
    pub(super) event: Option<String>,
    /// When the letter came.
    pub(super) span: Span,
    pub(super) started: Timestamp,
    /// Whether the letters are sent round again, and may be back before we are through.
    pub(super) sends: bool,
}

/// A letter that is meant.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) message_id: String,
    pub(super) letter: Letter,
}

/// What the choice has come across.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Those beginnings of event ids that named a letter.
    pub(super) found: BTreeSet<String>,
    /// Messages that are no events: the message's id, and why.
    pub(super) unread: Vec<(String, String)>,
    /// Events that came after we began.
    pub(super) newer: BTreeSet<EventId>,
    /// Events that we sent round again, and that have failed again.
    pub(super) back: BTreeSet<EventId>,
    /// Events that were chosen before, and how late it was at AWS at least.
    sent: HashMap<EventId, Option<Timestamp>>,
    /// The latest that a clock of AWS has shown: the one whose time letters bear, unlike ours.
    latest: Option<Timestamp>,
}

impl Choice {
    pub(super) fn read(options: &ChoiceOptions, started: Timestamp, sends: bool) -> Result<Self, BoxError> {
        Ok(Self {
            ids: options.event_ids(),
            event: options.event.as_ref().map(|event| event.as_str().to_owned()),
            span: options.span.at(started)?,
            started,
            sends,
        })
    }

    /// The beginnings that name this event; `None` when others were asked for.
    fn names(&self, id: &EventId) -> Option<Vec<&String>> {
        let names: Vec<_> = self.ids.iter().filter(|beginning| id.as_str().starts_with(*beginning)).collect();
        (self.ids.is_empty() || !names.is_empty()).then_some(names)
    }

    /// Whether the letter is of the time and of the name that was asked for.
    fn fits(&self, letter: &Letter) -> bool {
        self.span.holds(letter.sent_at) && self.event.as_ref().is_none_or(|event| *event == letter.event)
    }

    /// Whether the letter of an event that we have sent again came after that. `sent`: how late it was then at AWS at
    /// least, so that an older letter of the same event is known. Where that does not tell, our clock does, and it may be
    /// wrong.
    fn is_back(&self, letter: &Letter, sent: Option<Timestamp>) -> bool {
        letter.sent_at.is_some_and(|sent_at| {
            sent.is_none_or(|sent| sent_at > sent) && sent_at.duration_since(self.started) > -CLOCK_TOLERANCE
        })
    }

    /// Those of some messages that are meant.
    pub(super) fn of(&self, messages: &[Message], seen: &mut Seen) -> Vec<Chosen> {
        let mut chosen = Vec::new();
        seen.latest = messages.iter().flat_map(times).chain(seen.latest).max();
        for message in messages {
            let message_id = message.message_id().unwrap_or_default().to_owned();
            let letter = match Letter::read(message) {
                Ok(letter) => letter,
                Err(why) => {
                    seen.unread.push((message_id, why));
                    continue;
                }
            };
            let Some(names) = self.names(&letter.id).filter(|_| self.fits(&letter)) else { continue };
            seen.found.extend(names.into_iter().cloned());
            match seen.sent.get(&letter.id) {
                Some(sent) if self.sends && self.is_back(&letter, *sent) => {
                    seen.back.insert(letter.id);
                }
                None if self.sends && letter.sent_at.is_some_and(|sent_at| sent_at > self.started) => {
                    seen.newer.insert(letter.id);
                }
                _ => chosen.push(Chosen { message_id, letter }),
            }
        }
        // Only now: all letters of an event that come together are meant.
        seen.sent.extend(chosen.iter().map(|chosen| (chosen.letter.id.clone(), seen.latest)));
        chosen
    }
}

/// What a message tells of the clock of AWS.
fn times(message: &Message) -> impl Iterator<Item = Timestamp> {
    let time = |name| message.attributes()?.get(&name)?.parse().ok();
    let times = [System::SentTimestamp, System::ApproximateFirstReceiveTimestamp].map(time);
    times.into_iter().flatten().filter_map(|ms| Timestamp::from_millisecond(ms).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tableau::Payload;

    fn choice(ids: &[&str]) -> Choice {
        let started = Timestamp::from_second(1_764_000_000).unwrap();
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        Choice { ids, event: None, span: Span::default(), started, sends: true }
    }

    fn id() -> EventId {
        // 66764cae3f271aa0…
        EventId::of(&Payload::parse(br#"{"event_type":"SiteUpdated","resource":"SITE"}"#).unwrap())
    }

    fn letter(sent_at: Option<Timestamp>) -> Letter {
        let event = "SiteUpdated".to_owned();
        Letter {
            id: id(),
            body: String::new(),
            event,
            resource: String::new(),
            sent_at,
            reason: String::new(),
        }
    }

    #[test]
    fn all_events_are_taken_unless_some_are_named() {
        assert_eq!(choice(&[]).names(&id()), Some(vec![]));
        assert_eq!(choice(&["00000000"]).names(&id()), None);
        let both = choice(&["00000000", "66764cae3f27"]);
        assert_eq!(both.names(&id()), Some(vec![&"66764cae3f27".to_owned()]));
    }

    #[test]
    fn a_letter_is_of_the_name_and_of_the_time_that_was_asked_for() {
        let started = choice(&[]).started;
        let span = Span { since: Some(started), until: None };
        let named = |event: &str, span| Choice { event: Some(event.to_owned()), span, ..choice(&[]) };
        assert!(named("SiteUpdated", Span::default()).fits(&letter(None)));
        assert!(!named("SiteDeleted", Span::default()).fits(&letter(None)));
        assert!(named("SiteUpdated", span).fits(&letter(Some(started))));
        assert!(!named("SiteUpdated", span).fits(&letter(Some(Timestamp::UNIX_EPOCH))));
        assert!(!named("SiteUpdated", span).fits(&letter(None)));
    }

    /// A letter that came so many seconds after we began, and that nobody has received before `received` seconds.
    fn message(id: &str, came: i64, received: i64) -> Message {
        let at = |seconds: i64| ((1_764_000_000 + seconds) * 1_000).to_string();
        let body = r#"{"event_type":"SiteUpdated","resource":"SITE"}"#;
        let message = Message::builder().message_id(id).body(body);
        let message = message.attributes(System::SentTimestamp, at(came));
        message.attributes(System::ApproximateFirstReceiveTimestamp, at(received)).build()
    }

    fn taken(choice: &Choice, messages: &[Message], seen: &mut Seen) -> Vec<String> {
        choice.of(messages, seen).into_iter().map(|chosen| chosen.message_id).collect()
    }

    #[test]
    fn all_letters_of_an_event_are_meant() {
        let (named, mut seen) = (choice(&["66764cae3f27"]), Seen::default());
        let together = [message("1", -60, 0), message("2", -55, 0)];
        assert_eq!(taken(&named, &together, &mut seen), ["1", "2"]);
        // The first has been sent again since; at AWS it was later then than this one's time.
        assert_eq!(taken(&named, &[message("3", -5, 1)], &mut seen), ["3"]);
        assert!(seen.back.is_empty() && seen.newer.is_empty());
    }

    #[test]
    fn what_fails_again_is_not_replayed_in_a_circle_even_when_a_clock_is_wrong() {
        let choice = choice(&[]);
        // Ours is right, is five minutes fast, and is five minutes slow.
        for wrong in [0, -300, 300] {
            let mut seen = Seen::default();
            let first = message("1", -3_600, -3_000);
            assert_eq!(taken(&choice, &[first], &mut seen), ["1"]);
            assert!(taken(&choice, &[message("2", wrong + 2, wrong + 2)], &mut seen).is_empty());
            assert_eq!((seen.back.len(), seen.newer.len()), (1, 0));
        }
    }

    #[test]
    fn what_came_after_we_began_is_left_when_letters_are_sent_and_shown_when_not() {
        let (mut choice, mut seen) = (choice(&[]), Seen::default());
        assert!(taken(&choice, &[message("1", 1, 1)], &mut seen).is_empty());
        assert_eq!((seen.back.len(), seen.newer.len()), (0, 1));
        choice.sends = false;
        let mut seen = Seen::default();
        for id in ["1", "2"] {
            assert_eq!(taken(&choice, &[message(id, 1, 1)], &mut seen), [id]);
        }
        assert!(seen.back.is_empty() && seen.newer.is_empty());
    }
}
