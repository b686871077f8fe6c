//! Lambda entry point. The function is in `lib.rs`.

use lambda_runtime::{LambdaEvent, service_fn};
use publish_rules::{Config, Publisher, Request};
use published_rules::PublishedRules;
use runtime::Host;
use std::sync::Arc;
use store::records::DynamoDbRecords;
use workflow::{BoxError, chain};

const NAME: &str = "publish-rules";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let host = Host::start_ingress(NAME)?;
    let config = host.config(Config::from_env)?;
    let (client, table) = host.table().ok_or("TABLE_NAME is not set")?;
    let published = PublishedRules::new(Arc::new(DynamoDbRecords::new(client, table, NAME)));
    let publisher = Arc::new(Publisher { published, rules_file: config.rules_file, http: host.http() });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Request>| {
        let publisher = Arc::clone(&publisher);
        async move {
            publisher.handle(&event.payload).await.inspect_err(|error| {
                tracing::error!(reason = chain(error.as_ref()), "CloudFormation was not answered");
            })
        }
    }))
    .await
}
