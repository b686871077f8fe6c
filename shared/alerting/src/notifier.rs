//! The interfaces that a destination and a function's routing implement. A destination renders and sends; timing,
//! grouping and suppression are decided by the engine.

use crate::capabilities::Capabilities;
use crate::context::Context;
use crate::impact::ImpactLookup;
use crate::incident::{MessageRef, RefreshKind};
use crate::notification::Notification;
use async_trait::async_trait;
use jiff::Timestamp;
use rules::message::Message;
use rules::{Matched, Mentions, Schedule, Site};
use std::collections::BTreeMap;
use std::ops::Deref;
use tableau::Event;
use workflow::{Failure, Invocation};

/// A destination, such as Slack, that notifications are sent to.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// The settings of one target in a rule: a channel, a list of recipients, an assignment group.
    type Target: Clone + Send + Sync;

    /// What the destination can do with its present credential.
    ///
    /// # Errors
    /// When the credential cannot be read.
    async fn capabilities(&self) -> Result<Capabilities, Failure>;

    /// Whether updates of an incident or group are sent to the destination, and not only its beginning and its end. Without this, a further failure,
    /// a further member and a reminder send nothing.
    fn sends_updates(&self) -> bool {
        true
    }

    /// Whether the destination shows more than the object's name and the cause: where it is, whose it is, and which workbooks use it. Without
    /// this, Tableau is not asked for these workbooks, and not at all about an incident that has ended.
    fn shows_content(&self) -> bool {
        true
    }

    /// Sends a notification to a target.
    ///
    /// # Errors
    /// [`Undelivered`], which also says whether the notification may have arrived.
    async fn deliver(
        &self,
        target: &Self::Target,
        delivery: Delivery<'_>,
        notification: &Notification,
        invocation: &Invocation,
    ) -> Result<Delivered, Undelivered>;

    /// Whether an end that the destination has accepted may have had no effect there, and repeating it does no harm. Then ends are
    /// sent again with the next successes of the object.
    fn repeats_ends(&self) -> bool {
        false
    }

    /// Whether an end finds its message by the key alone, also where the notification log knows of none, and calls no one. Then the end of
    /// what a digest has announced is sent also in quiet hours.
    fn ends_by_key(&self) -> bool {
        false
    }

    /// What a person should know of a test notification that the destination has accepted: where it is, or what may still keep
    /// it from arriving. One line.
    async fn receipt(&self, _target: &Self::Target, delivered: &Delivered) -> String {
        match &delivered.message {
            Some(message) => format!("accepted as message {} in {}", message.id, message.conversation),
            None => "accepted".to_owned(),
        }
    }
}

/// How a notification is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery<'a> {
    /// As a new message.
    Post,
    /// Replace the text of this message. If the message is gone: send a new one if `audible`, otherwise nothing.
    Edit {
        /// The message to edit.
        message: &'a MessageRef,
        /// Whether a new message may be sent, which calls people's attention.
        audible: bool,
    },
    /// Announce the end: edit this message and, if `audible`, also send a reply to it. Without a message: send a new
    /// one if `audible`.
    Close {
        /// The incident's message.
        message: Option<&'a MessageRef>,
        /// Whether a new message may be sent, which calls people's attention.
        audible: bool,
    },
}

/// The result of a notification that was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The new message, if it can be edited later.
    pub message: Option<MessageRef>,
    /// Whether a new message was sent, which calls people's attention; an edit does not.
    pub audible: bool,
    /// What a person should know of it, in one line: that some recipients were left out, for example.
    pub note: Option<String>,
    /// Why the destination left everything as it is, where that is right and lasts. The event's outcome says it.
    pub skipped: Option<String>,
}

impl Delivered {
    /// The destination left everything as it is, for this reason.
    pub fn skipped(why: impl Into<String>) -> Self {
        Self { skipped: Some(why.into()), ..Self::default() }
    }
}

