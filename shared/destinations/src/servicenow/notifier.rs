//! ServiceNow as a destination: keeps one incident for what is announced. The crate `alerting` decides when and to whom.

use super::ServiceNow;
use super::claims::{Claimed, Claims};
use super::guarded::{Table, Trouble};
use super::key::Key;
use super::record::Reference;
use super::render::Rendered;
use super::task::Task;
use alerting::Capabilities;
use alerting::incident::MessageRef;
use alerting::notification::{Kind, Notification};
use alerting::notifier::{Delivered, Delivery, Notifier, Undelivered};
use async_trait::async_trait;
use circuit::Circuits;
use rules::settings::{IncidentGroups, TrackServicenowIncident};
use store::Documents;
use workflow::{Failure, Invocation};

/// An instance of ServiceNow in which incidents are kept.
#[derive(Debug)]
pub struct ServiceNowNotifier {
    pub(super) table: Table,
    pub(super) claims: Claims,
}

/// The incident of a key, and what is to be said of it.
pub(super) struct Opened {
    pub(super) reference: Reference,
    /// Whether this call has created it, or made it the group's.
    is_new: bool,
    has_key: bool,
}

impl ServiceNowNotifier {
    /// Puts `servicenow` behind `circuits`. Which incident belongs to what is kept in `documents`, for `workflow`.
    pub fn new(
        servicenow: ServiceNow,
        circuits: Circuits,
        documents: Documents,
        workflow: &'static str,
    ) -> Self {
        Self { table: Table::new(servicenow, circuits), claims: Claims::new(documents, workflow) }
    }

    /// Announces something: it has an incident afterwards. What an earlier attempt has created is found by its key.
    async fn post(&self, task: Task<'_>) -> Result<Delivered, Trouble> {
        let key = task.key()?;
        let texts = task.texts();
        let opened = self.open(task, &key, &texts).await?;
        if !opened.is_new && !task.is_first() {
            self.note(task, &key, Some(&opened.reference.to_message()), &texts).await?;
        }
        if task.is_of_group() {
            self.children(task, &opened.reference).await?;
        }
        Ok(Delivered {
            message: Some(opened.reference.to_message()),
            audible: true,
            note: None,
            skipped: None,
        })
    }

    /// The incident of a key: the one that exists, or a new one. The key is claimed before the search, because two searches at the same
    /// time would both find none.
    pub(super) async fn open(&self, task: Task<'_>, key: &Key, texts: &Rendered) -> Result<Opened, Trouble> {
        let by = task.claimant();
        if let Claimed::Known(reference) = self.claims.take(key, &by, task.invocation).await? {
            return Ok(Opened { reference, is_new: false, has_key: true });
        }
        let opened = self.find_or_create(task, key, texts).await;
        match &opened {
            Ok(opened) => self.claims.keep(key, &opened.reference, task.invocation.time()).await?,
            Err(_) => self.claims.release(key, &by, task.invocation.time()).await,
        }
        opened
    }

    async fn find_or_create(&self, task: Task<'_>, key: &Key, texts: &Rendered) -> Result<Opened, Trouble> {
        let resolved = task.target.resolved_state();
        if let Some(found) = self.table.find(key, resolved, task.invocation).await? {
            return Ok(Opened { reference: found.reference, is_new: false, has_key: true });
        }
        let is_group = matches!(task.shown.kind, Kind::GroupOpened | Kind::GroupUpdated);
        if is_group && task.target.groups == IncidentGroups::One {
            let first = Key::of_one(task.shown.thread.as_deref(), task.target)?;
            if let Some(reference) = self.taken_over(task, &first, key, texts).await? {
                return Ok(Opened { reference, is_new: true, has_key: true });
            }
        }
        let created = self.table.create(task.target, key, texts, None, task.invocation).await?;
        Ok(Opened { reference: created.reference, is_new: true, has_key: created.has_key })
    }

