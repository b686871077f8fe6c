//! What the examples share: they talk to the simulator, unless the command names another server.

use std::process::ExitCode;
use std::sync::Arc;
use tableau_client::{
    BoxError, FixedCredential, MemorySessionStore, Settings, TableauClient, TableauCredential, chain,
};

/// Runs an example. For a site of your own, change what is marked "yours", too.
pub(crate) async fn run(example: impl AsyncFnOnce(TableauClient) -> Result<(), BoxError>) -> ExitCode {
    let server = std::env::args().nth(1).unwrap_or_else(|| "http://127.0.0.1:8091".to_owned());
    let result = match client(&server) {
        Ok(client) => example(client).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn client(server: &str) -> Result<TableauClient, BoxError> {
    // Yours: the site, which follows /site/ in the browser's address.
    let settings = Settings::new(server, "marketing", "")?;
    // Yours: the name and the secret of a personal access token.
    let token = TableauCredential::personal_access_token("webhook-automations", "pat-secret-for-local-use");
    let credential = Arc::new(FixedCredential::new(token));
    let sessions = Arc::new(MemorySessionStore::default());
    Ok(TableauClient::new(http_client::client(None)?, settings, credential, sessions))
}
