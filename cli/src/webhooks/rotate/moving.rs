//! Gives webhooks the new token.

use super::Rotation;
use crate::out::{line, note, problem};
use crate::token_secret::Held;
use crate::webhooks::shown::{STATE_SINCE, Shown, secrets_of};
use secrecy::{ExposeSecret, SecretString};
use tableau_client::{NewWebhook, Webhook, WebhookChange};
use url::Url;
use webhooks::SETTLING;
use workflow::BoxError;

/// A webhook with the old token, and the URL that it gets.
pub(super) struct Carrier<'l> {
    webhook: &'l Webhook,
    shown: &'l Shown,
    url: SecretString,
}

impl Rotation<'_> {
    /// The webhooks that carry `old` in a URL of any route of the stack: the stack's own and those of other people.
    pub(super) fn carriers<'l>(
        &self,
        listed: &'l [(Webhook, Shown)],
        old: &SecretString,
        new: &SecretString,
    ) -> Vec<Carrier<'l>> {
        let identity = &self.of.reconciler.identity;
        let found = listed.iter().filter_map(|(webhook, shown)| {
            let url = identity.with_token(&webhook.url, old, new)?;
            Some(Carrier { webhook, shown, url })
        });
        found.collect()
    }

    /// The webhooks that carry `old` in a URL of another address, which may lead to the stack too: through a proxy, or under another name.
    /// They do not get the new token, because it is not known who answers there.
    pub(super) fn elsewhere(&self, listed: &[(Webhook, Shown)], old: &SecretString) -> Vec<Shown> {
        let is_of_stack =
            |url: &str| self.of.reconciler.identity.with_token(url, old, &SecretString::default()).is_some();
        let found = listed.iter().filter(|(webhook, _)| {
            has_token(&webhook.url, old.expose_secret()) && !is_of_stack(&webhook.url)
        });
        found.map(|(_, shown)| shown.clone()).collect()
    }

    /// Moves all webhooks of the site that carry the old token, and lists them again until there is none. Returns whether there is none;
    /// those that cannot be moved are named.
    pub(super) async fn move_webhooks(&mut self, held: &Held) -> Result<bool, BoxError> {
        let new = &held.tokens.current;
        let Some(old) =
            held.tokens.previous.as_ref().filter(|old| old.expose_secret() != new.expose_secret())
        else {
            return Ok(true);
        };
        let mut is_settled = false;
        let mut before = usize::MAX;
        loop {
            let listed = self.of.site.webhooks().await?;
            let carriers = self.carriers(&listed, old, new);
            if carriers.is_empty() {
                self.done.failed.clear();
                return Ok(true);
            }
            if carriers.len() >= before {
                self.name_failed(&carriers);
                return Ok(false);
            }
            before = carriers.len();
            if !is_settled {
                self.settle(held).await?;
                is_settled = true;
            }
            self.done.failed.clear();
            for carrier in &carriers {
                // Another process may have rotated while this one waited: a token that is no longer valid must not go into a URL.
                if !self.secret.read().await?.is(held) {
                    return Err(self.secret.changed());
                }
                match self.move_one(carrier, held, &listed).await? {
                    Ok(()) => {
                        if !self.options.json {
                            line!("moved    {}", carrier.shown.words())?;
                        }
                        self.done.moved.push(carrier.shown.clone());
                    }
                    Err(why) => self.done.failed.push((carrier.shown.clone(), why)),
                }
            }
        }
    }

    /// Names the webhooks that still have the old token, and why.
    fn name_failed(&mut self, carriers: &[Carrier<'_>]) {
        self.done.failed.retain(|(failed, _)| carriers.iter().any(|left| left.shown.luid == failed.luid));
        for carrier in carriers {
            if !self.done.failed.iter().any(|(failed, _)| failed.luid == carrier.shown.luid) {
                let why = "Tableau still lists the old URL".to_owned();
                self.done.failed.push((carrier.shown.clone(), why));
            }
        }
        for (shown, why) in &self.done.failed {
            problem(format!("{} keeps the old token: {why}", shown.words()));
        }
    }

    /// Waits until the ingress has had time to learn the token. A process that was killed may have written it a moment ago.
    async fn settle(&self, held: &Held) -> Result<(), BoxError> {
        let left = SETTLING.saturating_sub(held.at.elapsed());
        if !left.is_zero() {
            note(format!("waiting {} s, until the stack knows the new token", left.as_secs() + 1));
            tokio::time::sleep(left).await;
        }
        // A token that is no longer in the secret must not go into a URL.
        if self.secret.read().await?.is(held) { Ok(()) } else { Err(self.secret.changed()) }
    }

    /// Gives one webhook its new URL. The inner error is about this webhook alone.
    async fn move_one(
        &self,
        carrier: &Carrier<'_>,
        held: &Held,
        listed: &[(Webhook, Shown)],
    ) -> Result<Result<(), String>, BoxError> {
        let site = self.of.site;
        let Carrier { webhook, url, .. } = carrier;
        let moved = if site.version().await? >= STATE_SINCE {
            let change =
                WebhookChange { url: Some(url.expose_secret().to_owned()), ..WebhookChange::default() };
            site.tableau().update_webhook(&webhook.id, &change).await.map(drop)
        } else {
            let Some(event) = &webhook.event else {
                return Ok(Err("Tableau does not say for which event it is".to_owned()));
            };
            // A process that was killed may have made the copy.
            let is_copy = |(other, _): &(Webhook, Shown)| {
                other.event == webhook.event && other.name == webhook.name && other.url == url.expose_secret()
            };
            let new = NewWebhook {
                name: webhook.name.clone(),
                event: event.clone(),
                url: url.expose_secret().to_owned(),
                is_enabled: true,
            };
            // The copy comes first, so that no event is missed. One that both send is handled once.
            let copied = match listed.iter().any(is_copy) {
                true => Ok(()),
                false => site.tableau().create_webhook(&new).await.map(drop),
            };
            match copied {
                Ok(()) => match site.tableau().delete_webhook(&webhook.id).await {
                    Err(error) if error.is_not_found() => Ok(()),
                    deleted => deleted,
                },
                error => error,
            }
        };
        let tokens = [Some(held.tokens.current.clone()), held.tokens.previous.clone()];
        let secrets = secrets_of(&webhook.url).and(tokens.into_iter().flatten());
        match moved {
            Ok(()) => Ok(Ok(())),
            Err(error) => Ok(Err(site.failed_for_one(&error, &secrets)?.to_string())),
        }
    }
}

/// Whether a URL has a token as a part of its path or as a value of its query.
fn has_token(url: &str, token: &str) -> bool {
    let Ok(url) = url.parse::<Url>() else { return false };
    let in_path = url.path_segments().is_some_and(|mut segments| segments.any(|segment| segment == token));
    // A plus sign is itself to the ingress, and a space in a form.
    let as_sent = |pair: &str| pair.split_once('=').is_some_and(|(_, value)| value == token);
    in_path
        || url.query_pairs().any(|(_, value)| value == token)
        || url.query().is_some_and(|query| query.split('&').any(as_sent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_whole_part_of_a_url() {
        for (url, expected) in [
            ("https://a.example/x/token-1", true),
            ("https://a.example/token-1/x", true),
            ("https://a.example/?key=token-1", true),
            ("https://a.example/?a=b&key=token-1", true),
            ("https://a.example/token-10", false),
            ("https://token-1.example/x", false),
            ("token-1", false),
        ] {
            assert_eq!(has_token(url, "token-1"), expected, "{url}");
        }
    }
}
