//! Lambda entry point. The workflow is in `lib.rs`.

use circuit::Circuits;
use email::{EmailNotifier, Ses, Unsubscribe};
use facts::FactLookups;
use guarded_tableau::{GuardedTableau, SecretCredential};
use request_certification::{Config, Parts, RequestCertification};
use runtime::Host;
use session_store::sessions;
use store::{documents, records};
use tableau_client::TableauClient;
use workflow::{BoxError, Workflow};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start(RequestCertification::NAME)?;
    let workflow = workflow(&host);
    host.serve(workflow).await
}

fn workflow(host: &Host) -> Result<RequestCertification, BoxError> {
    const NAME: &str = RequestCertification::NAME;
    let config = host.config(Config::from_env)?;
    let documents = documents(host.table());
    let credential = SecretCredential::new(host.secret(&config.tableau_secret));
    let tableau = TableauClient::new(host.http(), config.tableau, credential, sessions(host.table()));
    let facts =
        FactLookups::new(GuardedTableau::new(tableau, Circuits::new(documents.clone(), NAME, "Tableau")));
    let ses = Ses::new(host.aws(), config.sender);
    let circuits = Circuits::new(documents, NAME, "SES");
    let mails = EmailNotifier::new(ses, circuits, Unsubscribe::default(), config.recipients_a_second);
    let parts = Parts {
        records: records(host.table(), NAME),
        keys: host.secret(&config.link_secret),
        mails,
        timer: host.timer()?,
        public_url: config.public_url,
    };
    Ok(RequestCertification::new(facts, host.rules(), parts))
}
