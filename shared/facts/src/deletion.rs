//! What the Recycle Bin says about the object of a deletion: a deleted object cannot be fetched.

use crate::kind::kind;
use crate::lookups::{DELETED, FactLookups, names};
use crate::question::{Answer, Question};
use rules::{Fact, Facts, Lookup};
use tableau_client::{Deleted, DeletedItem, Owner, OwnerRef, RecycleBinLookup};

/// The Recycle Bin has the object, but not this.
const NOT_SAID: &str = "the Recycle Bin does not say it";

impl FactLookups {
    /// What the Recycle Bin says about the object of a deletion. Asked once per event.
    ///
    /// # Errors
    /// When Tableau does not answer. That it refuses, or has no Recycle Bin, is an answer.
    pub async fn deletion(&self, question: Question<'_>) -> Answer<RecycleBinLookup> {
        let Question { event, invocation, .. } = question;
        if let Some(found) = self.kept.get(&event.id, invocation.now).deletion {
            return Ok(found);
        }
        let Some(kind) = kind(event) else { return Ok(RecycleBinLookup::NotListed) };
        let deleted = Deleted {
            kind,
            luid: event.subject.luid(),
            name: event.resource_name.as_deref(),
            at: event.credible_time(invocation.now).unwrap_or(invocation.now),
        };
        let found = self.tableau.call(invocation, self.tableau.client().deleted_item(deleted)).await?;
        self.kept.note(&event.id, invocation.now, |answers| answers.deletion = Some(found.clone()));
        Ok(found)
    }

    /// The user who deleted an object. If the Recycle Bin says only the user's id, the user is looked up. `None` for a user who has
    /// left the site or whom the credential's user may not see.
    ///
    /// # Errors
    /// When Tableau does not answer.
    pub async fn deleter(&self, item: &DeletedItem, question: Question<'_>) -> Answer<Option<Owner>> {
        let Some(deleter) = &item.deleter else { return Ok(None) };
        match (deleter.person(), &deleter.id) {
            (None, Some(luid)) => {
                self.tableau.call(question.invocation, self.tableau.client().owner(luid)).await
            }
            (person, _) => Ok(person),
        }
    }

    /// Looks up one thing about a deleted object.
    pub(crate) async fn of_deleted(
        &self,
        lookup: Lookup,
        question: Question<'_>,
        facts: &mut Facts,
    ) -> Answer<()> {
        let found = self.deletion(question).await?;
        let RecycleBinLookup::Found(item) = &found else {
            facts.set_missing(lookup, &found.to_string());
            return Ok(());
        };
        let owner = item.owner.as_ref();
        match lookup {
            Lookup::Project if item.original_path.is_empty() => facts.set_missing(lookup, NOT_SAID),
            Lookup::Project => facts.set_project(Fact::Known(item.original_path.clone())),
            Lookup::Owner => facts.set_owner(self.owner_names(owner, question).await?),
            Lookup::OwnerGroups => match owner.and_then(|owner| owner.id.as_ref()) {
                Some(luid) => facts.set_owner_groups(self.groups(Some(luid), question).await?),
                None => facts.set_missing(lookup, NOT_SAID),
            },
            Lookup::DeletedBy => match self.deleter(item, question).await? {
                Some(deleter) => facts.set_deleted_by(Fact::Known(deleter.name)),
                None => facts.set_missing(lookup, NOT_SAID),
            },
            Lookup::Content | Lookup::Cause | Lookup::FailuresInARow => facts.set_missing(lookup, DELETED),
        }
        Ok(())
    }

    /// The names of an owner, as conditions compare them: all of them, since with fewer a condition would fail that holds.
    async fn owner_names(
        &self,
        owner: Option<&OwnerRef>,
        question: Question<'_>,
    ) -> Answer<Fact<Vec<String>>> {
        let not_said = || Fact::Missing(NOT_SAID.to_owned());
        let Some(owner) = owner else { return Ok(not_said()) };
        if let Some(luid) = &owner.id
            && let Some(known) = self.owner_of(luid, question).await?
        {
            return Ok(Fact::Known(names(known)));
        }
        let said = owner.person().filter(|person| person.email.is_some());
        Ok(said.map_or_else(not_said, |person| Fact::Known(names(person))))
    }
}
