//! A whole stack on one machine: the services, the functions, the HTTP API, and what connects them.

use crate::aws::names::random_alphanumeric;
use crate::aws::{Aws, Notice, STACK};
use crate::custom;
use crate::error::{Error, listen};
use crate::gateway::{self, Bound, Bucket};
use crate::lambda::{Account, Lambda};
use crate::poller;
use crate::process::{FunctionSpec, InvocationError, LambdaProcess, LogLine};
use crate::repeat;
use crate::server::Server;
use crate::stack_event::{Observer, StackEvent};
use crate::template::{Function, Places, Plan, Route, Secret, SecretContent, Template};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::JoinSet;

/// The settings of a stack to start.
#[derive(Clone)]
pub struct StackOptions {
    /// The path of the SAM template.
    pub template: PathBuf,
    /// The folder with the functions' binaries, such as `target/debug`.
    pub binaries: PathBuf,
    /// Values for the template's parameters. Other parameters have their defaults.
    pub parameters: BTreeMap<String, String>,
    /// The values of secrets, by logical id. They replace the template's values.
    pub secrets: BTreeMap<String, Value>,
    /// Environment variables for every function. They override the template's.
    pub environment: BTreeMap<String, String>,
    /// The account's limit of concurrent executions over all functions; 10 for a new account. With a limit: a request
    /// that finds no free execution is answered 503, a queue's batch waits, each execution has its own process, and
    /// the HTTP API's throttling applies. Without a limit: no throttling, and a function has one process for requests
    /// and one for its queue.
    pub concurrent_executions: Option<usize>,
    /// The address of the HTTP API; port 0 means any free port.
    pub listen: SocketAddr,
    /// The address of the AWS services; port 0 means any free port.
    pub aws: SocketAddr,
    /// The observer that gets an event for everything that happens in the stack.
    pub events: Option<UnboundedSender<StackEvent>>,
}

impl fmt::Debug for StackOptions {
    /// Shows no values of secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackOptions")
            .field("template", &self.template)
            .field("binaries", &self.binaries)
            .field("parameters", &self.parameters)
            .field("secrets", &self.secrets.keys())
            .field("listen", &self.listen)
            .field("aws", &self.aws)
            .finish_non_exhaustive()
    }
}

/// A running stack. Its processes end when it is dropped.
#[derive(Debug)]
pub struct Stack {
    url: String,
    aws: Aws,
    plan: Plan,
    functions: BTreeMap<String, LambdaProcess>,
    workers: BTreeMap<String, LambdaProcess>,
    /// All functions of the stack.
    lambdas: Vec<Lambda>,
    gateway: Server,
    tasks: JoinSet<()>,
}

impl Stack {
    /// Starts a stack. Each function's process starts with its first invocation.
    ///
    /// # Errors
    /// [`Error`]: a template that is not understood, a binary that is not built, a port that is taken, a custom resource whose
    /// function refuses it.
    pub async fn start(options: StackOptions) -> Result<Self, Error> {
        let template = Template::read(&options.template)?;
        let listener = listen(options.listen).await?;
        let address = listener.local_addr();
        let address = address.map_err(|source| Error::Listen { address: options.listen, source })?;
        let aws = Aws::start_at(options.aws).await?;
        let places = Places { endpoint_url: aws.url().to_owned(), api_url: format!("http://{address}") };
        let mut plan = template.plan(&options.parameters, &places)?;
        create(&aws, &plan, &options.secrets)?;
        let defaults = template.parameters().into_iter().map(|p| (p.name, p.default.unwrap_or_default()));
        let mut parameters: BTreeMap<String, String> = defaults.collect();
        parameters.extend(options.parameters.clone());
        // What an operator has done in Amazon SES before the deploy.
        let given = |name: &str| parameters.get(name).filter(|value| !value.is_empty());
        given("EmailIdentity").into_iter().for_each(|identity| aws.verify_identity(identity));
        given("EmailConfigurationSet").into_iter().for_each(|set| aws.create_configuration_set(set));
        aws.set_stack_parameters(STACK, parameters);

        let observer = Observer(options.events.clone());
        let mut tasks = JoinSet::new();
        let logs = relay_logs(&observer, &mut tasks);
        relay_notices(&aws, &observer, &mut tasks);
        let spec = |function: &Function| spec(function, &options, &aws, logs.clone());
        let mut running = Running::default();
        match options.concurrent_executions {
            None => running.start(&plan, spec)?,
            Some(executions) => running.start_pools(&plan, spec, &Account::new(executions))?,
        }
        for mapping in &plan.mappings {
            let Some(worker) = running.of_queues.get(&mapping.function) else { continue };
            let most = mapping.maximum_concurrency.unwrap_or(poller::CONCURRENCY);
            let pollers = options.concurrent_executions.map_or(1, |_| most);
            for _ in 0..pollers {
                tasks.spawn(poller::poll(aws.clone(), mapping.clone(), worker.clone(), observer.clone()));
            }
        }
        for repeated in &plan.repeated {
            let Some(function) = running.scheduled(&repeated.function) else { continue };
            tasks.spawn(repeat::repeat(repeated.clone(), function.clone(), observer.clone()));
        }
        let throttling = options.concurrent_executions.and(plan.throttling);
        let throttle = throttling.map(|limits| Bucket::new(limits, Instant::now()));
        let bound = bound(&plan, &running.of_requests)?;
        let gateway = Server::start(listener, gateway::router(bound, throttle, observer));
        let gateway = gateway.map_err(|source| Error::Listen { address, source })?;
        for at in 0..plan.custom.len() {
            let resource = plan.custom[at].clone();
            let function = running.of_requests.get(&resource.function).ok_or_else(|| Error::Template {
                resource: resource.logical_id.clone(),
                property: "ServiceToken".to_owned(),
                reason: format!("`{}` is not a function of this template", resource.function),
            })?;
            let attributes = custom::create(&resource, function).await?;
            plan.fill_in(&resource.logical_id, &attributes);
        }
        aws.set_stack_outputs(STACK, plan.outputs.clone());
        aws.add_functions(running.of_requests.clone());
        let lambdas = running.of_requests.into_values().chain(running.of_queues.into_values()).collect();
        let Running { functions, workers, .. } = running;
        Ok(Self { url: places.api_url, aws, plan, functions, workers, lambdas, gateway, tasks })
    }

