//! The webhooks of a stack at a site, as its rules need them.

use super::shown::{Safe, Shown};
use super::site::Site;
use crate::http;
use crate::reconciliation;
use crate::stack::{Description, Stack};
use crate::token_secret::TokenSecret;
use confidential::Secrets;
use jiff::Timestamp;
use published_rules::PublishedRules;
use secrets::SecretsManager;
use std::sync::Arc;
use std::time::Duration;
use store::documents;
use store::records::DynamoDbRecords;
use tableau_client::Webhook;
use url::Url;
use webhooks::{Error, Identity, Plan, Reconciler, SETTLING};
use workflow::{BoxError, chain};

/// How long a look at rules, secret and webhooks may take.
const LOOK: Duration = Duration::from_secs(60);

/// The webhooks of a stack at a site.
pub(super) struct StackWebhooks<'s> {
    pub(super) site: &'s Site,
    pub(super) stack: &'s Stack,
    pub(super) reconciler: Reconciler,
    is_being_deleted: bool,
}

/// Which webhooks are a stack's own.
pub(super) fn identity(stack: &Stack, described: &Description) -> Result<Identity, BoxError> {
    let url = stack.webhook_url(described)?;
    Identity::new(&described.id, url)
        .map_err(|error| format!("the stack `{}` in {}: {error}", stack.name, stack.account.target).into())
}

impl<'s> StackWebhooks<'s> {
    pub(super) async fn of(site: &'s Site) -> Result<Self, BoxError> {
        let stack = site.stack.as_ref().ok_or("there is no stack")?;
        let described = stack.describe().await?;
        let identity = identity(stack, &described)?;
        let url: Option<Url> = stack.webhook_url(&described)?.parse().ok();
        let config = &stack.account.config;
        let client = aws_sdk_dynamodb::Client::new(config);
        let table = stack.table()?;
        let takes_refreshes =
            described.parameters.get("RefreshExtractEnabled").is_some_and(|value| value == "true");
        // What the stack keeps is of its own site. At another one a webhook is its own by name and URL.
        let documents = documents(site.is_of_stack().then(|| (client.clone(), table.to_owned())));
        let reconciler = Reconciler {
            tableau: site.client().clone(),
            published: PublishedRules::new(Arc::new(DynamoDbRecords::new(client, table, "rules"))),
            secrets: Arc::new(SecretsManager::new(aws_sdk_secretsmanager::Client::new(config))),
            secret_id: TokenSecret::of(stack)?.id().to_owned(),
            documents,
            identity,
            http: http::client(url.as_ref())?,
            takes_refreshes,
            settling: SETTLING,
        };
        Ok(Self { site, stack, reconciler, is_being_deleted: described.is_being_deleted })
    }

    /// The physical name of the function that does the work; `None` where the command line does it.
    pub(super) fn function(&self) -> Option<&str> {
        reconciliation::function(self.stack).filter(|_| self.site.is_of_stack())
    }

    /// Refuses to change anything for a stack that is being deleted: nothing would remove its webhooks any more.
    pub(super) fn check_lives(&self) -> Result<(), BoxError> {
        match self.is_being_deleted {
            true => {
                Err(format!("the stack `{}` is being deleted: nothing is changed", self.stack.name).into())
            }
            false => Ok(()),
        }
    }

    /// What is to be done, and how to show it.
    pub(super) async fn plan(&self) -> Result<(Plan, Safe), BoxError> {
        let listed = self.site.webhooks().await?;
        let plan = self.reconciler.plan(Timestamp::now(), LOOK).await;
        let plan = plan.map_err(|error| self.explain(&error))?;
        let safe = self.safe(&listed, &plan).await?;
        Ok((plan, safe))
    }

    /// How texts about the webhooks of this stack may be shown.
    async fn safe(&self, listed: &[(Webhook, Shown)], plan: &Plan) -> Result<Safe, BoxError> {
        let tokens = self.reconciler.tokens().await.map_err(|error| self.explain(&error.into()))?;
        let is_planned = |webhook: &Webhook| {
            let steps = plan.steps.iter().filter_map(|step| step.luid.as_ref());
            steps.chain(plan.waiting.iter().map(|waiting| &waiting.luid)).any(|luid| *luid == webhook.id)
        };
        let is_of_stack =
            |webhook: &Webhook| self.reconciler.identity.is_ingress(&webhook.url) || is_planned(webhook);
        let webhooks = listed.iter().map(|(webhook, _)| webhook).filter(|webhook| is_of_stack(webhook));
        let tokens = [Some(tokens.current), tokens.previous];
        Ok(Safe::of(webhooks.map(|webhook| webhook.url.as_str()), tokens.into_iter().flatten()))
    }

    /// The error in a sentence.
    pub(super) fn explain(&self, error: &Error) -> BoxError {
        match error {
            Error::Tableau(error) => self.site.failed(error, &Secrets::default()),
            error => chain(error).into(),
        }
    }
}