    /// Makes the incident of a group's first object the group's own, if it is still open. The object's attempt may be about to create
    /// it, so its key is claimed too.
    async fn taken_over(
        &self,
        task: Task<'_>,
        first: &Key,
        key: &Key,
        texts: &Rendered,
    ) -> Result<Option<Reference>, Trouble> {
        let by = task.claimant();
        let known = match self.claims.take(first, &by, task.invocation).await? {
            Claimed::Known(reference) => Some(reference.to_message()),
            Claimed::Mine => None,
        };
        let record = self.existing(task, first, known.as_ref()).await;
        let taken = match record {
            // One that has recovered in the meantime is no member of the group.
            Ok(Some(record)) if record.is_open(task.target.resolved_state()) && !record.has_recovered() => {
                let taken = self.table.take_over(&record, key, texts, task.invocation).await;
                taken.map(|()| Some(record.reference))
            }
            Ok(_) => Ok(None),
            Err(trouble) => Err(trouble),
        };
        if known.is_none() {
            self.claims.release(first, &by, task.invocation.time()).await;
        }
        taken
    }

    /// Adds a work note to the incident of a key.
    async fn note(
        &self,
        task: Task<'_>,
        key: &Key,
        message: Option<&MessageRef>,
        texts: &Rendered,
    ) -> Result<Option<Reference>, Trouble> {
        let Some(record) = self.existing(task, key, message).await? else { return Ok(None) };
        self.table.note(&record, &texts.long, task.invocation).await?;
        Ok(Some(record.reference))
    }

    /// Something has changed: a work note says it. Never another incident, also if the incident is gone.
    async fn edit(&self, task: Task<'_>, message: &MessageRef) -> Result<Delivered, Trouble> {
        let noted = self.note(task, &task.key()?, Some(message), &task.texts()).await?;
        if let Some(reference) = noted.filter(|_| task.is_of_group()) {
            self.children(task, &reference).await?;
        }
        Ok(Delivered::default())
    }

    /// A test: an incident of its own with one work note, for a person to look at.
    async fn test(&self, task: Task<'_>) -> Result<Delivered, Trouble> {
        let thread = format!("test-{}", task.invocation.now.as_millisecond());
        let key = Key::of_one(Some(&thread), task.target)?;
        let texts = task.texts();
        let opened = self.open(task, &key, &texts).await?;
        let message = opened.reference.to_message();
        let note = (!opened.has_key).then(|| {
            "the instance has not stored correlation_id, by which an incident is found again: give the account the right to write it".to_owned()
        });
        if opened.has_key {
            self.note(task, &key, Some(&message), &texts).await?;
        }
        Ok(Delivered { message: Some(message), audible: true, note, skipped: None })
    }

    async fn carry_out(&self, task: Task<'_>, delivery: Delivery<'_>) -> Result<Delivered, Trouble> {
        match delivery {
            Delivery::Post if is_test(task.shown) => self.test(task).await,
            Delivery::Post if task.shown.kind == Kind::Digest => self.digest(task).await,
            Delivery::Post => self.post(task).await,
            Delivery::Edit { message, .. } => self.edit(task, message).await,
            Delivery::Close { message, audible } => self.close(task, message, audible).await,
        }
    }
}

/// A test notification is about no event.
fn is_test(shown: &Notification) -> bool {
    shown.kind == Kind::Event && shown.event.is_none() && shown.thread.is_none()
}

#[async_trait]
impl Notifier for ServiceNowNotifier {
    type Target = TrackServicenowIncident;

    /// An incident is changed for as long as it lasts. What recognises a repeat is its key.
    async fn capabilities(&self) -> Result<Capabilities, Failure> {
        Ok(Capabilities { edit: true, thread: true, idempotency_key: true, grouping: true })
    }

    fn ends_by_key(&self) -> bool {
        true
    }

    async fn deliver(
        &self,
        target: &TrackServicenowIncident,
        delivery: Delivery<'_>,
        notification: &Notification,
        invocation: &Invocation,
    ) -> Result<Delivered, Undelivered> {
        let task = Task { target, shown: notification, invocation };
        Ok(self.carry_out(task, delivery).await?)
    }

    // D068, D147
    async fn receipt(&self, _: &TrackServicenowIncident, delivered: &Delivered) -> String {
        let number =
            delivered.message.as_ref().map(|message| message.conversation.as_str()).unwrap_or_default();
        let number = if number.is_empty() { "an incident" } else { number };
        format!(
            "created {number} and added a work note, which ServiceNow accepts also from an account that may not write one: open the \
             incident, look whether the note is there and whether assignment group, caller, urgency and impact are right, and close it. \
             Without the note, the account lacks the right to write `work_notes` of incidents"
        )
    }
}
