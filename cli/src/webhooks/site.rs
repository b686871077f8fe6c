//! The site whose webhooks are meant: that of a stack, or any other.

use super::credential::credential;
use super::options::{AnySiteOptions, OtherSite, SiteOptions};
use super::shown::{STATE_SINCE, Shown};
use crate::http;
use crate::network::Cause;
use crate::options::TargetOptions;
use crate::out::note;
use crate::program;
use crate::stack::Stack;
use crate::stack_tableau;
use confidential::Secrets;
use serde_json::{Value, json};
use std::env::var_os;
use std::sync::Arc;
use std::time::Duration;
use tableau_client::{
    ApiVersion, Error, FixedCredential, OwnSession, Settings, TableauClient, TableauCredential, Webhook,
    WebhookLuid,
};
use workflow::{BoxError, chain};

/// What a session of a connected app may do.
const SCOPES: [&str; 5] = [
    "tableau:webhooks:read",
    "tableau:webhooks:create",
    "tableau:webhooks:update",
    "tableau:webhooks:delete",
    "tableau:webhooks:test",
];
/// The first REST API version in which connected apps have these scopes.
const SCOPES_SINCE: ApiVersion = ApiVersion::new(3, 27);
/// How long Tableau may take for one call, with its repetitions.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A site, and how to ask it.
pub(super) struct Site {
    client: TableauClient,
    /// The session, where it is ours alone.
    own: Option<OwnSession>,
    /// Whether a connected app signs in to it.
    is_app: bool,
    pub(super) stack: Option<Stack>,
    /// Whether it is the local stack.
    pub(super) is_local: bool,
    /// The words with which another command line finds the same site.
    words: String,
    /// The same for the stack.
    stack_words: String,
}

/// Does the work at the site, and ends the session if it is our own.
pub(super) async fn at<T>(
    options: &SiteOptions,
    work: impl AsyncFnOnce(&Site) -> Result<T, BoxError>,
) -> Result<T, BoxError> {
    let site = match &options.server {
        None => Site::of_stack(&options.target).await?,
        Some(server) => Site::of_server(server, &options.other)?,
    };
    within(site, work).await
}

/// The same at a site whose webhooks post to a stack.
pub(super) async fn at_any<T>(
    options: &AnySiteOptions,
    work: impl AsyncFnOnce(&Site) -> Result<T, BoxError>,
) -> Result<T, BoxError> {
    let Some(server) = &options.server else {
        return within(Site::of_stack(&options.target).await?, work).await;
    };
    let site = Site::of_server(server, &options.other)?;
    let stack = Stack::find(&options.target).await?;
    let stack_words = words(&options.target);
    let words = format!("{}{stack_words}", site.words);
    within(Site { stack: Some(stack), is_local: options.target.local, words, stack_words, ..site }, work)
        .await
}

async fn within<T>(site: Site, work: impl AsyncFnOnce(&Site) -> Result<T, BoxError>) -> Result<T, BoxError> {
    let done = work(&site).await;
    if let Some(own) = site.own
        && let Err(error) = own.sign_out().await
    {
        note(format!(
            "note: the session at Tableau is still open, until it has been idle for too long: {error}"
        ));
    }
    done
}

impl Site {
    async fn of_stack(target: &TargetOptions) -> Result<Self, BoxError> {
        let stack = Stack::find(target).await?;
        let client = stack_tableau::client_for(&stack, &SCOPES).await?;
        let is_local = target.local;
        let words = words(target);
        let stack_words = words.clone();
        Ok(Self { client, own: None, is_app: false, stack: Some(stack), is_local, words, stack_words })
    }

    fn of_server(server: &str, other: &OtherSite) -> Result<Self, BoxError> {
        let site = other.site.as_deref().unwrap_or_default();
        let version = other.api_version.as_deref().unwrap_or_default();
        let settings = Settings::new(server, site, version)
            .map_err(|error| format!("--server, --site or --api-version: {error}"))?
            .with_scopes(&SCOPES);
        let credential = credential(|name| var_os(name))?;
        let is_app = matches!(credential, TableauCredential::ConnectedApp(_));
        let credential = FixedCredential::new(credential);
        let http = http::client(Some(settings.server().as_url()))?;
        let mut words = format!(" --server {}", settings.server().origin().ascii_serialization());
        if !site.is_empty() {
            words.push_str(&format!(" --site {site}"));
        }
        let own = OwnSession::new(http, settings, Arc::new(credential));
        let client = TableauClient::clone(&own);
        let stack_words = String::new();
        Ok(Self { client, own: Some(own), is_app, stack: None, is_local: false, words, stack_words })
    }

    /// Whether it is the site of the stack, whose session its functions share.
    pub(super) fn is_of_stack(&self) -> bool {
        self.own.is_none()
    }

    /// The client, for work that limits its time itself.
    pub(super) fn client(&self) -> &TableauClient {
        &self.client
    }

    /// A client for the next call.
    pub(super) fn tableau(&self) -> TableauClient {
        self.client.within(TIMEOUT)
    }

    /// The site in words.
    pub(super) fn place(&self) -> String {
        let settings = self.client.settings();
        let server = settings.server().origin().ascii_serialization();
        match settings.site.as_str() {
            "" => format!("the default site at {server}"),
            site => format!("the site `{site}` at {server}"),
        }
    }

    /// A command line for the same site: `command` is what follows `webhooks`.
    pub(super) fn command(&self, command: &str) -> String {
        format!("{} webhooks {command}{}", program::typed(), self.words)
    }

