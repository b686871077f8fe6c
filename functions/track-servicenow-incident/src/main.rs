//! Lambda entry point. The workflow is in `lib.rs`.

use alerting::{Engine, RulesRouting};
use circuit::Circuits;
use destinations::servicenow::{ServiceNow, ServiceNowNotifier};
use guarded_tableau::{GuardedTableau, SecretCredential};
use runtime::Host;
use session_store::sessions;
use std::sync::Arc;
use store::{documents, records};
use tableau_client::TableauClient;
use track_servicenow_incident::{Config, TrackServicenowIncident};
use workflow::{BoxError, Workflow};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start(TrackServicenowIncident::<ServiceNowNotifier>::NAME)?;
    let workflow = workflow(&host);
    host.serve(workflow).await
}

fn workflow(host: &Host) -> Result<TrackServicenowIncident, BoxError> {
    const NAME: &str = TrackServicenowIncident::<ServiceNowNotifier>::NAME;
    let config = host.config(Config::from_env)?;
    let documents = documents(host.table());
    let records = records(host.table(), NAME);
    let secret = SecretCredential::new(host.secret(&config.tableau_secret));
    let tableau = TableauClient::new(host.http(), config.tableau, secret, sessions(host.table()));
    let tableau = GuardedTableau::new(tableau, Circuits::new(documents.clone(), NAME, "Tableau"));
    let servicenow = ServiceNow::new(host.http(), host.secret(&config.servicenow_secret));
    let circuits = Circuits::new(documents.clone(), NAME, "ServiceNow");
    let servicenow = ServiceNowNotifier::new(servicenow, circuits, documents, NAME);
    let routing = RulesRouting::new(host.rules(), tableau, Arc::clone(&records));
    Ok(TrackServicenowIncident { engine: Engine::new(NAME, records, host.timer()?, servicenow, routing) })
}
