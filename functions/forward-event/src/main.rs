//! Lambda entry point. The workflow is in `lib.rs`.

use circuit::Circuits;
use facts::FactLookups;
use forward_event::{Config, ForwardEvent};
use forwarding::network::SystemNames;
use forwarding::{AwsDestinations, Forwarder, Incidents, Targets};
use guarded_tableau::{GuardedTableau, SecretCredential};
use runtime::Host;
use session_store::sessions;
use store::documents;
use tableau_client::TableauClient;
use workflow::{BoxError, Workflow};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start(ForwardEvent::NAME)?;
    let workflow = workflow(&host);
    host.serve(workflow).await
}

fn workflow(host: &Host) -> Result<ForwardEvent, BoxError> {
    let config = host.config(Config::from_env)?;
    let targets = Targets::new(http_of_targets(&config)?, host.secret(&config.forward_secret));
    let documents = documents(host.table());
    let credential = SecretCredential::new(host.secret(&config.tableau_secret));
    let tableau = TableauClient::new(host.http(), config.tableau, credential, sessions(host.table()));
    let tableau =
        GuardedTableau::new(tableau, Circuits::new(documents.clone(), ForwardEvent::NAME, "Tableau"));
    let circuits = Circuits::of_independent_parts(documents.clone(), ForwardEvent::NAME, "Forward");
    let aws = AwsDestinations::new(host.aws());
    Ok(ForwardEvent {
        facts: FactLookups::new(tableau),
        rules: host.rules(),
        forwarder: Forwarder::new(targets, aws, circuits, documents.clone()),
        incidents: Incidents::new(documents),
    })
}

/// The client that connects to public addresses only.
fn http_of_targets(config: &Config) -> Result<forwarding::network::Client, BoxError> {
    let extra_ca = config.extra_ca.as_deref();
    #[cfg(debug_assertions)]
    if let Some(names) = &config.local_names {
        return Ok(forwarding::network::LocalNames::new(names).client(extra_ca)?);
    }
    Ok(forwarding::network::client(SystemNames, extra_ca)?)
}
