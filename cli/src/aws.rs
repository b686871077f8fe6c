//! The AWS account that an operator uses (environment, profile, SSO, role), and AWS errors in one line each.

use crate::http;
use crate::local;
use crate::network::Cause;
use crate::options::{LOCAL_AWS_PORT, TargetOptions};
use crate::profile;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;
use std::time::Duration;
use url::Url;
use workflow::{BoxError, chain};

/// The longest time for one attempt of an AWS call, including waiting for messages.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
const OPERATION_TIMEOUT: Duration = Duration::from_secs(30);
const SIGN_IN: &str = "set AWS_PROFILE or give --profile, or sign in with `aws sso login`";

/// The AWS account, region and endpoint to call.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) config: SdkConfig,
    /// The region and, if it is not the usual one, the endpoint; for error texts.
    pub(crate) target: String,
}

impl Account {
    /// Finds credentials and region as every AWS tool does. Credentials are requested with the first call.
    pub(crate) async fn find(options: &TargetOptions) -> Result<Self, BoxError> {
        if !options.local {
            profile::check(options.profile.as_deref())?;
        }
        let local = match options.local {
            true => Some(local::find(options.endpoint_url.as_ref(), LOCAL_AWS_PORT)?),
            false => None,
        };
        let of_local = local.as_ref().map(|stack| stack.aws_url().parse::<Url>()).transpose()?;
        let endpoint_url = of_local.or_else(|| options.endpoint_url.clone());
        let http = http::client(endpoint_url.as_ref())?;
        let timeouts = aws_config::timeout::TimeoutConfig::builder()
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(aws_http::shared_client(http))
            .timeout_config(timeouts);
        if let Some(stack) = &local {
            let token = Some(stack.session_token.clone());
            let keys = Credentials::new(
                &stack.access_key_id,
                &stack.secret_access_key,
                token,
                None,
                "the local stack",
            );
            loader = loader.credentials_provider(keys).region(Region::from_static(local_aws::REGION));
        }
        if let Some(profile) = &options.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &options.region {
            loader = loader.region(Region::new(region.clone()));
        }
        if let Some(url) = &endpoint_url {
            // Without the slash that every parsed URL has at its end.
            loader = loader.endpoint_url(url.as_str().trim_end_matches('/'));
        }
        let config = loader.load().await;
        let Some(region) = config.region() else {
            return Err(
                "no AWS region is set: give --region, or set AWS_REGION or the region of the profile; \
                        for the local stack use --local"
                    .into(),
            );
        };
        let target = match config.endpoint_url() {
            None => region.to_string(),
            Some(url) => format!("{region} at {}", origin(url)),
        };
        Ok(Self { config, target })
    }

    /// Describes the error of calling `action` (an IAM action).
    pub(crate) fn explain<E, R>(&self, action: &str, error: SdkError<E, R>) -> BoxError
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let target = &self.target;
        if let Some(error) = no_credentials(&error) {
            return error.into();
        }
        let message = match &error {
            error if aws_http::is_too_long(error) => {
                let mebibytes = aws_http::ANSWER_LIMIT_BYTES / (1024 * 1024);
                format!(
                    "{target} answered {action} with more than {mebibytes} MiB: that is not AWS; check --endpoint-url"
                )
            }
            SdkError::ServiceError(answer) => refused(
                action,
                answer.err().code().map_or("an error", aws_http::code),
                answer.err().message(),
            ),
            // The parser's own text is left out, because it may repeat the answer.
            SdkError::ResponseError(_) => {
                format!(
                    "{target} answered {action} with something that cannot be read: that is not AWS; check --endpoint-url"
                )
            }
            SdkError::TimeoutError(_) => self.unreachable(action, &Cause::Timeout),
            SdkError::DispatchFailure(failure) if failure.is_timeout() || failure.is_io() => {
                let cause = failure.as_connector_error().map_or(Cause::Timeout, |error| Cause::of(error));
                self.unreachable(action, &cause)
            }
            _ => format!("{action} in {target} failed: {}", chain(&error)),
        };
        message.into()
    }
}

impl Account {
    /// Says why AWS did not answer when `action` was called, and what to do.
    fn unreachable(&self, action: &str, cause: &Cause) -> String {
        let endpoint = self.config.endpoint_url().and_then(|url| url.parse::<Url>().ok());
        let host = endpoint.as_ref().and_then(Url::host_str).map(str::to_owned);
        let region = self.config.region().map(Region::as_ref).unwrap_or_default();
        let host = host.unwrap_or_else(|| aws_host(action, region));
        format!("no answer to {action}: {} (AWS in {})", cause.words(&host), self.target)
    }
}

/// The host of the AWS service with this action, if no other endpoint is set.
fn aws_host(action: &str, region: &str) -> String {
    let service = action.split(':').next().unwrap_or_default();
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("{service}.{region}.{domain}")
}

/// Scheme, host and port of an endpoint. The rest of its URL may be secret.
fn origin(url: &str) -> String {
    match url.parse::<Url>() {
        Ok(url) => url.origin().ascii_serialization(),
        Err(_) => "an endpoint that is no URL".to_owned(),
    }
}

/// What to do if the error is that there are no credentials; `None` for another error.
fn no_credentials(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        match error.downcast_ref::<CredentialsError>() {
            Some(CredentialsError::CredentialsNotLoaded(_)) => {
                return Some(format!("there are no AWS credentials: {SIGN_IN}"));
            }
            Some(error) => {
                return Some(format!("there are no usable AWS credentials: {SIGN_IN}; {}", chain(error)));
            }
            None => next = error.source(),
        }
    }
    None
}

/// The error text when an AWS service refuses a call. It shows the service's own words, which the operator needs;
/// `aws_http` has removed whatever repeats the request. Deployed functions never show such words.
fn refused(action: &str, code: &str, message: Option<&str>) -> String {
    let words = message.map(|message| format!(": {message}")).unwrap_or_default();
    match code.rsplit(['.', '#']).next().unwrap_or(code) {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => {
            format!("these AWS credentials have no permission for {action}{words}")
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            "the AWS credentials have expired: sign in again".to_owned()
        }
        code @ ("InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "InvalidAccessKeyId"
        | "IncompleteSignature") => {
            format!("AWS refuses these credentials ({code}): sign in again, or choose others with --profile")
        }
        code => format!("{action} failed: {code}{words}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_action() {
        let message = "User: arn:aws:iam::1:user/ana is not authorized to perform: sqs:SendMessage";
        assert_eq!(
            refused("sqs:SendMessage", "AccessDenied", Some(message)),
            format!("these AWS credentials have no permission for sqs:SendMessage: {message}")
        );
        assert_eq!(
            refused("sqs:SendMessage", "ExpiredTokenException", Some("x")),
            "the AWS credentials have expired: sign in again"
        );
        assert_eq!(
            refused("sqs:SendMessage", "AWS.SimpleQueueService.NonExistentQueue", None),
            "sqs:SendMessage failed: NonExistentQueue"
        );
    }

    #[test]
    fn the_host_of_a_service_is_in_its_region() {
        assert_eq!(aws_host("sqs:SendMessage", "eu-central-1"), "sqs.eu-central-1.amazonaws.com");
        assert_eq!(aws_host("dynamodb:Query", "cn-north-1"), "dynamodb.cn-north-1.amazonaws.com.cn");
    }

    #[test]
    fn a_target_shows_no_password() {
        assert_eq!(origin("http://ana:hunter2@localhost:4566/x"), "http://localhost:4566");
    }
}
