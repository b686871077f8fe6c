//! Which dead letters are meant. No I/O.

use super::letter::Letter;
use crate::events::options::ChoiceOptions;
use crate::events::span::Span;
use aws_sdk_sqs::types::Message;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeSet, HashSet};
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
    /// How many came after we began.
    pub(super) newer: usize,
}

impl Choice {
    pub(super) fn read(options: &ChoiceOptions, started: Timestamp) -> Result<Self, BoxError> {
        Ok(Self {
            ids: options.event_ids(),
            event: options.event.as_ref().map(|event| event.as_str().to_owned()),
            span: options.span.at(started)?,
            started,
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

    /// Whether the letter came after we began, as one does that is replayed and fails again. `repeated`: whether its
    /// event was replayed before in this run. Then our clock may be wrong about it.
    fn is_newer(&self, sent_at: Option<Timestamp>, repeated: bool) -> bool {
        let tolerance = if repeated { CLOCK_TOLERANCE } else { SignedDuration::ZERO };
        sent_at.is_some_and(|sent_at| sent_at.duration_since(self.started) > -tolerance)
    }

    /// Those of some messages that are meant. `before`: the events of this workflow that were chosen before.
    pub(super) fn of(
        &self,
        messages: &[Message],
        before: &mut HashSet<EventId>,
        seen: &mut Seen,
    ) -> Vec<Chosen> {
        let mut chosen = Vec::new();
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
            if self.is_newer(letter.sent_at, before.contains(&letter.id)) {
                seen.newer += 1;
                continue;
            }
            before.insert(letter.id.clone());
            chosen.push(Chosen { message_id, letter });
        }
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tableau::Payload;

    fn choice(ids: &[&str]) -> Choice {
        let started = Timestamp::from_second(1_764_000_000).unwrap();
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        Choice { ids, event: None, span: Span::default(), started }
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

    #[test]
    fn what_fails_again_is_not_replayed_in_a_circle_even_when_a_clock_is_wrong() {
        let choice = choice(&[]);
        let at = |seconds| choice.started.checked_add(SignedDuration::from_secs(seconds)).ok();
        assert!(!choice.is_newer(at(-1), false));
        assert!(choice.is_newer(at(1), false));
        assert!(choice.is_newer(at(-300), true));
        assert!(!choice.is_newer(at(-3_600), true));
        assert!(!choice.is_newer(None, false));
    }
}
