//! The error that there was no answer.

use crate::Error;

/// The destination's name in errors and metrics.
pub(super) const NAME: &str = "ServiceNow";

/// There was no answer. The error loses its URL.
pub(super) fn unreachable(error: reqwest::Error) -> Error {
    Error::Unreachable { destination: NAME, source: error.without_url() }
}
