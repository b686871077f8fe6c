//! Lambda entry point. The workflow is in `lib.rs`.

use circuit::Circuits;
use destinations::slack::Slack;
use notify_slack::{Config, GuardedSlack, NotifySlack};
use runtime::Host;
use session_store::sessions;
use store::documents;
use tableau_client::TableauClient;
use workflow::{BoxError, Workflow};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start(NotifySlack::NAME)?;
    let workflow = workflow(&host);
    host.serve(workflow).await
}

fn workflow(host: &Host) -> Result<NotifySlack, BoxError> {
    let config = host.config(Config::from_env)?;
    let tableau = TableauClient::new(
        host.http(),
        config.tableau,
        host.secret(&config.tableau_secret),
        sessions(host.table()),
    );
    let slack = Slack::new(host.http(), config.slack_api_url, host.secret(&config.slack_secret));
    let documents = documents(host.table());
    let slack = GuardedSlack::new(slack, Circuits::new(documents.clone(), NotifySlack::NAME, "Slack"));
    Ok(NotifySlack { tableau, slack, rules: host.rules(), documents })
}
