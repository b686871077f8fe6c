//! The credential for sending texts with Twilio, and who sends them.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::fmt;

/// How many hexadecimal digits follow the two letters of an id.
const DIGITS: usize = 32;
/// The longest name of a sender. Source: <https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id>
const LONGEST_NAME: usize = 11;

/// An account of Twilio, what proves that it is ours, and the sender.
///
/// JSON form: `{"account_sid": "AC…", "api_key": "SK…", "api_key_secret": "…", "from": "+15551234567"}`. In place of the key, the
/// account's own `auth_token`; in place of `from`, `messaging_service_sid` (`MG…`).
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Json")]
pub struct TwilioCredential {
    pub(super) account: String,
    /// The user of Basic authorization: the key, or the account.
    pub(super) user: String,
    password: Password,
    pub(super) sender: Sender,
}

#[derive(Clone)]
struct Password(SecretString);

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl Eq for Password {}

/// Who sends a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A messaging service, which chooses one of its numbers.
    Service(String),
    /// A number, a short code or a name.
    From(String),
}

impl Sender {
    /// The parameter of a request.
    pub(super) fn parameter(&self) -> (&'static str, &str) {
        match self {
            Self::Service(sid) => ("MessagingServiceSid", sid),
            Self::From(from) => ("From", from),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    #[serde(default)]
    account_sid: String,
    #[serde(default)]
    auth_token: String,
    #[serde(default)]
    api_key: String,
    #[serde(default)]
    api_key_secret: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    messaging_service_sid: String,
}

impl TwilioCredential {
    pub(super) fn password(&self) -> &SecretString {
        &self.password.0
    }
}

impl TryFrom<Json> for TwilioCredential {
    type Error = String;

    /// No problem repeats a value.
    fn try_from(json: Json) -> Result<Self, String> {
        let json = json.trimmed();
        let account = json.account()?;
        let (user, password) = json.proof(&account)?;
        let sender = json.sender()?;
        Ok(Self { account, user, password: Password(SecretString::from(password)), sender })
    }
}

impl Json {
    fn trimmed(mut self) -> Self {
        for text in [
            &mut self.account_sid,
            &mut self.auth_token,
            &mut self.api_key,
            &mut self.api_key_secret,
            &mut self.from,
            &mut self.messaging_service_sid,
        ] {
            *text = text.trim().to_owned();
        }
        self
    }

    fn account(&self) -> Result<String, String> {
        match self.account_sid.as_str() {
            "" => wrong("fill in `account_sid`, the id that begins with AC"),
            sid if is_sid(sid, "AC") => Ok(sid.to_owned()),
            sid if is_sid(sid, "SK") => wrong(
                "`account_sid` has the id of an API key (SK…): put that into `api_key`, and the account's id (AC…) here",
            ),
            _ => wrong("`account_sid` is AC and 32 hexadecimal digits: copy it from the console of Twilio"),
        }
    }

    /// The user and the password of a request.
    fn proof(&self, account: &str) -> Result<(String, String), String> {
        let Self { auth_token, api_key, api_key_secret, .. } = self;
        match (auth_token.is_empty(), api_key.is_empty(), api_key_secret.is_empty()) {
            (true, true, true) => wrong("fill in `api_key` and `api_key_secret`, or `auth_token`"),
            (_, false, true) => wrong(
                "`api_key_secret` is missing: Twilio shows it once, when the key is made; make a new key if it is lost",
            ),
            (_, true, false) => wrong("`api_key` is missing: it is the id of the key, which begins with SK"),
            (false, false, false) => wrong(
                "fill in `api_key` and `api_key_secret`, or `auth_token`, not both: remove one of the two",
            ),
            (true, false, false) if is_sid(api_key, "AC") => {
                wrong("`api_key` has the account's id (AC…): the id of a key begins with SK")
            }
            (true, false, false) if !is_sid(api_key, "SK") => {
                wrong("`api_key` is SK and 32 hexadecimal digits: copy it from the console of Twilio")
            }
            (true, false, false) => {
                Ok((api_key.clone(), checked("api_key_secret", api_key_secret)?.to_owned()))
            }
            (false, true, true) => Ok((account.to_owned(), checked("auth_token", auth_token)?.to_owned())),
        }
    }

    fn sender(&self) -> Result<Sender, String> {
        let Self { from, messaging_service_sid: service, .. } = self;
        match (from.as_str(), service.as_str()) {
            ("", "") => wrong(
                "fill in `from`, a number such as +15551234567 or a sender's name, or `messaging_service_sid` (MG…)",
            ),
            ("", sid) | (sid, "") if is_sid(sid, "MG") => Ok(Sender::Service(sid.to_owned())),
            ("", _) => wrong(
                "`messaging_service_sid` is MG and 32 hexadecimal digits: put a number or a sender's name into `from`",
            ),
            (from, "") if is_number(from) || is_name(from) => Ok(Sender::From(from.to_owned())),
            (from, "") if from.contains(|c: char| c.is_ascii_alphabetic()) => wrong(
                "`from` is no name that Twilio sends with: at most 11 letters, digits, spaces and `+-_&`, with a letter among them",
            ),
            (_, "") => wrong(
                "`from` is no number: write plus, the country's code and digits alone, such as +15551234567",
            ),
            _ => wrong("fill in `from` or `messaging_service_sid`, not both: remove one of the two"),
        }
    }
}

fn wrong<T>(problem: &str) -> Result<T, String> {
    Err(problem.to_owned())
}

/// Whether a text is an id of this kind: two letters and 32 hexadecimal digits.
fn is_sid(text: &str, kind: &str) -> bool {
    text.strip_prefix(kind)
        .is_some_and(|digits| digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A token or key as it can be used, or what is wrong with it.
fn checked<'a>(name: &str, secret: &'a str) -> Result<&'a str, String> {
    let is_of_secret = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`');
    if ["AC", "SK", "MG"].iter().any(|kind| is_sid(secret, kind)) {
        return Err(format!("`{name}` has an id: put the secret text here, which is shown beside the id"));
    }
    match secret.bytes().all(is_of_secret) {
        true => Ok(secret),
        false => Err(format!(
            "`{name}` has a space, a quotation mark or another character that none has: paste it again"
        )),
    }
}

/// A number in the form of E.164, or a short code.
fn is_number(text: &str) -> bool {
    let is_all_digits = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match text.strip_prefix('+') {
        Some(digits) => is_all_digits(digits) && (7..=15).contains(&digits.len()) && !digits.starts_with('0'),
        None => is_all_digits(text) && (3..=8).contains(&text.len()),
    }
}

fn is_name(text: &str) -> bool {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || " +-_&".contains(c);
    text.len() <= LONGEST_NAME
        && text.chars().all(is_of_name)
        && text.contains(|c: char| c.is_ascii_alphabetic())
}

impl fmt::Debug for TwilioCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TwilioCredential([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn sid(kind: &str) -> String {
        format!("{kind}{}", "0123456789abcdef".repeat(2))
    }

    fn read(secret: Value) -> Result<TwilioCredential, String> {
        serde_json::from_value(secret).map_err(|error| error.to_string())
    }

    // D041
    #[test]
    fn a_key_authorizes_and_the_account_stands_in_the_path() {
        let with_key = read(json!({
            "account_sid": sid("AC"), "api_key": sid("SK"), "api_key_secret": "hunter2", "from": "+15551234567",
        }))
        .unwrap();
        assert_eq!((&with_key.account, &with_key.user), (&sid("AC"), &sid("SK")));
        assert_eq!(with_key.password().expose_secret(), "hunter2");
        let with_token =
            read(json!({ "account_sid": sid("AC"), "auth_token": " hunter2\n", "from": "12345" })).unwrap();
        assert_eq!((&with_token.account, &with_token.user), (&sid("AC"), &sid("AC")));
        assert_eq!(with_token.password().expose_secret(), "hunter2");
        assert_eq!(format!("{with_key:?}"), "TwilioCredential([redacted])");
    }

    // D041
    #[test]
    fn a_key_in_the_place_of_the_account_and_half_a_pair_are_refused_and_nothing_falls_back_to_the_token() {
        let account = sid("AC");
        for (secret, expected) in [
            (json!({}), "fill in `account_sid`"),
            (
                json!({ "account_sid": sid("SK"), "auth_token": "hunter2" }),
                "`account_sid` has the id of an API key (SK…)",
            ),
            (json!({ "account_sid": "AC12", "auth_token": "hunter2" }), "`account_sid` is AC and 32"),
            (json!({ "account_sid": account }), "fill in `api_key` and `api_key_secret`, or `auth_token`"),
            (json!({ "account_sid": account, "api_key": sid("SK") }), "`api_key_secret` is missing"),
            (
                json!({ "account_sid": account, "api_key": sid("SK"), "auth_token": "hunter2" }),
                "`api_key_secret` is missing",
            ),
            (json!({ "account_sid": account, "api_key_secret": "hunter2" }), "`api_key` is missing"),
            (
                json!({ "account_sid": account, "api_key_secret": "hunter2", "auth_token": "hunter2" }),
                "`api_key` is missing",
            ),
            (
                json!({ "account_sid": account, "api_key": sid("SK"), "api_key_secret": "a", "auth_token": "hunter2" }),
                "not both: remove one",
            ),
            (
                json!({ "account_sid": account, "api_key": account, "api_key_secret": "hunter2" }),
                "`api_key` has the account's id",
            ),
            (
                json!({ "account_sid": account, "api_key": "hunter2", "api_key_secret": "a" }),
                "`api_key` is SK and 32",
            ),
            (json!({ "account_sid": account, "auth_token": "hunter2 x" }), "`auth_token` has a space"),
            (json!({ "account_sid": account, "auth_token": sid("SK") }), "`auth_token` has an id"),
            (
                json!({ "account_sid": account, "auth_token": "a", "token": "hunter2" }),
                "unknown field `token`",
            ),
        ] {
            let problem = read(secret.clone()).unwrap_err();
            assert!(problem.starts_with(expected) || problem.contains(expected), "{secret}: {problem}");
            assert!(!problem.contains("hunter2") && !problem.contains("0123456789"), "{problem}");
        }
    }

    // D141
    #[test]
    fn a_service_is_mg_and_32_digits_and_anything_else_is_a_sender() {
        let sender = |sender: Value| {
            let mut secret = json!({ "account_sid": sid("AC"), "auth_token": "a" });
            secret.as_object_mut().unwrap().extend(sender.as_object().unwrap().clone());
            read(secret).map(|credential| credential.sender)
        };
        let service = Sender::Service(sid("MG"));
        assert_eq!(sender(json!({ "messaging_service_sid": sid("MG") })).as_ref(), Ok(&service));
        assert_eq!(sender(json!({ "from": sid("MG") })).as_ref(), Ok(&service));
        for from in ["MGM Desk", "MG", "MG0123456", "+15551234567", "12345", "BI-Team", "Data & BI"] {
            assert_eq!(sender(json!({ "from": from })), Ok(Sender::From(from.to_owned())), "{from}");
        }
        for (wrong, expected) in [
            (json!({}), "fill in `from`"),
            (json!({ "messaging_service_sid": "MGM Desk" }), "`messaging_service_sid` is MG and 32"),
            (json!({ "from": "The whole data desk" }), "`from` is no name"),
            (json!({ "from": "Büro" }), "`from` is no name"),
            (json!({ "from": "+1 555 123 4567" }), "`from` is no number"),
            (json!({ "from": "015551234567" }), "`from` is no number"),
            (json!({ "from": "12345", "messaging_service_sid": sid("MG") }), "not both"),
        ] {
            let problem = sender(wrong.clone()).unwrap_err();
            assert!(problem.contains(expected), "{wrong}: {problem}");
        }
    }
}
