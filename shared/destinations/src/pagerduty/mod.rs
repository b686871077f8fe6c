//! PagerDuty: alerts through the Events API v2.
//!
//! PagerDuty folds events of one key into one alert: the first trigger opens it, further ones add to it and page no one, and a resolve
//! closes it. `202` means that an event is queued: whether it becomes an incident, the service's settings decide.
//!
//! Sources: <https://developer.pagerduty.com/docs/events-api-v2-overview>, <https://developer.pagerduty.com/docs/send-alert-event>

mod answer;
mod credential;
mod details;
mod error;
mod guarded;
mod key;
mod notifier;
mod origin;
mod reference;
mod region;
mod render;
mod text;

pub use credential::PagerDutyCredential;
pub use error::Error;
pub use key::{DedupKey, NoKey};
pub use notifier::PagerDutyNotifier;
pub use origin::Origin;
pub use reference::RoutingFields;
pub use region::{InvalidRegion, Region};
pub use render::{Alert, Change, EVENT_LIMIT, SUMMARY_LIMIT};

use crate::http::Answer;
use std::fmt;
use std::sync::Arc;
use workflow::CredentialSource;

/// The services of an account of PagerDuty.
pub struct PagerDuty {
    http: reqwest::Client,
    region: Region,
    credentials: Arc<dyn CredentialSource<PagerDutyCredential>>,
}

impl fmt::Debug for PagerDuty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PagerDuty").field("region", &self.region).finish_non_exhaustive()
    }
}

impl PagerDuty {
    /// Creates a client. `http` must not follow redirects: the routing key is in the body.
    pub fn new(
        http: reqwest::Client,
        region: Region,
        credentials: Arc<dyn CredentialSource<PagerDutyCredential>>,
    ) -> Self {
        Self { http, region, credentials }
    }

    /// Sends an event to a service, once. `Ok` means that PagerDuty has accepted it, not that it has paged anyone.
    ///
    /// # Errors
    /// [`Error`]. If a person has to fix the secret, it is read once more, and the event sent with the new key, if there is one.
    pub async fn send(&self, service: &str, alert: &Alert) -> Result<(), Error> {
        self.try_twice(service, alert).await.inspect_err(Error::count)
    }

    async fn try_twice(&self, service: &str, alert: &Alert) -> Result<(), Error> {
        let credential = self.credentials.current().await?;
        let refused = match self.send_with(&credential, service, alert).await {
            Err(error) if error.is_misconfiguration() => error,
            other => return other,
        };
        match self.credentials.replacement(&credential).await? {
            Some(renewed) => self.send_with(&renewed, service, alert).await,
            None => Err(refused),
        }
    }

    async fn send_with(
        &self,
        credential: &PagerDutyCredential,
        service: &str,
        alert: &Alert,
    ) -> Result<(), Error> {
        let routing_key = credential.routing_key(service)?;
        let request = self.http.post(self.region.enqueue());
        let request =
            request.header("content-type", "application/json").body(alert.body(routing_key.exposed()));
        let response = request.send().await.map_err(Error::unreachable)?;
        let answer = Answer::read(response, routing_key.secrets()).await.map_err(Error::unreachable)?;
        answer::read(&answer, service, alert.key())
    }
}