    /// The URL of the HTTP API, without a trailing slash.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The AWS services of the stack.
    pub fn aws(&self) -> &Aws {
        &self.aws
    }

    /// The process that answers a function's requests, by function name; `None` when each execution has its own
    /// process.
    pub fn function(&self, name: &str) -> Option<&LambdaProcess> {
        self.functions.get(name)
    }

    /// The process that handles a function's queue, by function name; `None` when each execution has its own process.
    pub fn worker(&self, name: &str) -> Option<&LambdaProcess> {
        self.workers.get(name)
    }

    /// The largest number of processes that a function had at the same time.
    pub fn environments(&self, name: &str) -> usize {
        self.lambdas
            .iter()
            .filter(|lambda| lambda.name() == name)
            .map(Lambda::environments)
            .max()
            .unwrap_or(0)
    }

    /// The routes of the HTTP API.
    pub fn routes(&self) -> &[Route] {
        &self.plan.routes
    }

    /// The current value of a secret, by logical id; `None` when the secret has no value or does not exist.
    pub fn secret(&self, logical_id: &str) -> Option<String> {
        let secret = self.plan.secrets.iter().find(|secret| secret.logical_id == logical_id)?;
        self.aws.secret(&secret.name)
    }

    /// Invokes a function now, once per schedule of the template, and returns the answers: for tests in which an hour
    /// must pass.
    ///
    /// # Errors
    /// [`InvocationError`] of the first invocation that gave no answer.
    pub async fn run_schedules(&self, function: &str) -> Result<Vec<Value>, InvocationError> {
        let mut answers = Vec::new();
        // Prefer the process of the queue, as the schedules do.
        let Some(lambda) = self.lambdas.iter().rev().find(|lambda| lambda.name() == function) else {
            return Ok(answers);
        };
        for repeated in self.plan.repeated.iter().filter(|repeated| repeated.function == function) {
            answers.push(lambda.invoke(&repeated.input, None).await?);
        }
        Ok(answers)
    }

    /// The resolved template.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Stops the stack, and waits until all processes have ended.
    pub async fn shutdown(mut self) {
        drop(self.gateway);
        self.tasks.shutdown().await;
        for lambda in &self.lambdas {
            lambda.kill().await;
        }
    }
}

/// Functions that are prepared but not yet serving.
#[derive(Default)]
struct Running {
    functions: BTreeMap<String, LambdaProcess>,
    workers: BTreeMap<String, LambdaProcess>,
    of_requests: BTreeMap<String, Lambda>,
    of_queues: BTreeMap<String, Lambda>,
}

impl Running {
    /// The function handle that a schedule invokes: the queue's process, so that requests do not wait for the
    /// schedule.
    fn scheduled(&self, function: &str) -> Option<&Lambda> {
        self.of_queues.get(function).or_else(|| self.of_requests.get(function))
    }

    /// Requests and the queue get one process each, so that a batch does not block a request. Lambda would start
    /// another environment.
    fn start(&mut self, plan: &Plan, spec: impl Fn(&Function) -> FunctionSpec) -> Result<(), Error> {
        for function in &plan.functions {
            let name = || function.name.clone();
            let process = LambdaProcess::new(spec(function))?;
            self.of_requests.insert(name(), Lambda::single(process.clone(), function.recursion_allowed));
            self.functions.insert(name(), process);
            if plan.mappings.iter().any(|mapping| mapping.function == function.name) {
                let process = LambdaProcess::new(spec(function))?;
                self.of_queues.insert(name(), Lambda::single(process.clone(), function.recursion_allowed));
                self.workers.insert(name(), process);
            }
        }
        Ok(())
    }

