//! The surroundings of a function (settings, secrets, clients), created once per cold start.

use crate::attempt::{Started, Worker};
use crate::batch::Batches;
use crate::derived::DerivedEvents;
use crate::env::{Env, MissingSettings};
use crate::function::{CheckedOnly, Follow, Function, Inline, NoWorkflow};
use crate::ingress::{Ingress, Then};
use crate::publish::{EventBus, WorkflowQueue};
use crate::queue::SqsQueue;
use crate::timers::timer_of;
use crate::{aws, telemetry};
use aws_types::SdkConfig;
use deliveries::{ClaimStore, DynamoDbClaims, MemoryClaims};
use lambda_runtime::service_fn;
use published_rules::{PublishedRules, RulesInForce};
use rules::{LoadedRules, Rules, Unusable};
use secrets::{MemorySecrets, Secret, SecretStore, SecretsFile, SecretsManager, WebhookTokens};
use serde::de::DeserializeOwned;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::records::DynamoDbRecords;
use timer::Timer;
use workflow::{BoxError, Workflow, chain};

/// Why a function did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Required settings are missing.
    #[error(transparent)]
    Settings(#[from] MissingSettings),
    /// The setting `SECRETS` is not of the form `{"<secret id>": {…}, …}`.
    #[error("SECRETS is not a JSON object of objects")]
    Secrets,
    /// The HTTP client could not be created.
    #[error("cannot set up HTTP")]
    Http(#[from] http_client::Error),
}

/// The surroundings of a function: settings, secrets, rules, AWS and HTTP clients.
///
/// A wrong setting does not stop the function: its URL continues to store events, and the events wait in the queue
/// until a person fixes the setting.
pub struct Host {
    function: &'static str,
    env: Env,
    http: reqwest::Client,
    aws: SdkConfig,
    secrets: Arc<dyn SecretStore>,
    rules: LoadedRules,
    /// What brings newer rules; nothing in inline mode.
    rules_in_force: Option<Arc<dyn Follow>>,
    /// A setting that cannot be used, for all events of the queue to wait for.
    problem: Option<String>,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("function", &self.function).finish_non_exhaustive()
    }
}

impl Host {
    /// Starts a workflow's function: logs, HTTP client, AWS clients, secrets, rules. Sends no request yet.
    ///
    /// # Errors
    /// [`StartError`] when a setting that the template fills in cannot be used. The error is also logged.
    pub fn start(function: &'static str) -> Result<Self, StartError> {
        Self::of_process(function, Self::of_workflow)
    }

    /// Starts the common ingress. It reads no rules and no files, so that a mistake in one cannot keep events out.
    ///
    /// # Errors
    /// As for [`Host::start`].
    pub fn start_ingress(function: &'static str) -> Result<Self, StartError> {
        Self::of_process(function, |function, env| Self::new(function, env, None))
    }

