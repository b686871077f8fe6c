//! Lambda entry point. The function is in `lib.rs`.

use guarded_tableau::SecretCredential;
use history::{Files, Records, Start};
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use published_rules::PublishedRules;
use report_history::{Config, ReportHistory};
use runtime::Host;
use session_store::sessions;
use std::sync::Arc;
use std::time::Duration;
use store::{documents, records};
use tableau_client::TableauClient;
use tokio::time::Instant;
use workflow::{BoxError, chain};

const NAME: &str = "report-history";
/// How long before Lambda ends the process no further day is begun.
const RESERVE: Duration = Duration::from_secs(240);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start(NAME)?;
    let function = function(&host).inspect_err(|error| {
        tracing::error!(reason = chain(error.as_ref()), "the settings cannot be used");
    });
    let function = Arc::new(function?);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Start>| {
        let function = Arc::clone(&function);
        async move {
            let now = Timestamp::now();
            let left = event.context.deadline.saturating_sub(now.as_millisecond().unsigned_abs());
            // Time for the last day that was begun, and for owners and reports.
            let left = Duration::from_millis(left);
            let until = Instant::now() + left.saturating_sub(RESERVE.min(left / 4));
            Box::pin(function.handle(&event.payload, now, until)).await.inspect_err(|error| {
                tracing::error!(reason = chain(error.as_ref()), "the history is not exported or reported");
            })
        }
    }))
    .await
}

fn function(host: &Host) -> Result<ReportHistory, BoxError> {
    if let Some(problem) = host.problem() {
        return Err(problem.into());
    }
    let config = host.config(Config::from_env)?;
    let (client, table) = host.table().ok_or("TABLE_NAME is not set")?;
    Ok(ReportHistory {
        records: Records::new(client, table),
        documents: documents(host.table()),
        files: config.bucket.map(|bucket| Files::new(&host.aws(), bucket)),
        published: PublishedRules::new(records(host.table(), NAME)),
        tableau: TableauClient::new(
            host.http(),
            config.tableau,
            SecretCredential::new(host.secret(&config.tableau_secret)),
            sessions(host.table()),
        ),
        site_name: config.site_name,
        events: host.derived_events(),
    })
}
