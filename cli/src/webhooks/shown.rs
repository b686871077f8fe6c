//! A webhook as it may be printed: of its URL only the origin, because the rest holds the token. No I/O.

use crate::out::plain;
use confidential::Secrets;
use secrecy::SecretString;
use serde_json::{Value, json};
use tableau_client::{ApiVersion, Webhook};
use url::Url;

/// The first REST API version that says whether a webhook is enabled, and that can change one.
pub(super) const STATE_SINCE: ApiVersion = ApiVersion::new(3, 8);
/// A part of a URL that is shorter than this may be a word, such as the name of a flow.
const SHORTEST_TOKEN: usize = 16;
/// How many digits of a LUID a narrow table shows.
const SHOWN_DIGITS: usize = 8;

/// Whether Tableau sends events to a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Enabled,
    /// With the reason that Tableau has, which may be empty.
    Disabled(String),
    /// The REST API is too old to say it.
    Unknown,
}

/// A webhook as it may be printed.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) luid: String,
    pub(super) name: String,
    pub(super) event: String,
    pub(super) state: State,
    /// The origin of the URL.
    pub(super) destination: String,
    owner: Option<String>,
    owner_luid: Option<String>,
}

/// Scheme, host and port of a webhook's URL.
pub(super) fn origin(url: &str) -> String {
    match Url::parse(url) {
        Ok(url) if url.has_host() => url.origin().ascii_serialization(),
        _ => "an address that cannot be read".to_owned(),
    }
}

/// Everything in a webhook's URL that may be secret.
pub(super) fn secrets_of(url: &str) -> Secrets {
    Url::parse(url).map_or_else(|_| Secrets::new([SecretString::from(url)]), |url| Secrets::of_url(&url))
}

/// Texts from outside about several webhooks, without what is secret in them.
#[derive(Clone, Default)]
pub(super) struct Safe(Secrets);

impl Safe {
    /// Takes out what the URLs hold, and these tokens.
    pub(super) fn of<'u>(
        urls: impl Iterator<Item = &'u str>,
        tokens: impl IntoIterator<Item = SecretString>,
    ) -> Self {
        Self(Secrets::new(urls.flat_map(parts_of).chain(tokens)))
    }

    /// The text for a JSON object.
    pub(super) fn text(&self, text: &str) -> String {
        self.0.redact_text(&without_paths(text)).into_owned()
    }

    /// The text for people, on one line.
    pub(super) fn plain(&self, text: &str) -> String {
        plain(&self.text(text))
    }
}

/// The parts of a webhook's URL that look generated. Its name may have words of the URL; they are no secret.
fn tokens_of(url: &str) -> Secrets {
    Secrets::new(parts_of(url))
}

fn parts_of(url: &str) -> Vec<SecretString> {
    let Ok(url) = Url::parse(url) else { return vec![SecretString::from(url)] };
    let is_token = |part: &String| {
        let has = |is: fn(char) -> bool| part.chars().any(is);
        part.len() >= SHORTEST_TOKEN
            && has(|c| c.is_ascii_alphabetic())
            && (has(|c| c.is_ascii_digit()) || has(|c| c.is_ascii_uppercase()))
    };
    let segments = url.path_segments().into_iter().flatten().map(str::to_owned);
    let values = url.query_pairs().map(|(_, value)| value.into_owned());
    segments.chain(values).filter(is_token).map(SecretString::from).collect()
}

