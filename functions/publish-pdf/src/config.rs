//! The function's settings, read once at start.

use publishing::GraphAddresses;
use runtime::Env;
use tableau_client::Settings;
use workflow::BoxError;

/// The scopes of a connected app that names none in the secret.
pub const SCOPES: [&str; 5] = [
    "tableau:content:read",
    "tableau:groups:read",
    "tableau:users:read",
    "tableau:views:download",
    "tableau:workbooks:download",
];

/// The function's settings. The function's README describes each.
#[derive(Debug)]
pub struct Config {
    /// `TABLEAU_SERVER_URL`, `TABLEAU_SITE`, `TABLEAU_API_VERSION`, `TABLEAU_SESSION_MINUTES`.
    pub tableau: Settings,
    /// `TABLEAU_SECRET`: the id of the secret with the credential.
    pub tableau_secret: String,
    /// `SHAREPOINT_SECRET`: the id of the secret with the application.
    pub sharepoint_secret: String,
    /// `GRAPH_LOGIN_URL`, `GRAPH_URL`.
    pub graph: GraphAddresses,
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
        let sharepoint_secret = settings.get("SHAREPOINT_SECRET");
        settings.finish(())?;
        let tableau = Settings::of_variables(&server, |name| env.get(name))?.with_scopes(&SCOPES);
        let login = env.get("GRAPH_LOGIN_URL").unwrap_or(GraphAddresses::LOGIN);
        let graph = env.get("GRAPH_URL").unwrap_or(GraphAddresses::GRAPH);
        let graph = GraphAddresses::new(login, graph)
            .map_err(|error| format!("GRAPH_LOGIN_URL, GRAPH_URL: {error}"))?;
        Ok(Self { tableau, tableau_secret, sharepoint_secret, graph })
    }
}
