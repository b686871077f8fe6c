//! Lambda entry point. The workflow is in `lib.rs`.

use circuit::Circuits;
use facts::FactLookups;
use guarded_tableau::{GuardedTableau, SecretCredential};
use refresh_extract::{Config, RefreshExtract};
use runtime::Host;
use session_store::sessions;
use store::documents;
use tableau_client::TableauClient;
use workflow::{BoxError, Workflow};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start(RefreshExtract::NAME)?;
    let workflow = workflow(&host);
    host.serve(workflow).await
}

fn workflow(host: &Host) -> Result<RefreshExtract, BoxError> {
    let config = host.config(Config::from_env)?;
    let credential = SecretCredential::new(host.secret(&config.tableau_secret));
    let tableau = TableauClient::new(host.http(), config.tableau, credential, sessions(host.table()));
    let circuits = Circuits::new(documents(host.table()), RefreshExtract::NAME, "Tableau");
    let facts = FactLookups::new(GuardedTableau::new(tableau, circuits));
    Ok(RefreshExtract { facts, rules: host.rules() })
}