/// A notification that was not sent, or whose answer was lost.
#[derive(Debug)]
pub struct Undelivered {
    /// What must happen to the event's message in the queue.
    pub failure: Failure,
    /// Whether the notification may have arrived all the same, because its answer was lost.
    pub maybe_sent: bool,
}

/// A target (such as a Slack channel) that a rule names for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targeted<T> {
    /// The target's key in the notification log, such as the channel. Equal for all rules that name the same target.
    pub key: String,
    /// The target's settings in the rule.
    pub settings: T,
    /// When the rule allows a notification: now, in quiet hours, muted, …
    pub schedule: Schedule,
    /// The rule's name.
    pub rule: String,
    /// The rule's own words for a notification.
    pub message: Option<Message>,
    /// Whom the rule calls.
    pub mentions: Mentions,
}

impl<T> Targeted<T> {
    /// A target without words of its own.
    pub fn new(key: impl Into<String>, settings: T, schedule: Schedule) -> Self {
        Self {
            key: key.into(),
            settings,
            schedule,
            rule: String::new(),
            message: None,
            mentions: Mentions::default(),
        }
    }

    /// Another target that the same rule notifies at the same time, for a routing that makes several targets of one.
    #[must_use]
    pub fn with<U>(&self, key: impl Into<String>, settings: U) -> Targeted<U> {
        Targeted {
            rule: self.rule.clone(),
            message: self.message.clone(),
            mentions: self.mentions.clone(),
            ..Targeted::new(key, settings, self.schedule)
        }
    }

    /// Whether this target is notified as early as the other one, or earlier.
    pub fn is_as_early_as(&self, other: &Self) -> bool {
        let is_now = |schedule| matches!(schedule, Schedule::Critical | Schedule::Now);
        self.schedule <= other.schedule || (is_now(self.schedule) && is_now(other.schedule))
    }

    /// Each target once: of several with one key, the one that is notified first.
    pub fn merged(targets: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut merged: BTreeMap<String, Self> = BTreeMap::new();
        for target in targets {
            let key = target.key.clone();
            let target = match merged.remove(&key) {
                Some(earlier) => earlier.or(target),
                None => target,
            };
            merged.insert(key, target);
        }
        merged.into_values().collect()
    }

    /// One target of two that rules name for the same place: that of the rule that notifies first. If both notify at the same
    /// time, it calls those whom either rule calls.
    pub(crate) fn or(self, other: Self) -> Self {
        let (mut first, second) = if other.schedule < self.schedule { (other, self) } else { (self, other) };
        let is_now = |schedule| matches!(schedule, Schedule::Critical | Schedule::Now);
        if first.schedule == second.schedule || (is_now(first.schedule) && is_now(second.schedule)) {
            first.mentions.add(&second.mentions);
        }
        first
    }
}

/// The targets that the rules name for an event, and why.
#[derive(Clone, Debug, Default)]
pub struct Routed<T> {
    /// Each target once.
    pub targets: Vec<Targeted<T>>,
    /// The rules that matched. Timers take them from here, without a lookup.
    pub matched: Matched,
}

/// An event as this crate stores it for timers.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    /// The event.
    pub event: Event,
    /// The rules that matched it when it arrived. `None`: written before rules had conditions.
    pub matched: Option<Matched>,
}

impl Deref for Occurrence {
    type Target = Event;

    fn deref(&self) -> &Event {
        &self.event
    }
}

/// What the rules and Tableau say about an event. Each workflow function implements this interface.
#[async_trait]
pub trait Routing<T>: Send + Sync {
    /// Whether a rule for this event asks how many times its refresh has failed in a row.
    ///
    /// # Errors
    /// When the rules cannot be used.
    fn asks_for_failures(&self, _event: &Event) -> Result<bool, Failure> {
        Ok(false)
    }

