//! The function's settings, read once at start.

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
    /// `TEAMS_SECRET`: the id of the secret with the URLs of flows.
    pub teams_secret: String,
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
        let teams_secret = settings.get("TEAMS_SECRET");
        settings.finish(())?;
        let tableau = Settings::of_variables(&server, |name| env.get(name))?;
        Ok(Self { tableau, tableau_secret, teams_secret })
    }
}