    /// The same for the site of the stack.
    pub(super) fn command_for_stack(&self, command: &str) -> String {
        format!("{} webhooks {command}{}", program::typed(), self.stack_words)
    }

    /// The site in the members of a JSON object.
    pub(super) fn json(&self) -> Value {
        let settings = self.client.settings();
        json!({ "server": settings.server().origin().ascii_serialization(), "site": settings.site })
    }

    /// All webhooks of the site, in the order of names, and how they may be shown.
    pub(super) async fn webhooks(&self) -> Result<Vec<(Webhook, Shown)>, BoxError> {
        let version = self.version().await?;
        if self.is_app && version < SCOPES_SINCE {
            return Err(format!(
                "REST API {version}, which {} uses, lets no connected app manage webhooks: {SCOPES_SINCE} and later do. Use a \
                 personal access token",
                self.place()
            )
            .into());
        }
        let webhooks = self.tableau().webhooks().all(usize::MAX).await;
        let webhooks = webhooks.map_err(|error| self.failed(&error, &Secrets::default()))?;
        let mut all: Vec<_> = webhooks
            .into_iter()
            .map(|webhook| {
                let shown = Shown::of(&webhook, version);
                (webhook, shown)
            })
            .collect();
        let key = |shown: &Shown| (shown.name.clone(), shown.event.clone(), shown.luid.clone());
        all.sort_by_cached_key(|(_, shown)| key(shown));
        Ok(all)
    }

    /// How a webhook may be shown that Tableau has just answered.
    pub(super) async fn shown(&self, webhook: &Webhook) -> Result<Shown, BoxError> {
        Ok(Shown::of(webhook, self.version().await?))
    }

    /// The version of the REST API. Without a time limit: then a server that cannot be reached is soon an error.
    pub(super) async fn version(&self) -> Result<ApiVersion, BoxError> {
        let version = self.client.session_version().await;
        version.map_err(|error| self.failed(&error, &Secrets::default()))
    }

    /// Checks that the REST API can change webhooks.
    ///
    /// # Errors
    /// It is too old. The error says what to do instead.
    pub(super) async fn check_can_change(&self, what: &str, luid: &WebhookLuid) -> Result<(), BoxError> {
        let version = self.version().await?;
        if version >= STATE_SINCE {
            return Ok(());
        }
        Err(format!(
            "REST API {version}, which {} uses, cannot {what} webhooks: {STATE_SINCE} and later can. Create a webhook as you want \
             it with `webhooks create`, then `{}`",
            self.place(),
            self.command(&format!("delete {luid}"))
        )
        .into())
    }

    /// The error of a call, without these secrets.
    pub(super) fn failed(&self, error: &Error, secrets: &Secrets) -> BoxError {
        let advice = match error {
            Error::SessionRefused { stolen: false, .. } => {
                "; connected apps can manage webhooks from REST API 3.27 on: for an older server use a personal access token"
            }
            error if error.code() == Some("403000") => {
                "; only administrators of the server or the site may manage webhooks"
            }
            _ => "",
        };
        let what = format!("{}: {}{advice}", self.place(), words_of(error));
        secrets.redact_text(&what).into_owned().into()
    }

    /// The same for an error about one webhook.
    ///
    /// # Errors
    /// It is about more than that webhook: the same call would fail for the next one.
    pub(super) fn failed_for_one(&self, error: &Error, secrets: &Secrets) -> Result<BoxError, BoxError> {
        let failed = self.failed(error, secrets);
        if concerns_one(error) { Ok(failed) } else { Err(failed) }
    }
}

/// An error and its causes in a sentence. Of a server that does not answer, it says what to check.
fn words_of(error: &Error) -> String {
    match error {
        Error::Unreachable { operation, host, source } => {
            format!("{operation}: {}", Cause::of(source).words(host))
        }
        Error::OutOfTime { source: Some(last), .. } => words_of(last),
        error => chain(error),
    }
}

/// Whether an error is about one webhook, so that the same call may succeed for another.
fn concerns_one(error: &Error) -> bool {
    matches!(error, Error::Refused { status: 400 | 404 | 409, .. })
}

/// The words that choose the same stack.
fn words(target: &TargetOptions) -> String {
    let stack = Some(&target.stack).filter(|_| !target.local).map(String::as_str);
    let options = [
        ("--stack", stack.filter(|stack| *stack != crate::options::STACK)),
        ("--region", target.region.as_deref()),
        ("--profile", target.profile.as_deref()),
    ];
    let mut words = if target.local { " --local".to_owned() } else { String::new() };
    for (option, value) in options {
        if let Some(value) = value {
            words.push_str(&format!(" {option} {value}"));
        }
    }
    if let Some(url) = &target.endpoint_url {
        words.push_str(&format!(" --endpoint-url {}", url.origin().ascii_serialization()));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_for_a_stack_are_what_was_given() {
        let usual = TargetOptions {
            stack: crate::options::STACK.to_owned(),
            region: None,
            profile: None,
            endpoint_url: None,
            local: false,
        };
        assert_eq!(words(&usual), "");
        let other = TargetOptions {
            stack: "other".to_owned(),
            region: Some("eu-central-1".to_owned()),
            profile: Some("data".to_owned()),
            endpoint_url: Some("http://u:hunter2@localhost:4566/x".parse().unwrap()),
            ..usual.clone()
        };
        let expected =
            " --stack other --region eu-central-1 --profile data --endpoint-url http://localhost:4566";
        assert_eq!(words(&other), expected);
        assert_eq!(words(&TargetOptions { local: true, ..usual }), " --local");
    }
}
