//! The first incident of a flood: it was announced alone, before there was a group.

use super::documents::Versioned;
use super::groups::Firing;
use super::{Engine, event_of, keys};
use crate::context::Context;
use crate::group::{Member, OpenGroup, Window, is_group_id};
use crate::incident::{Incident, Route};
use crate::notification::About;
use crate::notifier::{Notifier, Routing};
use store::records::Key;
use tableau_client::CauseClass;
use workflow::Failure;

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Whether the flood's first incident, which was announced alone, still fails. If so, the group announces it too.
    pub(super) async fn first_is_open(&self, firing: &Firing<'_, N::Target>) -> Result<bool, Failure> {
        if !firing.is_of_incidents() || firing.head.sent > 0 {
            return Ok(false);
        }
        Ok(self.first_of(firing).await?.is_some())
    }

    /// The key and the document of the flood's first incident, if it still fails and has a message of its own.
    async fn first_of(
        &self,
        firing: &Firing<'_, N::Target>,
    ) -> Result<Option<(Key, Versioned<Incident>)>, Failure> {
        let mut transaction = self.transaction(firing.now());
        for flood in ["incidents", "critical"] {
            let key = keys::window(self.workflow, &firing.target.key, flood);
            // The cached window may be outdated: another worker may have opened the group.
            self.forget(&key);
            let window: Versioned<Window> = transaction.get(&key).await?;
            let is_this = |group: &OpenGroup| group.id == firing.id() && is_group_id(&group.first);
            let Some(group) = window.document.open.filter(is_this) else { continue };
            let key = keys::incident(self.workflow, &group.first);
            let incident: Versioned<Incident> = transaction.get(&key).await?;
            let is_alone = incident.document.open.as_ref().is_some_and(|open| {
                let entry = open.log.get(&firing.target.key);
                open.id == group.id
                    && entry.is_some_and(|entry| {
                        entry.route == Route::Alone && !entry.is_being_sent(firing.owner, firing.now())
                    })
            });
            return Ok(is_alone.then_some((key, incident)));
        }
        Ok(None)
    }

    /// Adds the flood's first incident to the group, so that the group announces its recovery with the others.
    pub(super) async fn merge_first(
        &self,
        firing: &Firing<'_, N::Target>,
    ) -> Result<Option<(String, Member)>, Failure> {
        for _ in 0..3 {
            let Some((key, read)) = self.first_of(firing).await? else { return Ok(None) };
            let mut incident = read.document.clone();
            let Some(open) = &mut incident.open else { return Ok(None) };
            let Some(entry) = open.log.get_mut(&firing.target.key) else { return Ok(None) };
            entry.route = Route::Group(firing.id().to_owned());
            let event = event_of(&open.sample);
            let name = event.as_ref().and_then(|event| event.resource_name.clone()).unwrap_or_default();
            let context = match &event {
                Some(event) => self.routing.context(event, firing.invocation).await?,
                None => Context::default(),
            };
            let class = context.cause.found().map(|cause| cause.class);
            let title = class.map(CauseClass::title);
            let mut member = Member::new(&open.id, &name, title, open.since).of_class(class);
            if let Some(event) = &event {
                let described = About { event, site: None, context: &context };
                member.owner = firing.target.mentions.owner.then(|| described.owner());
                member.place = described.place();
            }
            member.object = event.map(|event| event.subject.luid().to_owned()).unwrap_or_default();
            let id = open.id.clone();
            let mut transaction = self.transaction(firing.now());
            transaction.assume_read(&key, &read)?;
            transaction.put(&key, &read, &incident)?;
            transaction.overwrite(&keys::member(firing.partition, &id), &member)?;
            if transaction.commit().await?.is_some() {
                return Ok(Some((id, member)));
            }
        }
        Ok(None)
    }
}
