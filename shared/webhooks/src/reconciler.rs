//! Brings the webhooks of a site to what the rules need.

use crate::endpoint;
use crate::error::Error;
use crate::identity::Identity;
use crate::needed::{Needed, needed};
use crate::plan::{Plan, Situation, own};
use crate::registry::{Begin, Registry, Start};
use crate::report::{Failed, Report};
use crate::state::State;
use crate::step::{Action, Step};
use jiff::{SignedDuration, Timestamp};
use published_rules::{InForce, PublishedRules};
use rules::Rules;
use secrecy::{ExposeSecret, SecretString};
use secrets::{FRESH, SecretStore, WebhookTokens, parse};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use store::Documents;
use tableau::{DisabledWebhook, SiteLuid, WebhookLuid};
use tableau_client::{ApiVersion, NewWebhook, TableauClient, Webhook, WebhookChange, WebhookState};
use tokio::time::Instant;
use workflow::{BoxError, CredentialError, chain};

/// The first REST API version that can change webhooks.
const UPDATE_SINCE: ApiVersion = ApiVersion::new(3, 8);
/// How long a URL with a new token is kept back after the token was read: the ingress must have had time to read it too. More than
/// [`FRESH`], for which the ingress may have the token from before, and some for the store.
pub const SETTLING: Duration = Duration::from_secs(FRESH.as_secs() + 5);
/// How often a run that waits for another one looks.
const POLL: Duration = Duration::from_secs(1);

/// Brings the webhooks of a site to what the rules need.
pub struct Reconciler {
    /// The site.
    pub tableau: TableauClient,
    /// The rules.
    pub published: PublishedRules,
    /// Where the secret with the URL's token is. It is read in each run: a kept value could be older than the webhooks.
    pub secrets: Arc<dyn SecretStore>,
    /// The id of that secret.
    pub secret_id: String,
    /// Where the stack keeps what it knows about its webhooks.
    pub documents: Documents,
    /// Which webhooks are the stack's own.
    pub identity: Identity,
    /// For a test event to the stack's URL.
    pub http: reqwest::Client,
    /// Whether the stack takes refreshes by name.
    pub takes_refreshes: bool,
    /// How long a URL with a new token is kept back: [`SETTLING`], less only where no ingress has to learn the token.
    pub settling: Duration,
}

impl fmt::Debug for Reconciler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reconciler").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// One run.
#[derive(Clone, Debug)]
pub struct Run<'r> {
    /// Names the run: no two have the same.
    pub id: &'r str,
    /// Why it runs.
    pub purpose: Purpose<'r>,
    /// When it begins.
    pub now: Timestamp,
    /// How long it may take.
    pub budget: Duration,
}

