//! The sites that reports are about.

use crate::ReportHistory;
use history::{ErasedPeople, Owners};
use jiff::tz::TimeZone;
use published_rules::InForce;
use rules::{Rules, Site};
use tokio::time::Instant;
use workflow::BoxError;

impl<E> ReportHistory<E> {
    /// The sites that the rules list; if they list none, the site of the credential, in UTC.
    pub(crate) async fn sites(&self) -> Result<Vec<Site>, BoxError> {
        let sites = match self.published.in_force().await? {
            InForce::Version(version, _) => Rules::of_json(&version.form)?.sites().to_vec(),
            InForce::Nothing => Vec::new(),
            // Another set of sites would get other weeks, and count as sent.
            InForce::Damaged(reason, _) => {
                return Err(
                    format!("the rules in force, which say the sites, cannot be read: {reason}").into()
                );
            }
        };
        if !sites.is_empty() {
            return Ok(sites);
        }
        let luid = self.tableau.session_site().await?;
        let name = self.site_name.clone();
        Ok(vec![Site { luid, name, timezone: TimeZone::UTC, suspends_after: None }])
    }

    /// For questions about owners, until `until`.
    pub(crate) async fn owners(&self, until: Instant) -> Result<Owners<'_>, BoxError> {
        let erased: ErasedPeople = self.documents.read(ErasedPeople::KEY).await?;
        Ok(Owners::new(Ok(&self.tableau), erased, until))
    }
}
