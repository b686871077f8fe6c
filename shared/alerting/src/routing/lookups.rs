//! What Tableau says about an event: its object, why its refresh failed, and which refresh it was.

use super::cache::ContextCache;
use crate::context::{Context, Deletion, Lookup};
use crate::incident::RefreshKind;
use facts::{Answer, FactLookups, OTHER_SITE, Question, Unanswered, is_deletion, why_no_cause};
use guarded_tableau::GuardedTableau;
use jiff::Timestamp;
use std::sync::Arc;
use store::records::Records;
use tableau::{Action, Event, Subject};
use tableau_client::{Cause, CauseLookup, Content, OwnerRef, RecycleBinLookup, RefreshKind as Refreshed};
use workflow::{Failure, FoundCause, Invocation};

/// Asks Tableau.
pub(super) struct Lookups {
    facts: FactLookups,
    cache: ContextCache,
}

impl Lookups {
    pub(super) fn new(tableau: GuardedTableau, records: Arc<dyn Records>) -> Self {
        Self { facts: FactLookups::new(tableau), cache: ContextCache::new(records) }
    }

    /// Lookups for the conditions of rules.
    pub(super) fn facts(&self) -> &FactLookups {
        &self.facts
    }

    /// What Tableau says about the event. What it cannot say for now, or not before a person has fixed the credential, is
    /// waited for, but not for long. If it `is_shared`, another workflow's answer is as good.
    pub(super) async fn context(
        &self,
        event: &Event,
        invocation: &Invocation,
        is_shared: bool,
    ) -> Result<Context, Failure> {
        if is_shared && let Some(context) = self.cache.get(event, invocation.now).await {
            note_cause(event, &context, invocation);
            return Ok(context);
        }
        let question = Question::new(event, invocation);
        let context = match question.in_time(self.ask(question)).await {
            Ok(context) => context,
            Err(Unanswered { failure, waits: true, .. }) => return Err(failure),
            Err(Unanswered { failure, why, .. }) => {
                let reason = failure.reason();
                tracing::warn!(event.id = %event.id, reason, "the notification goes out without details");
                Context::unavailable(&why)
            }
        };
        note_cause(event, &context, invocation);
        if is_shared && context.is_complete() {
            self.cache.put(event, &context, invocation.now).await;
        }
        Ok(context)
    }

    /// Which kind of refresh succeeded.
    pub(super) async fn success_kind(
        &self,
        event: &Event,
        invocation: &Invocation,
    ) -> Result<RefreshKind, Failure> {
        let question = Question::new(event, invocation);
        let ask = async {
            if self.facts.is_of_another_site(question).await? {
                return Ok(None);
            }
            let call = self.facts.tableau().client().succeeded_refresh(event, invocation.now);
            self.facts.tableau().call(invocation, call).await
        };
        match question.in_time(ask).await {
            Ok(refresh) => Ok(kind_of(refresh)),
            Err(Unanswered { failure, waits: true, .. }) => Err(failure),
            Err(Unanswered { failure, .. }) => {
                let reason = failure.reason();
                tracing::warn!(event.id = %event.id, reason, "the success counts for every kind of refresh");
                Ok(RefreshKind::Unknown)
            }
        }
    }

    /// When the last refresh of this kind ended that succeeded after the failure.
    pub(super) async fn last_success(
        &self,
        failure: &Event,
        kind: RefreshKind,
        invocation: &Invocation,
    ) -> Result<Option<Timestamp>, Failure> {
        let kind = match kind {
            RefreshKind::Full => Some(Refreshed::Full),
            RefreshKind::Incremental => Some(Refreshed::Incremental),
            RefreshKind::Unknown => None,
        };
        let question = Question { event: failure, invocation, is_patient: true };
        let ask = async {
            if self.facts.is_of_another_site(question).await? {
                return Ok(None);
            }
            self.facts
                .tableau()
                .call(invocation, self.facts.tableau().client().success_after(failure, kind))
                .await
        };
        match question.in_time(ask).await {
            Ok(at) => Ok(at),
            // The next sweep asks again.
            Err(Unanswered { failure: failure @ Failure::Transient { .. }, .. }) => Err(failure),
            Err(Unanswered { failure: unanswered, .. }) => {
                let reason = unanswered.reason();
                tracing::warn!(event.id = %failure.id, reason, "Tableau is not asked for the last refresh");
                Ok(None)
            }
        }
    }

