//! The function's settings, read once at start.

use runtime::Env;
use tableau_client::Settings;
use webhooks::Identity;
use workflow::BoxError;

/// The scopes of a connected app that names none in the secret. REST API 3.27+.
pub const SCOPES: [&str; 5] = [
    "tableau:webhooks:create",
    "tableau:webhooks:delete",
    "tableau:webhooks:read",
    "tableau:webhooks:test",
    "tableau:webhooks:update",
];

/// The function's settings. The function's README describes each.
#[derive(Debug)]
pub struct Config {
    /// `TABLEAU_SERVER_URL`, `TABLEAU_SITE`, `TABLEAU_API_VERSION`, `TABLEAU_SESSION_MINUTES`.
    pub tableau: Settings,
    /// `TABLEAU_SECRET`: the id of the secret with the credential.
    pub tableau_secret: String,
    /// `WEBHOOK_SECRET`: the id of the secret with the URL's token.
    pub webhook_secret: String,
    /// `STACK_ID` and `WEBHOOK_URL`: which webhooks are the stack's own.
    pub identity: Identity,
    /// `TAKES_REFRESHES`: whether refresh-extract is on, which needs the ends of all refreshes.
    pub takes_refreshes: bool,
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
        let webhook_secret = settings.get("WEBHOOK_SECRET");
        let stack_id = settings.get("STACK_ID");
        let webhook_url = settings.get("WEBHOOK_URL");
        settings.get("TABLE_NAME");
        settings.finish(())?;
        let tableau = Settings::of_variables(&server, |name| env.get(name))?.with_scopes(&SCOPES);
        let identity = Identity::new(&stack_id, &webhook_url)?;
        let takes_refreshes = env.get("TAKES_REFRESHES") == Some("true");
        Ok(Self { tableau, tableau_secret, webhook_secret, identity, takes_refreshes })
    }
}
