//! Lambda entry point. The workflow is in `lib.rs`.

use api_keys::Keys;
use circuit::Circuits;
use facts::FactLookups;
use forwarding::network::SystemNames;
use guarded_tableau::{GuardedTableau, SecretCredential};
use refresh_extract::{Config, Parts, RefreshExtract};
use runtime::Host;
use session_store::sessions;
use store::{documents, records};
use tableau_client::TableauClient;
use workflow::{BoxError, Workflow};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start(RefreshExtract::NAME)?;
    let workflow = workflow(&host);
    host.serve(workflow).await
}

fn workflow(host: &Host) -> Result<RefreshExtract, BoxError> {
    const NAME: &str = RefreshExtract::NAME;
    let config = host.config(Config::from_env)?;
    let http = http_of_callbacks(&config)?;
    let documents = documents(host.table());
    let credential = SecretCredential::new(host.secret(&config.tableau_secret));
    let tableau = TableauClient::new(host.http(), config.tableau, credential, sessions(host.table()));
    let facts =
        FactLookups::new(GuardedTableau::new(tableau, Circuits::new(documents.clone(), NAME, "Tableau")));
    let records = records(host.table(), NAME);
    Ok(RefreshExtract::new(Parts {
        keys: Keys::new(records.clone(), documents),
        records,
        limits: config.limits,
        most_wait_seconds: config.most_wait_seconds,
        facts,
        rules: host.rules(),
        timer: host.timer()?,
        site: config.site,
        public_url: config.public_url,
        http,
    }))
}

/// The client that connects to public addresses only.
fn http_of_callbacks(config: &Config) -> Result<forwarding::network::Client, BoxError> {
    let extra_ca = config.extra_ca.as_deref();
    #[cfg(debug_assertions)]
    if let Some(names) = &config.local_names {
        return Ok(forwarding::network::LocalNames::new(names).client(extra_ca)?);
    }
    Ok(forwarding::network::client(SystemNames, extra_ca)?)
}
