//! The function's settings, read once at start.

use destinations::pagerduty::Region;
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
    /// `PAGERDUTY_SECRET`: the id of the secret with the integration keys.
    pub pagerduty_secret: String,
    /// `PAGERDUTY_REGION`.
    pub region: Region,
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
        let pagerduty_secret = settings.get("PAGERDUTY_SECRET");
        settings.finish(())?;
        let tableau = Settings::of_variables(&server, |name| env.get(name))?;
        let region = env.get("PAGERDUTY_REGION").unwrap_or("us");
        let region = region.parse().map_err(|error| format!("PAGERDUTY_REGION {error}"))?;
        Ok(Self { tableau, tableau_secret, pagerduty_secret, region })
    }
}