    fn start_pools(
        &mut self,
        plan: &Plan,
        spec: impl Fn(&Function) -> FunctionSpec,
        account: &Account,
    ) -> Result<(), Error> {
        for function in &plan.functions {
            let lambda = Lambda::pooled(spec(function), function.recursion_allowed, account.clone())?;
            self.of_requests.insert(function.name.clone(), lambda.clone());
            self.of_queues.insert(function.name.clone(), lambda);
        }
        Ok(())
    }
}

/// Creates the resources of the template.
fn create(aws: &Aws, plan: &Plan, secrets: &BTreeMap<String, Value>) -> Result<(), Error> {
    if let Some(unknown) =
        secrets.keys().find(|id| !plan.secrets.iter().any(|secret| secret.logical_id == **id))
    {
        return Err(Error::Template {
            resource: unknown.clone(),
            property: "Type".to_owned(),
            reason: "is not a secret of the template".to_owned(),
        });
    }
    for secret in &plan.secrets {
        match secrets.get(&secret.logical_id).cloned().or_else(|| content(secret)) {
            Some(value) => aws.create_secret(&secret.name, value),
            None => aws.create_empty_secret(&secret.name),
        };
    }
    plan.queues.iter().for_each(|queue| aws.create_queue(queue.clone()));
    plan.tables.iter().for_each(|table| aws.create_table_with(table.clone()));
    plan.buckets.iter().for_each(|bucket| aws.create_bucket(bucket));
    plan.buses.iter().for_each(|bus| aws.create_bus(bus));
    plan.schedule_groups.iter().for_each(|group| aws.create_schedule_group(group));
    aws.create_stack(STACK, plan.resources.clone());
    plan.rules
        .iter()
        .try_for_each(|rule| aws.put_rule(&rule.bus, &rule.name, &rule.pattern, rule.targets.clone()))
}

/// The default value of a secret.
fn content(secret: &Secret) -> Option<Value> {
    match &secret.content {
        SecretContent::Empty => None,
        SecretContent::Text(text) => Some(Value::String(text.clone())),
        SecretContent::Generated { length, within } => {
            let random = Value::String(random_alphanumeric(*length));
            Some(match within {
                None => random,
                Some((map, key)) => {
                    let mut map = map.clone();
                    map.insert(key.clone(), random);
                    Value::Object(map)
                }
            })
        }
    }
}

fn spec(
    function: &Function,
    options: &StackOptions,
    aws: &Aws,
    logs: Option<UnboundedSender<LogLine>>,
) -> FunctionSpec {
    let mut environment = function.environment.clone();
    environment.extend(options.environment.clone());
    FunctionSpec {
        name: function.name.clone(),
        binary: binary(&options.binaries, &function.binary),
        environment,
        timeout: function.timeout,
        memory_mb: function.memory_mb,
        endpoint_url: Some(aws.url().to_owned()),
        keys: aws.keys().clone(),
        logs,
    }
}

fn binary(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

fn bound(plan: &Plan, functions: &BTreeMap<String, Lambda>) -> Result<Vec<Bound>, Error> {
    let bound = plan.routes.iter().map(|route| {
        let function = functions.get(&route.function).cloned().ok_or_else(|| Error::Template {
            resource: route.key.to_string(),
            property: "Target".to_owned(),
            reason: format!("`{}` is not a function of this template", route.function),
        })?;
        Ok(Bound { key: route.key.clone(), function, timeout: route.timeout })
    });
    bound.collect()
}

/// The receiver of functions' log lines, if there is an observer.
fn relay_logs(observer: &Observer, tasks: &mut JoinSet<()>) -> Option<UnboundedSender<LogLine>> {
    observer.0.as_ref()?;
    let (sender, mut lines) = mpsc::unbounded_channel::<LogLine>();
    let observer = observer.clone();
    tasks.spawn(async move {
        while let Some(LogLine { function, line }) = lines.recv().await {
            observer.notify(StackEvent::Log { function, line });
        }
    });
    Some(sender)
}

fn relay_notices(aws: &Aws, observer: &Observer, tasks: &mut JoinSet<()>) {
    if observer.0.is_none() {
        return;
    }
    let (sender, mut notices) = mpsc::unbounded_channel();
    aws.observe(sender);
    let observer = observer.clone();
    tasks.spawn(async move {
        while let Some(notice) = notices.recv().await {
            observer.notify(match notice {
                Notice::Published { bus, detail_type, targets } => {
                    StackEvent::Published { bus, detail_type, targets }
                }
                Notice::DeadLettered { queue } => StackEvent::DeadLettered { queue },
            });
        }
    });
}
