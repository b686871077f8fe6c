//! The URL that webhooks post to. It holds a token, so it comes from a variable or from the stack and is never an option.

use super::shown::{origin, secrets_of};
use super::site::Site;
use crate::stack::Stack;
use crate::token_secret::TokenSecret;
use confidential::{Secrets, SecureUrl};
use serde::Deserialize;
use std::env::var_os;
use url::Url;
use workflow::BoxError;

/// The variable with the URL.
const VARIABLE: &str = "WEBHOOK_URL";
/// The stack's output with the URL, without the token.
const OUTPUT: &str = "WebhookUrl";
/// The shortest token that the stack's functions accept.
const SHORTEST_TOKEN: usize = 32;

/// Where the URL comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The variable.
    Variable,
    /// The stack.
    Stack,
}

/// The URL, and where it comes from.
pub(super) struct Destination {
    url: SecureUrl,
    /// The other form of the same URL: with the token in the query.
    other_form: Option<Url>,
    source: String,
}

/// The secret with the token.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    #[serde(default)]
    current: String,
    #[serde(default, rename = "previous")]
    _previous: String,
}

impl Source {
    /// Reads the value of `--url`.
    ///
    /// # Errors
    /// It is another. The error does not repeat it: it may be a URL.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        match text.trim() {
            "env" => Ok(Self::Variable),
            "stack" => Ok(Self::Stack),
            _ => Err(format!(
                "--url says where the URL comes from: env for the variable {VARIABLE}, or stack. The URL itself is no option, \
                 because other users can read options in the list of processes"
            )),
        }
    }
}

fn variable() -> Option<String> {
    let url = var_os(VARIABLE)?.to_string_lossy().trim().to_owned();
    (!url.is_empty()).then_some(url)
}

impl Destination {
    /// Finds the URL. Without a source the variable counts, except for the local stack, as for `send`.
    pub(super) async fn find(source: Option<Source>, site: &Site) -> Result<Self, BoxError> {
        let usual = match variable() {
            Some(_) if !site.is_local => Source::Variable,
            _ if site.stack.is_some() => Source::Stack,
            _ => Source::Variable,
        };
        match (source.unwrap_or(usual), &site.stack) {
            (Source::Variable, _) => Self::of_variable(variable().as_deref()),
            (Source::Stack, Some(stack)) => Self::of_stack(stack).await,
            (Source::Stack, None) => {
                Err(format!("with --server there is no stack: set {VARIABLE} to the URL, with its token")
                    .into())
            }
        }
    }

    fn of_variable(text: Option<&str>) -> Result<Self, BoxError> {
        let text = text.ok_or_else(|| {
            format!(
                "set {VARIABLE} to the URL that the webhooks post to, with its token. There is no option for it: others could \
                 read it"
            )
        })?;
        let url = text.parse::<SecureUrl>().map_err(|invalid| format!("{VARIABLE} {invalid}"))?;
        Ok(Self { url, other_form: None, source: VARIABLE.to_owned() })
    }

    /// The URL of the stack's common ingress, with the current token.
    async fn of_stack(stack: &Stack) -> Result<Self, BoxError> {
        let described = stack.describe().await?;
        let base = stack.webhook_url(&described)?;
        let secret = TokenSecret::of(stack)?;
        let (text, _) = secret.text().await?;
        let tokens: Tokens = secrets::parse(&text).map_err(|problem| secret.malformed(&problem))?;
        Self::with_token(base, &tokens.current)
            .map(|(url, other)| Self {
                url,
                other_form: Some(other),
                source: format!("the stack `{}`", stack.name),
            })
            .map_err(|problem| format!("the URL of the stack `{}`: {problem}", stack.name).into())
    }

