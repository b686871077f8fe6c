//! Which webhooks are the stack's own, and what they look like. No I/O.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::fmt;
use tableau::EventName;
use tableau_client::Webhook;
use url::Url;

/// How many hexadecimal digits of the hash of the stack's id a name has.
const MARK_DIGITS: usize = 8;
/// The query parameter that may carry the token.
const TOKEN: &str = "token";

/// Recognises the webhooks that one stack has registered.
///
/// Names alone prove nothing, since people copy them, and neither do addresses: people register webhooks by hand. A webhook is the
/// stack's own if two of three things are so: its name ends with the stack's mark, it points to the stack, and the stack's table knows
/// its LUID.
#[derive(Clone)]
pub struct Identity {
    stack: String,
    mark: String,
    base: Url,
}

/// Why there is no identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidIdentity {
    /// The id of the stack is no ARN of a stack.
    #[error("the stack's id is not of the form arn:aws:cloudformation:<region>:<account>:stack/<name>/<id>")]
    Stack,
    /// The webhook URL is none.
    #[error("the stack's webhook URL is not an http address without a token, such as https://…/webhook")]
    Url,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("stack", &self.stack)
            .field("mark", &self.mark)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// The identity of the stack with this ARN, whose webhooks post to `base`, with the token as one more part of the path.
    ///
    /// # Errors
    /// [`InvalidIdentity`].
    pub fn new(stack_id: &str, base: &str) -> Result<Self, InvalidIdentity> {
        let resource = stack_id.splitn(6, ':').nth(5).and_then(|resource| resource.strip_prefix("stack/"));
        let name = resource.and_then(|resource| resource.split('/').next()).filter(|name| !name.is_empty());
        let stack = name.ok_or(InvalidIdentity::Stack)?.to_owned();
        let base: Url = base.trim_end_matches('/').parse().map_err(|_| InvalidIdentity::Url)?;
        let is_plain = base.query().is_none() && base.fragment().is_none();
        if !is_plain || base.cannot_be_a_base() || base.host_str().is_none() || base.path() == "/" {
            return Err(InvalidIdentity::Url);
        }
        let hash = Sha256::digest(stack_id.as_bytes());
        let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { stack, mark: format!("#{}", &digits[..MARK_DIGITS]), base })
    }

    /// The name of the webhook for an event.
    pub fn name(&self, event: &EventName) -> String {
        format!("{} {event} {}", self.stack, self.mark)
    }

    /// What the names of the stack's webhooks end with.
    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// The URL with a token.
    pub fn url(&self, token: &SecretString) -> SecretString {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.push(token.expose_secret());
        }
        String::from(url).into()
    }

    /// Whether a URL leads to the stack's common ingress, with whatever token.
    pub fn is_ingress(&self, url: &str) -> bool {
        let Some(url) = self.of_stack(url) else { return false };
        let rest = url.path().strip_prefix(self.base.path());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Whether a webhook is the stack's own. `is_known`: whether the stack's table has its LUID.
    pub fn owns(&self, webhook: &Webhook, is_known: bool) -> bool {
        let signs = [webhook.name.ends_with(&self.mark), self.is_ingress(&webhook.url), is_known];
        signs.into_iter().filter(|sign| *sign).count() >= 2
    }

    /// The URL with `new` in place of `old`, if it leads to any route of this stack's API and carries `old`.
    pub fn with_token(&self, url: &str, old: &SecretString, new: &SecretString) -> Option<SecretString> {
        let mut url = self.of_stack(url)?;
        let old = old.expose_secret();
        let is_old = |text: &str| percent_decode_str(text).decode_utf8().is_ok_and(|text| text == old);
        let segments: Vec<String> = url.path_segments()?.map(str::to_owned).collect();
        // As the ingress reads a query: a plus sign is itself.
        let pairs: Vec<(String, String)> = url.query().map(pairs_of).unwrap_or_default();
        let is_token = |name: &str, value: &str| name == TOKEN && (value == old || is_old(value));
        let in_path = segments.iter().any(|segment| is_old(segment));
        let in_query = pairs.iter().any(|(name, value)| is_token(name, value));
        if in_path {
            let decoded = |segment: &String| percent_decode_str(segment).decode_utf8_lossy().into_owned();
            let segments = segments.iter().map(|segment| match is_old(segment) {
                true => new.expose_secret().to_owned(),
                false => decoded(segment),
            });
            let segments: Vec<String> = segments.collect();
            url.path_segments_mut().ok()?.clear().extend(segments);
        }
        if in_query {
            let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            let renewed = pairs.iter().map(|(name, value)| match is_token(name, value) {
                true => format!("{name}={}", encoded(new.expose_secret())),
                false if value.is_empty() => name.clone(),
                false => format!("{name}={value}"),
            });
            let renewed: Vec<String> = renewed.collect();
            url.set_query(Some(&renewed.join("&")));
        }
        (in_path || in_query).then(|| String::from(url).into())
    }

    /// The URL, if it leads to the server of this stack.
    fn of_stack(&self, url: &str) -> Option<Url> {
        let url: Url = url.parse().ok()?;
        (url.origin() == self.base.origin()).then_some(url)
    }
}

