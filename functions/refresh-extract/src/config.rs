//! Settings, read once at start.

use runtime::Env;
use tableau_client::Settings;
use workflow::BoxError;

/// The function's settings. What each means stands in its README.
#[derive(Debug)]
pub struct Config {
    /// `TABLEAU_SERVER_URL`, `TABLEAU_SITE`, `TABLEAU_API_VERSION`, `TABLEAU_SESSION_MINUTES`.
    pub tableau: Settings,
    /// `TABLEAU_SECRET`: the id of the secret with the credential.
    pub tableau_secret: String,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// When some are missing, which are all named, or cannot be used.
    pub fn from_env(env: &Env) -> Result<Self, BoxError> {
        let mut settings = env.required();
        let server = settings.get("TABLEAU_SERVER_URL");
        let tableau_secret = settings.get("TABLEAU_SECRET");
        settings.finish(())?;
        let tableau = Settings::of_variables(&server, |name| env.get(name))?;
        Ok(Self { tableau, tableau_secret })
    }
}
