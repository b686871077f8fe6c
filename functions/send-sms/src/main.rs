//! Lambda entry point. The workflow is in `lib.rs`.

use alerting::{Engine, RulesRouting};
use circuit::Circuits;
use destinations::twilio::{Daily, Twilio, TwilioNotifier};
use guarded_tableau::{GuardedTableau, SecretCredential};
use runtime::Host;
use send_sms::{Config, SendSms, SmsRouting};
use session_store::sessions;
use std::sync::Arc;
use store::{documents, records};
use tableau_client::TableauClient;
use workflow::{BoxError, Workflow};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start(SendSms::<TwilioNotifier>::NAME)?;
    let workflow = workflow(&host);
    host.serve(workflow).await
}

fn workflow(host: &Host) -> Result<SendSms, BoxError> {
    const NAME: &str = SendSms::<TwilioNotifier>::NAME;
    let config = host.config(Config::from_env)?;
    let documents = documents(host.table());
    let records = records(host.table(), NAME);
    let secret = SecretCredential::new(host.secret(&config.tableau_secret));
    let tableau = TableauClient::new(host.http(), config.tableau, secret, sessions(host.table()));
    let tableau = GuardedTableau::new(tableau, Circuits::new(documents.clone(), NAME, "Tableau"));
    let twilio = Twilio::new(host.http(), host.secret(&config.twilio_secret), config.twilio_api_url);
    let circuits = Circuits::new(documents.clone(), NAME, "Twilio");
    let daily = Daily { documents, workflow: NAME, limit: config.texts_a_day };
    let texts = TwilioNotifier::new(twilio, circuits, daily);
    let routing = RulesRouting::new(host.rules(), tableau, Arc::clone(&records));
    let routing = SmsRouting::new(routing, host.rules());
    Ok(SendSms { engine: Engine::new(NAME, records, host.timer()?, texts, routing) })
}
