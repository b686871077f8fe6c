//! The function's settings, read once at start.

use runtime::Env;
use std::path::PathBuf;
use tableau_client::Settings;
use workflow::BoxError;

/// The function's settings. The function's README describes each.
#[derive(Debug)]
pub struct Config {
    /// `TABLEAU_SERVER_URL`, `TABLEAU_SITE`, `TABLEAU_API_VERSION`, `TABLEAU_SESSION_MINUTES`.
    pub tableau: Settings,
    /// `TABLEAU_SECRET`: the id of the secret with the credential.
    pub tableau_secret: String,
    /// `FORWARD_SECRET`: the id of the secret with the targets.
    pub forward_secret: String,
    /// `EXTRA_CA_FILE`: certificate authorities to trust beside the public ones.
    pub extra_ca: Option<PathBuf>,
    /// `FORWARD_LOCAL_NAMES`: names that lead to this machine, in tests and on the local stack. A release build does not know it.
    #[cfg(debug_assertions)]
    pub local_names: Option<String>,
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
        let forward_secret = settings.get("FORWARD_SECRET");
        settings.finish(())?;
        let tableau = Settings::of_variables(&server, |name| env.get(name))?;
        Ok(Self {
            tableau,
            tableau_secret,
            forward_secret,
            extra_ca: env.get("EXTRA_CA_FILE").map(PathBuf::from),
            #[cfg(debug_assertions)]
            local_names: env.get("FORWARD_LOCAL_NAMES").map(str::to_owned),
        })
    }
}
