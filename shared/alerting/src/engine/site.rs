//! Sites whose success events do not arrive: recoveries are then seen by the sweep alone, and messages say so.

use super::documents::{Document, Transaction, Versioned};
use super::{Engine, SeenSite, keys};
use crate::notification::Notification;
use crate::notifier::{Notifier, Routing};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tableau::SiteLuid;
use workflow::Failure;

/// For how long a worker takes its word for what it has read.
const FRESH: SignedDuration = SignedDuration::from_mins(10);
const SMALL_PRINT: &str = "success events do not arrive from this site: check that its RefreshSucceeded webhooks are registered and enabled";

/// What is known of a site's success events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SiteState {
    /// When the sweep last found a success whose event never came. `None` since an event came.
    success_missing_at: Option<Timestamp>,
}

impl Document for SiteState {}

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Says in the small print that the site's success events do not arrive, if that is so.
    pub(super) async fn add_small_print(&self, shown: &mut Notification, site: &SiteLuid, now: Timestamp) {
        if self.are_success_events_missing(site, now).await.unwrap_or(false) {
            shown.footnotes.push(SMALL_PRINT.to_owned());
        }
    }

    /// The sweep found a success whose event never came.
    pub(super) async fn note_missing_success(&self, site: &SiteLuid, now: Timestamp) -> Result<(), Failure> {
        self.change_site(site, now, Some(now)).await
    }

    /// A success event came. Most come when nothing fails: then the site is asked about only if this worker's messages say
    /// that none come.
    pub(super) async fn note_success_event(
        &self,
        site: &SiteLuid,
        has_resolved: bool,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let is_missing = if has_resolved {
            self.are_success_events_missing(site, now).await?
        } else {
            self.seen_sites().get(site).is_some_and(|seen| seen.is_missing)
        };
        if is_missing {
            self.change_site(site, now, None).await?;
        }
        Ok(())
    }

    async fn are_success_events_missing(&self, site: &SiteLuid, now: Timestamp) -> Result<bool, Failure> {
        let seen = self.seen_sites().get(site).copied();
        if let Some(seen) = seen.filter(|seen| now.duration_since(seen.at).abs() < FRESH) {
            return Ok(seen.is_missing);
        }
        let mut transaction = Transaction::new(self.records.as_ref(), now);
        let state: Versioned<SiteState> = transaction.get(&keys::site(self.workflow, site)).await?;
        let is_missing = state.document.success_missing_at.is_some();
        self.seen_sites().insert(site.clone(), SeenSite { at: now, is_missing });
        Ok(is_missing)
    }

    async fn change_site(
        &self,
        site: &SiteLuid,
        now: Timestamp,
        success_missing_at: Option<Timestamp>,
    ) -> Result<(), Failure> {
        let mut transaction = Transaction::new(self.records.as_ref(), now);
        loop {
            // Both are rare, and the one that comes last is right.
            transaction.overwrite(&keys::site(self.workflow, site), &SiteState { success_missing_at })?;
            if transaction.commit().await?.is_some() {
                break;
            }
        }
        let is_missing = success_missing_at.is_some();
        self.seen_sites().insert(site.clone(), SeenSite { at: now, is_missing });
        Ok(())
    }
}