/// Why a run runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose<'r> {
    /// CloudFormation deploys the stack.
    Deploy {
        /// The id of its request.
        request: &'r str,
        /// Whether the resource is new.
        is_new: bool,
    },
    /// The schedule. It leaves the work to another run that is at it.
    Routine,
    /// Rules were published. It waits for another run, which may have read the rules before.
    Prompt,
    /// A person has agreed to the plan with this [`Plan::digest`].
    Agreed(&'r str),
    /// The same, where the stack has no function that would do it: also after it has removed its webhooks with the function.
    ByHand(&'r str),
}

/// Takes what is to be announced.
pub trait Announce: Send + Sync {
    /// Announces one outage. It may be asked to announce the same again.
    fn announce(
        &self,
        disabled: &DisabledWebhook,
        site: &SiteLuid,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// What Tableau, the rules and the secret say.
#[derive(Debug)]
struct Seen {
    needed: Vec<Needed>,
    tokens: WebhookTokens,
    read_at: Instant,
    listed: Vec<Webhook>,
    can_update: bool,
}

/// The time of a run.
#[derive(Clone, Copy, Debug)]
struct Clock {
    began: Instant,
    now: Timestamp,
    end: Instant,
}

impl Clock {
    fn new(now: Timestamp, budget: Duration) -> Self {
        let began = Instant::now();
        Self { began, now, end: began + budget }
    }

    fn now(&self) -> Timestamp {
        let gone = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        self.now.checked_add(gone).unwrap_or(self.now)
    }

    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    fn end(&self) -> Timestamp {
        let left = SignedDuration::try_from(self.left()).unwrap_or_default();
        self.now().checked_add(left).unwrap_or(Timestamp::MAX)
    }
}

impl Reconciler {
    /// What a run would do now. Changes nothing.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn plan(&self, now: Timestamp, budget: Duration) -> Result<Plan, Error> {
        let clock = Clock::new(now, budget);
        let tableau = self.tableau.within(budget);
        let mut state = Registry::read(&self.documents).await?;
        let seen = within(clock, self.look(&tableau)).await?;
        state.observe(&own(&self.identity, &state.clone(), &seen.listed), now);
        let url = self.identity.url(&seen.tokens.current);
        Ok(Plan::of(&self.situation(&seen, &state, &url, now)))
    }

    /// Does what is to be done. `None` if CloudFormation has sent a request again that was handled.
    ///
    /// # Errors
    /// [`Error`]. What was done is kept, and the next run goes on.
    pub async fn run(&self, run: &Run<'_>, announce: &impl Announce) -> Result<Option<Report>, Error> {
        let clock = Clock::new(run.now, run.budget);
        let start = match run.purpose {
            Purpose::Deploy { request, is_new } => Start::Deploy { request, is_new },
            Purpose::Routine | Purpose::Prompt | Purpose::Agreed(_) => Start::Routine,
            Purpose::ByHand(_) => Start::ByHand,
        };
        let may_wait = run.purpose != Purpose::Routine;
        let registry = Registry::new(self.documents.clone(), run.id.to_owned());
        let Begin::Leased(state) = begin(&registry, start, clock, may_wait).await? else { return Ok(None) };
        let result = self.leased(run, &registry, *state, clock, announce).await;
        registry.release(clock.now()).await?;
        result.map(Some)
    }

    async fn leased(
        &self,
        run: &Run<'_>,
        registry: &Registry,
        mut state: State,
        clock: Clock,
        announce: &impl Announce,
    ) -> Result<Report, Error> {
        let tableau = self.tableau.within(clock.left());
        let seen = within(clock, self.look(&tableau)).await?;
        let own = own(&self.identity, &state.clone(), &seen.listed);
        state.observe(&own, clock.now());
        let url = self.identity.url(&seen.tokens.current);
        let plan = Plan::of(&self.situation(&seen, &state, &url, clock.now()));
        if let Purpose::Agreed(digest) | Purpose::ByHand(digest) = run.purpose
            && plan.digest() != digest
        {
            return Err(Error::Changed);
        }
        // What was found out must not be lost if the process ends below.
        registry.save(&state, clock.now()).await?;
        let mut report = Report::of(&plan);
        let mut work =
            Work { tableau: &tableau, http: &self.http, url: &url, identity: &self.identity, endpoint: None };
        let moves = plan.steps.iter().any(|step| matches!(step.action, Action::Update | Action::Replace));
        if moves {
            let since = seen.read_at.elapsed();
            tokio::time::sleep(self.settling.saturating_sub(since).min(clock.left())).await;
        }
        let mut is_late = false;
        for step in &plan.steps {
            let webhook = step.luid.as_ref().and_then(|luid| own.iter().copied().find(|own| own.id == *luid));
            let done = match is_late {
                true => Err(Error::OutOfTime.to_string()),
                false => match tokio::time::timeout(clock.left(), work.perform(step, webhook)).await {
                    Ok(done) => done,
                    Err(_) => {
                        is_late = true;
                        Err(Error::OutOfTime.to_string())
                    }
                },
            };
            match done {
                Ok(done) => {
                    done.note(&mut state, step, clock.now());
                    report.done.push(step.clone());
                }
                Err(reason) => {
                    if let (Action::Enable, Some(luid)) = (step.action, &step.luid) {
                        let note = format!("It stays disabled: {reason}. The next run tries again.");
                        state.stays_disabled(luid, note);
                    }
                    report.failed.push(Failed { step: step.clone(), reason });
                }
            }
        }
        for waiting in &plan.waiting {
            state.stays_disabled(&waiting.luid, format!("It stays disabled: {}.", waiting.reason));
        }
        report.disabled = state.disabled();
        self.announce(&tableau, &mut state, registry, clock, announce).await?;
        Ok(report)
    }

    /// Announces what is to be announced. What cannot be announced now is announced by the next run.
    async fn announce(
        &self,
        tableau: &TableauClient,
        state: &mut State,
        registry: &Registry,
        clock: Clock,
        announce: &impl Announce,
    ) -> Result<(), Error> {
        let waiting = state.to_announce();
        registry.save(state, clock.now()).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        let site = match tableau.session_site().await {
            Ok(site) => site,
            Err(error) => {
                // The work is done: this must not fail a deploy.
                tracing::error!(reason = chain(&error), "outages are announced by the next run");
                return Ok(());
            }
        };
        for disabled in &waiting {
            match announce.announce(disabled, &site).await {
                Ok(()) => state.announced(disabled),
                Err(error) => {
                    let reason = chain(error.as_ref());
                    tracing::error!(webhook.luid = %disabled.webhook, reason, "an outage is announced by the next run");
                }
            }
        }
        registry.save(state, clock.now()).await
    }

    /// Deletes the stack's webhooks. Returns the names of those that are left, each with the reason; `None` if CloudFormation has sent
    /// a request again that was handled.
    ///
    /// # Errors
    /// [`Error`] if it is not known which webhooks there are.
    pub async fn remove(&self, run: &Run<'_>) -> Result<Option<Report>, Error> {
        let Purpose::Deploy { request, .. } = run.purpose else { return Ok(None) };
        let clock = Clock::new(run.now, run.budget);
        let registry = Registry::new(self.documents.clone(), run.id.to_owned());
        let start = Start::Removal { request };
        let Begin::Leased(state) = begin(&registry, start, clock, true).await? else { return Ok(None) };
        let removed = self.removed(*state, clock).await;
        registry.release(clock.now()).await?;
        let (state, report) = removed?;
        registry.note(clock.now(), |stored| stored.webhooks.clone_from(&state.webhooks)).await?;
        Ok(Some(report))
    }

    async fn removed(&self, mut state: State, clock: Clock) -> Result<(State, Report), Error> {
        let tableau = self.tableau.within(clock.left());
        let listed = within(clock, async { Ok(tableau.webhooks().all(usize::MAX).await?) }).await?;
        let own = own(&self.identity, &state.clone(), &listed);
        state.observe(&own, clock.now());
        let mut report = Report::default();
        for webhook in own {
            let step = Step {
                action: Action::Delete,
                event: webhook.event.clone(),
                name: webhook.name.clone(),
                luid: Some(webhook.id.clone()),
                reason: "the stack is deleted".to_owned(),
            };
            match tokio::time::timeout(clock.left(), tableau.delete_webhook(&webhook.id)).await {
                Ok(Ok(())) => {
                    state.forget(&webhook.id);
                    report.done.push(step);
                }
                Ok(Err(error)) => report.failed.push(Failed { step, reason: chain(&error) }),
                Err(_) => report.failed.push(Failed { step, reason: Error::OutOfTime.to_string() }),
            }
        }
        Ok((state, report))
    }

    /// Notes that a request of CloudFormation was handled, and whether the deploy that wants `wanted` failed.
    ///
    /// # Errors
    /// [`Error::Table`].
    pub async fn note_handled(
        &self,
        request: &str,
        failed: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let registry = Registry::new(self.documents.clone(), request.to_owned());
        let failed = failed.map(str::to_owned);
        let note = |state: &mut State| {
            state.handled(request);
            state.failed_deploy.clone_from(&failed);
        };
        registry.note(now, note).await
    }

    /// What the last deploy wanted, if it failed.
    ///
    /// # Errors
    /// [`Error::Table`].
    pub async fn failed_deploy(&self) -> Result<Option<String>, Error> {
        Ok(Registry::read(&self.documents).await?.failed_deploy)
    }

    fn situation<'s>(
        &'s self,
        seen: &'s Seen,
        state: &'s State,
        url: &'s SecretString,
        now: Timestamp,
    ) -> Situation<'s> {
        let Seen { needed, listed, can_update, .. } = seen;
        Situation { identity: &self.identity, needed, listed, state, url, can_update: *can_update, now }
    }

    async fn look(&self, tableau: &TableauClient) -> Result<Seen, Error> {
        let rules = self.rules().await?;
        let read_at = Instant::now();
        let tokens = self.tokens().await?;
        let listed = tableau.webhooks().all(usize::MAX).await?;
        let can_update = tableau.session_version().await? >= UPDATE_SINCE;
        let needed = needed(&rules, self.takes_refreshes);
        Ok(Seen { needed, tokens, read_at, listed, can_update })
    }

    async fn rules(&self) -> Result<Rules, Error> {
        match self.published.in_force().await.map_err(Error::Table)? {
            InForce::Nothing => {
                Err(Error::Rules("none are published: run `tableau-webhooks rules deploy`".to_owned()))
            }
            InForce::Damaged(reason, _) => Err(Error::Rules(reason)),
            InForce::Version(version, _) => {
                Rules::of_json(&version.form).map_err(|error| Error::Rules(chain(&error)))
            }
        }
    }

    /// The tokens of webhook URLs, as they are now.
    ///
    /// # Errors
    /// When the secret cannot be read or is malformed.
    pub async fn tokens(&self) -> Result<WebhookTokens, CredentialError> {
        let failed = |transient, source| CredentialError { name: self.secret_id.clone(), transient, source };
        let text = self.secrets.read(&self.secret_id).await;
        let text = text.map_err(|error| failed(error.transient, error.source))?;
        parse(&text).map_err(|problem| failed(false, problem.into()))
    }
}