    /// The targets that the rules name for an event that has arrived. Tableau is asked only what a rule needs.
    /// `failures_in_a_row`: with this event, if [`Routing::asks_for_failures`].
    ///
    /// # Errors
    /// When the rules cannot be used, or Tableau does not answer and the event is to be tried again.
    async fn route(
        &self,
        event: &Event,
        failures_in_a_row: Option<u32>,
        invocation: &Invocation,
    ) -> Result<Routed<T>, Failure>;

    /// The targets that the rules name for a stored event: those of the rules that matched it when it arrived.
    ///
    /// # Errors
    /// When the rules cannot be used.
    fn targets(&self, event: &Occurrence, now: Timestamp) -> Result<Vec<Targeted<T>>, Failure>;

    /// The targets that the rules would name if a refresh of the event's object failed now; the quiet hours and mutes
    /// of those rules apply to the object's incident.
    ///
    /// # Errors
    /// When the rules cannot be used.
    fn failure_targets(&self, event: &Event, now: Timestamp) -> Result<Vec<Targeted<T>>, Failure>;

    /// Every target that a rule names, by its key.
    ///
    /// # Errors
    /// When the rules cannot be used.
    fn all(&self) -> Result<BTreeMap<String, T>, Failure> {
        Ok(BTreeMap::new())
    }

    /// The settings of the target with this key, if any rule names it. A key read from the store must not be used
    /// unchecked.
    ///
    /// # Errors
    /// When the rules cannot be used.
    fn named(&self, key: &str) -> Result<Option<T>, Failure>;

    /// Settings that suffice to end a message in a target that no rule names any more. `None` if the destination
    /// needs more than the key.
    fn unnamed(&self, key: &str) -> Option<T>;

    /// The event's site, if the rules list it.
    fn site(&self, event: &Event) -> Option<Site>;

    /// What Tableau says about an event's object and about the cause of a failure.
    ///
    /// # Errors
    /// When Tableau does not answer and the event is to be tried again.
    async fn context(&self, event: &Event, invocation: &Invocation) -> Result<Context, Failure>;

    /// Which workbooks use the data source of a failed refresh, or why that is not known. `None` if there is nothing to
    /// say. Bounded in time, and never a reason to try the event again. `context`: what Tableau says about the event.
    async fn impact(
        &self,
        _failure: &Event,
        _context: &Context,
        _invocation: &Invocation,
    ) -> Option<ImpactLookup> {
        None
    }

    /// When the last refresh of this kind ended, if it succeeded after the failure. An unknown kind means a refresh
    /// of any kind. The engine asks before a reminder.
    ///
    /// # Errors
    /// When Tableau does not answer and the next sweep is to ask again.
    async fn last_success(
        &self,
        _failure: &Event,
        _kind: RefreshKind,
        _invocation: &Invocation,
    ) -> Result<Option<Timestamp>, Failure> {
        Ok(None)
    }

    /// Which kind of refresh a success event is about. The engine asks only when the answer can make a difference.
    ///
    /// # Errors
    /// When Tableau does not answer and the event is to be tried again.
    async fn success_kind(&self, _success: &Event, _invocation: &Invocation) -> Result<RefreshKind, Failure> {
        Ok(RefreshKind::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_targets_with_one_key_the_one_that_is_notified_first_counts() {
        let until = Timestamp::from_second(1_800_000_000).unwrap();
        let of =
            |schedule, rule: &str| Targeted { rule: rule.to_owned(), ..Targeted::new("a", (), schedule) };
        let later = of(Schedule::DeferUntil(until), "later");
        let now = of(Schedule::Now, "now");
        for both in [[now.clone(), later.clone()], [later.clone(), now.clone()]] {
            let merged = Targeted::merged(both.into_iter().chain([now.with("b", ())]));
            let rules: Vec<(&str, &str)> =
                merged.iter().map(|target| (target.key.as_str(), target.rule.as_str())).collect();
            assert_eq!(rules, [("a", "now"), ("b", "now")]);
        }
        assert!(now.is_as_early_as(&later) && !later.is_as_early_as(&now));
        assert!(now.is_as_early_as(&of(Schedule::Critical, "critical")));
    }
}
