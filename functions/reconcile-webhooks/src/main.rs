//! Lambda entry point. The function is in `lib.rs`.

use guarded_tableau::SecretCredential;
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use published_rules::PublishedRules;
use reconcile_webhooks::{Config, Event, Function, Invocation, Outages, ReconcileWebhooks};
use runtime::Host;
use session_store::sessions;
use std::sync::Arc;
use std::time::Duration;
use store::{documents, records};
use tableau_client::TableauClient;
use webhooks::{Reconciler, SETTLING};
use workflow::{BoxError, chain};

const NAME: &str = "reconcile-webhooks";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start(NAME)?;
    let reconcile = reconcile(&host).map_err(|error| chain(error.as_ref()));
    if let Err(reason) = &reconcile {
        tracing::error!(reason, "the settings cannot be used");
    }
    let function = Arc::new(Function { reconcile, http: host.http() });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| {
        let function = Arc::clone(&function);
        async move {
            let context = &event.context;
            let now = Timestamp::now();
            let until = context.deadline.saturating_sub(now.as_millisecond().unsigned_abs());
            let remaining = Duration::from_millis(until);
            // Lambda may execute an asynchronous invocation twice at the same time.
            let id = format!("{}-{:016x}", context.request_id, fastrand::u64(..));
            let invocation = Invocation { id: &id, now, remaining };
            function.handle(&event.payload, &invocation).await.inspect_err(|error| {
                tracing::error!(reason = chain(error.as_ref()), "the webhooks are not reconciled");
            })
        }
    }))
    .await
}

fn reconcile(host: &Host) -> Result<ReconcileWebhooks, BoxError> {
    if let Some(problem) = host.problem() {
        return Err(problem.into());
    }
    let config = host.config(Config::from_env)?;
    let tableau = TableauClient::new(
        host.http(),
        config.tableau,
        SecretCredential::new(host.secret(&config.tableau_secret)),
        sessions(host.table()),
    );
    let reconciler = Reconciler {
        tableau,
        published: PublishedRules::new(records(host.table(), NAME)),
        secrets: host.secret_store(),
        secret_id: config.webhook_secret,
        documents: documents(host.table()),
        identity: config.identity,
        http: host.http(),
        takes_refreshes: config.takes_refreshes,
        settling: SETTLING,
    };
    Ok(ReconcileWebhooks { reconciler, events: Outages { bus: host.derived_events() } })
}
