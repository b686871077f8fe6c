//! Lambda entry point. The workflow is in `lib.rs`.

use circuit::Circuits;
use facts::FactLookups;
use guarded_tableau::{GuardedTableau, SecretCredential};
use publish_pdf::{Config, Destinations, History, PublishPdf, Users};
use publishing::{S3, SharePoint};
use runtime::Host;
use session_store::sessions;
use store::documents;
use tableau_client::TableauClient;
use workflow::{BoxError, Workflow};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start(PublishPdf::NAME)?;
    let workflow = workflow(&host);
    host.serve(workflow).await
}

fn workflow(host: &Host) -> Result<PublishPdf, BoxError> {
    const NAME: &str = PublishPdf::NAME;
    let config = host.config(Config::from_env)?;
    let documents = documents(host.table());
    let secret = host.secret(&config.tableau_secret);
    let users = Users::new(host.http(), config.tableau.clone(), secret.clone(), documents.clone());
    let credential = SecretCredential::new(secret);
    let tableau = TableauClient::new(host.http(), config.tableau, credential, sessions(host.table()));
    let sharepoint = SharePoint::new(
        host.http(),
        config.graph,
        host.secret(&config.sharepoint_secret),
        documents.clone(),
        NAME,
    );
    let circuits = Circuits::new(documents.clone(), NAME, "SharePoint");
    // Each bucket may be of another account.
    let s3_circuits = Circuits::of_independent_parts(documents.clone(), NAME, "S3");
    Ok(PublishPdf {
        facts: FactLookups::new(GuardedTableau::new(
            tableau,
            Circuits::new(documents.clone(), NAME, "Tableau"),
        )),
        rules: host.rules(),
        users,
        destinations: Destinations::new(sharepoint, circuits, S3::new(&host.aws()), s3_circuits),
        history: History::new(documents),
        bus: host.derived_events(),
    })
}
