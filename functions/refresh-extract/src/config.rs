//! The function's settings, read once at start.

use jiff::SignedDuration;
use refreshes::Limits;
use runtime::Env;
use std::path::PathBuf;
use tableau_client::Settings;
use workflow::BoxError;

/// The scopes of a connected app that names none in the secret.
pub const SCOPES: [&str; 9] = [
    "tableau:content:read",
    "tableau:flow_runs:read",
    "tableau:flow_runs:update",
    "tableau:flows:read",
    "tableau:flows:run",
    "tableau:jobs:read",
    "tableau:jobs:update",
    "tableau:tasks:run",
    "tableau:users:read",
];

/// How many refreshes run at once if nothing is set. Tableau Cloud queues more than that by itself, behind the refreshes of schedules.
const AT_ONCE: u32 = 10;
const MOST_AT_ONCE: u32 = 200;
const MOST_PER_HOUR: u32 = 10_000;
/// The time between a request and its result, if the caller says nothing.
pub(crate) const TIMEOUT: SignedDuration = SignedDuration::from_mins(120);

/// The longest wait that can be set: the gateway ends a request after 30 s.
const MOST_WAIT_SECONDS: u32 = 25;

/// The function's settings. The function's README describes each.
#[derive(Debug)]
pub struct Config {
    /// `TABLEAU_SERVER_URL`, `TABLEAU_SITE`, `TABLEAU_API_VERSION`, `TABLEAU_SESSION_MINUTES`.
    pub tableau: Settings,
    /// `TABLEAU_SITE`: the site's name in URLs; empty for a server's default site.
    pub site: String,
    /// `TABLEAU_SECRET`: the id of the secret with the credential.
    pub tableau_secret: String,
    /// `PUBLIC_URL`: where the API is, without a slash at its end. Empty: addresses in answers are relative.
    pub public_url: String,
    /// `REFRESHES_PER_HOUR`, `REFRESHES_AT_ONCE`.
    pub limits: Limits,
    /// `MOST_WAIT_SECONDS`: how long a caller may wait for the result within one request.
    pub most_wait_seconds: u64,
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
        settings.finish(())?;
        let tableau = Settings::of_variables(&server, |name| env.get(name))?.with_scopes(&SCOPES);
        let per_hour = number(env.get("REFRESHES_PER_HOUR"), MOST_PER_HOUR)
            .map_err(|problem| format!("REFRESHES_PER_HOUR {problem}"))?;
        let at_once = number(env.get("REFRESHES_AT_ONCE"), MOST_AT_ONCE)
            .map_err(|problem| format!("REFRESHES_AT_ONCE {problem}"))?;
        let most_wait = number(env.get("MOST_WAIT_SECONDS"), MOST_WAIT_SECONDS)
            .map_err(|problem| format!("MOST_WAIT_SECONDS {problem}"))?;
        Ok(Self {
            tableau,
            most_wait_seconds: most_wait.unwrap_or(MOST_WAIT_SECONDS).into(),
            site: env.get("TABLEAU_SITE").unwrap_or_default().to_owned(),
            tableau_secret,
            public_url: env.get("PUBLIC_URL").unwrap_or_default().trim_end_matches('/').to_owned(),
            limits: Limits {
                per_hour: per_hour.filter(|number| *number > 0),
                at_once: at_once.filter(|number| *number > 0).unwrap_or(AT_ONCE),
            },
            extra_ca: env.get("EXTRA_CA_FILE").map(PathBuf::from),
            #[cfg(debug_assertions)]
            local_names: env.get("FORWARD_LOCAL_NAMES").map(str::to_owned),
        })
    }
}

fn number(text: Option<&str>, most: u32) -> Result<Option<u32>, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let number = text.parse::<u32>().ok().filter(|number| *number <= most);
    number.map(Some).ok_or_else(|| format!("is no whole number from 0 to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&'static str, &'static str)]) -> Result<Config, String> {
        let required = [("TABLEAU_SERVER_URL", "https://tableau.example.com"), ("TABLEAU_SECRET", "s")];
        let env: Env = required.iter().chain(variables).copied().collect();
        Config::from_env(&env).map_err(|error| error.to_string())
    }

    #[test]
    fn limits_are_numbers_and_have_defaults() {
        let least = config(&[]).unwrap();
        assert_eq!(least.limits, Limits { per_hour: None, at_once: 10 });
        let both = config(&[("REFRESHES_PER_HOUR", "60"), ("REFRESHES_AT_ONCE", "3")]).unwrap();
        assert_eq!(both.limits, Limits { per_hour: Some(60), at_once: 3 });
        let none = config(&[("REFRESHES_PER_HOUR", "0"), ("REFRESHES_AT_ONCE", "")]).unwrap();
        assert_eq!(none.limits, least.limits);
        assert_eq!((least.most_wait_seconds, none.most_wait_seconds), (25, 25));
        assert_eq!(config(&[("MOST_WAIT_SECONDS", "2")]).unwrap().most_wait_seconds, 2);
        let error = config(&[("MOST_WAIT_SECONDS", "26")]).unwrap_err();
        assert_eq!(error, "MOST_WAIT_SECONDS is no whole number from 0 to 25");
        for wrong in ["many", "-1", "1.5", "10001"] {
            let error = config(&[("REFRESHES_PER_HOUR", wrong)]).unwrap_err();
            assert_eq!(error, "REFRESHES_PER_HOUR is no whole number from 0 to 10000");
        }
    }
}
