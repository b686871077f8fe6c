//! The Tableau of a stack, as its functions sign in to it.

use crate::http;
use crate::stack::Stack;
use guarded_tableau::SecretCredential;
use secrets::{Secret, SecretsManager};
use session_store::sessions;
use std::sync::Arc;
use tableau_client::{ConnectedApp, Settings, TableauClient, TableauCredential};
use workflow::BoxError;

/// A client of the site that the stack's secret signs in to. The session is the one that the functions share: another sign-in with
/// the same token would end theirs. Nothing is asked of Tableau yet.
pub(crate) async fn client(stack: &Stack) -> Result<TableauClient, BoxError> {
    client_for(stack, &ConnectedApp::SCOPES).await
}

/// As [`client`]. If the secret is a connected app that names no scopes, the session may do what these scopes allow.
pub(crate) async fn client_for(stack: &Stack, scopes: &[&str]) -> Result<TableauClient, BoxError> {
    let parameters = stack.describe().await?.parameters;
    let value = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
    let account = &stack.account;
    let Some(secret) = &stack.tableau_secret else {
        return Err(format!(
            "the stack `{}` in {} has no secret `TableauSecret`: check --stack",
            stack.name, account.target
        )
        .into());
    };
    let server = value("TableauServerUrl");
    if server.is_empty() {
        return Err(format!(
            "the stack `{}` in {} has no Tableau: its parameter TableauServerUrl is empty",
            stack.name, account.target
        )
        .into());
    }
    let settings = Settings::new(server, value("TableauSite"), value("TableauApiVersion"))
        .and_then(|settings| settings.limit_session(value("TableauSessionMinutes")))
        .map_err(|error| format!("the parameters of the stack `{}`: {error}", stack.name))?
        .with_scopes(scopes);
    let http = http::client(Some(settings.server().as_url()))?;
    let store = Arc::new(SecretsManager::new(aws_sdk_secretsmanager::Client::new(&account.config)));
    let credential = SecretCredential::new(Arc::new(Secret::<TableauCredential>::new(store, secret)));
    let table = (aws_sdk_dynamodb::Client::new(&account.config), stack.table()?.to_owned());
    Ok(TableauClient::new(http, settings, credential, sessions(Some(table))))
}
