//! Brings the webhooks of a site to what the rules need.

use crate::clock::{Clock, within};
use crate::error::Error;
use crate::identity::Identity;
use crate::needed::{Needed, needed};
use crate::plan::{Plan, Situation, stacks_own};
use crate::redaction::Redaction;
use crate::registry::{Begin, Registry, Start};
use crate::report::{Failed, Report};
use crate::state::{Answered, State};
use crate::step::Action;
use crate::work::{NotDone, Work};
use jiff::Timestamp;
use published_rules::{InForce, PublishedRules};
use rules::Rules;
use secrecy::SecretString;
use secrets::{FRESH, SecretStore, WebhookTokens, parse};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use store::Documents;
use tableau::{DisabledWebhook, SiteLuid};
use tableau_client::{ApiVersion, TableauClient, Webhook};
use tokio::time::Instant;
use workflow::{BoxError, CredentialError, chain};

/// The first REST API version that can change webhooks.
const UPDATE_SINCE: ApiVersion = ApiVersion::new(3, 8);
/// How long a URL with a new token is kept back after the token was read: the ingress must have had time to read it too. More than
/// [`FRESH`], for which the ingress may have the token from before, and some for the store.
pub const SETTLING: Duration = Duration::from_secs(FRESH.as_secs() + 5);
/// How often a run that waits for another one looks.
const POLL: Duration = Duration::from_secs(1);
/// How much longer than a run its lease lasts: what is written after the work must not meet the next run.
const LEASE_RESERVE: Duration = Duration::from_secs(20);

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
    /// Names the run: no two have the same, also not two executions of one invocation.
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

/// What a run has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ran {
    /// This.
    Report(Report),
    /// Nothing: CloudFormation has sent a request again, which was answered so.
    Repeated(Answered),
}

