//! AWS clients: made when first used, over the one HTTP client.

use crate::Env;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use std::time::Duration;

/// An ingress has to answer within a second or two, so it cannot wait for the SDK's usual patience.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// What Lambda puts in the environment, and nothing else: no profiles, no metadata service.
pub(crate) fn config(env: &Env, http: &reqwest::Client) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let mut builder = SdkConfig::builder()
        .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
        .http_client(aws_http::shared_client(http.clone()))
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .timeout_config(timeouts);
    builder.set_region(env.get("AWS_REGION").map(|region| Region::new(region.to_owned())));
    builder.set_endpoint_url(env.get("AWS_ENDPOINT_URL").map(str::to_owned));
    if let (Some(id), Some(key)) = (env.get("AWS_ACCESS_KEY_ID"), env.get("AWS_SECRET_ACCESS_KEY")) {
        let token = env.get("AWS_SESSION_TOKEN").map(str::to_owned);
        let credentials = Credentials::new(id, key, token, None, "lambda environment");
        builder.set_credentials_provider(Some(SharedCredentialsProvider::new(credentials)));
    }
    builder.build()
}
