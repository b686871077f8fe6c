//! The function's settings, read once at start.

use email::Sender;
use rules::Address;
use runtime::Env;
use tableau_client::Settings;
use url::Url;
use workflow::BoxError;

/// The scopes of a connected app that names none in the secret: what finding out about a data source and certifying it needs.
pub const SCOPES: [&str; 4] =
    ["tableau:content:read", "tableau:datasources:update", "tableau:groups:read", "tableau:users:read"];

/// The longest address of the pages: with the path and the token, a link has 100 characters at most.
const LONGEST_URL: usize = 59;
/// The rate of an account that is new to Amazon SES.
const RATE_IN_THE_SANDBOX: f64 = 1.0;

/// The function's settings. The function's README describes each.
#[derive(Debug)]
pub struct Config {
    /// `TABLEAU_SERVER_URL`, `TABLEAU_SITE`, `TABLEAU_API_VERSION`, `TABLEAU_SESSION_MINUTES`.
    pub tableau: Settings,
    /// `TABLEAU_SECRET`: the id of the secret with the credential.
    pub tableau_secret: String,
    /// `LINK_SECRET`: the id of the secret with the key of the links.
    pub link_secret: String,
    /// `PUBLIC_URL`, without a slash at its end.
    pub public_url: String,
    /// `EMAIL_FROM`, `EMAIL_FROM_NAME`, `EMAIL_CONFIGURATION_SET`.
    pub sender: Sender,
    /// `EMAIL_RECIPIENTS_PER_SECOND`.
    pub recipients_a_second: f64,
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
        let link_secret = settings.get("LINK_SECRET");
        let public_url = settings.get("PUBLIC_URL");
        let from = settings.get("EMAIL_FROM");
        settings.finish(())?;
        let tableau = Settings::of_variables(&server, |name| env.get(name))?.with_scopes(&SCOPES);
        let from = Address::parse(&from).map_err(|problem| format!("EMAIL_FROM: {problem}"))?;
        let sender = Sender {
            from,
            name: env.get("EMAIL_FROM_NAME").unwrap_or_default().to_owned(),
            configuration_set: env.get("EMAIL_CONFIGURATION_SET").map(str::to_owned),
        };
        let rate = env.get("EMAIL_RECIPIENTS_PER_SECOND").map(rate).transpose()?;
        Ok(Self {
            tableau,
            tableau_secret,
            link_secret,
            public_url: base(&public_url)?,
            sender,
            recipients_a_second: rate.unwrap_or(RATE_IN_THE_SANDBOX),
        })
    }
}

/// The address of the pages: https, or http on the machine itself.
fn base(text: &str) -> Result<String, BoxError> {
    let url = Url::parse(text).ok().filter(|url| {
        let host = url.host_str().unwrap_or_default();
        let is_local = matches!(host, "127.0.0.1" | "localhost") || host.ends_with(".localhost");
        let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        is_plain
            && url.password().is_none()
            && (url.scheme() == "https" || url.scheme() == "http" && is_local)
    });
    let url = url.map(|url| url.as_str().trim_end_matches('/').to_owned());
    match url {
        Some(url) if url.len() <= LONGEST_URL => Ok(url),
        Some(_) => Err(format!(
            "PUBLIC_URL is too long: at most {LONGEST_URL} characters, because mail programs cut long links"
        )
        .into()),
        None => {
            Err("PUBLIC_URL is no https address without a query, such as https://certify.example.com".into())
        }
    }
}

fn rate(text: &str) -> Result<f64, BoxError> {
    let rate = text.parse::<f64>().ok().filter(|rate| (0.1..=10_000.0).contains(rate));
    rate.ok_or_else(|| "EMAIL_RECIPIENTS_PER_SECOND is no number from 0.1 to 10000".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    // M12
    #[test]
    fn the_pages_have_a_short_https_address() {
        let longest = "https://abcdefghij.execute-api.ap-southeast-2.amazonaws.com";
        assert_eq!(base(&format!("{longest}/")).unwrap(), longest);
        assert_eq!(base("http://127.0.0.1:8090").unwrap(), "http://127.0.0.1:8090");
        assert_eq!(base("https://example.com/tableau/").unwrap(), "https://example.com/tableau");
        for text in [
            "http://example.com",
            "example.com",
            "javascript:alert(1)",
            "https://example.com/?a=b",
            "https://user@example.com",
            "https://abcdefghij.execute-api.ap-southeast-2.amazonaws.com/stage",
        ] {
            assert!(base(text).is_err(), "{text}");
        }
    }
}
