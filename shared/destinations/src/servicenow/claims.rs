//! Which incident belongs to a key, and who may look for it: one document for each key, written under a condition before the search.
//!
//! The leases of alerting are not enough here. One keeps two attempts at one incident apart, another two timers of one group; but a group
//! takes over the incident of its first object, and a search does not show what another caller is about to create.

use super::key::{Key, hash};
use super::record::Reference;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Document, Documents};
use workflow::{Failure, Invocation};

/// A claim that lasts longer than this was written by a wrong clock. An invocation ends within 15 minutes.
const LONGEST: SignedDuration = SignedDuration::from_mins(16);

/// What is known about the incident of a key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Claim {
    /// Who looks for it, or creates it.
    holder: Option<Holder>,
    /// Its id, once it is known.
    sys_id: String,
    /// What people call it.
    number: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Holder {
    id: u32,
    until: Timestamp,
}

impl Document for Claim {
    const KIND: &'static str = "ticket";
    const KEPT_DAYS: i64 = 400;
}

/// What a caller may do about a key.
#[derive(Debug)]
pub(super) enum Claimed {
    /// The incident exists.
    Known(Reference),
    /// The caller may search for it and create it. Afterwards it has to [`Claims::keep`] or [`Claims::release`] the key.
    Mine,
}

/// The claims of a workflow.
#[derive(Debug)]
pub(super) struct Claims {
    documents: Documents,
    workflow: &'static str,
}

impl Claims {
    pub(super) fn new(documents: Documents, workflow: &'static str) -> Self {
        Self { documents, workflow }
    }

    fn name(&self, key: &Key) -> String {
        format!("{}#{key}", self.workflow)
    }

    /// Claims a key until the invocation ends. `by` names the caller: the same one gets it again, because the queue delivers an event to
    /// one attempt at a time.
    ///
    /// # Errors
    /// [`Failure::Transient`] while another caller has it, or if the table does not answer.
    pub(super) async fn take(
        &self,
        key: &Key,
        by: &str,
        invocation: &Invocation,
    ) -> Result<Claimed, Failure> {
        let now = invocation.time();
        let id = hash(by);
        let until = invocation.ends_at();
        let take = move |claim: &mut Claim| {
            if let Some(reference) = Reference::new(&claim.sys_id, &claim.number) {
                return Ok(Claimed::Known(reference));
            }
            let is_held = |holder: &&Holder| {
                holder.id != id && holder.until > now && holder.until.duration_since(now) < LONGEST
            };
            if let Some(holder) = claim.holder.as_ref().filter(is_held) {
                return Err(holder.until);
            }
            claim.holder = Some(Holder { id, until });
            Ok(Claimed::Mine)
        };
        let (_, taken) = self.documents.create_or_change(&self.name(key), now, take).await?;
        taken.map_err(|until| {
            let wait = until.duration_since(now).max(SignedDuration::from_secs(1));
            Failure::Transient {
                source: "another worker is looking for this incident in ServiceNow".into(),
                retry_after: wait.try_into().ok(),
            }
        })
    }

    /// The incident of a key, if one is known. Claims nothing.
    pub(super) async fn known(&self, key: &Key) -> Result<Option<Reference>, Failure> {
        let claim: Claim = self.documents.read(&self.name(key)).await?;
        Ok(Reference::new(&claim.sys_id, &claim.number))
    }

    /// Records which incident a key has, and gives the claim back.
    pub(super) async fn keep(&self, key: &Key, reference: &Reference, now: Timestamp) -> Result<(), Failure> {
        let keep = |claim: &mut Claim| {
            *claim = Claim {
                holder: None,
                sys_id: reference.sys_id.as_str().to_owned(),
                number: reference.number.clone(),
            };
        };
        self.documents.change(&self.name(key), now, keep).await?;
        Ok(())
    }

    /// Gives a claim back. If that fails, it ends by itself.
    pub(super) async fn release(&self, key: &Key, by: &str, now: Timestamp) {
        let id = hash(by);
        let release = move |claim: &mut Claim| {
            claim.holder = claim.holder.take().filter(|holder| holder.id != id);
        };
        if let Err(error) = self.documents.change(&self.name(key), now, release).await {
            let reason = workflow::chain(&error);
            tracing::warn!(reason, "a claim on an incident was not given back; it ends by itself");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rules::settings::TrackServicenowIncident;
    use std::sync::Arc;
    use std::time::Duration;
    use store::MemoryStore;

    const ID: &str = "57af7aec73d423002728660c4cf6a71c";

    fn invocation(second: i64) -> Invocation {
        let now = Timestamp::from_second(1_764_000_000 + second).unwrap();
        Invocation::new("r", now, Duration::from_secs(60))
    }

    // D057
    #[tokio::test]
    async fn one_caller_at_a_time_looks_for_an_incident_and_all_others_find_it_afterwards() {
        let claims = Claims::new(Documents::new(Arc::new(MemoryStore::default())), "w");
        let key = Key::of_one(Some("717bbc05a8f9"), &TrackServicenowIncident::default()).unwrap();
        assert!(matches!(claims.take(&key, "one", &invocation(0)).await.unwrap(), Claimed::Mine));
        assert!(
            matches!(claims.take(&key, "one", &invocation(1)).await.unwrap(), Claimed::Mine),
            "its next attempt"
        );
        let Err(Failure::Transient { retry_after, .. }) = claims.take(&key, "two", &invocation(2)).await
        else {
            panic!("two callers at a time")
        };
        assert!(retry_after.is_some_and(|wait| wait > Duration::from_secs(50)), "{retry_after:?}");
        assert!(
            matches!(claims.take(&key, "two", &invocation(90)).await.unwrap(), Claimed::Mine),
            "the first one died"
        );

        let reference = Reference::new(ID, "INC1").unwrap();
        claims.keep(&key, &reference, invocation(91).now).await.unwrap();
        let Claimed::Known(known) = claims.take(&key, "one", &invocation(92)).await.unwrap() else {
            panic!()
        };
        assert_eq!(known, reference);
        assert_eq!(claims.known(&key).await.unwrap(), Some(reference));
    }

    #[tokio::test]
    async fn a_claim_that_was_given_back_or_that_a_wrong_clock_wrote_keeps_no_one_out() {
        let claims = Claims::new(Documents::new(Arc::new(MemoryStore::default())), "w");
        let key = Key::of_one(Some("717bbc05a8f9"), &TrackServicenowIncident::default()).unwrap();
        claims.take(&key, "one", &invocation(0)).await.unwrap();
        claims.release(&key, "one", invocation(0).now).await;
        assert!(matches!(claims.take(&key, "two", &invocation(1)).await.unwrap(), Claimed::Mine));
        claims.take(&key, "two", &invocation(365 * 24 * 3_600)).await.unwrap();
        assert!(matches!(claims.take(&key, "three", &invocation(2)).await.unwrap(), Claimed::Mine));
    }
}