/// The parameters of a query, as they are written.
fn pairs_of(query: &str) -> Vec<(String, String)> {
    let pair = |text: &str| {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        (name.to_owned(), value.to_owned())
    };
    query.split('&').map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const STACK: &str = "arn:aws:cloudformation:eu-central-1:123456789012:stack/tableau-webhooks/0a1b2c";
    const BASE: &str = "https://abc.execute-api.eu-central-1.amazonaws.com/webhook";

    fn identity() -> Identity {
        Identity::new(STACK, BASE).unwrap()
    }

    fn webhook(name: &str, url: &str) -> Webhook {
        let destination = json!({ "webhook-destination-http": { "url": url } });
        serde_json::from_value(json!({ "id": "w-1", "name": name, "webhook-destination": destination }))
            .unwrap()
    }

    #[test]
    fn a_webhook_is_the_stacks_own_by_two_of_three_signs() {
        let identity = identity();
        let ours = identity.name(&EventName::SiteUpdated);
        let here = format!("{BASE}/token");
        let other = Identity::new(&STACK.replace("0a1b2c", "9f9f9f"), BASE).unwrap();
        let others = other.name(&EventName::SiteUpdated);
        for (name, url, is_known, expected) in [
            (ours.as_str(), here.as_str(), false, true),
            (&ours, "https://else.example/webhook", true, true),
            ("renamed by a person", &here, true, true),
            ("made by hand", &here, false, false),
            (&ours, "https://else.example/webhook", false, false),
            // Of an earlier stack of the same name, whose table was copied.
            (&others, "https://else.example/webhook", true, false),
            (&others, &here, false, false),
            ("foreign", "https://else.example/webhook", false, false),
        ] {
            assert_eq!(identity.owns(&webhook(name, url), is_known), expected, "{name} {url} {is_known}");
        }
    }

    #[test]
    fn the_ingress_is_one_path_of_one_server() {
        let identity = identity();
        for (url, expected) in [
            (BASE.to_owned(), true),
            (format!("{BASE}/x"), true),
            (format!("{BASE}?token=x"), true),
            (BASE.replace("https", "HTTPS"), true),
            (format!("{BASE}s/notify-slack/x"), false),
            (BASE.replace("abc", "abd"), false),
            (BASE.replace("https", "http"), false),
            ("no address".to_owned(), false),
        ] {
            assert_eq!(identity.is_ingress(&url), expected, "{url}");
        }
    }

    #[test]
    fn a_token_is_replaced_wherever_a_url_of_the_stack_carries_it() {
        let identity = identity();
        let old: SecretString = "o/ld token".into();
        let new: SecretString = "new".into();
        let server = BASE.trim_end_matches("/webhook");
        for (url, expected) in [
            (
                identity.url(&old).expose_secret().to_owned(),
                Some(identity.url(&new).expose_secret().to_owned()),
            ),
            (
                format!("{server}/webhooks/notify-slack/o%2Fld%20token"),
                Some(format!("{server}/webhooks/notify-slack/new")),
            ),
            (format!("{BASE}?a=1&token=o/ld%20token"), Some(format!("{BASE}?a=1&token=new"))),
            (format!("{BASE}?other=o/ld%20token"), None),
            // A plus sign is one, and no space.
            (format!("{BASE}?token=o/ld+token"), None),
            (format!("{BASE}/new"), None),
            ("https://else.example/webhook/o%2Fld%20token".to_owned(), None),
        ] {
            let renewed = identity.with_token(&url, &old, &new);
            assert_eq!(renewed.map(|url| url.expose_secret().to_owned()), expected, "{url}");
        }
    }

    #[test]
    fn a_token_with_a_plus_sign_is_found_in_a_query_as_the_ingress_reads_it() {
        let renewed =
            identity().with_token(&format!("{BASE}?token=ab+cd&x=1"), &"ab+cd".into(), &"new".into());
        assert_eq!(renewed.unwrap().expose_secret(), format!("{BASE}?token=new&x=1"));
    }

    #[test]
    fn an_identity_needs_the_arn_of_a_stack_and_an_address_without_token() {
        for stack in [
            "",
            "tableau-webhooks",
            "arn:aws:cloudformation:r:1:changeSet/x/y",
            "arn:aws:cloudformation:r:1:stack/",
        ] {
            assert_eq!(Identity::new(stack, BASE).unwrap_err(), InvalidIdentity::Stack, "{stack}");
        }
        for base in ["", "webhook", "https://a.example", "https://a.example/webhook?token=x", "mailto:a@b"] {
            assert_eq!(Identity::new(STACK, base).unwrap_err(), InvalidIdentity::Url, "{base}");
        }
        let shown = format!("{:?}", identity());
        assert!(!shown.contains("execute-api"), "{shown}");
    }
}
