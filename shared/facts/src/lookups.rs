//! Lookups at Tableau, for the conditions of rules and for notifications.

use crate::kept::Kept;
use crate::kind::is_deletion;
use crate::question::{Answer, Question};
use crate::words::{OTHER_SITE, why, why_no_cause};
use guarded_tableau::GuardedTableau;
use rules::{Fact, Facts, Lookup, Matched, Rules};
use std::sync::Arc;
use tableau::{Action, Event, Object, Subject, UserLuid};
use tableau_client::{CauseLookup, Item, Owner, ProjectTree};
use workflow::{Failure, FoundCause, Invocation};

const OWNER_NOT_SHOWN: &str = "Tableau does not show the owner, who may have left the site";
const PROJECT_NOT_SHOWN: &str = "Tableau does not show all projects that it is in";
/// What a deleted object is asked in vain.
pub(crate) const DELETED: &str = "Tableau does not have it any more";

/// Views, users and sites are not in the Recycle Bin.
const NOT_KEPT: &str = "the Recycle Bin keeps workbooks and data sources, and nothing else that sends events";

/// Asks Tableau about objects of events.
#[derive(Debug)]
pub struct FactLookups {
    pub(crate) tableau: GuardedTableau,
    pub(crate) kept: Kept,
}

impl FactLookups {
    /// Lookups through `tableau`.
    pub fn new(tableau: GuardedTableau) -> Self {
        Self { tableau, kept: Kept::default() }
    }

    /// Tableau, for other questions.
    pub fn tableau(&self) -> &GuardedTableau {
        &self.tableau
    }

    /// The rules with an action for `workflow` that match the event. `failures_in_a_row`: with this event; `None` if no rule
    /// asks or it is no failed refresh.
    ///
    /// # Errors
    /// When Tableau does not answer and the event is to be tried again.
    pub async fn matching(
        &self,
        rules: &Rules,
        workflow: &str,
        event: &Event,
        failures_in_a_row: Option<u32>,
        invocation: &Invocation,
    ) -> Result<Matched, Failure> {
        let at = event.credible_time(invocation.now).unwrap_or(invocation.now);
        let mut facts = Facts::default();
        facts.set_failures_in_a_row(failures_in_a_row.map_or(Fact::Absent, Fact::Known));
        let question = Question::new(event, invocation);
        loop {
            let lookup = match rules.matching(workflow, event, &facts, at) {
                Ok(matched) => return Ok(matched),
                Err(lookup) => lookup,
            };
            self.look_up(lookup, question, &mut facts).await?;
        }
    }

    /// Looks one thing up and notes it. What cannot be had is noted as missing.
    ///
    /// # Errors
    /// When Tableau does not answer and the event is to be tried again.
    pub async fn look_up(
        &self,
        lookup: Lookup,
        question: Question<'_>,
        facts: &mut Facts,
    ) -> Result<(), Failure> {
        let asked = question.in_time(self.answer(lookup, question, facts)).await;
        match asked {
            Ok(()) => Ok(()),
            Err(unanswered) if unanswered.waits => Err(unanswered.failure),
            Err(unanswered) => {
                let reason = unanswered.failure.reason();
                tracing::warn!(event.id = %question.event.id, reason, %lookup, "a condition counts as matched");
                facts.set_missing(lookup, &unanswered.why);
                Ok(())
            }
        }
    }

    async fn answer(&self, lookup: Lookup, question: Question<'_>, facts: &mut Facts) -> Answer<()> {
        if let Some(absent) = of_subject(question.event, lookup) {
            match absent {
                Some(why) => facts.set_missing(lookup, why),
                None => set_absent(lookup, facts),
            }
            return Ok(());
        }
        if self.is_of_another_site(question).await? {
            facts.set_missing(lookup, OTHER_SITE);
            return Ok(());
        }
        if is_deletion(question.event) {
            return self.of_deleted(lookup, question, facts).await;
        }
        match lookup {
            Lookup::FailuresInARow | Lookup::DeletedBy => set_absent(lookup, facts),
            Lookup::Cause => {
                let found = self.cause(question).await?;
                facts.set_cause(match (&found, why_no_cause(&found)) {
                    (CauseLookup::Found(cause), _) => Fact::Known(cause.class.name().to_owned()),
                    (_, why) => Fact::Missing(why.unwrap_or_default()),
                });
            }
            Lookup::Content | Lookup::Project | Lookup::Owner | Lookup::OwnerGroups => {
                match self.item(question).await? {
                    Some(item) => self.of_item(lookup, &item, question, facts).await?,
                    None => facts.set_missing(lookup, DELETED),
                }
            }
        }
        Ok(())
    }

