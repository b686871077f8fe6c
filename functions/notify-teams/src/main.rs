//! Lambda entry point. The workflow is in `lib.rs`.

use alerting::{Engine, RulesRouting};
use circuit::Circuits;
use destinations::teams::{Teams, TeamsNotifier};
use guarded_tableau::{GuardedTableau, SecretCredential};
use notify_teams::{Config, NotifyTeams};
use runtime::Host;
use session_store::sessions;
use std::sync::Arc;
use store::{documents, records};
use tableau_client::TableauClient;
use workflow::{BoxError, Workflow};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start(NotifyTeams::<TeamsNotifier>::NAME)?;
    let workflow = workflow(&host);
    host.serve(workflow).await
}

fn workflow(host: &Host) -> Result<NotifyTeams, BoxError> {
    const NAME: &str = NotifyTeams::<TeamsNotifier>::NAME;
    let config = host.config(Config::from_env)?;
    let documents = documents(host.table());
    let records = records(host.table(), NAME);
    let secret = SecretCredential::new(host.secret(&config.tableau_secret));
    let tableau = TableauClient::new(host.http(), config.tableau, secret, sessions(host.table()));
    let tableau = GuardedTableau::new(tableau, Circuits::new(documents.clone(), NAME, "Tableau"));
    let teams = Teams::new(host.http(), host.secret(&config.teams_secret));
    let teams = TeamsNotifier::new(teams, Circuits::of_independent_parts(documents, NAME, "Teams"));
    let routing = RulesRouting::new(host.rules(), tableau, Arc::clone(&records));
    Ok(NotifyTeams { engine: Engine::new(NAME, records, host.timer()?, teams, routing) })
}
