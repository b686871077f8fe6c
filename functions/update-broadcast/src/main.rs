//! Lambda entry point. The workflow is in `lib.rs`.

use circuit::Circuits;
use facts::FactLookups;
use guarded_tableau::{GuardedTableau, SecretCredential};
use runtime::Host;
use session_store::sessions;
use store::documents;
use tableau_client::TableauClient;
use update_broadcast::{Config, UpdateBroadcast};
use workflow::{BoxError, Workflow};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start(UpdateBroadcast::NAME)?;
    let workflow = workflow(&host);
    host.serve(workflow).await
}

fn workflow(host: &Host) -> Result<UpdateBroadcast, BoxError> {
    let config = host.config(Config::from_env)?;
    let tableau = TableauClient::new(
        host.http(),
        config.tableau,
        SecretCredential::new(host.secret(&config.tableau_secret)),
        sessions(host.table()),
    );
    let circuits = Circuits::new(documents(host.table()), UpdateBroadcast::NAME, "Tableau");
    Ok(UpdateBroadcast {
        facts: FactLookups::new(GuardedTableau::new(tableau, circuits)),
        rules: host.rules(),
    })
}
