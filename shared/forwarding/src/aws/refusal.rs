//! What a refusal of AWS means.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use circuit::CallResult;
use std::error::Error as StdError;
use workflow::Failure;

/// What a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// AWS takes it later, or did not answer.
    Down,
    /// AWS asks to be called less often.
    Throttled,
    /// The function may not write there, or there is no such thing: a person has to change a parameter or a rule.
    Setting,
    /// AWS does not take this event.
    Refused,
}

/// Why a bus or topic did not take an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{arn}: {reason}")]
pub(crate) struct AwsError {
    arn: String,
    kind: Kind,
    reason: String,
}

impl AwsError {
    pub(super) fn new(arn: &str, kind: Kind, reason: String) -> Self {
        Self { arn: arn.to_owned(), kind, reason }
    }

    /// What it says about the destination, for its circuit.
    pub(crate) fn call_result(&self) -> CallResult {
        match self.kind {
            Kind::Down | Kind::Throttled => CallResult::Failed,
            Kind::Setting | Kind::Refused => CallResult::Answered,
        }
    }
}

impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        match error.kind {
            Kind::Down | Kind::Throttled => Self::transient(error),
            Kind::Setting => Self::misconfigured(error),
            Kind::Refused => Self::permanent(error),
        }
    }
}

/// The error of a call.
pub(super) fn error<E>(arn: &str, action: &str, error: &SdkError<E, HttpResponse>) -> AwsError
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    match aws_http::said(error) {
        Some(said) => of_code(arn, action, said.status, said.code),
        None => {
            let kind =
                if matches!(error, SdkError::ConstructionFailure(_)) { Kind::Refused } else { Kind::Down };
            AwsError::new(arn, kind, aws_http::reason(action, error))
        }
    }
}

/// The error with this code.
///
/// Sources: <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>,
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
pub(super) fn of_code(arn: &str, action: &str, status: u16, code: &str) -> AwsError {
    let code = code.rsplit('#').next().unwrap_or_default();
    let short = code.trim_end_matches("Exception");
    let kind = match short {
        "Throttling" | "Throttled" | "ThrottledRequest" | "TooManyRequests" | "KMSThrottling"
        | "KmsThrottling" => Kind::Throttled,
        "RequestLimitExceeded" => Kind::Throttled,
        "InternalFailure" | "InternalError" | "Internal" | "ServiceUnavailable" => Kind::Down,
        "ExpiredToken" | "RequestExpired" | "RequestTimeout" => Kind::Down,
        "UnrecognizedClient"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch"
        | "OptInRequired"
        | "InvalidSecurity" => Kind::Setting,
        "AccessDenied" | "AuthorizationError" | "NotFound" | "ResourceNotFound" | "InvalidAccountId"
        | "EndpointDisabled" => Kind::Setting,
        _ if short.starts_with("KMS") || short.starts_with("Kms") || short.starts_with("NotAuthorized") => {
            Kind::Setting
        }
        _ if status == 429 => Kind::Throttled,
        _ if status >= 500 => Kind::Down,
        "" => Kind::Down,
        _ if status == 401 || status == 403 => Kind::Setting,
        _ => Kind::Refused,
    };
    let shown = if code.is_empty() { "no code" } else { aws_http::code(code) };
    let parameter = if action.starts_with("sns") { "ForwardTopicArns" } else { "ForwardEventBusArns" };
    let advice = match kind {
        Kind::Setting if short.to_ascii_uppercase().starts_with("KMS") => {
            ": the key of the topic or bus has to allow the function's role kms:GenerateDataKey and kms:Decrypt, and the role has to \
             have both"
                .to_owned()
        }
        Kind::Setting => format!(
            ": check the ARN in the rule, that it is one of the stack's parameter {parameter}, and the policy of \
                                  its owner"
        ),
        _ => String::new(),
    };
    AwsError::new(arn, kind, format!("{action} was refused with {status} ({shown}){advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_its_meaning() {
        for (status, code, kind) in [
            (200, "ThrottlingException", Kind::Throttled),
            (200, "InternalFailure", Kind::Down),
            (200, "AccessDeniedException", Kind::Setting),
            (200, "NotAuthorizedForSourceException", Kind::Setting),
            (200, "MalformedDetail", Kind::Refused),
            (200, "InvalidArgument", Kind::Refused),
            (200, "", Kind::Down),
            (403, "AuthorizationError", Kind::Setting),
            (404, "NotFound", Kind::Setting),
            (400, "InvalidParameter", Kind::Refused),
            (400, "KMSAccessDenied", Kind::Setting),
            (400, "KMSThrottling", Kind::Throttled),
            (400, "Throttled", Kind::Throttled),
            (400, "RequestLimitExceeded", Kind::Throttled),
            (403, "ExpiredToken", Kind::Down),
            (400, "UnrecognizedClientException", Kind::Setting),
            (403, "SignatureDoesNotMatch", Kind::Setting),
            (403, "SomethingElse", Kind::Setting),
            (500, "InternalError", Kind::Down),
            (503, "", Kind::Down),
        ] {
            assert_eq!(of_code("arn", "sns:Publish", status, code).kind, kind, "{status} {code}");
        }
        let denied = of_code("arn:a", "events:PutEvents", 400, "AccessDeniedException").to_string();
        assert!(denied.contains("the stack's parameter ForwardEventBusArns"), "{denied}");
    }
}
