//! Texts of Tableau without the tokens of URLs: people and Tableau write addresses into names, reasons and errors.

use confidential::Secrets;
use secrecy::SecretString;
use secrets::WebhookTokens;
use tableau_client::Webhook;
use url::Url;

/// A part of a URL that is shorter than this may be a word, such as the name of a flow.
const SHORTEST: usize = 16;

/// Takes the tokens of a site's webhooks out of texts.
#[derive(Clone, Default)]
pub(crate) struct Redaction(Secrets);

impl Redaction {
    /// For the tokens of this stack, and what looks like a token in the URLs of these webhooks.
    pub(crate) fn new(tokens: Option<&WebhookTokens>, listed: &[Webhook]) -> Self {
        let own =
            tokens.into_iter().flat_map(|tokens| [Some(tokens.current.clone()), tokens.previous.clone()]);
        let of_urls = listed.iter().flat_map(|webhook| parts(&webhook.url));
        Self(Secrets::new(own.flatten().chain(of_urls)))
    }

    /// The text without tokens, and with only the origin of each address in it.
    pub(crate) fn text(&self, text: &str) -> String {
        let words: Vec<String> = text.split(' ').map(without_path).collect();
        self.0.redact_text(&words.join(" ")).into_owned()
    }

    /// The webhook with a name and a reason that may be shown.
    pub(crate) fn webhook(&self, webhook: Webhook) -> Webhook {
        let name = self.text(&webhook.name);
        let status_change_reason = self.text(&webhook.status_change_reason);
        Webhook { name, status_change_reason, ..webhook }
    }
}

/// The parts of a URL that look generated.
fn parts(url: &str) -> Vec<SecretString> {
    let Ok(url) = Url::parse(url) else { return vec![url.into()] };
    let segments = url.path_segments().into_iter().flatten().map(str::to_owned);
    let values = url.query_pairs().map(|(_, value)| value.into_owned());
    segments.chain(values).filter(|part| part.len() >= SHORTEST).map(SecretString::from).collect()
}

/// The word without what follows the host, if there is an address in it.
fn without_path(word: &str) -> String {
    let Some(at) = word.find("://") else { return word.to_owned() };
    let host = at + "://".len();
    match word[host..].find(['/', '?', '#']) {
        Some(end) => word[..host + end].to_owned(),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_reasons_and_errors_show_no_token_and_no_path() {
        let token = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfG";
        let url = format!("https://abc.example.com/webhook/{token}");
        let webhook = json!({
            "id": "w-1", "name": format!("to {token}"), "statusChangeReason": format!("POST to {url} failed (404)"),
            "webhook-destination": { "webhook-destination-http": { "url": url } },
        });
        let webhook: Webhook = serde_json::from_value(webhook).unwrap();
        let redaction = Redaction::new(None, std::slice::from_ref(&webhook));
        let shown = redaction.webhook(webhook);
        assert_eq!(shown.name, "to [redacted]");
        assert_eq!(shown.status_change_reason, "POST to https://abc.example.com failed (404)");
        let error = format!("Tableau refused: destination \"{url}\" and {token}");
        let expected = "Tableau refused: destination \"https://abc.example.com and [redacted]";
        assert_eq!(redaction.text(&error), expected);
    }
}
