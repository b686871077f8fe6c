//! The function's settings, read once at start.

use email::{Sender, Unsubscribe};
use rules::Address;
use runtime::Env;
use tableau_client::Settings;
use url::Url;
use workflow::BoxError;

/// The rate of an account that is new to Amazon SES.
const RATE_IN_THE_SANDBOX: f64 = 1.0;

/// The function's settings. The function's README describes each.
#[derive(Debug)]
pub struct Config {
    /// `TABLEAU_SERVER_URL`, `TABLEAU_SITE`, `TABLEAU_API_VERSION`, `TABLEAU_SESSION_MINUTES`.
    pub tableau: Settings,
    /// `TABLEAU_SECRET`: the id of the secret with the credential.
    pub tableau_secret: String,
    /// `EMAIL_FROM`, `EMAIL_FROM_NAME`, `EMAIL_CONFIGURATION_SET`.
    pub sender: Sender,
    /// `EMAIL_UNSUBSCRIBE_URL`.
    pub unsubscribe: Unsubscribe,
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
        let from = settings.get("EMAIL_FROM");
        settings.finish(())?;
        let optional = |name| env.get(name).unwrap_or_default();
        let tableau = Settings::of_variables(&server, |name| env.get(name))?;
        let from = Address::parse(&from).map_err(|problem| format!("EMAIL_FROM: {problem}"))?;
        let sender = Sender {
            from,
            name: optional("EMAIL_FROM_NAME").to_owned(),
            configuration_set: env.get("EMAIL_CONFIGURATION_SET").map(str::to_owned),
        };
        let url = env.get("EMAIL_UNSUBSCRIBE_URL").map(page).transpose()?;
        let rate = env.get("EMAIL_RECIPIENTS_PER_SECOND").map(rate).transpose()?;
        Ok(Self {
            tableau,
            tableau_secret,
            sender,
            unsubscribe: Unsubscribe { url },
            recipients_a_second: rate.unwrap_or(RATE_IN_THE_SANDBOX),
        })
    }
}

/// A page in the form in which a header takes it.
fn page(text: &str) -> Result<String, BoxError> {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.as_str().len() <= 500);
    match url {
        Some(url) => Ok(url.as_str().replace(['<', '>'], "")),
        None => Err("EMAIL_UNSUBSCRIBE_URL is no https address of at most 500 characters".into()),
    }
}

fn rate(text: &str) -> Result<f64, BoxError> {
    let rate = text.parse::<f64>().ok().filter(|rate| (0.1..=10_000.0).contains(rate));
    rate.ok_or_else(|| "EMAIL_RECIPIENTS_PER_SECOND is no number from 0.1 to 10000".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_https_and_a_rate_is_a_number() {
        assert_eq!(page("https://example.com/mails?a=b").unwrap(), "https://example.com/mails?a=b");
        assert_eq!(page("https://example.com/\r\nBcc: x").unwrap(), "https://example.com/Bcc:%20x");
        for text in ["http://example.com", "example.com", "javascript:alert(1)", ""] {
            assert!(page(text).is_err(), "{text}");
        }
        assert_eq!(rate("14").unwrap(), 14.0);
        for text in ["0", "-1", "NaN", "inf", "x", "1e9"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
