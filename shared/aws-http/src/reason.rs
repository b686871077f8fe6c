//! Describes a failed AWS call without repeating AWS's own text.

use crate::is_too_long;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;
use workflow::chain;

/// The longest error code that is accepted.
const LONGEST_CODE: usize = 64;
const NOT_A_CODE: &str = "an unreadable code";

/// The error code of an AWS service, such as `AccessDeniedException`: letters and dots, at most 64. The service's
/// name before a `#` is removed. Any other text gives an empty code.
pub fn code(text: &str) -> &str {
    let code = text.rsplit('#').next().unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_alphabetic() || byte == b'.';
    let is_code = (1..=LONGEST_CODE).contains(&code.len()) && code.bytes().all(fits);
    if is_code { code } else { NOT_A_CODE }
}

/// Why a call of `action` (an IAM action) failed. From the answer only the status and the error code are repeated:
/// the text may contain a secret.
pub fn reason<E>(action: &str, error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            match answer.err().code() {
                Some(text) => format!("{action} was refused with {status} ({})", code(text)),
                None => format!("{action} was refused with {status}, without a code"),
            }
        }
        SdkError::ResponseError(_) if !is_too_long(error) => format!("the answer to {action} cannot be read"),
        SdkError::ResponseError(_) => format!("the answer to {action} is too long"),
        error => format!("{action}: {}", chain(error)),
    }
}

/// What a service said when it refused a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said<'a> {
    /// HTTP status.
    pub status: u16,
    /// The error code as the service wrote it; empty if the answer has none.
    pub code: &'a str,
    /// The text, to be compared with what was sent. It is not to be shown: it may contain a secret.
    pub text: &'a str,
}

/// What the service said, if it refused the call; for services whose codes do not say enough. `None` if there was no answer, or none that
/// can be read.
pub fn said<E>(error: &SdkError<E, HttpResponse>) -> Option<Said<'_>>
where
    E: ProvideErrorMetadata,
{
    let SdkError::ServiceError(answer) = error else { return None };
    Some(Said {
        status: answer.raw().status().as_u16(),
        code: answer.err().code().unwrap_or_default(),
        text: answer.err().message().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_letters_and_dots_only() {
        for (text, expected) in [
            ("AccessDeniedException", "AccessDeniedException"),
            ("com.amazonaws.dynamodb.v20120810#ThrottlingException", "ThrottlingException"),
            ("AWS.SimpleQueueService.NonExistentQueue", "AWS.SimpleQueueService.NonExistentQueue"),
            ("xoxb-1234567890", NOT_A_CODE),
            ("a b", NOT_A_CODE),
            ("T000/B000/xxxx", NOT_A_CODE),
            ("Hunter2", NOT_A_CODE),
            ("x#", NOT_A_CODE),
            ("", NOT_A_CODE),
        ] {
            assert_eq!(code(text), expected, "{text}");
        }
        assert_eq!(code(&"a".repeat(65)), NOT_A_CODE);
    }
}
