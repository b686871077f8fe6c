//! What a destination implements: it renders and sends. It decides nothing about timing, grouping or suppression.

use crate::capabilities::Capabilities;
use crate::context::Context;
use crate::incident::{MessageRef, RefreshKind};
use crate::notification::Notification;
use async_trait::async_trait;
use jiff::Timestamp;
use rules::message::Message;
use rules::{Matched, Schedule, Site};
use std::ops::Deref;
use tableau::Event;
use workflow::{Failure, Invocation};

/// A destination that notifications are sent to.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// A rule's settings for one target: a channel, a list of recipients, an assignment group.
    type Target: Clone + Send + Sync;

    /// What the destination can do, with its present credential.
    ///
    /// # Errors
    /// When the credential cannot be read.
    async fn capabilities(&self) -> Result<Capabilities, Failure>;

    /// Sends a notification.
    ///
    /// # Errors
    /// [`Undelivered`].
    async fn deliver(
        &self,
        target: &Self::Target,
        delivery: Delivery<'_>,
        notification: &Notification,
        invocation: &Invocation,
    ) -> Result<Delivered, Undelivered>;
}

/// How a notification is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery<'a> {
    /// As a new message.
    Post,
    /// In place of this message. If it is gone: as a new one if `audible`, or else not at all.
    Edit {
        /// The message.
        message: &'a MessageRef,
        /// Whether a new message may be sent.
        audible: bool,
    },
    /// As the end: in place of this message, and, if `audible`, as an answer to it. Without a message: as a new one if
    /// `audible`.
    Close {
        /// The message.
        message: Option<&'a MessageRef>,
        /// Whether a new message may be sent.
        audible: bool,
    },
}

/// A notification that was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The message to edit from now on, if it is a new one that can be edited.
    pub message: Option<MessageRef>,
    /// Whether people were called: a new message, as against an edited one.
    pub audible: bool,
}

/// A notification that was not sent, or may not have been.
#[derive(Debug)]
pub struct Undelivered {
    /// What must happen to the event.
    pub failure: Failure,
    /// Whether it may have arrived all the same: its answer was lost.
    pub maybe_sent: bool,
}

/// A target that a rule names for an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targeted<T> {
    /// What names the target in the notification log: the channel, say. The same for all rules that mean it.
    pub key: String,
    /// The rule's settings.
    pub settings: T,
    /// When the rule lets a notification out.
    pub schedule: Schedule,
    /// The rule's name.
    pub rule: String,
    /// The rule's own words for a notification.
    pub message: Option<Message>,
}

impl<T> Targeted<T> {
    /// A target without words of its own.
    pub fn new(key: impl Into<String>, settings: T, schedule: Schedule) -> Self {
        Self { key: key.into(), settings, schedule, rule: String::new(), message: None }
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

/// What the rules and Tableau say. The wiring of a function implements it.
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

    /// The targets that the rules would name if a refresh of the event's object failed now. An incident has their hours.
    ///
    /// # Errors
    /// When the rules cannot be used.
    fn failure_targets(&self, event: &Event, now: Timestamp) -> Result<Vec<Targeted<T>>, Failure>;

    /// The settings of a target that any rule names. A document alone makes no target.
    ///
    /// # Errors
    /// When the rules cannot be used.
    fn named(&self, key: &str) -> Result<Option<T>, Failure>;

    /// Settings only to end what was sent to a target that no rule names any more. `None` if the destination needs more
    /// than the key.
    fn unnamed(&self, key: &str) -> Option<T>;

    /// The event's site, if the rules list it.
    fn site(&self, event: &Event) -> Option<Site>;

    /// What Tableau says about an event.
    ///
    /// # Errors
    /// When Tableau does not answer and the event is to be tried again.
    async fn context(&self, event: &Event, invocation: &Invocation) -> Result<Context, Failure>;

    /// When the last refresh of this kind ended, of any kind if it is unknown, if it succeeded after the failure. Asked
    /// before a reminder.
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

    /// Which kind of refresh a success is about. Asked only if it matters.
    ///
    /// # Errors
    /// When Tableau does not answer and the event is to be tried again.
    async fn success_kind(&self, _success: &Event, _invocation: &Invocation) -> Result<RefreshKind, Failure> {
        Ok(RefreshKind::Unknown)
    }
}
