//! Microsoft Teams and Power Automate: messages through the triggers of flows.
//!
//! A trigger answers `202` when it has queued a run, before anything is posted: success here means *accepted*.
//!
//! Sources: <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>,
//! <https://learn.microsoft.com/connectors/teams/>

mod address;
mod answer;
mod card;
mod credential;
mod guarded;
mod lists;
mod mentions;
mod notifier;
mod plain;
pub mod text;
mod words;

pub use address::HostKind;
use address::NAME;
pub use card::{Card, Left, REQUEST_LIMIT, render};
pub use credential::TeamsCredential;
pub use notifier::TeamsNotifier;
pub(crate) use plain::text_within;
pub use plain::{Plain, fields};

use crate::Error;
use crate::http::Answer;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use workflow::CredentialSource;

/// The flows that messages are posted through.
pub struct Teams {
    http: reqwest::Client,
    credentials: Arc<dyn CredentialSource<TeamsCredential>>,
    /// The channels whose URL is at the old host, which was said once.
    said: Mutex<BTreeSet<String>>,
}

impl fmt::Debug for Teams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Teams").finish_non_exhaustive()
    }
}

impl Teams {
    /// Creates a client. `http` must not follow redirects: the signature in a URL is the whole credential.
    pub fn new(http: reqwest::Client, credentials: Arc<dyn CredentialSource<TeamsCredential>>) -> Self {
        Self { http, credentials, said: Mutex::default() }
    }

    /// Posts a JSON body to the flow of a channel. `Ok` means that the flow has accepted it, not that it has posted anything.
    ///
    /// # Errors
    /// [`Error`]. If a person has to fix the secret, it is read once more, and the body posted with the new URL, if there is one.
    pub async fn post(&self, channel: &str, body: &str) -> Result<(), Error> {
        self.try_twice(channel, body).await.inspect_err(|error| error.count(NAME))
    }

    /// At which kind of host the flow of a channel is.
    ///
    /// # Errors
    /// [`Error`] if the secret has no usable URL for the channel.
    async fn host_kind(&self, channel: &str) -> Result<HostKind, Error> {
        Ok(self.credentials.current().await?.trigger(channel)?.kind)
    }

    async fn try_twice(&self, channel: &str, body: &str) -> Result<(), Error> {
        let credential = self.credentials.current().await?;
        let refused = match self.post_with(&credential, channel, body).await {
            Err(error) if error.is_misconfiguration() => error,
            other => return other,
        };
        match self.credentials.replacement(&credential).await? {
            Some(renewed) => self.post_with(&renewed, channel, body).await,
            None => Err(refused),
        }
    }

    async fn post_with(&self, credential: &TeamsCredential, channel: &str, body: &str) -> Result<(), Error> {
        let trigger = credential.trigger(channel)?;
        self.say_once(channel, trigger.kind);
        // No other authorization: the trigger refuses one beside the signature.
        let request = self.http.post(trigger.url.as_url().clone());
        let request = request.header("content-type", "application/json").body(body.to_owned());
        let response = request.send().await.map_err(unreachable)?;
        if response.status().is_success() {
            return Ok(());
        }
        let answer = Answer::read(response, trigger.secrets).await.map_err(unreachable)?;
        Err(answer::refused(&answer, channel, trigger.kind))
    }

    fn say_once(&self, channel: &str, kind: HostKind) {
        if kind != HostKind::LogicApps {
            return;
        }
        let is_new = self.said.lock().unwrap_or_else(PoisonError::into_inner).insert(channel.to_owned());
        if is_new {
            tracing::warn!(channel, advice = kind.advice(), "the URL of a flow may be out of date");
        }
    }
}

fn unreachable(error: reqwest::Error) -> Error {
    Error::Unreachable { destination: NAME, source: error.without_url() }
}
