//! Clients of the AWS SDK, configured as in our functions.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sqs::config::BehaviorVersion;
use aws_types::SdkConfig;
use aws_types::region::Region;
use local_aws::{Aws, Keys};

/// The credentials that a function has in its environment.
pub(crate) fn credentials(keys: &Keys) -> Credentials {
    let token = Some(keys.session_token().to_owned());
    Credentials::new(keys.access_key_id(), keys.secret_access_key(), token, None, "test")
}

/// An SDK configuration with static credentials, one endpoint and no TLS.
pub(crate) fn config(url: &str, credentials: Credentials) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(url)
        .build()
}

/// An SDK configuration for the services of `aws`, with its keys.
pub(crate) fn config_of(aws: &Aws) -> SdkConfig {
    config(aws.url(), credentials(aws.keys()))
}