    async fn of_item(
        &self,
        lookup: Lookup,
        item: &Item,
        question: Question<'_>,
        facts: &mut Facts,
    ) -> Answer<()> {
        facts.set_content(Fact::Known((item.tags.clone(), item.is_certified)));
        match lookup {
            Lookup::Project => facts.set_project(self.project(item, question).await?),
            Lookup::Owner => facts.set_owner(match (&item.owner, self.owner(item, question).await?) {
                (_, Some(owner)) => Fact::Known(names(owner)),
                (Some(_), None) => Fact::Missing(OWNER_NOT_SHOWN.to_owned()),
                (None, None) => Fact::Absent,
            }),
            Lookup::OwnerGroups => {
                facts.set_owner_groups(self.groups(item.owner.as_ref(), question).await?);
            }
            Lookup::Content | Lookup::Cause | Lookup::FailuresInARow | Lookup::DeletedBy => {}
        }
        Ok(())
    }

    /// The workbook or data source of an event. `None` for one that is gone, and for other objects.
    ///
    /// # Errors
    /// When Tableau does not answer.
    pub async fn item(&self, question: Question<'_>) -> Answer<Option<Item>> {
        let Question { event, invocation, .. } = question;
        if let Some(item) = self.kept.get(&event.id, invocation.now).item {
            return Ok(item);
        }
        let item = self.tableau.call(invocation, self.tableau.client().item(&event.subject)).await?;
        self.kept.note(&event.id, invocation.now, |answers| answers.item = Some(item.clone()));
        Ok(item)
    }

    /// Its owner. `None` for one who has left or whom we may not see.
    ///
    /// # Errors
    /// When Tableau does not answer.
    pub async fn owner(&self, item: &Item, question: Question<'_>) -> Answer<Option<Owner>> {
        match &item.owner {
            Some(luid) => self.owner_of(luid, question).await,
            None => Ok(None),
        }
    }

    pub(crate) async fn owner_of(&self, luid: &UserLuid, question: Question<'_>) -> Answer<Option<Owner>> {
        let Question { event, invocation, .. } = question;
        if let Some(owner) = self.kept.get(&event.id, invocation.now).owner {
            return Ok(owner);
        }
        let owner = self.tableau.call(invocation, self.tableau.client().owner(luid)).await?;
        self.kept.note(&event.id, invocation.now, |answers| answers.owner = Some(owner.clone()));
        Ok(owner)
    }

    /// The owner of its project, whom Tableau calls the project leader. `None` if Tableau does not say who it is.
    ///
    /// # Errors
    /// When Tableau does not answer.
    pub async fn project_leader(&self, item: &Item, question: Question<'_>) -> Answer<Option<Owner>> {
        let Some(luid) = item.project.as_ref().and_then(|project| project.id.as_ref()) else {
            return Ok(None);
        };
        let kept = self.kept.projects(question.invocation.now).filter(|tree| tree.contains(luid));
        let tree = match kept {
            Some(tree) => tree,
            // The project may be newer than the tree that was kept.
            None => self.projects(question).await?,
        };
        let Some(leader) = tree.owner(luid) else { return Ok(None) };
        // Often the same person, whom this need not ask for twice.
        if item.owner.as_ref() == Some(leader) {
            return self.owner_of(leader, question).await;
        }
        self.tableau.call(question.invocation, self.tableau.client().owner(leader)).await
    }

    /// Why the refresh of an event failed. The attempt notes the answer for the delivery record.
    ///
    /// # Errors
    /// When Tableau does not answer.
    pub async fn cause(&self, question: Question<'_>) -> Answer<CauseLookup> {
        let Question { event, invocation, .. } = question;
        if let Some(cause) = self.kept.get(&event.id, invocation.now).cause {
            invocation.note_cause(&event.id, noted(&cause));
            return Ok(cause);
        }
        let call = self.tableau.client().failure_cause(event, invocation.now);
        let cause = self.tableau.call(invocation, call).await?;
        invocation.note_cause(&event.id, noted(&cause));
        self.kept.note(&event.id, invocation.now, |answers| answers.cause = Some(cause.clone()));
        Ok(cause)
    }

    async fn project(&self, item: &Item, question: Question<'_>) -> Answer<Fact<String>> {
        let Some(project) = &item.project else { return Ok(Fact::Absent) };
        let Some(luid) = &project.id else { return Ok(Fact::Missing(PROJECT_NOT_SHOWN.to_owned())) };
        let kept = self.kept.projects(question.invocation.now);
        if let Some(path) = kept.and_then(|tree| tree.whole_path(luid)) {
            return Ok(Fact::Known(path));
        }
        // The project may be newer than the tree that was kept.
        let path = self.projects(question).await?.whole_path(luid);
        Ok(path.map_or_else(|| Fact::Missing(PROJECT_NOT_SHOWN.to_owned()), Fact::Known))
    }

