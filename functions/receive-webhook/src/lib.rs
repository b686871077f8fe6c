//! The common ingress: one URL for every event. Checks the token, puts the event on the bus, answers.
//!
//! Each workflow's rule on the bus takes the events it can use, so nothing here knows of workflows.

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