/// The text with only the origin of each address in it: people and Tableau write addresses into names and reasons.
fn without_paths(text: &str) -> String {
    let word = |word: &str| {
        let Some(at) = word.find("://") else { return word.to_owned() };
        let begin = word[..at].rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |before| before + 1);
        let Some((before, address)) = word.split_at_checked(begin) else { return String::new() };
        format!("{before}{}", origin(address))
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

impl Shown {
    pub(super) fn of(webhook: &Webhook, version: ApiVersion) -> Self {
        let tokens = tokens_of(&webhook.url);
        let safe = |text: &str| tokens.redact_text(&without_paths(text)).into_owned();
        let state = match webhook.is_enabled {
            _ if version < STATE_SINCE => State::Unknown,
            true => State::Enabled,
            false => State::Disabled(safe(&webhook.status_change_reason)),
        };
        let owner = webhook.owner.as_ref();
        Self {
            luid: webhook.id.to_string(),
            name: safe(&webhook.name),
            event: webhook.event.as_ref().map(|event| event.as_str().to_owned()).unwrap_or_default(),
            state,
            destination: origin(&webhook.url),
            owner: owner.and_then(|owner| owner.name.clone().or_else(|| owner.full_name.clone())),
            owner_luid: owner.and_then(|owner| owner.id.as_ref().map(ToString::to_string)),
        }
    }

    /// The members of the webhook's JSON object.
    pub(super) fn json(&self) -> Value {
        let (enabled, reason) = match &self.state {
            State::Enabled => (Some(true), None),
            State::Disabled(reason) => (Some(false), Some(reason)),
            State::Unknown => (None, None),
        };
        json!({
            "luid": self.luid, "name": self.name, "event": self.event, "enabled": enabled, "reason": reason,
            "destination": self.destination, "owner": self.owner, "owner_luid": self.owner_luid,
        })
    }

    /// The object with what has become of the webhook.
    pub(super) fn json_with(&self, result: &str) -> Value {
        let mut object = self.json();
        object["result"] = Value::from(result);
        object
    }

    /// The state in words.
    pub(super) fn state(&self) -> String {
        match &self.state {
            State::Enabled => "enabled".to_owned(),
            State::Disabled(reason) if reason.trim().is_empty() => "disabled".to_owned(),
            State::Disabled(reason) => format!("disabled: {}", plain(reason)),
            State::Unknown => "–".to_owned(),
        }
    }

    /// The owner: the name if Tableau says it, else the LUID.
    fn owner(&self) -> String {
        let owner = self.owner.as_ref().or(self.owner_luid.as_ref());
        owner.map_or_else(|| "–".to_owned(), |owner| plain(owner))
    }

    /// The cells of a table. In a narrow one only as many digits of the LUID as commands need.
    pub(super) fn row(&self, is_narrow: bool) -> [String; 6] {
        let luid = plain(&self.luid);
        let luid = if is_narrow { luid.chars().take(SHOWN_DIGITS).collect() } else { luid };
        [plain(&self.name), plain(&self.event), self.state(), plain(&self.destination), self.owner(), luid]
    }

    /// The webhook in a few words: `` `name` (event, LUID) ``.
    pub(super) fn words(&self) -> String {
        format!("`{}` ({}, {})", plain(&self.name), plain(&self.event), plain(&self.luid))
    }

    /// The webhook in lines, the first of which is `head`.
    pub(super) fn lines(&self, head: &str) -> Vec<String> {
        let [name, event, state, destination, owner, luid] = self.row(false);
        let fields = [
            ("name", name),
            ("event", event),
            ("state", state),
            ("host", destination),
            ("owner", owner),
            ("luid", luid),
        ];
        let fields = fields.into_iter().map(|(field, value)| format!("  {field:<8} {value}"));
        std::iter::once(head.to_owned()).chain(fields).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfG";
    const OLD: ApiVersion = ApiVersion::new(3, 7);

    fn webhook(value: Value) -> Webhook {
        let mut object = json!({
            "id": "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9", "name": "n", "event": "SiteUpdated", "isEnabled": false,
            "webhook-destination": {"webhook-destination-http": {
                "url": format!("https://abc.example.com:8443/webhook/{TOKEN}?key={TOKEN}"),
            }},
        });
        for (key, member) in value.as_object().unwrap() {
            object[key] = member.clone();
        }
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn of_a_url_only_the_origin_is_shown() {
        for (url, expected) in [
            ("https://abc.example.com/webhook/x?token=y#z", "https://abc.example.com"),
            ("https://u:hunter2@abc.example.com:8443/x", "https://abc.example.com:8443"),
            ("http://127.0.0.1:80/x", "http://127.0.0.1"),
            ("hunter2", "an address that cannot be read"),
            ("mailto:hunter2@example.com", "an address that cannot be read"),
            ("", "an address that cannot be read"),
        ] {
            assert_eq!(origin(url), expected, "{url}");
        }
    }

    #[test]
    fn a_name_or_reason_with_the_url_or_its_token_does_not_show_them() {
        let reason = format!(
            "POST to https://abc.example.com:8443/webhook/{TOKEN} failed (\"https://x.example/{TOKEN}\")"
        );
        let webhook =
            webhook(json!({ "name": format!("to {TOKEN}\u{1b}[2J"), "statusChangeReason": reason }));
        let shown = Shown::of(&webhook, STATE_SINCE);
        let state = "disabled: POST to https://abc.example.com:8443 failed (\"https://x.example";
        assert_eq!(shown.state(), state);
        assert_eq!(shown.row(false)[0], "to [redacted]");
        let everything =
            format!("{shown:?}{}{:?}{}", shown.json(), shown.row(true), shown.lines("x").join("\n"));
        assert!(!everything.contains(TOKEN) && !everything.contains("/webhook"), "{everything}");
    }

    #[test]
    fn words_of_the_url_may_be_in_the_name() {
        let url = "https://flow.example.com/production-alerts/tableau-refresh-failed";
        let destination = json!({ "webhook-destination-http": { "url": url } });
        let webhook =
            webhook(json!({ "name": "tableau-refresh-failed", "webhook-destination": destination }));
        assert_eq!(Shown::of(&webhook, STATE_SINCE).name, "tableau-refresh-failed");
    }

    #[test]
    fn the_state_is_unknown_where_the_rest_api_does_not_say_it() {
        let off =
            Shown::of(&webhook(json!({ "statusChangeReason": "Webhook disabled by user" })), STATE_SINCE);
        assert_eq!(off.state(), "disabled: Webhook disabled by user");
        assert_eq!((&off.json()["enabled"], &off.json()["owner"]), (&json!(false), &Value::Null));
        assert_eq!(Shown::of(&webhook(json!({})), STATE_SINCE).state(), "disabled");
        let old = Shown::of(&webhook(json!({ "isEnabled": null })), OLD);
        assert_eq!((old.state().as_str(), &old.json()["enabled"]), ("–", &Value::Null));
        let on = Shown::of(
            &webhook(json!({ "isEnabled": true, "owner": { "id": "u-1", "name": "bea" } })),
            STATE_SINCE,
        );
        assert_eq!(
            on.row(true),
            ["n", "SiteUpdated", "enabled", "https://abc.example.com:8443", "bea", "0f1e2d3c"]
        );
        assert_eq!(on.words(), "`n` (SiteUpdated, 0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9)");
    }
}
