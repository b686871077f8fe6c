//! The document with what the stack knows, and who may change it.

use crate::error::Error;
use crate::state::{Answered, Lease, State};
use jiff::{SignedDuration, Timestamp};
use store::Documents;
use tableau::WebhookFigures;

/// The document's name.
const KEY: &str = "stack";
/// The key of the document in the stack's table.
pub const ITEM: &str = "webhook#stack";
/// The longest lease. One that ends later is of a machine with a wrong clock.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);

/// How many webhooks the stack has registered and how many of them are disabled, as the last run saw them; `None` if it has registered none.
///
/// # Errors
/// [`Error::Table`] when the table does not answer.
pub async fn figures(documents: &Documents) -> Result<Option<WebhookFigures>, Error> {
    Ok(Registry::read(documents).await?.figures())
}

/// Why a run begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start<'s> {
    /// CloudFormation deploys: the request's id, and whether the resource is new.
    Deploy { request: &'s str, is_new: bool },
    /// CloudFormation deletes.
    Removal { request: &'s str },
    /// The schedule, new rules, a person.
    Routine,
    /// A person, also where the stack has removed its webhooks.
    ByHand,
}

/// Whether a run may begin.
#[derive(Debug)]
pub(crate) enum Begin {
    /// It may.
    Leased(Box<State>),
    /// It may not: CloudFormation has sent a request again, which was answered so.
    Repeated(Answered),
}

/// The document, as one run sees it.
#[derive(Clone, Debug)]
pub(crate) struct Registry {
    documents: Documents,
    owner: String,
}

impl Registry {
    /// `owner` names the run.
    pub(crate) fn new(documents: Documents, owner: String) -> Self {
        Self { documents, owner }
    }

    pub(crate) async fn read(documents: &Documents) -> Result<State, Error> {
        Ok(documents.read(KEY).await?)
    }

    /// Takes the lease until `until`.
    ///
    /// # Errors
    /// [`Error::Busy`] while another run has it; [`Error::Removed`] for a run after the stack has removed its webhooks.
    pub(crate) async fn begin(
        &self,
        start: Start<'_>,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Begin, Error> {
        let (state, begin) = self
            .documents
            .change(KEY, now, |state: &mut State| {
                if let Start::Deploy { request, .. } | Start::Removal { request } = start
                    && let Some(answered) = state.answer_to(request)
                {
                    return Ok(Some(answered.clone()));
                }
                // Also while another run is at work: none begins after it.
                state.is_removed |= matches!(start, Start::Removal { .. });
                if let Some(lease) = &state.lease
                    && lease.owner != self.owner
                    && lease.is_live(now, LONGEST)
                {
                    return Err(Error::Busy(lease.until));
                }
                match start {
                    Start::Deploy { is_new: true, .. } => state.is_removed = false,
                    Start::Deploy { .. } | Start::Routine if state.is_removed => return Err(Error::Removed),
                    Start::Deploy { .. } | Start::Routine | Start::Removal { .. } | Start::ByHand => {}
                }
                state.lease = Some(Lease { owner: self.owner.clone(), until });
                Ok(None)
            })
            .await?;
        Ok(begin?.map_or_else(|| Begin::Leased(Box::new(state)), Begin::Repeated))
    }

    /// Writes what this run has found out. If another run has taken over since, nothing is written: that run looks itself.
    pub(crate) async fn save(&self, state: &State, now: Timestamp) -> Result<(), Error> {
        let (_, saved) = self
            .documents
            .change(KEY, now, |stored: &mut State| {
                let is_mine = stored.lease.as_ref().is_some_and(|lease| lease.owner == self.owner);
                if is_mine {
                    // What others write who have no lease.
                    *stored = State {
                        is_removed: stored.is_removed,
                        answers: stored.answers.clone(),
                        deploy: stored.deploy.clone(),
                        ..state.clone()
                    };
                }
                is_mine
            })
            .await?;
        if !saved {
            tracing::warn!("another run has taken over the webhooks: this one took too long");
        }
        Ok(())
    }

    /// Gives the lease back, whatever happened.
    pub(crate) async fn release(&self, now: Timestamp) -> Result<(), Error> {
        self.documents
            .change(KEY, now, |stored: &mut State| {
                if stored.lease.as_ref().is_some_and(|lease| lease.owner == self.owner) {
                    stored.lease = None;
                }
            })
            .await?;
        Ok(())
    }

    /// Changes the document beside the work on webhooks.
    pub(crate) async fn note<T: Send>(
        &self,
        now: Timestamp,
        note: impl FnMut(&mut State) -> T + Send,
    ) -> Result<T, Error> {
        Ok(self.documents.change(KEY, now, note).await?.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::{Document, Key};

    #[test]
    fn the_key_of_the_document_is_the_one_that_others_leave_out() {
        assert_eq!(Key::new(State::KIND, KEY).unwrap().as_str(), ITEM);
    }
}
