//! The function's settings, read once at start.

use confidential::SecureUrl;
use runtime::Env;
use tableau_client::Settings;
use workflow::BoxError;

/// The function's settings. The function's README describes each.
#[derive(Debug)]
pub struct Config {
    /// `TABLEAU_SERVER_URL`, `TABLEAU_SITE`, `TABLEAU_API_VERSION`, `TABLEAU_SESSION_MINUTES`.
    pub tableau: Settings,
    /// `TABLEAU_SECRET`: the id of the secret with the credential.
    pub tableau_secret: String,
    /// `SLACK_SECRET`: the id of the secret with the bot token or webhook URLs.
    pub slack_secret: String,
    /// `SLACK_API_URL`.
    pub slack_api_url: SecureUrl,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// When settings are missing (the error names all of them) or cannot be used.
    pub fn from_env(env: &Env) -> Result<Self, BoxError> {
        let mut settings = env.required();
        let server = settings.get("TABLEAU_SERVER_URL");
        let tableau_secret = settings.get("TABLEAU_SECRET");
        let slack_secret = settings.get("SLACK_SECRET");
        settings.finish(())?;
        let tableau = Settings::of_variables(&server, |name| env.get(name))?;
        let slack_api_url = env.get("SLACK_API_URL").unwrap_or(destinations::slack::API_URL);
        let slack_api_url: SecureUrl =
            slack_api_url.parse().map_err(|error| format!("SLACK_API_URL {error}"))?;
        if !is_slacks(&slack_api_url) {
            return Err(
                "SLACK_API_URL must be https://slack.com/api or, for GovSlack, https://slack-gov.com/api"
                    .into(),
            );
        }
        Ok(Self { tableau, tableau_secret, slack_secret, slack_api_url })
    }
}

/// Whether a bot token may be sent there: to Slack, to GovSlack, or to a test on this machine.
fn is_slacks(address: &SecureUrl) -> bool {
    let host = address.as_url().host_str().unwrap_or_default();
    address.is_loopback() || host == "slack.com" || host == "slack-gov.com"
}

#[cfg(test)]
mod tests {
    use super::*;

    // D035
    #[test]
    fn a_token_goes_to_slack_to_govslack_and_to_this_machine_only() {
        for (address, expected) in [
            ("https://slack.com/api", true),
            ("https://slack-gov.com/api", true),
            ("http://127.0.0.1:8080/api", true),
            ("https://slack.com.example/api", false),
            ("https://evil-slack.com/api", false),
            ("https://hooks.slack.com/api", false),
        ] {
            assert_eq!(is_slacks(&address.parse().unwrap()), expected, "{address}");
        }
    }
}
