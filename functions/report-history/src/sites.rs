//! The sites that reports are about.

use crate::ReportHistory;
use jiff::tz::TimeZone;
use published_rules::InForce;
use rules::{Rules, Site};
use tableau_client::TableauClient;
use workflow::{BoxError, chain};

impl<E> ReportHistory<E> {
    /// The sites that the rules list; if they list none, the site of the credential, in UTC.
    pub(crate) async fn sites(&self) -> Result<Vec<Site>, BoxError> {
        let sites = match self.published.in_force().await? {
            InForce::Version(version, _) => Rules::of_json(&version.form)?.sites().to_vec(),
            InForce::Nothing | InForce::Damaged(..) => Vec::new(),
        };
        if !sites.is_empty() {
            return Ok(sites);
        }
        let luid = self.tableau.session_site().await?;
        let name = self.site_name.clone();
        Ok(vec![Site { luid, name, timezone: TimeZone::UTC, suspends_after: None }])
    }

    /// Tableau, if its credential is of this site.
    pub(crate) async fn may_ask(&self, site: &Site) -> Result<&TableauClient, String> {
        match self.tableau.session_site().await {
            Ok(luid) if luid == site.luid => Ok(&self.tableau),
            Ok(_) => Err("the stack's credential is of another site".to_owned()),
            Err(error) => Err(chain(&error)),
        }
    }
}
