//! Whether the stack's own URL works, so that a webhook that is enabled is not disabled again at once.

use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tableau_client::{TableauClient, Webhook};
use workflow::chain;

/// How long our own request may take. The ingress answers within 3 seconds.
const TIMEOUT: Duration = Duration::from_secs(10);
const NOT_FOUND: u16 = 404;

/// Lets Tableau test the URL with one webhook that has it and, where Tableau cannot say, sends a test event to it.
///
/// Tableau has answered 404 for destinations that work and that got no request. So its 404 is no proof.
///
/// Source: <https://github.com/tableau/webhooks-docs/issues/33>
///
/// # Errors
/// What is wrong, for people.
pub(crate) async fn check(
    tableau: &TableauClient,
    http: &reqwest::Client,
    webhook: &Webhook,
    url: &SecretString,
) -> Result<(), String> {
    match tableau.test_webhook(&webhook.id).await {
        Ok(test) if test.passed() => Ok(()),
        Ok(test) if test.status != NOT_FOUND => {
            Err(format!("Tableau's test of the stack's URL got the status {}", test.status))
        }
        Ok(_) => post_test(http, url).await,
        Err(error) if error.is_transient() => {
            Err(format!("Tableau could not test the stack's URL: {}", chain(&error)))
        }
        Err(_) => post_test(http, url).await,
    }
}

async fn post_test(http: &reqwest::Client, url: &SecretString) -> Result<(), String> {
    let request =
        http.post(url.expose_secret()).header(CONTENT_TYPE, "application/json").timeout(TIMEOUT).body("{}");
    match request.send().await {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err(format!("the stack's URL answered a test event with {}", answer.status().as_u16())),
        Err(error) => Err(format!("the stack's URL does not answer: {}", chain(&error.without_url()))),
    }
}