async fn within<T>(clock: Clock, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(clock.left(), work).await.unwrap_or(Err(Error::OutOfTime))
}

/// Takes the lease; a run that may wait waits for half of its time.
async fn begin(registry: &Registry, start: Start<'_>, clock: Clock, may_wait: bool) -> Result<Begin, Error> {
    let patience = clock.left() / 2;
    loop {
        let begun = registry.begin(start, clock.now(), clock.end()).await;
        let may_wait = may_wait && clock.began.elapsed() < patience;
        match begun {
            Err(Error::Busy(_)) if may_wait => tokio::time::sleep(POLL).await,
            begun => return begun,
        }
    }
}

/// What carries steps out.
struct Work<'w> {
    tableau: &'w TableauClient,
    http: &'w reqwest::Client,
    url: &'w SecretString,
    identity: &'w Identity,
    /// Whether the stack's URL works, once it was tried.
    endpoint: Option<Result<(), String>>,
}

/// What has come of a step.
enum Done {
    /// There is a webhook as Tableau describes it now.
    Changed(Webhook),
    /// A new one has taken the place of another.
    Replaced(Webhook),
    Enabled,
    Deleted,
}

impl Done {
    fn note(&self, state: &mut State, step: &Step, now: Timestamp) {
        match (self, &step.luid) {
            (Self::Changed(webhook), _) => state.take(webhook, now),
            (Self::Replaced(webhook), old) => {
                state.take(webhook, now);
                old.iter().for_each(|luid| state.forget(luid));
            }
            (Self::Enabled, Some(luid)) => state.enabled(luid, now),
            (Self::Deleted, Some(luid)) => state.forget(luid),
            (Self::Enabled | Self::Deleted, None) => {}
        }
    }
}

