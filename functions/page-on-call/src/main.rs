//! Lambda entry point. The workflow is in `lib.rs`.

use alerting::{Engine, RulesRouting};
use circuit::Circuits;
use destinations::pagerduty::{Origin, PagerDuty, PagerDutyNotifier};
use guarded_tableau::{GuardedTableau, SecretCredential};
use page_on_call::{Config, PageOnCall, ServiceRouting};
use runtime::Host;
use session_store::sessions;
use std::sync::Arc;
use store::{documents, records};
use tableau_client::TableauClient;
use workflow::{BoxError, Workflow};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start(PageOnCall::<PagerDutyNotifier>::NAME)?;
    let workflow = workflow(&host);
    host.serve(workflow).await
}

fn workflow(host: &Host) -> Result<PageOnCall, BoxError> {
    const NAME: &str = PageOnCall::<PagerDutyNotifier>::NAME;
    let config = host.config(Config::from_env)?;
    let documents = documents(host.table());
    let records = records(host.table(), NAME);
    let origin = Origin::new(config.tableau.server().clone(), &config.tableau.site);
    let secret = SecretCredential::new(host.secret(&config.tableau_secret));
    let tableau = TableauClient::new(host.http(), config.tableau, secret, sessions(host.table()));
    let tableau = GuardedTableau::new(tableau, Circuits::new(documents.clone(), NAME, "Tableau"));
    let pagerduty = PagerDuty::new(host.http(), config.region, host.secret(&config.pagerduty_secret));
    let circuits = Circuits::new(documents, NAME, "PagerDuty");
    let pagerduty = PagerDutyNotifier::new(pagerduty, circuits, origin);
    let routing = ServiceRouting::new(RulesRouting::new(host.rules(), tableau, Arc::clone(&records)));
    Ok(PageOnCall { engine: Engine::new(NAME, records, host.timer()?, pagerduty, routing) })
}
