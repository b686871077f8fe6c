//! The function's settings, read once at start.

use runtime::Env;
use tableau_client::Settings;
use workflow::BoxError;

/// The scopes of a connected app that names none in the secret.
pub const SCOPES: [&str; 2] = ["tableau:content:read", "tableau:users:read"];

/// The function's settings. The function's README describes each.
#[derive(Debug)]
pub struct Config {
    /// `HISTORY_BUCKET`: where the export goes; `None`: nowhere.
    pub bucket: Option<String>,
    /// `TABLEAU_SERVER_URL`, `TABLEAU_SITE`, `TABLEAU_API_VERSION`, `TABLEAU_SESSION_MINUTES`.
    pub tableau: Settings,
    /// `TABLEAU_SITE`, or the name of Tableau's first site, which has none in URLs.
    pub site_name: String,
    /// `TABLEAU_SECRET`: the id of the secret with the credential.
    pub tableau_secret: String,
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
        settings.get("TABLE_NAME");
        settings.finish(())?;
        let tableau = Settings::of_variables(&server, |name| env.get(name))?.with_scopes(&SCOPES);
        let bucket = env.get("HISTORY_BUCKET").filter(|name| !name.is_empty()).map(str::to_owned);
        let site_name =
            env.get("TABLEAU_SITE").filter(|name| !name.is_empty()).unwrap_or("Default").to_owned();
        Ok(Self { bucket, tableau, site_name, tableau_secret })
    }
}
