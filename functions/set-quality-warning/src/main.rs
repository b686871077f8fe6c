//! Lambda entry point. The workflow is in `lib.rs`.

use alerting::{Engine, RulesRouting};
use circuit::Circuits;
use guarded_tableau::{GuardedTableau, SecretCredential};
use runtime::Host;
use session_store::sessions;
use set_quality_warning::{Config, SetQualityWarning, WarningNotifier};
use std::sync::Arc;
use store::{documents, records};
use tableau_client::TableauClient;
use workflow::{BoxError, Workflow};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start(SetQualityWarning::<WarningNotifier>::NAME)?;
    let workflow = workflow(&host);
    host.serve(workflow).await
}

fn workflow(host: &Host) -> Result<SetQualityWarning, BoxError> {
    const NAME: &str = SetQualityWarning::<WarningNotifier>::NAME;
    let config = host.config(Config::from_env)?;
    let documents = documents(host.table());
    let records = records(host.table(), NAME);
    let secret = SecretCredential::new(host.secret(&config.tableau_secret));
    let tableau = TableauClient::new(host.http(), config.tableau, secret, sessions(host.table()));
    let guarded = || GuardedTableau::new(tableau.clone(), Circuits::new(documents.clone(), NAME, "Tableau"));
    let warnings = WarningNotifier::new(guarded(), documents.clone(), NAME);
    let routing = RulesRouting::new(host.rules(), guarded(), Arc::clone(&records));
    Ok(SetQualityWarning { engine: Engine::new(NAME, records, host.timer()?, warnings, routing) })
}
