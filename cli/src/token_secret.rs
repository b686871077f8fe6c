//! The stack's secret with the tokens in webhook URLs.

use crate::stack::Stack;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};
use secrets::WebhookTokens;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;
use workflow::BoxError;

/// The secret's name in the template.
const NAME: &str = "WebhookSecret";

/// How many ids are tried for a new version.
const TRIES: u32 = 3;
/// How long after a write every read of the secret has it.
const SETTLED: Duration = Duration::from_secs(2);

/// The stack's secret with the tokens in webhook URLs.
#[derive(Debug)]
pub(crate) struct TokenSecret<'s> {
    stack: &'s Stack,
    client: Client,
    id: &'s str,
}

/// One version of the secret.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) tokens: WebhookTokens,
    /// The version's id.
    version: String,
    /// When it was surely there.
    pub(crate) at: Instant,
}

impl Held {
    /// Whether the secret has not been written in between.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.version == other.version && self.tokens == other.tokens
    }
}

impl<'s> TokenSecret<'s> {
    pub(crate) fn of(stack: &'s Stack) -> Result<Self, BoxError> {
        let Some(id) = &stack.webhook_secret else {
            let name = &stack.name;
            let target = &stack.account.target;
            return Err(
                format!("the stack `{name}` in {target} has no secret `{NAME}`: check --stack").into()
            );
        };
        Ok(Self { stack, client: Client::new(&stack.account.config), id })
    }

    /// The id of the secret.
    pub(crate) fn id(&self) -> &str {
        self.id
    }

    /// The secret's text, and the id of its version.
    pub(crate) async fn text(&self) -> Result<(SecretString, String), BoxError> {
        let read = self.client.get_secret_value().secret_id(self.id).send().await;
        let read =
            read.map_err(|error| self.stack.account.explain("secretsmanager:GetSecretValue", error))?;
        let version = read.version_id.clone().unwrap_or_default();
        Ok((read.secret_string.unwrap_or_default().into(), version))
    }

    pub(crate) async fn read(&self) -> Result<Held, BoxError> {
        let (text, version) = self.text().await?;
        let tokens = secrets::parse(&text).map_err(|problem| self.malformed(&problem))?;
        Ok(Held { tokens, version, at: Instant::now() })
    }

    /// The error that says what is wrong with the secret's text.
    pub(crate) fn malformed(&self, problem: &secrets::Malformed) -> BoxError {
        format!("the secret `{NAME}` of the stack `{}`: {problem}", self.stack.name).into()
    }

    /// Writes the secret in place of the version that was read.
    ///
    /// The id of the new version is made from that of the old one, and Secrets Manager gives an id to one version only. So of two
    /// processes that have read the same version only one writes, and what is repeated or comes late changes nothing. The id is taken
    /// too if a person has made an older version the current one again: then another is tried.
    ///
    /// Source: <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html>
    ///
    /// # Errors
    /// Also when another process has written first.
    pub(crate) async fn write(
        &self,
        read: &Held,
        current: &SecretString,
        previous: Option<&SecretString>,
    ) -> Result<Held, BoxError> {
        let previous = previous.map(ExposeSecret::expose_secret).unwrap_or_default();
        let text = json!({ "current": current.expose_secret(), "previous": previous }).to_string();
        for tried in 0..TRIES {
            let put = self.client.put_secret_value().secret_id(self.id);
            let put = put.client_request_token(next_id(&read.version, tried)).secret_string(&text);
            let error = match put.send().await {
                Ok(put) => {
                    let tokens =
                        secrets::parse(&text.clone().into()).map_err(|problem| self.malformed(&problem))?;
                    let version = put.version_id.unwrap_or_default();
                    // Of a text that was written before under this id, Secrets Manager says the same without making it current.
                    if self.is_current(&version).await? {
                        return Ok(Held { tokens, version, at: Instant::now() });
                    }
                    if !self.read().await?.is(read) {
                        return Err(self.changed());
                    }
                    continue;
                }
                Err(error) => error,
            };
            let is_taken =
                error.as_service_error().is_some_and(PutSecretValueError::is_resource_exists_exception);
            if !is_taken {
                return Err(self.stack.account.explain("secretsmanager:PutSecretValue", error));
            }
            tokio::time::sleep(SETTLED).await;
            if !self.read().await?.is(read) {
                return Err(self.changed());
            }
        }
        Err(self.changed())
    }

    /// Whether a version is the current one. A read may bring what was there a moment ago.
    async fn is_current(&self, version: &str) -> Result<bool, BoxError> {
        for wait in [Duration::ZERO, SETTLED] {
            tokio::time::sleep(wait).await;
            if self.read().await?.version == version {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The error that the secret has been written in between.
    pub(crate) fn changed(&self) -> BoxError {
        format!(
            "the secret `{NAME}` of the stack `{}` was changed meanwhile, by another person or process: run the command again, which \
             goes on from what the secret has now",
            self.stack.name
        )
        .into()
    }
}

/// The id of the version after this one.
fn next_id(version: &str, tried: u32) -> String {
    let hash = digest(&SHA256, format!("{version} {tried}").as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_the_next_version_is_known_from_the_last_one() {
        let id = next_id("v-1", 0);
        assert_eq!((id.len(), &id), (64, &next_id("v-1", 0)));
        assert!(id != next_id("v-1", 1) && id != next_id("v-2", 0));
    }
}