/// What Tableau, the rules and the secret say.
struct Survey {
    needed: Vec<Needed>,
    tokens: WebhookTokens,
    read_at: Instant,
    listed: Vec<Webhook>,
    redaction: Redaction,
    can_update: bool,
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
        let survey = within(clock, self.survey(&tableau)).await?;
        let own = stacks_own(&self.identity, &state, &survey.listed);
        state.observe(&own, now);
        let url = self.identity.url(&survey.tokens.current);
        Ok(Plan::of(&self.situation(&survey, &state, &url, now)))
    }

    /// Does what is to be done.
    ///
    /// # Errors
    /// [`Error`]. What was done is kept, and the next run goes on.
    pub async fn run(&self, run: &Run<'_>, announce: &impl Announce) -> Result<Ran, Error> {
        let clock = Clock::new(run.now, run.budget);
        let start = match run.purpose {
            Purpose::Deploy { request, is_new } => Start::Deploy { request, is_new },
            Purpose::Routine | Purpose::Prompt | Purpose::Agreed(_) => Start::Routine,
            Purpose::ByHand(_) => Start::ByHand,
        };
        let may_wait = run.purpose != Purpose::Routine;
        let registry = Registry::new(self.documents.clone(), run.id.to_owned());
        let state = match begin(&registry, start, clock, may_wait).await? {
            Begin::Leased(state) => *state,
            Begin::Repeated(answered) => return Ok(Ran::Repeated(answered)),
        };
        let result = self.leased(run, &registry, state, clock, announce).await;
        if let Err(error) = registry.release(clock.now()).await {
            tracing::error!(reason = chain(&error), "the lease is not given back: it ends by itself");
        }
        result.map(Ran::Report)
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
        let survey = within(clock, self.survey(&tableau)).await?;
        let own = stacks_own(&self.identity, &state, &survey.listed);
        state.observe(&own, clock.now());
        let url = self.identity.url(&survey.tokens.current);
        let plan = Plan::of(&self.situation(&survey, &state, &url, clock.now()));
        if let Purpose::Agreed(digest) | Purpose::ByHand(digest) = run.purpose
            && plan.digest() != digest
        {
            return Err(Error::Changed);
        }
        // What was found out must not be lost if the process ends below.
        registry.save(&state, clock.now()).await?;
        if is_new_token(&plan, &survey.tokens) {
            let since = survey.read_at.elapsed();
            tokio::time::sleep(self.settling.saturating_sub(since).min(clock.left())).await;
        }
        let mut report = Report::of(&plan, survey.needed.len());
        let redaction = &survey.redaction;
        let mut work = Work {
            tableau: &tableau,
            http: &self.http,
            url: &url,
            identity: &self.identity,
            redaction,
            endpoint: None,
        };
        for step in &plan.steps {
            let webhook = step.luid.as_ref().and_then(|luid| own.iter().copied().find(|own| own.id == *luid));
            let out_of_time = || NotDone::because(Error::OutOfTime.to_string());
            let done = match tokio::time::timeout(clock.left(), work.perform(step, webhook)).await {
                Ok(done) if !clock.left().is_zero() || done.is_ok() => done,
                _ => Err(out_of_time()),
            };
            match done {
                Ok(done) => {
                    done.note(&mut state, step, redaction, clock.now());
                    report.done.push(step.clone());
                }
                Err(NotDone { reason, is_unknown_event }) => {
                    if let (Action::Enable, Some(luid)) = (step.action, &step.luid) {
                        let note = format!("It stays disabled: {reason}. The next run tries again.");
                        state.stays_disabled(luid, note);
                    }
                    report.failed.push(Failed { is_unknown_event, ..Failed::new(step.clone(), reason) });
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
        let waiting = state.announcements();
        registry.save(state, clock.now()).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        let site = match within(clock, async { Ok(tableau.session_site().await?) }).await {
            Ok(site) => site,
            Err(error) => {
                // The work is done: this must not fail a deploy.
                tracing::error!(reason = chain(&error), "outages are announced by the next run");
                return Ok(());
            }
        };
        for disabled in &waiting {
            let announced = tokio::time::timeout(clock.left(), announce.announce(disabled, &site)).await;
            match announced.unwrap_or_else(|_| Err(Error::OutOfTime.into())) {
                Ok(()) => state.announced(disabled),
                Err(error) => {
                    let reason = chain(error.as_ref());
                    tracing::error!(webhook.luid = %disabled.webhook, reason, "an outage is announced by the next run");
                }
            }
        }
        registry.save(state, clock.now()).await
    }

    /// Notes a deploy before it begins, and returns whether it is a rollback: it goes back from what the deploy before wanted to what was
    /// there before that. CloudFormation sends a rollback as any other request, whichever resource has failed.
    ///
    /// # Errors
    /// [`Error::Table`].
    pub async fn note_deploy(&self, from: &str, to: &str, now: Timestamp) -> Result<bool, Error> {
        Registry::new(self.documents.clone(), "deploy".to_owned())
            .note(now, |state| state.deploy(from, to))
            .await
    }

    /// Notes how a request of CloudFormation is answered.
    ///
    /// # Errors
    /// [`Error::Table`].
    pub async fn note_answer(&self, request: &str, answered: Answered, now: Timestamp) -> Result<(), Error> {
        let registry = Registry::new(self.documents.clone(), "answer".to_owned());
        registry.note(now, |state| state.answered(request, answered.clone())).await
    }

    fn situation<'s>(
        &'s self,
        survey: &'s Survey,
        state: &'s State,
        url: &'s SecretString,
        now: Timestamp,
    ) -> Situation<'s> {
        let Survey { needed, listed, can_update, .. } = survey;
        Situation { identity: &self.identity, needed, listed, state, url, can_update: *can_update, now }
    }

    async fn survey(&self, tableau: &TableauClient) -> Result<Survey, Error> {
        let rules = self.rules().await?;
        let read_at = Instant::now();
        let tokens = self.tokens().await?;
        let listed = tableau.webhooks().all(usize::MAX).await?;
        let can_update = tableau.session_version().await? >= UPDATE_SINCE;
        let needed = needed(&rules, self.takes_refreshes);
        let redaction = Redaction::new(Some(&tokens), &listed);
        let listed = listed.into_iter().map(|webhook| redaction.webhook(webhook)).collect();
        Ok(Survey { needed, tokens, read_at, listed, redaction, can_update })
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

/// Whether a step puts a token into a URL that the ingress may not know yet.
fn is_new_token(plan: &Plan, tokens: &WebhookTokens) -> bool {
    plan.steps.iter().any(|step| match step.action {
        Action::Update | Action::Replace => true,
        Action::Create => tokens.previous.is_some(),
        Action::Enable | Action::Delete => false,
    })
}

/// Takes the lease; a run that may wait waits for half of its time.
pub(crate) async fn begin(
    registry: &Registry,
    start: Start<'_>,
    clock: Clock,
    may_wait: bool,
) -> Result<Begin, Error> {
    let timeout = clock.left() / 2;
    loop {
        let begun = registry.begin(start, clock.now(), clock.end_after(LEASE_RESERVE)).await;
        let may_wait = may_wait && clock.began.elapsed() < timeout;
        match begun {
            Err(Error::Busy(_)) if may_wait => tokio::time::sleep(POLL).await,
            begun => return begun,
        }
    }
}
