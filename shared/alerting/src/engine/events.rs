//! Events that belong to no incident: announced at once, in a group when there are many, or in a digest.

use super::documents::Versioned;
use super::{Attempt, Engine, Handled, Summary, keys};
use crate::digest::{Entry, Meaning};
use crate::group::{GroupHead, Member, Window};
use crate::notification::{self, About, Mentioned, OfRule, is_enabled_again, title};
use crate::notifier::{Delivery, Notifier, Routing, Targeted};
use jiff::Timestamp;
use rules::Schedule;
use store::records::Key;
use tableau::Event;
use workflow::{Effect, Failure, SharedMessage, Why};

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    pub(super) async fn on_other(
        &self,
        attempt: &Attempt<'_>,
        targets: &[Targeted<N::Target>],
        summary: &mut Summary,
    ) {
        for target in targets {
            let handled = match target.schedule {
                Schedule::Muted(_) | Schedule::Maintenance(_) => continue,
                // A digest would not show its link, text or figures.
                Schedule::DeferUntil(until) if self.has_timers() && has_more_than_a_title(attempt.event) => {
                    Ok(Handled::Deferred(until))
                }
                Schedule::DeferUntil(until) if self.has_timers() => {
                    self.event_into_digest(attempt, target, until).await
                }
                Schedule::Critical | Schedule::Now | Schedule::DeferUntil(_) => {
                    self.announce_event(attempt, target).await
                }
            };
            summary.note(handled);
        }
    }

    /// Announces the first event of a kind at once; events of that kind within the next minute are collected into a
    /// group.
    async fn announce_event(
        &self,
        attempt: &Attempt<'_>,
        target: &Targeted<N::Target>,
    ) -> Result<Handled, Failure> {
        let capabilities = self.notifier.capabilities().await?;
        if attempt.event.stands_alone() || !capabilities.grouping || !self.has_timers() {
            return self.post_event(attempt, target).await;
        }
        let now = attempt.now();
        let id = attempt.event.id.short();
        let window_key = keys::window(self.workflow, &target.key, flood(attempt.event));
        if attempt.invocation.attempt > 1
            && let Some(group) = self.joined_before(&window_key, &target.key, id, now).await?
        {
            return Ok(grouped(group, target));
        }
        let mut transaction = self.transaction(now);
        loop {
            let window: Versioned<Window> = transaction.get(&window_key).await?;
            let mut changed = window.document.clone();
            let group = match changed.current(now) {
                Some(group) if group.id == id => break,
                Some(group) => Some(group.id.clone()),
                None => None,
            };
            let Some(group) = group else {
                changed.open(id, attempt.event.subject.luid(), now);
                transaction.put(&window_key, &window, &changed)?;
                if transaction.commit().await?.is_some() {
                    break;
                }
                continue;
            };
            let partition = keys::group(self.workflow, &target.key, &group);
            let member_key = keys::member(&partition, id);
            let head_key = keys::head(&partition);
            let context = self.context_for_name(attempt).await?;
            let described = About { event: attempt.event, site: None, context };
            let mut member = Member::new(id, &described.name(), None, attempt.happened_at());
            member.object = attempt.event.subject.luid().to_owned();
            member.is_event = true;
            member.sample.clone_from(&attempt.payload);
            member.owner = described.asked_owner().filter(|_| target.mentions.owner);
            member.place = described.place();
            let head: Versioned<GroupHead> = transaction.get(&head_key).await?;
            let mut joined = head.document.clone();
            if joined.target.is_empty() {
                joined.target.clone_from(&target.key);
                joined.sample.clone_from(&attempt.payload);
                joined.is_of_events = true;
            }
            joined.changed(now, true, capabilities);
            changed.joined(now);
            if changed != window.document {
                transaction.put(&window_key, &window, &changed)?;
            }
            transaction.put(&head_key, &head, &joined)?;
            transaction.overwrite(&member_key, &member)?;
            if transaction.commit().await?.is_some() {
                self.arm(&partition, now).await?;
                return Ok(grouped(group, target));
            }
        }
        self.post_event(attempt, target).await
    }

    /// The group into which an earlier attempt has already written this event: the open group or one before.
    async fn joined_before(
        &self,
        window: &Key,
        target: &str,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<String>, Failure> {
        let mut transaction = self.transaction(now);
        let window: Versioned<Window> = transaction.get(window).await?;
        for group in window.document.groups() {
            let partition = keys::group(self.workflow, target, group);
            let member: Versioned<Member> = transaction.get(&keys::member(&partition, id)).await?;
            if member.version > 0 {
                self.arm(&partition, now).await?;
                return Ok(Some(group.to_owned()));
            }
        }
        Ok(None)
    }

    /// Sends one event as a message of its own, and never twice.
    pub(super) async fn post_event(
        &self,
        attempt: &Attempt<'_>,
        target: &Targeted<N::Target>,
    ) -> Result<Handled, Failure> {
        let invocation = attempt.invocation;
        let post = async {
            let site = self.routing.site(attempt.event);
            let context = self.context(attempt).await?;
            let described = About { event: attempt.event, site: site.as_ref(), context };
            let mut shown = notification::event(&described);
            shown.thread = Some(attempt.event.id.short().to_owned());
            OfRule { target, matched: &attempt.matched }.apply(&mut shown, &described, None);
            shown.mentioned = Mentioned::of_one(&target.mentions, described.owner());
            let sent = self.notifier.deliver(&target.settings, Delivery::Post, &shown, invocation).await;
            let delivered = sent.map_err(|undelivered| undelivered.failure)?;
            Ok::<_, Failure>(delivered.skipped.map_or(Ok(()), Err))
        };
        let notified = Effect::Notified { target: target.key.clone() };
        match invocation.once_unless(notified, post).await? {
            Some(Err(why)) => Ok(Handled::Skipped(why)),
            Some(Ok(())) | None => Ok(Handled::Sent),
        }
    }

    pub(super) async fn event_into_digest(
        &self,
        attempt: &Attempt<'_>,
        target: &Targeted<N::Target>,
        until: Timestamp,
    ) -> Result<Handled, Failure> {
        let event = attempt.event;
        let context = self.context_for_name(attempt).await?;
        let described = About { event, site: None, context };
        let entry = Entry {
            title: title(event),
            object: event.subject.luid().to_owned(),
            name: described.name(),
            at: attempt.happened_at(),
            cause: described.cause_title().map(str::to_owned),
            class: described.cause_class().map(|class| class.name().to_owned()),
            incident: None,
            meaning: Meaning::None,
            generation: 0,
            owner: None,
            place: described.place(),
        };
        self.put_entry(attempt, event.id.short(), entry, target, until).await?;
        let digest = SharedMessage::Digest { until, target: target.key.clone() };
        Ok(Handled::Grouped(digest.reason(Why::QuietHours)))
    }
}

fn has_more_than_a_title(event: &Event) -> bool {
    event.stands_alone() || event.report.is_some()
}

/// What the events of a group have in common: their name. That webhooks are enabled again is other news than that they are disabled,
/// with another title.
fn flood(event: &Event) -> &str {
    if is_enabled_again(event) { "WebhookEnabledAgain" } else { event.name.as_str() }
}

fn grouped<T>(id: String, target: &Targeted<T>) -> Handled {
    let group = SharedMessage::Group { id, target: target.key.clone() };
    Handled::Grouped(group.reason(Why::OtherEvents))
}
