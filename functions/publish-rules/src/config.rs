//! Settings, read once at start.

use runtime::Env;
use std::path::PathBuf;
use workflow::BoxError;

/// The function's settings. What each means stands in its README.
#[derive(Debug)]
pub struct Config {
    /// `RULES_FILE`: where the rules file of the deploy is.
    pub rules_file: PathBuf,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// When some are missing, which are all named.
    pub fn from_env(env: &Env) -> Result<Self, BoxError> {
        let mut settings = env.required();
        let rules_file = settings.get("RULES_FILE");
        settings.get("TABLE_NAME");
        Ok(settings.finish(Self { rules_file: rules_file.into() })?)
    }
}