    fn of_process(
        function: &'static str,
        start: impl FnOnce(&'static str, Env) -> Result<Self, StartError>,
    ) -> Result<Self, StartError> {
        let env = Env::of_process();
        telemetry::start(function, env.get("LOG_LEVEL"), env.get("METRICS_NAMESPACE"));
        start(function, env).inspect_err(|error| {
            tracing::error!(function, reason = chain(error), "the function cannot start");
        })
    }

    fn of_workflow(function: &'static str, env: Env) -> Result<Self, StartError> {
        let extra_ca = env.get("EXTRA_CA_FILE").map(PathBuf::from);
        let mut host = match Self::new(function, env.clone(), extra_ca.as_deref()) {
            Err(StartError::Http(error)) if extra_ca.is_some() => {
                let problem = format!("EXTRA_CA_FILE: {}", chain(&error));
                tracing::error!(
                    function,
                    reason = problem,
                    "events stay in the queue until the settings are right"
                );
                Self { problem: Some(problem), ..Self::new(function, env, None)? }
            }
            host => host?,
        };
        let known_site = host.env.get("SAMPLE_SITE").map(str::to_owned);
        // Only a function behind a queue looks for newer rules: each of its batches does.
        let stack_table = host.env.get("QUEUE_URL").and_then(|_| host.table());
        if let Some((client, table)) = stack_table {
            let published = PublishedRules::new(Arc::new(DynamoDbRecords::new(client, table, function)));
            let in_force = RulesInForce::new(function, published, known_site);
            host.rules = in_force.loaded();
            host.rules_in_force = Some(Arc::new(in_force));
        } else {
            host.rules = LoadedRules::new(host.rules_of_setting(known_site.as_deref()));
        }
        Ok(host)
    }

    /// The rules of inline mode: the JSON form of a checked file.
    fn rules_of_setting(&self, known_site: Option<&str>) -> Result<Rules, Unusable> {
        let read = || {
            let rules = match self.env.get("RULES") {
                Some(form) => Rules::of_json(form)?,
                None => Rules::default(),
            };
            match known_site {
                Some(site) => rules.knowing(site),
                None => Ok(rules),
            }
        };
        read().map_err(|error: rules::Error| {
            tracing::error!(function = self.function, reason = chain(&error), "the rules cannot be used");
            Unusable::from(&error)
        })
    }

    fn new(function: &'static str, env: Env, extra_ca: Option<&Path>) -> Result<Self, StartError> {
        let http = http_client::client(extra_ca)?;
        let aws = aws::config(&env, &http);
        let secrets = secret_store(&env, &aws)?;
        let rules = Rules::default().into();
        Ok(Self { function, env, http, aws, secrets, rules, rules_in_force: None, problem: None })
    }

    /// Reads the function's settings from the environment with `read`.
    ///
    /// # Errors
    /// The errors of `read`.
    pub fn config<T>(&self, read: impl FnOnce(&Env) -> Result<T, BoxError>) -> Result<T, BoxError> {
        read(&self.env)
    }

    /// A setting of the host that cannot be used, such as a file that is missing. A function behind a queue need not ask: its events wait.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// The HTTP client, shared by all parts of the function.
    pub fn http(&self) -> reqwest::Client {
        self.http.clone()
    }

    /// The configuration of AWS clients, for a service that only this function uses.
    pub fn aws(&self) -> SdkConfig {
        self.aws.clone()
    }

    /// The rules, as they are at any time.
    pub fn rules(&self) -> LoadedRules {
        self.rules.clone()
    }

    /// The secret with this id, read at first use.
    pub fn secret<T: DeserializeOwned>(&self, id: &str) -> Arc<Secret<T>> {
        Arc::new(Secret::new(Arc::clone(&self.secrets), id))
    }

    /// Where secrets are, for one that must be read anew each time.
    pub fn secret_store(&self) -> Arc<dyn SecretStore> {
        Arc::clone(&self.secrets)
    }

    /// The stack's DynamoDB table and a client for it; `None` without a table, as in inline mode.
    pub fn table(&self) -> Option<(aws_sdk_dynamodb::Client, String)> {
        let name = self.env.get("TABLE_NAME")?;
        Some((aws_sdk_dynamodb::Client::new(&self.aws), name.to_owned()))
    }

    /// The workflow's timers; `None` without a queue, as in inline mode.
    ///
    /// # Errors
    /// [`MissingSettings`] when `TIMER_GROUP_NAME` is set and other settings of EventBridge Scheduler are missing.
    pub fn timer(&self) -> Result<Option<Arc<dyn Timer>>, MissingSettings> {
        let Some(url) = self.env.get("QUEUE_URL") else { return Ok(None) };
        Ok(Some(Arc::new(timer_of(self.function, &self.env, &self.aws, url)?)))
    }

    /// Sends events over the bus named by `EVENT_BUS_NAME`, for a workflow that has events of its own.
    pub fn derived_events(&self) -> DerivedEvents {
        DerivedEvents::new(self.event_bus())
    }

    fn event_bus(&self) -> Option<EventBus> {
        let name = self.env.get("EVENT_BUS_NAME")?;
        Some(EventBus::new(aws_sdk_eventbridge::Client::new(&self.aws), name))
    }

    /// Serves a workflow until Lambda ends the process: HTTP requests to its URL and batches from its queue. Without
    /// `QUEUE_URL` (inline mode) it serves only requests and handles each event before it answers.
    ///
    /// `workflow` may be an error, when its settings cannot be used. Events are then stored as usual, and wait in the
    /// queue.
    ///
    /// # Errors
    /// When settings that the template fills in are missing, or when the Lambda runtime ends.
    pub async fn serve<W: Workflow>(self, workflow: Result<W, BoxError>) -> Result<(), BoxError> {
        let function = self.workflow_function(workflow).inspect_err(|error| {
            tracing::error!(function = self.function, reason = chain(error), "the function cannot start");
        })?;
        run(function).await
    }

    fn started<W>(&self, workflow: Result<W, BoxError>) -> Started<W> {
        let workflow = workflow.map_err(|error| chain(error.as_ref())).inspect_err(|problem| {
            tracing::error!(
                function = self.function,
                reason = problem,
                "events stay in the queue until the settings are right"
            );
        });
        self.problem.clone().map_or(workflow, Err)
    }

    fn workflow_function<W: Workflow>(
        &self,
        workflow: Result<W, BoxError>,
    ) -> Result<Function<W>, MissingSettings> {
        let workflow = self.started(workflow);
        let rules = self.rules();
        let Some(url) = self.env.get("QUEUE_URL") else {
            let worker = Arc::new(Worker::new(workflow, rules, Arc::new(MemoryClaims::default())));
            return Ok(Function {
                ingress: Some(self.ingress(Then::Handle(Arc::new(Inline(Arc::clone(&worker)))))?),
                pages: Some(worker),
                batches: None,
                rules: None,
            });
        };
        let mut settings = self.env.required();
        let table = settings.get("TABLE_NAME");
        let dead_letters_url = settings.get("DEAD_LETTER_QUEUE_URL");
        settings.finish(())?;
        let claims: Arc<dyn ClaimStore> =
            Arc::new(DynamoDbClaims::new(aws_sdk_dynamodb::Client::new(&self.aws), table));
        let client = aws_sdk_sqs::Client::new(&self.aws);
        let ingress = self.ingress(Then::Store(Arc::new(WorkflowQueue::new(client.clone(), url))))?;
        let failed = Arc::new(SqsQueue { client, url: url.to_owned(), dead_letters_url });
        let worker = Arc::new(Worker::new(workflow, rules, claims));
        let timer = Arc::new(timer_of(self.function, &self.env, &self.aws, url)?);
        let batches = Some(Batches { worker: Arc::clone(&worker), failed, timer });
        Ok(Function {
            ingress: Some(ingress),
            pages: Some(worker),
            batches,
            rules: self.rules_in_force.clone(),
        })
    }

    /// Serves the common ingress until Lambda ends the process. Events go to the bus named by `EVENT_BUS_NAME`.
    ///
    /// # Errors
    /// When settings are missing or the Lambda runtime ends.
    pub async fn serve_common_ingress(self) -> Result<(), BoxError> {
        let then = match self.event_bus() {
            Some(bus) => Then::Store(Arc::new(bus)),
            None => Then::Handle(Arc::new(CheckedOnly)),
        };
        let ingress = self.ingress(then).inspect_err(|error| {
            tracing::error!(function = self.function, reason = chain(error), "the function cannot start");
        })?;
        run(Function::<NoWorkflow> { ingress: Some(ingress), pages: None, batches: None, rules: None }).await
    }

    /// Serves the API of `workflow` until Lambda ends the process, and nothing else: no webhooks, no queue.
    ///
    /// # Errors
    /// When the Lambda runtime ends.
    pub async fn serve_api<W: Workflow>(self, workflow: Result<W, BoxError>) -> Result<(), BoxError> {
        let worker = Worker::new(self.started(workflow), self.rules(), Arc::new(MemoryClaims::default()));
        run(Function { ingress: None, pages: Some(Arc::new(worker)), batches: None, rules: None }).await
    }

    fn ingress(&self, then: Then) -> Result<Ingress, MissingSettings> {
        let mut settings = self.env.required();
        let secret = settings.get("WEBHOOK_SECRET");
        let secret = settings.finish(secret)?;
        Ok(Ingress { function: self.function, tokens: self.secret::<WebhookTokens>(&secret), then })
    }
}

async fn run<W: Workflow>(function: Function<W>) -> Result<(), BoxError> {
    let function = Arc::new(function);
    lambda_runtime::run(service_fn(move |event| {
        let function = Arc::clone(&function);
        async move {
            function.invoke(event).await.inspect_err(|error| {
                tracing::error!(reason = chain(error.as_ref()), "cannot handle the invocation");
            })
        }
    }))
    .await
}

/// Where secrets come from: locally from `SECRETS` or the file `SECRETS_FILE`, otherwise from AWS Secrets Manager.
fn secret_store(env: &Env, aws: &SdkConfig) -> Result<Arc<dyn SecretStore>, StartError> {
    if let Some(text) = env.get("SECRETS") {
        let secrets = MemorySecrets::from_json(text).map_err(|_| StartError::Secrets)?;
        return Ok(Arc::new(secrets));
    }
    Ok(match env.get("SECRETS_FILE") {
        Some(path) => Arc::new(SecretsFile::new(path)),
        None => Arc::new(SecretsManager::new(aws_sdk_secretsmanager::Client::new(aws))),
    })
}
