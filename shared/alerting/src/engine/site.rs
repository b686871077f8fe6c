//! Sites whose success events do not arrive: only the hourly sweep notices their recoveries, and messages say so.

use super::documents::{Document, Transaction, Versioned};
use super::{Engine, SeenSite, keys};
use crate::notification::Notification;
use crate::notifier::{Notifier, Routing};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tableau::SiteLuid;
use workflow::Failure;

/// For how long a worker uses what it has read about a site before it reads again.
const FRESH: SignedDuration = SignedDuration::from_mins(10);
const SMALL_PRINT: &str = "success events do not arrive from this site: check that its RefreshSucceeded webhooks are registered and enabled";

/// What is known about a site's success events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SiteState {
    /// When the sweep last found a successful refresh without a success event. Cleared when a success event arrives.
    success_missing_at: Option<Timestamp>,
}

impl Document for SiteState {}

impl<N: Notifier, R: Routing<N::Target>> Engine<N, R> {
    /// Adds a footnote to the message if the site's success events do not arrive.
    pub(super) async fn add_small_print(&self, shown: &mut Notification, site: &SiteLuid, now: Timestamp) {
        if self.are_success_events_missing(site, now).await.unwrap_or(false) {
            shown.footnotes.push(SMALL_PRINT.to_owned());
        }
    }

    /// Records that the sweep found a successful refresh whose success event never came.
    pub(super) async fn note_missing_success(&self, site: &SiteLuid, now: Timestamp) -> Result<(), Failure> {
        self.change_site(site, now, Some(now)).await
    }

    /// Records that a success event arrived. Most success events come when nothing fails, so the store is read only
    /// if this worker's messages currently claim that no success events arrive.
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
            // Two workers rarely write this at the same time, and the last write is right, so the version is not
            // checked.
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
