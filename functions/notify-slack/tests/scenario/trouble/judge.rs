//! Checks the messages that a user sees at the end of a night.

use super::{CHANNELS, Delivery, Night};
use crate::recorder::Said;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use tableau::Action;
use workflow::Outcome;

impl Night {
    /// Checks the messages that a user sees at the end of a night.
    pub(super) fn judge(&self) {
        for (channel, _) in CHANNELS {
            let said = self.said(channel);
            let unanswered = said.iter().filter(|message| !message.answered).count();
            let wrong = self.wrong.get(channel).copied().unwrap_or_default() + unanswered;
            self.announced(channel, &said);
            self.over(channel, &said, wrong);
            self.bounded(channel, &said, wrong);
            self.counted(channel, &said);
        }
        assert!(self.environment.slack.refusals().is_empty(), "{:#?}", self.environment.slack.refusals());
    }

    pub(super) fn said(&self, channel: &str) -> Vec<Said> {
        self.environment.said().into_iter().filter(|said| said.channel == channel).collect()
    }

    fn failed(delivery: &Delivery) -> bool {
        delivery.event.name.action() == Some(Action::RefreshFailed)
    }

    fn of(&self, channel: &str) -> impl Iterator<Item = &Delivery> {
        self.deliveries.iter().filter(move |delivery| delivery.channel == channel)
    }

    pub(super) fn fail(&self, channel: &str, said: &[Said], what: &str) -> ! {
        let line = |said: &Said| {
            let kind = if said.is_edit { "edit" } else { "new" };
            format!("[{kind} {} {}] {}", said.id, said.answered, said.text)
        };
        let said: Vec<_> = said.iter().map(line).collect();
        let events = self.of(channel).map(|delivery| {
            let kind = &delivery.event.name;
            let at = delivery.event.created_at.unwrap();
            format!("{} {kind} {at} {:?} {:?}", delivery.object, delivery.first, delivery.done)
        });
        panic!(
            "seed {}, {:?}, {channel}: {what}\n{:?}, wrong: {:?}\n{}\n{}",
            self.seed,
            self.by,
            self.hours,
            self.wrong,
            events.collect::<Vec<_>>().join("\n"),
            said.join("\n---\n")
        )
    }

    /// A failure was announced if its groups had sent their messages before the object's success arrived.
    fn announced(&self, channel: &str, said: &[Said]) {
        for failure in self.of(channel).filter(|delivery| Self::failed(delivery)) {
            let (_, outcome) = failure.done.as_ref().unwrap();
            let announced = failure.announced.unwrap_or(usize::MAX);
            let later = |success: &&Delivery| {
                success.object == failure.object
                    && !Self::failed(success)
                    && success.event.created_at >= failure.event.created_at
            };
            let before_its_end =
                self.of(channel).filter(later).all(|success| announced < success.first.unwrap());
            // Only failures that were completed before and successes that begin afterwards count.
            let in_order = self.of(channel).filter(|other| other.object == failure.object).all(|other| {
                let before = other.done.as_ref().map(|(done, _)| *done);
                let at = failure.first;
                match other.event.created_at.cmp(&failure.event.created_at) {
                    Ordering::Less => before < at,
                    Ordering::Equal => true,
                    Ordering::Greater => other.first > at,
                }
            });
            let since = match outcome {
                Outcome::Done if in_order => failure.said_before,
                Outcome::Done => 0,
                Outcome::Skipped(reason) if is_grouped(reason) => 0,
                _ => continue,
            };
            let later = self.environment.said().split_off(since);
            let mut texts = later.iter().filter(|said| said.channel == channel).map(|said| &said.text);
            if before_its_end && !texts.any(|text| text.contains(&failure.object)) {
                self.fail(channel, said, &format!("no message is about {}", failure.object));
            }
        }
    }

    /// At the end no message is red, except for messages that no document knows.
    fn over(&self, channel: &str, said: &[Said], wrong: usize) {
        if self.by.edits() {
            let seen = self.environment.seen(channel);
            let red = seen.iter().filter(|text| text.contains('🔴')).count();
            if red > wrong {
                self.fail(channel, said, &format!("{red} messages are red, {wrong} went wrong"));
            }
            return;
        }
        let objects: BTreeSet<_> = self.of(channel).map(|delivery| &delivery.object).collect();
        for object in objects {
            // A message about a whole group; after quiet hours the digest says so.
            let is_about_all = |text: &str| ["✅ All", "Recovered: All"].iter().any(|all| text.contains(all));
            let about = |text: &&String| text.contains(object.as_str()) || is_about_all(text);
            let last = said.iter().map(|said| &said.text).rfind(about);
            if last.is_some_and(|text| text.contains('🔴')) {
                self.fail(channel, said, &format!("the last word on {object} is red"));
            }
        }
    }

    /// No failure is counted twice.
    fn counted(&self, channel: &str, said: &[Said]) {
        for text in said.iter().map(|said| &said.text) {
            let Some((head, rest)) = text.split_once("It had ") else { continue };
            let counted: usize = rest.split(' ').next().unwrap().parse().unwrap();
            let of_object = |delivery: &&Delivery| Self::failed(delivery) && head.contains(&delivery.object);
            let failures = self.of(channel).filter(of_object).count();
            if counted > failures {
                self.fail(channel, said, &format!("{counted} failures counted, and {failures} happened"));
            }
        }
    }

    /// Limits the messages per channel: each incident has one message and one end; each fault may cost one more of
    /// each.
    fn bounded(&self, channel: &str, said: &[Said], wrong: usize) {
        let posts = said.iter().filter(|said| !said.is_edit).count();
        let mut most = 2 * wrong;
        for delivery in self.of(channel) {
            let more = !self.by.edits() || !Self::failed(delivery);
            most += if Self::failed(delivery) { usize::from(more) } else { 2 };
        }
        if posts > most {
            self.fail(channel, said, &format!("{posts} messages, at most {most} expected"));
        }
    }
}

/// Whether a skipped failure is announced in a group or digest.
fn is_grouped(reason: &str) -> bool {
    reason.starts_with("grouped")
        || reason.contains("recorded with its incident")
        || reason.contains("digest")
        || reason.contains("another worker")
}