    /// The URL with the token as its last segment, and with the token in its query.
    fn with_token(base: &str, token: &str) -> Result<(SecureUrl, Url), String> {
        if token.len() < SHORTEST_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!(
                "`current` of its secret is no token: {SHORTEST_TOKEN} characters or more are needed"
            ));
        }
        let base: Url =
            base.parse::<SecureUrl>().map_err(|invalid| format!("its output {OUTPUT} {invalid}"))?.into();
        let mut in_path = base.clone();
        if let Ok(mut segments) = in_path.path_segments_mut() {
            segments.pop_if_empty().push(token);
        }
        let mut in_query = base;
        in_query.query_pairs_mut().append_pair("token", token);
        let in_path =
            SecureUrl::try_from(in_path).map_err(|invalid| format!("its output {OUTPUT} {invalid}"))?;
        Ok((in_path, in_query))
    }

    /// The URL for Tableau.
    pub(super) fn url(&self) -> String {
        self.url.as_url().as_str().to_owned()
    }

    /// Whether a webhook posts to this URL.
    pub(super) fn is(&self, url: &str) -> bool {
        let Ok(url) = Url::parse(url) else { return false };
        url == *self.url.as_url() || self.other_form.as_ref() == Some(&url)
    }

    /// What no output may repeat.
    pub(super) fn secrets(&self) -> Secrets {
        secrets_of(self.url.as_url().as_str())
    }

    /// The origin, and where the URL comes from.
    pub(super) fn words(&self) -> String {
        format!("{} (from {})", origin(self.url.as_url().as_str()), self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfG";

    #[test]
    fn the_url_of_a_stack_has_the_token_in_its_path_and_is_known_by_either_form() {
        let (url, other) = Destination::with_token("https://abc.example.com/webhook", TOKEN).unwrap();
        let destination = Destination { url, other_form: Some(other), source: "the stack `s`".to_owned() };
        assert_eq!(destination.url(), format!("https://abc.example.com/webhook/{TOKEN}"));
        for (url, expected) in [
            (format!("https://abc.example.com/webhook/{TOKEN}"), true),
            (format!("HTTPS://ABC.example.com:443/webhook/{TOKEN}"), true),
            (format!("https://abc.example.com/webhook?token={TOKEN}"), true),
            (format!("https://abc.example.com/webhook/{}", TOKEN.to_lowercase()), false),
            (format!("https://abc.example.com/webhooks/notify-slack/{TOKEN}"), false),
            ("https://abc.example.com/webhook".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(destination.is(&url), expected, "{url}");
        }
        assert_eq!(destination.words(), "https://abc.example.com (from the stack `s`)");
        assert!(destination.secrets().are_in(&format!("x{TOKEN}")));
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_repeating_it() {
        for (url, expected) in [
            (None, "set WEBHOOK_URL to the URL that the webhooks post to"),
            (
                Some("http://abc.example.com/hunter2"),
                "WEBHOOK_URL must begin with https://; http:// is only for",
            ),
            (Some("abc.example.com/hunter2"), "WEBHOOK_URL must begin with https://"),
            (Some("https://u:hunter2@abc.example.com"), "WEBHOOK_URL must not hold a user name or password"),
        ] {
            let error = Destination::of_variable(url).map(|_| ()).unwrap_err().to_string();
            assert!(error.starts_with(expected) && !error.contains("hunter2"), "{error}");
        }
        for (base, token) in [
            ("https://abc.example.com/webhook", "hunter2"),
            ("https://abc.example.com/webhook", ""),
            ("http://abc.example.com/hunter2", TOKEN),
        ] {
            let error = Destination::with_token(base, token).map(|_| ()).unwrap_err();
            assert!(!error.contains("hunter2") && !error.contains(TOKEN), "{error}");
        }
    }

    #[test]
    fn a_url_as_an_option_is_refused_without_being_repeated() {
        assert_eq!(Source::read("env"), Ok(Source::Variable));
        assert_eq!(Source::read("stack"), Ok(Source::Stack));
        let error = Source::read("https://abc.example.com/hunter2").unwrap_err();
        assert!(
            error.starts_with("--url says where the URL comes from") && !error.contains("hunter2"),
            "{error}"
        );
    }
}
