//! Which sites refuse quality warnings altogether, because they lack Data Management. That is said once, and then remembered: otherwise
//! each failure of each data source would fail.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Document, Documents};
use tableau::SiteLuid;
use workflow::Failure;

/// After how long a site that has refused is asked again.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is known of a site that refuses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Refusal {
    /// When the site refused.
    at: Option<Timestamp>,
    /// The event that found out, which becomes the dead letter. Its retries and replays ask again.
    by: String,
}

impl Refusal {
    fn is_remembered(&self, now: Timestamp) -> bool {
        // A time ahead was written by a wrong clock.
        self.at.is_some_and(|at| at <= now && now.duration_since(at) < REMEMBERED)
    }

    /// When the site refused, for the words of an outcome.
    pub(crate) fn at(&self) -> Timestamp {
        self.at.unwrap_or_default()
    }

    /// Whether this event found out.
    pub(crate) fn is_by(&self, event: &str) -> bool {
        self.by == event
    }
}

impl Document for Refusal {
    const KIND: &'static str = "refusal";
    const KEPT_DAYS: i64 = 8;
}

/// The sites that refuse quality warnings.
#[derive(Debug)]
pub(crate) struct Licence {
    documents: Documents,
    workflow: &'static str,
}

impl Licence {
    pub(crate) fn new(documents: Documents, workflow: &'static str) -> Self {
        Self { documents, workflow }
    }

    fn name(&self, site: &SiteLuid) -> String {
        format!("{}#{}", self.workflow, site.as_str().to_ascii_lowercase())
    }

    /// What is known of a site that has refused within a week.
    ///
    /// # Errors
    /// If the table does not answer.
    pub(crate) async fn known(&self, site: &SiteLuid, now: Timestamp) -> Result<Option<Refusal>, Failure> {
        let refusal: Refusal = self.documents.read(&self.name(site)).await?;
        Ok(Some(refusal).filter(|refusal| refusal.is_remembered(now)))
    }

    /// Notes that the site refuses. Whether `event` is the one that has found out: two workers may do so at the same time.
    ///
    /// # Errors
    /// If the table does not answer.
    pub(crate) async fn refused(
        &self,
        site: &SiteLuid,
        event: &str,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let note = |refusal: &mut Refusal| {
            if !refusal.is_remembered(now) {
                *refusal = Refusal { at: Some(now), by: event.to_owned() };
            }
            refusal.is_by(event)
        };
        let (_, is_first) = self.documents.create_or_change(&self.name(site), now, note).await?;
        Ok(is_first)
    }

    /// Forgets a refusal: the site has answered.
    ///
    /// # Errors
    /// If the table does not answer.
    pub(crate) async fn answered(&self, site: &SiteLuid, now: Timestamp) -> Result<(), Failure> {
        self.documents
            .change(&self.name(site), now, |refusal: &mut Refusal| *refusal = Refusal::default())
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use store::MemoryStore;

    #[tokio::test]
    async fn a_site_that_refuses_is_told_of_by_one_event_and_asked_again_after_a_week_or_once_it_answers() {
        let licence = Licence::new(Documents::new(Arc::new(MemoryStore::default())), "w");
        let [site, other] = ["A-1", "b-2"].map(|site| site.parse::<SiteLuid>().unwrap());
        let at = |hours: i64| Timestamp::from_second(1_764_000_000 + hours * 3_600).unwrap();
        let known = async |site: &SiteLuid, hours: i64| {
            licence.known(site, at(hours)).await.unwrap().map(|refusal| refusal.at())
        };
        assert_eq!(known(&site, 0).await, None);
        assert!(licence.refused(&site, "e-1", at(0)).await.unwrap());
        assert!(!licence.refused(&site, "e-2", at(1)).await.unwrap());
        assert!(licence.refused(&site, "e-1", at(2)).await.unwrap(), "its retry says it too");
        assert_eq!(known(&site, 167).await, Some(at(0)));
        assert_eq!(known(&"a-1".parse().unwrap(), 1).await, Some(at(0)));
        assert_eq!(known(&other, 1).await, None);
        assert_eq!(known(&site, 168).await, None);
        assert_eq!(known(&site, -1).await, None, "a wrong clock");
        assert!(licence.refused(&site, "e-3", at(168)).await.unwrap());
        licence.answered(&site, at(169)).await.unwrap();
        assert_eq!(known(&site, 169).await, None);
    }
}
