//! The stack's secret with the tokens in webhook URLs.

use crate::stack::Stack;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::put_secret_value::PutSecretValueError;
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};
use secrets::WebhookTokens;
use serde_json::json;
use workflow::BoxError;

/// The secret's name in the template.
const NAME: &str = "WebhookSecret";

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
            let (name, target) = (&stack.name, &stack.account.target);
            return Err(format!("the stack `{name}` in {target} has no secret `{NAME}`: check --stack").into());
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
        let read = read.map_err(|error| self.stack.account.explain("secretsmanager:GetSecretValue", error))?;
        let version = read.version_id.clone().unwrap_or_default();
        Ok((read.secret_string.unwrap_or_default().into(), version))
    }

    pub(crate) async fn read(&self) -> Result<Held, BoxError> {
        let (text, version) = self.text().await?;
        let tokens = secrets::parse(&text).map_err(|problem| self.malformed(&problem))?;
        Ok(Held { tokens, version })
    }

    /// The error that says what is wrong with the secret's text.
    pub(crate) fn malformed(&self, problem: &secrets::Malformed) -> BoxError {
        format!("the secret `{NAME}` of the stack `{}`: {problem}", self.stack.name).into()
    }

    /// Writes the secret in place of the version that was read.
    ///
    /// The id of the new version is made from that of the old one, and Secrets Manager gives an id to one version only. So of two
    /// processes that have read the same version only one writes, and what is repeated or comes late changes nothing.
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
        let next = digest(&SHA256, read.version.as_bytes());
        let next: String = next.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let put = self.client.put_secret_value().secret_id(self.id).client_request_token(next);
        match put.secret_string(&text).send().await {
            Ok(put) => {
                let tokens = secrets::parse(&text.into()).map_err(|problem| self.malformed(&problem))?;
                Ok(Held { tokens, version: put.version_id.unwrap_or_default() })
            }
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutSecretValueError::is_resource_exists_exception) =>
            {
                Err(self.changed())
            }
            Err(error) => Err(self.stack.account.explain("secretsmanager:PutSecretValue", error)),
        }
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
