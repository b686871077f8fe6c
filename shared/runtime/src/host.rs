//! What a function has around it, made once per cold start.

use crate::attempt::Worker;
use crate::batch::Batches;
use crate::claims::{ClaimStore, DynamoDbClaims, MemoryClaims};
use crate::door::{Door, Then};
use crate::env::{Env, MissingSettings};
use crate::function::{CheckedOnly, Function, Inline, NoWorkflow};
use crate::publish::{EventBus, WorkflowQueue};
use crate::queue::SqsQueue;
use crate::tokens::WebhookTokens;
use crate::{aws, telemetry};
use aws_types::SdkConfig;
use lambda_runtime::service_fn;
use rules::Rules;
use secrets::{MemorySecrets, Secret, SecretStore, SecretsFile, SecretsManager};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use workflow::{BoxError, Failure, Workflow, chain};

/// The rules, or why there are none. A broken file does not end the function: its door goes on storing events.
pub type LoadedRules = Arc<Result<Rules, rules::Error>>;

/// Why a function did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Settings are missing.
    #[error(transparent)]
    Settings(#[from] MissingSettings),
    /// `SECRETS` is not `{"<secret id>": {…}, …}`.
    #[error("SECRETS is not a JSON object of objects")]
    Secrets,
    /// There is no HTTP client.
    #[error("cannot set up HTTP")]
    Http(#[from] http_client::Error),
}

/// What a function has around it.
pub struct Host {
    function: &'static str,
    env: Env,
    http: reqwest::Client,
    aws: SdkConfig,
    secrets: Arc<dyn SecretStore>,
    rules: LoadedRules,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("function", &self.function).finish_non_exhaustive()
    }
}

impl Host {
    /// Starts what the function called `function` has around it: logs, the HTTP client, AWS, secrets, rules.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`StartError`] when a setting cannot be used; it is logged as well.
    pub fn start(function: &'static str) -> Result<Self, StartError> {
        let env = Env::of_process();
        telemetry::start(function, env.get("LOG_LEVEL"), env.get("METRICS_NAMESPACE"));
        Self::with_env(function, env).inspect_err(|error| {
            tracing::error!(function, reason = chain(error), "the function does not start");
        })
    }

    fn with_env(function: &'static str, env: Env) -> Result<Self, StartError> {
        let http = http_client::client(env.get("EXTRA_CA_FILE").map(Path::new))?;
        let aws = aws::config(&env, &http);
        let secrets = secret_store(&env, &aws)?;
        let rules = match env.get("RULES_FILE") {
            Some(path) => Rules::read(Path::new(path)),
            None => Ok(Rules::default()),
        };
        if let Err(error) = &rules {
            tracing::error!(function, reason = chain(error), "the rules file is not right");
        }
        Ok(Self { function, env, http, aws, secrets, rules: Arc::new(rules) })
    }

    /// The function's settings, as `read` makes them of the environment.
    ///
    /// # Errors
    /// Those of `read`; logged as well.
    pub fn config<T>(&self, read: impl FnOnce(&Env) -> Result<T, BoxError>) -> Result<T, BoxError> {
        read(&self.env).inspect_err(|error| {
            tracing::error!(
                function = self.function,
                reason = chain(error.as_ref()),
                "the function does not start"
            );
        })
    }

    /// The HTTP client that everything shares.
    pub fn http(&self) -> reqwest::Client {
        self.http.clone()
    }

    /// The rules file, as it was at the start.
    pub fn rules(&self) -> LoadedRules {
        Arc::clone(&self.rules)
    }

    /// The secret `id`, read at its first use.
    pub fn secret<T: DeserializeOwned>(&self, id: &str) -> Arc<Secret<T>> {
        Arc::new(Secret::new(Arc::clone(&self.secrets), id))
    }

    /// The table that the whole stack shares, with a client; `None` where there is none, as in inline mode.
    pub fn table(&self) -> Option<(aws_sdk_dynamodb::Client, String)> {
        let name = self.env.get("TABLE_NAME")?;
        Some((aws_sdk_dynamodb::Client::new(&self.aws), name.to_owned()))
    }