    async fn projects(&self, question: Question<'_>) -> Answer<Arc<ProjectTree>> {
        let invocation = question.invocation;
        let tree = Arc::new(self.tableau.call(invocation, self.tableau.client().project_tree()).await?);
        self.kept.set_projects(&tree, invocation.now);
        Ok(tree)
    }

    pub(crate) async fn groups(
        &self,
        owner: Option<&UserLuid>,
        question: Question<'_>,
    ) -> Answer<Fact<Vec<String>>> {
        let Question { event, invocation, .. } = question;
        let Some(luid) = owner else { return Ok(Fact::Absent) };
        if let Some(groups) = self.kept.get(&event.id, invocation.now).groups {
            return Ok(Fact::Known(groups));
        }
        let call = async { self.tableau.client().groups_of(luid).all(usize::MAX).await };
        let groups: Vec<String> =
            self.tableau.call(invocation, call).await?.into_iter().map(|group| group.name).collect();
        self.kept.note(&event.id, invocation.now, |answers| answers.groups = Some(groups.clone()));
        Ok(Fact::Known(groups))
    }

    /// Whether the event is of a site that the credential does not sign in to: there is no use in looking for its objects.
    ///
    /// # Errors
    /// When Tableau does not answer.
    pub async fn is_of_another_site(&self, question: Question<'_>) -> Answer<bool> {
        let ours = self.tableau.session_site(question.invocation).await?;
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

    /// What a call found, or why it did not, if the event is not tried again.
    ///
    /// # Errors
    /// When Tableau does not answer and the event is to be tried again.
    pub fn found_or_why<T>(question: Question<'_>, answer: Answer<T>) -> Answer<Result<T, String>> {
        match answer {
            Ok(found) => Ok(Ok(found)),
            Err(error) if question.waits_for(&error) => Err(error),
            Err(error) => {
                let reason = workflow::chain(&error);
                tracing::warn!(event.id = %question.event.id, reason, "the notification goes out without a detail");
                Ok(Err(why(&error)))
            }
        }
    }
}

/// Why a fact of the event's object can never be known, or is never there. `None` if it is looked up.
pub fn never_known(event: &Event, lookup: Lookup) -> Option<&'static str> {
    let is_failure = event.name.action() == Some(Action::RefreshFailed);
    match lookup {
        // Workflows count them themselves.
        Lookup::FailuresInARow if is_failure => None,
        lookup => of_subject(event, lookup).map(|why| why.unwrap_or("events of this kind have none")),
    }
}

/// What needs no call: `Some(None)` for what such an object has not, `Some(Some(why))` for what cannot be had.
fn of_subject(event: &Event, lookup: Lookup) -> Option<Option<&'static str>> {
    let is_failure = event.name.action() == Some(Action::RefreshFailed);
    // A label is deleted, and what it was on is there.
    let is_deleted =
        event.name.action() == Some(Action::Deleted) && event.name.object() != Some(Object::Label);
    match (&event.subject, lookup) {
        (_, Lookup::FailuresInARow) => Some(None),
        (_, Lookup::Cause) if !is_failure => Some(None),
        (_, Lookup::Cause) => None,
        (_, Lookup::DeletedBy) if !is_deleted => Some(None),
        // The Recycle Bin keeps neither tags nor whether it was certified.
        (Subject::Workbook(_) | Subject::Datasource(_), Lookup::Content) if is_deleted => Some(Some(DELETED)),
        (Subject::Workbook(_) | Subject::Datasource(_), _) => None,
        (_, Lookup::DeletedBy) => Some(Some(NOT_KEPT)),
        (Subject::View(_), _) => Some(Some(DELETED)),
        _ => Some(None),
    }
}

/// What a delivery record says about the answer.
fn noted(cause: &CauseLookup) -> FoundCause {
    cause.found().map_or(FoundCause::NotFound, |cause| FoundCause::Class(cause.class.name()))
}

fn set_absent(lookup: Lookup, facts: &mut Facts) {
    match lookup {
        Lookup::Content => facts.set_content(Fact::Absent),
        Lookup::Project => facts.set_project(Fact::Absent),
        Lookup::Owner => facts.set_owner(Fact::Absent),
        Lookup::OwnerGroups => facts.set_owner_groups(Fact::Absent),
        Lookup::Cause => facts.set_cause(Fact::Absent),
        Lookup::FailuresInARow => facts.set_failures_in_a_row(Fact::Absent),
        Lookup::DeletedBy => facts.set_deleted_by(Fact::Absent),
    }
}

/// The names of a person, as conditions compare them: e-mail address, user name, full name.
pub(crate) fn names(Owner { name, email, login }: Owner) -> Vec<String> {
    let mut names: Vec<String> = email.into_iter().chain([login, name]).collect();
    names.retain(|name| !name.is_empty());
    names.dedup();
    names
}
