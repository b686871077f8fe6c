//! Which sites refuse quality warnings altogether, because they lack Data Management. That is said once, and then remembered: otherwise
//! each failure of each data source would fail.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Document, Documents};
use tableau::SiteLuid;
use workflow::Failure;

/// After how long a site that has refused is asked again.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(7 * 24);

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Refusal {
    /// When the site refused.
    at: Option<Timestamp>,
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

    /// Since when the site is known to refuse.
    ///
    /// # Errors
    /// If the table does not answer.
    pub(crate) async fn refused_at(
        &self,
        site: &SiteLuid,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Failure> {
        let Refusal { at } = self.documents.read(&self.name(site)).await?;
        // A time ahead was written by a wrong clock.
        let is_remembered = |at: &Timestamp| *at <= now && now.duration_since(*at) < REMEMBERED;
        Ok(at.filter(is_remembered))
    }

    /// Notes that the site refuses. Whether it is the first to say so: two workers may find out at the same time.
    ///
    /// # Errors
    /// If the table does not answer.
    pub(crate) async fn refused(&self, site: &SiteLuid, now: Timestamp) -> Result<bool, Failure> {
        let note = |refusal: &mut Refusal| {
            let is_new = refusal.at.is_none_or(|at| at > now || now.duration_since(at) >= REMEMBERED);
            if is_new {
                refusal.at = Some(now);
            }
            is_new || refusal.at == Some(now)
        };
        let (_, is_first) = self.documents.create_or_change(&self.name(site), now, note).await?;
        Ok(is_first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use store::MemoryStore;

    #[tokio::test]
    async fn a_site_that_refuses_is_told_of_once_and_asked_again_after_a_week() {
        let licence = Licence::new(Documents::new(Arc::new(MemoryStore::default())), "w");
        let [site, other] = ["A-1", "b-2"].map(|site| site.parse::<SiteLuid>().unwrap());
        let at = |hours: i64| Timestamp::from_second(1_764_000_000 + hours * 3_600).unwrap();
        assert_eq!(licence.refused_at(&site, at(0)).await.unwrap(), None);
        assert!(licence.refused(&site, at(0)).await.unwrap());
        assert!(!licence.refused(&site, at(1)).await.unwrap());
        assert_eq!(licence.refused_at(&site, at(167)).await.unwrap(), Some(at(0)));
        assert_eq!(licence.refused_at(&"a-1".parse().unwrap(), at(1)).await.unwrap(), Some(at(0)));
        assert_eq!(licence.refused_at(&other, at(1)).await.unwrap(), None);
        assert_eq!(licence.refused_at(&site, at(168)).await.unwrap(), None);
        assert_eq!(licence.refused_at(&site, at(-1)).await.unwrap(), None);
        assert!(licence.refused(&site, at(168)).await.unwrap());
    }
}