impl Work<'_> {
    /// Carries a step out. `webhook` is the one that it is about.
    async fn perform(&mut self, step: &Step, webhook: Option<&Webhook>) -> Result<Done, String> {
        match (step.action, webhook, &step.event) {
            (Action::Create, _, Some(event)) => {
                let new = NewWebhook {
                    name: self.identity.name(event),
                    event: event.clone(),
                    url: self.url.expose_secret().to_owned(),
                    is_enabled: true,
                };
                self.tableau.create_webhook(&new).await.map(Done::Changed).map_err(|error| chain(&error))
            }
            (Action::Update, Some(webhook), Some(event)) => {
                let change = WebhookChange {
                    name: Some(self.identity.name(event)),
                    url: Some(self.url.expose_secret().to_owned()),
                    ..WebhookChange::default()
                };
                let changed = self.tableau.update_webhook(&webhook.id, &change).await;
                changed.map(Done::Changed).map_err(|error| chain(&error))
            }
            (Action::Replace, Some(webhook), Some(event)) => {
                let new = NewWebhook {
                    name: self.identity.name(event),
                    event: event.clone(),
                    url: self.url.expose_secret().to_owned(),
                    is_enabled: true,
                };
                // In this order no event is missed. One that both send is handled once.
                let new = self.tableau.create_webhook(&new).await.map_err(|error| chain(&error))?;
                if let Err(error) = self.tableau.delete_webhook(&webhook.id).await {
                    tracing::warn!(webhook.luid = %webhook.id, reason = chain(&error), "the next run deletes the replaced webhook");
                    return Ok(Done::Changed(new));
                }
                Ok(Done::Replaced(new))
            }
            (Action::Enable, Some(webhook), _) => {
                if self.endpoint.is_none() {
                    self.endpoint = Some(endpoint::check(self.tableau, self.http, webhook, self.url).await);
                }
                if let Some(Err(reason)) = &self.endpoint {
                    return Err(reason.clone());
                }
                let change = WebhookChange { state: Some(WebhookState::On), ..WebhookChange::default() };
                let changed = self.tableau.update_webhook(&webhook.id, &change).await;
                changed.map(|_| Done::Enabled).map_err(|error| chain(&error))
            }
            (Action::Delete, Some(webhook), _) => {
                let deleted = self.tableau.delete_webhook(&webhook.id).await;
                deleted.map(|()| Done::Deleted).map_err(|error| chain(&error))
            }
            _ => Err(format!("the webhook {} is not there", luid_of(step))),
        }
    }
}

fn luid_of(step: &Step) -> &str {
    step.luid.as_ref().map_or("-", WebhookLuid::as_str)
}
