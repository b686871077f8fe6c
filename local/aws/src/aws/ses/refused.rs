//! Errors as Amazon SES writes them.

use super::super::Refusal;
use http::StatusCode;

/// An error with this status and code.
pub(super) fn refused(status: StatusCode, kind: &str, message: impl Into<String>) -> Refusal {
    Refusal::new(kind, message).with_status(status)
}

/// An error of a request that is wrong.
pub(super) fn bad(message: impl Into<String>) -> Refusal {
    refused(StatusCode::BAD_REQUEST, "BadRequestException", message)
}
