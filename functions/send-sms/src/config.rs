//! The function's settings, read once at start.

use confidential::SecureUrl;
use runtime::Env;
use tableau_client::Settings;
use workflow::BoxError;

/// How many texts a recipient gets a day, unless the stack says otherwise.
const TEXTS_A_DAY: u32 = 20;
/// The most that the stack may say: the count of a recipient is one item of the table.
const MOST_TEXTS: u32 = 500;

/// The function's settings. The function's README describes each.
#[derive(Debug)]
pub struct Config {
    /// `TABLEAU_SERVER_URL`, `TABLEAU_SITE`, `TABLEAU_API_VERSION`, `TABLEAU_SESSION_MINUTES`.
    pub tableau: Settings,
    /// `TABLEAU_SECRET`: the id of the secret with the credential.
    pub tableau_secret: String,
    /// `TWILIO_SECRET`: the id of the secret with the account and the sender.
    pub twilio_secret: String,
    /// `TWILIO_API_URL`.
    pub twilio_api_url: SecureUrl,
    /// `SMS_TEXTS_PER_DAY`.
    pub texts_a_day: u32,
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
        let twilio_secret = settings.get("TWILIO_SECRET");
        settings.finish(())?;
        let tableau = Settings::of_variables(&server, |name| env.get(name))?;
        let url = env.get("TWILIO_API_URL").unwrap_or(destinations::twilio::API_URL);
        let twilio_api_url: SecureUrl = url.parse().map_err(|error| format!("TWILIO_API_URL {error}"))?;
        if !is_twilios(&twilio_api_url) {
            return Err(
                "TWILIO_API_URL must be https://api.twilio.com, or that of a region, such as https://api.dublin.ie1.twilio.com".into()
            );
        }
        let texts_a_day = env.get("SMS_TEXTS_PER_DAY").map(texts).transpose()?.unwrap_or(TEXTS_A_DAY);
        Ok(Self { tableau, tableau_secret, twilio_secret, twilio_api_url, texts_a_day })
    }
}

/// Whether a credential may be sent there: to Twilio, to one of its regions, or to a test on this machine.
fn is_twilios(address: &SecureUrl) -> bool {
    let host = address.as_url().host_str().unwrap_or_default();
    let is_region = host.strip_prefix("api.").is_some_and(|rest| rest.ends_with(".twilio.com"));
    address.is_loopback() || host == "api.twilio.com" || is_region
}

fn texts(text: &str) -> Result<u32, BoxError> {
    let count = text.parse().ok().filter(|count| (1..=MOST_TEXTS).contains(count));
    count.ok_or_else(|| "SMS_TEXTS_PER_DAY is no number from 1 to 500".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_goes_to_twilio_and_to_this_machine_only() {
        for (address, expected) in [
            ("https://api.twilio.com", true),
            ("https://api.dublin.ie1.twilio.com", true),
            ("http://127.0.0.1:8080", true),
            ("https://api.twilio.com.example", false),
            ("https://apitwilio.com", false),
            ("https://evil.example/api.twilio.com", false),
            ("https://hooks.twilio.com", false),
        ] {
            assert_eq!(is_twilios(&address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn a_number_of_texts_is_at_least_one() {
        assert_eq!((texts("1").unwrap(), texts("500").unwrap()), (1, 500));
        for text in ["0", "-1", "501", "many", "1.5", ""] {
            assert!(texts(text).is_err(), "{text}");
        }
    }
}
