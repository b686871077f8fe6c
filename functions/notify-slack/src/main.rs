//! Lambda entry point. The workflow is in `lib.rs`.

use alerting::{Engine, RulesRouting};
use circuit::Circuits;
use destinations::slack::{Slack, SlackNotifier};
use guarded_tableau::{GuardedTableau, SecretCredential};
use notify_slack::{Config, NotifySlack};
use runtime::Host;
use session_store::sessions;
use std::sync::Arc;
use store::{documents, records};
use tableau_client::TableauClient;
use workflow::{BoxError, Workflow};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start(NotifySlack::<SlackNotifier>::NAME)?;
    let workflow = workflow(&host);
    host.serve(workflow).await
}

fn workflow(host: &Host) -> Result<NotifySlack, BoxError> {
    const NAME: &str = NotifySlack::<SlackNotifier>::NAME;
    let config = host.config(Config::from_env)?;
    let documents = documents(host.table());
    let records = records(host.table(), NAME);
    let secret = SecretCredential::new(host.secret(&config.tableau_secret));
    let tableau = TableauClient::new(host.http(), config.tableau, secret, sessions(host.table()));
    let tableau = GuardedTableau::new(tableau, Circuits::new(documents.clone(), NAME, "Tableau"));
    let slack = Slack::new(host.http(), config.slack_api_url, host.secret(&config.slack_secret));
    let slack = SlackNotifier::new(slack, Circuits::new(documents, NAME, "Slack"));
    let routing = RulesRouting::new(host.rules(), tableau, Arc::clone(&records));
    Ok(NotifySlack { engine: Engine::new(NAME, records, host.timer()?, slack, routing) })
}
