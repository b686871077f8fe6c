//! Lambda entry point. The workflow is in `lib.rs`.

use alerting::{Engine, RulesRouting};
use circuit::Circuits;
use email::{EmailNotifier, Ses};
use guarded_tableau::{GuardedTableau, SecretCredential};
use runtime::Host;
use send_email::{Config, MailRouting, SendEmail};
use session_store::sessions;
use std::sync::Arc;
use store::{documents, records};
use tableau_client::TableauClient;
use workflow::{BoxError, Workflow};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start(SendEmail::<EmailNotifier>::NAME)?;
    let workflow = workflow(&host);
    host.serve(workflow).await
}

fn workflow(host: &Host) -> Result<SendEmail, BoxError> {
    const NAME: &str = SendEmail::<EmailNotifier>::NAME;
    let config = host.config(Config::from_env)?;
    let documents = documents(host.table());
    let records = records(host.table(), NAME);
    let secret = SecretCredential::new(host.secret(&config.tableau_secret));
    let tableau = TableauClient::new(host.http(), config.tableau, secret, sessions(host.table()));
    let tableau = GuardedTableau::new(tableau, Circuits::new(documents.clone(), NAME, "Tableau"));
    let ses = Ses::new(host.aws(), config.sender);
    let circuits = Circuits::new(documents, NAME, "SES");
    let mails = EmailNotifier::new(ses, circuits, config.unsubscribe, config.recipients_a_second);
    let routing = RulesRouting::new(host.rules(), tableau, Arc::clone(&records));
    let routing = MailRouting::new(routing, host.rules());
    Ok(SendEmail { engine: Engine::new(NAME, records, host.timer()?, mails, routing) })
}
