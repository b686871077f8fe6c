//! What Tableau says about an event: its object, why its refresh failed, and which refresh it was.

use super::cache::ContextCache;
use super::words::{NO_ANSWER, OTHER_SITE, why, why_no_cause};
use crate::context::{Context, Lookup};
use crate::incident::RefreshKind;
use circuit::Guarded;
use guarded_tableau::{GuardedTableau, TableauError};
use jiff::Timestamp;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use store::records::Records;
use tableau::{Action, Event, Subject};
use tableau_client::{Cause, CauseLookup, Content, RefreshKind as Refreshed};
use workflow::{Failure, Invocation, chain};

/// From this failed attempt on the notification goes out without what Tableau did not say: late is worse than short.
const ATTEMPT_WITHOUT_CONTEXT: u32 = 3;
/// How long Tableau may take, all calls together: the notification itself needs time as well.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How long an attempt waits for the circuit of Tableau to close. Late is worse than short.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

type Answer<T> = Result<T, Guarded<TableauError>>;

/// Asks Tableau.
pub(super) struct Lookups {
    tableau: GuardedTableau,
    cache: ContextCache,
}

/// One attempt's questions about one event.
#[derive(Clone, Copy)]
struct Question<'a> {
    event: &'a Event,
    invocation: &'a Invocation,
    /// Whether the event is tried again if Tableau does not answer.
    is_patient: bool,
}

impl<'a> Question<'a> {
    fn new(event: &'a Event, invocation: &'a Invocation) -> Self {
        let is_patient = invocation.retried && invocation.attempt < ATTEMPT_WITHOUT_CONTEXT;
        Self { event, invocation, is_patient }
    }

    /// Whether to try the event again because of this error: it may pass, or a person fixes it, and there is time.
    fn waits_for(&self, error: &Guarded<TableauError>) -> bool {
        self.is_patient
            && match error {
                Guarded::CircuitOpen(error) => error.retry_after <= LONGEST_WAIT,
                Guarded::Call(error) => error.is_transient() || error.is_misconfiguration(),
            }
    }

    /// What a lookup found; what it did not find is left out, unless there is time to wait for it.
    fn found_or_why<T>(&self, answer: Answer<Lookup<T>>) -> Answer<Lookup<T>> {
        answer.or_else(|error| {
            if self.waits_for(&error) {
                return Err(error);
            }
            let reason = chain(&error);
            tracing::warn!(event.id = %self.event.id, reason, "the notification goes out without a detail");
            Ok(Lookup::Unavailable(why(&error)))
        })
    }
}

impl Lookups {
    pub(super) fn new(tableau: GuardedTableau, records: Arc<dyn Records>) -> Self {
        Self { tableau, cache: ContextCache::new(records) }
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
            return Ok(context);
        }
        let question = Question::new(event, invocation);
        let context = match self.in_time(question, self.ask(question)).await {
            Ok(context) => context,
            Err(Unanswered { failure, waits: true, .. }) => return Err(failure),
            Err(Unanswered { failure, why, .. }) => {
                let reason = failure.reason();
                tracing::warn!(event.id = %event.id, reason, "the notification goes out without details");
                Context::unavailable(&why)
            }
        };
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
            if self.is_of_another_site(question).await? {
                return Ok(None);
            }
            let call = self.tableau.client().succeeded_refresh(event, invocation.now);
            self.tableau.call(invocation, call).await
        };
        match self.in_time(question, ask).await {
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
            if self.is_of_another_site(question).await? {
                return Ok(None);
            }
            self.tableau.call(invocation, self.tableau.client().success_after(failure, kind)).await
        };
        match self.in_time(question, ask).await {
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

    async fn in_time<T>(
        &self,
        question: Question<'_>,
        ask: impl Future<Output = Answer<T>> + Send,
    ) -> Result<T, Unanswered> {
        let time = TIMEOUT.min(question.invocation.remaining() / 2);
        // In a box, since futures of all steps within each other grow too deep for the compiler.
        match tokio::time::timeout(time, Box::pin(ask)).await {
            Ok(answer) => answer.map_err(|error| Unanswered {
                waits: question.waits_for(&error),
                why: why(&error),
                failure: error.into(),
            }),
            Err(_) => {
                let reason = format!("Tableau did not answer within {} s", time.as_secs());
                let why = NO_ANSWER.to_owned();
                Err(Unanswered { failure: Failure::transient(reason), why, waits: question.is_patient })
            }
        }
    }

    async fn ask(&self, question: Question<'_>) -> Answer<Context> {
        let event = question.event;
        let has_content = matches!(event.subject, Subject::Workbook(_) | Subject::Datasource(_));
        // There is nothing to ask about users, sites and what is gone.
        if !has_content || event.name.action() == Some(Action::Deleted) {
            return Ok(Context::default());
        }
        if self.is_of_another_site(question).await? {
            return Ok(Context::unavailable(OTHER_SITE));
        }
        let content = question.found_or_why(self.content(question).await)?;
        if event.name.action() != Some(Action::RefreshFailed) {
            return Ok(Context { content, ..Context::default() });
        }
        let mut refresh = RefreshKind::Unknown;
        let cause = self.cause(question).await.map(|(cause, found)| {
            refresh = found;
            cause
        });
        Ok(Context { content, cause: question.found_or_why(cause)?, refresh })
    }

    async fn content(&self, question: Question<'_>) -> Answer<Lookup<Content>> {
        let call = self.tableau.client().content(&question.event.subject);
        let content = self.tableau.call(question.invocation, call).await?;
        Ok(content.map_or(Lookup::NotAsked, Lookup::Found))
    }

    async fn cause(&self, question: Question<'_>) -> Answer<(Lookup<Cause>, RefreshKind)> {
        let event = question.event;
        let call = self.tableau.client().failure_cause(event, question.invocation.now);
        let lookup = self.tableau.call(question.invocation, call).await?;
        if let Some(why) = why_no_cause(&lookup) {
            tracing::info!(event.id = %event.id, why, "no reason of the failure was found");
            let refresh = if let CauseLookup::NoText { refresh, .. } = lookup { refresh } else { None };
            return Ok((Lookup::Unavailable(why), kind_of(refresh)));
        }
        let CauseLookup::Found(cause) = lookup else { return Ok((Lookup::NotAsked, RefreshKind::Unknown)) };
        let kind = kind_of(cause.refresh);
        Ok((Lookup::Found(cause), kind))
    }

    /// Whether the event is of a site that the credential does not sign in to: there is no use in looking for its objects.
    async fn is_of_another_site(&self, question: Question<'_>) -> Answer<bool> {
        let ours = self.tableau.call(question.invocation, self.tableau.client().session_site()).await?;
        let event = question.event;
        let is_other = !ours.as_str().eq_ignore_ascii_case(event.site.as_str());
        if is_other {
            tracing::warn!(
                event.id = %event.id,
                site.luid = %event.site,
                "the event is of another site than the Tableau credential; nothing is looked up"
            );
        }
        Ok(is_other)
    }
}

/// Tableau did not say anything.
struct Unanswered {
    failure: Failure,
    /// For people, without a full stop.
    why: String,
    /// Whether the event is to be tried again because of it.
    waits: bool,
}

fn kind_of(refresh: Option<Refreshed>) -> RefreshKind {
    match refresh {
        Some(Refreshed::Full) => RefreshKind::Full,
        Some(Refreshed::Incremental) => RefreshKind::Incremental,
        None => RefreshKind::Unknown,
    }
}