    async fn ask(&self, question: Question<'_>) -> Answer<Context> {
        let event = question.event;
        let has_content = matches!(event.subject, Subject::Workbook(_) | Subject::Datasource(_));
        // There is nothing to ask about users, sites and labels that are gone.
        let is_gone = event.name.action() == Some(Action::Deleted) && !is_deletion(event);
        if !has_content || is_gone {
            return Ok(Context::default());
        }
        if self.facts.is_of_another_site(question).await? {
            return Ok(Context::unavailable(OTHER_SITE));
        }
        if is_deletion(event) {
            return Ok(Context { deletion: self.deletion(question).await?, ..Context::default() });
        }
        let content = self.content(question).await?;
        if event.name.action() != Some(Action::RefreshFailed) {
            return Ok(Context { content, ..Context::default() });
        }
        let cause = FactLookups::found_or_why(question, self.facts.cause(question).await)?;
        let (cause, refresh) = match cause {
            Ok(found) => of_cause(event, found),
            Err(why) => (Lookup::Unavailable(why), RefreshKind::Unknown),
        };
        Ok(Context { content, cause, refresh, ..Context::default() })
    }

    async fn deletion(&self, question: Question<'_>) -> Answer<Lookup<Deletion>> {
        let item = match FactLookups::found_or_why(question, self.facts.deletion(question).await)? {
            Ok(RecycleBinLookup::Found(item)) => item,
            Ok(not_found) => return Ok(Lookup::Unavailable(not_found.to_string())),
            Err(why) => return Ok(Lookup::Unavailable(why)),
        };
        let deleter = FactLookups::found_or_why(question, self.facts.deleter(&item, question).await)?;
        let owner = item.owner.as_ref().and_then(OwnerRef::person);
        // Where it was is worth saying without who deleted it.
        let by = deleter.unwrap_or_default();
        Ok(Lookup::Found(Deletion { by, path: item.original_path, owner }))
    }

    async fn content(&self, question: Question<'_>) -> Answer<Lookup<Content>> {
        let item = match FactLookups::found_or_why(question, self.facts.item(question).await)? {
            Ok(Some(item)) => item,
            Ok(None) => return Ok(Lookup::NotAsked),
            Err(why) => return Ok(Lookup::Unavailable(why)),
        };
        match FactLookups::found_or_why(question, self.facts.owner(&item, question).await)? {
            Ok(owner) => Ok(Lookup::Found(item.content(owner))),
            Err(why) => Ok(Lookup::Unavailable(why)),
        }
    }
}

/// Notes the cause for the delivery record, also if another workflow has asked for it, or Tableau did not answer.
fn note_cause(event: &Event, context: &Context, invocation: &Invocation) {
    match &context.cause {
        Lookup::Found(cause) => invocation.note_cause(&event.id, FoundCause::Class(cause.class.name())),
        Lookup::Unavailable(_) if event.name.action() == Some(Action::RefreshFailed) => {
            invocation.note_cause(&event.id, FoundCause::NotFound);
        }
        Lookup::Unavailable(_) | Lookup::NotAsked => {}
    }
}

fn of_cause(event: &Event, found: CauseLookup) -> (Lookup<Cause>, RefreshKind) {
    if let Some(why) = why_no_cause(&found) {
        tracing::info!(event.id = %event.id, why, "no reason of the failure was found");
        let refresh = if let CauseLookup::NoText { refresh, .. } = found { refresh } else { None };
        return (Lookup::Unavailable(why), kind_of(refresh));
    }
    let CauseLookup::Found(cause) = found else { return (Lookup::NotAsked, RefreshKind::Unknown) };
    let kind = kind_of(cause.refresh);
    (Lookup::Found(cause), kind)
}

fn kind_of(refresh: Option<Refreshed>) -> RefreshKind {
    match refresh {
        Some(Refreshed::Full) => RefreshKind::Full,
        Some(Refreshed::Incremental) => RefreshKind::Incremental,
        None => RefreshKind::Unknown,
    }
}
