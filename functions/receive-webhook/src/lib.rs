//! The common ingress: one URL for all events. Checks the token, puts the event on the event bus, and answers.
//!
//! Each workflow has a rule on the event bus that selects its events, so this function knows no workflows.

use runtime::Host;
use workflow::BoxError;

/// The function's name.
pub const NAME: &str = "receive-webhook";

/// Serves the ingress until Lambda ends the process.
///
/// # Errors
/// When settings are missing or the Lambda runtime ends.
pub async fn serve() -> Result<(), BoxError> {
    Host::start_ingress(NAME)?.serve_common_ingress().await
}
