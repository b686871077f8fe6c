//! AWS clients, created at first use; all share one HTTP client.

use crate::Env;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use std::time::Duration;

/// The timeout of one attempt of an AWS call. An ingress must answer within about two seconds; the SDK's default is
/// longer.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(2);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(5);

/// The AWS configuration, from Lambda's environment variables only: no profiles, no metadata service.
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