    /// Serves a workflow until Lambda ends the process: requests to its door and batches from its queue; without
    /// `QUEUE_URL`, requests alone, each handled before it is answered.
    ///
    /// # Errors
    /// When settings are missing or the Lambda runtime ends.
    pub async fn serve<W: Workflow>(self, workflow: W) -> Result<(), BoxError> {
        let function = self.workflow_function(workflow).inspect_err(|error| {
            tracing::error!(function = self.function, reason = chain(error), "the function does not start");
        })?;
        run(function).await
    }

    fn workflow_function<W: Workflow>(&self, workflow: W) -> Result<Function<W>, MissingSettings> {
        let Some(url) = self.env.get("QUEUE_URL") else {
            let worker = Arc::new(Worker::new(workflow, Arc::new(MemoryClaims::default())));
            return Ok(Function { door: self.door(Then::Handle(Arc::new(Inline(worker))))?, batches: None });
        };
        let mut settings = self.env.required();
        let (table, dead_letters_url) = (settings.get("TABLE_NAME"), settings.get("DEAD_LETTER_QUEUE_URL"));
        let (table, dead_letters_url) = settings.finish((table, dead_letters_url))?;
        let claims: Arc<dyn ClaimStore> =
            Arc::new(DynamoDbClaims::new(aws_sdk_dynamodb::Client::new(&self.aws), table));
        let client = aws_sdk_sqs::Client::new(&self.aws);
        let door = self.door(Then::Store(Arc::new(WorkflowQueue::new(client.clone(), url))))?;
        let failed = Arc::new(SqsQueue { client, url: url.to_owned(), dead_letters_url });
        Ok(Function {
            door,
            batches: Some(Batches { worker: Arc::new(Worker::new(workflow, claims)), failed }),
        })
    }

    /// Serves the common door until Lambda ends the process: events go to the bus `EVENT_BUS_NAME`.
    ///
    /// # Errors
    /// When settings are missing or the Lambda runtime ends.
    pub async fn serve_common_door(self) -> Result<(), BoxError> {
        let then = match self.env.get("EVENT_BUS_NAME") {
            Some(name) => {
                Then::Store(Arc::new(EventBus::new(aws_sdk_eventbridge::Client::new(&self.aws), name)))
            }
            None => Then::Handle(Arc::new(CheckedOnly)),
        };
        let door = self.door(then).inspect_err(|error| {
            tracing::error!(function = self.function, reason = chain(error), "the function does not start");
        })?;
        run(Function::<NoWorkflow> { door, batches: None }).await
    }

    fn door(&self, then: Then) -> Result<Door, MissingSettings> {
        let mut settings = self.env.required();
        let secret = settings.get("WEBHOOK_SECRET");
        let secret = settings.finish(secret)?;
        Ok(Door {
            function: self.function,
            tokens: self.secret::<WebhookTokens>(&secret),
            rules: self.rules(),
            then,
        })
    }
}

/// What a workflow makes of a rules file that is not right: the event waits until someone mends it.
pub fn rules_of(rules: &LoadedRules) -> Result<&Rules, Failure> {
    rules
        .as_ref()
        .as_ref()
        .map_err(|error| Failure::misconfigured(format!("the rules file is not right: {error}")))
}

async fn run<W: Workflow>(function: Function<W>) -> Result<(), BoxError> {
    let function = Arc::new(function);
    lambda_runtime::run(service_fn(move |event| {
        let function = Arc::clone(&function);
        async move {
            function.invoke(event).await.inspect_err(|error| {
                tracing::error!(reason = chain(error.as_ref()), "the invocation was not understood");
            })
        }
    }))
    .await
}

/// Local work brings its secrets along, in `SECRETS` or in the file `SECRETS_FILE`; AWS keeps them.
fn secret_store(env: &Env, aws: &SdkConfig) -> Result<Arc<dyn SecretStore>, StartError> {
    if let Some(text) = env.get("SECRETS") {
        let all: HashMap<String, Value> = serde_json::from_str(text).map_err(|_| StartError::Secrets)?;
        let secrets = MemorySecrets::default();
        for (id, value) in all {
            secrets.put(id, value.to_string());
        }
        return Ok(Arc::new(secrets));
    }
    Ok(match env.get("SECRETS_FILE") {
        Some(path) => Arc::new(SecretsFile::new(path)),
        None => Arc::new(SecretsManager::new(aws_sdk_secretsmanager::Client::new(aws))),
    })
}
