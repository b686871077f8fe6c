//! AWS services in memory, behind one HTTP endpoint on loopback.

mod cloud_formation;
mod dynamodb;
mod endpoint;
mod event_bridge;
mod fault;
mod input;
mod invoke;
mod keys;
mod md5_hex;
pub(crate) mod names;
mod query_protocol;
mod refusal;
mod s3;
mod scheduler;
mod secrets_manager;
mod ses;
mod sns;
pub(crate) mod sqs;
mod state;

pub use cloud_formation::StackResource;
pub use dynamodb::{IndexSpec, KeyAttribute, KeyKind, KeySchema, TableSpec};
pub use event_bridge::Target;
pub use fault::Fault;
pub use keys::Keys;
pub use names::{ACCOUNT, REGION, STACK};
pub use s3::S3Object;
pub use scheduler::Schedule;
pub use ses::{Mail, SesAccount};
pub use sns::Publication;
pub use sqs::{DeadLetters, QueueSpec, StoredMessage};

pub(crate) use input::Input;
pub(crate) use refusal::Refusal;
pub(crate) use state::{Notice, Shared, State};

use crate::error::{ANY_PORT, Error, listen};
use crate::lambda::Lambda;
use crate::process::LambdaProcess;
use crate::server::Server;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, MutexGuard};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// The AWS services. They run until the last clone of this handle is dropped.
///
/// Calls must be signed with the keys of this run. Permissions are not checked. All resources belong to account
/// [`ACCOUNT`] in [`REGION`].
#[derive(Clone, Debug)]
pub struct Aws {
    shared: Arc<Shared>,
    _server: Arc<Server>,
    _scheduler: Arc<JoinSet<()>>,
}

impl Aws {
    /// Starts the services on any free port. They are empty except for the event bus `default`.
    ///
    /// # Errors
    /// [`Error::Listen`] when the machine has no port left.
    pub async fn start() -> Result<Self, Error> {
        Self::start_at(ANY_PORT).await
    }

    /// Starts the services at an address; port 0 is any free one.
    ///
    /// # Errors
    /// [`Error::PortInUse`] and [`Error::Listen`].
    pub async fn start_at(address: SocketAddr) -> Result<Self, Error> {
        let listener = listen(address).await?;
        let address = listener.local_addr().map_err(|source| Error::Listen { address, source })?;
        let mut state = State::default();
        state.buses.create("default");
        let url = format!("http://{address}");
        let shared = Arc::new(Shared::new(state, url));
        let server = Server::start(listener, endpoint::router(Arc::clone(&shared)));
        let server = server.map_err(|source| Error::Listen { address, source })?;
        // The server ends when the last clone of the handle is dropped.
        let mut scheduler = JoinSet::new();
        let schedules = Arc::clone(&shared);
        scheduler.spawn(async move { schedules.keep_schedules().await });
        Ok(Self { shared, _server: Arc::new(server), _scheduler: Arc::new(scheduler) })
    }

    /// Lets callers of Lambda invoke these functions, by function name.
    pub(crate) fn add_functions(&self, functions: BTreeMap<String, Lambda>) {
        self.shared.functions().extend(functions);
    }

    /// Lets callers of Lambda invoke a function by its name.
    pub fn add_function(&self, function: LambdaProcess) {
        let name = function.name().to_owned();
        self.add_functions(BTreeMap::from([(name, Lambda::single(function, false))]));
    }

    /// The URL of the services: the value for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// The keys that clients must sign with; new in each run.
    pub fn keys(&self) -> &Keys {
        &self.shared.keys
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }

    /// Creates a secret, or gives an existing secret a new value; returns the ARN. A string is stored as it is, any
    /// other JSON value as JSON text.
    pub fn create_secret(&self, name: &str, value: Value) -> String {
        let value = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        self.state().secrets.create(name, Some(value))
    }

    /// Creates a bucket in Amazon S3, to which the function may write.
    pub fn create_bucket(&self, name: &str) {
        self.state().buckets.create(name, true);
    }

    /// Creates a bucket of others: each call is refused with `AccessDenied`.
    pub fn create_foreign_bucket(&self, name: &str) {
        self.state().buckets.create(name, false);
    }

    /// The objects in all buckets.
    pub fn objects(&self) -> Vec<S3Object> {
        self.state().buckets.objects()
    }

    /// How many multipart uploads have not ended.
    pub fn open_uploads(&self) -> usize {
        self.state().buckets.open_uploads()
    }

    /// After so many parts of uploads, further ones are refused with `SlowDown`; `None`: no more.
    pub fn fail_parts_after(&self, parts: Option<u32>) {
        self.state().buckets.fail_after(parts);
    }

    /// Creates a secret without a value; returns the ARN.
    pub(crate) fn create_empty_secret(&self, name: &str) -> String {
        self.state().secrets.create(name, None)
    }

    /// The current value of a secret, by secret name; `None` if it has none.
    pub fn secret(&self, name: &str) -> Option<String> {
        self.state().secrets.current(name).map(str::to_owned)
    }

    /// Creates a queue, or changes the settings of an existing queue.
    pub fn create_queue(&self, spec: QueueSpec) {
        self.state().queues.create(spec);
    }

    /// The URL of a queue, whether or not the queue exists.
    pub fn queue_url(&self, name: &str) -> String {
        names::queue_url(self.url(), name)
    }

    /// Changes the visibility timeout of messages that are received from now on.
    pub fn set_visibility_timeout(&self, queue: &str, timeout: Duration) {
        self.state().queues.set_visibility_timeout(queue, timeout);
    }

    /// Limits the delay of messages sent from now on, whatever `DelaySeconds` they have, so that a test need not wait
    /// a quarter of an hour.
    pub fn set_longest_delay(&self, queue: &str, delay: Duration) {
        self.state().queues.set_longest_delay(queue, delay);
    }

    /// The messages in a queue, oldest first; empty when the queue does not exist.
    pub fn messages(&self, queue: &str) -> Vec<StoredMessage> {
        self.state().queues.stored(queue)
    }

    /// The oldest message in a queue with this body. Unlike [`Aws::messages`], it copies no other.
    pub fn message(&self, queue: &str, body: &str) -> Option<StoredMessage> {
        self.state().queues.stored_with(queue, body)
    }

    /// Puts a message without attributes into a queue. It does not count as a call.
    ///
    /// # Errors
    /// [`Error::NoQueue`] when there is no such queue.
    pub fn send(&self, queue: &str, body: impl Into<String>) -> Result<(), Error> {
        let sent = self.state().queues.send(queue, body.into());
        sent.map_err(|_| Error::NoQueue { queue: queue.to_owned() })?;
        self.shared.changed.notify_waiters();
        Ok(())
    }

    /// Creates a table whose key is one attribute of type string.
    pub fn create_table(&self, name: &str, partition_key: &str) {
        let key = KeySchema { partition: KeyAttribute::string(partition_key), sort: None };
        self.create_table_with(TableSpec { name: name.to_owned(), key, indexes: BTreeMap::new() });
    }

    /// Creates a table.
    pub fn create_table_with(&self, spec: TableSpec) {
        self.state().tables.create(spec);
    }

    /// Puts an item in DynamoDB's JSON into a table, such as `{"pk":{"S":"a"},"sk":{"S":"-"}}`, in place of the one with its key.
    ///
    /// # Panics
    /// When there is no such table or the item has not its key.
    pub fn put_item(&self, table: &str, item: &Value) {
        if let Err(refusal) = self.state().tables.put(table, item) {
            panic!("{refusal:?}");
        }
    }

    /// The items of a table in DynamoDB's JSON, in the order of their keys; none when there is no such table.
    pub fn items(&self, table: &str) -> Vec<Value> {
        self.state().tables.items(table)
    }

    /// The item with this key as DynamoDB's JSON, such as `{"pk":{"S":"a"},"sk":{"S":"-"}}`; `None` when it does not
    /// exist. Unlike [`Aws::items`], the cost does not grow with the table.
    pub fn item(&self, table: &str, key: &Value) -> Option<Value> {
        self.state().tables.item(table, key)
    }

    /// Creates a stack or replaces its list of resources. Only the list is stored; create the resources themselves
    /// separately.
    pub fn create_stack(&self, name: &str, resources: Vec<StackResource>) {
        self.state().stacks.create(name, resources);
    }

    /// Gives a stack the values of its parameters.
    pub fn set_stack_parameters(&self, name: &str, parameters: BTreeMap<String, String>) {
        self.state().stacks.set_parameters(name, parameters);
    }

    /// Gives a stack the values of its outputs.
    pub fn set_stack_outputs(&self, name: &str, outputs: BTreeMap<String, String>) {
        self.state().stacks.set_outputs(name, outputs);
    }

    /// Gives a stack a status, such as `DELETE_IN_PROGRESS`. It is `CREATE_COMPLETE` before.
    pub fn set_stack_status(&self, name: &str, status: &str) {
        self.state().stacks.set_status(name, status);
    }

    /// Creates a group of schedules.
    pub fn create_schedule_group(&self, name: &str) {
        self.state().schedules.create_group(name);
    }

    /// The schedules that have not fired, and fired schedules that are not deleted after completion.
    pub fn schedules(&self) -> Vec<Schedule> {
        self.state().schedules.all()
    }

    /// Fires all schedules due by `until`, in time order, without waiting for the clock; returns how many. For tests
    /// in which hours must pass.
    pub fn fire_schedules(&self, until: Timestamp) -> usize {
        self.shared.fire_schedules(until)
    }

    /// Gives the account its state at Amazon SES.
    pub fn set_ses_account(&self, account: SesAccount) {
        self.state().ses.set_account(account);
    }

    /// Verifies an address or a domain at Amazon SES.
    pub fn verify_identity(&self, identity: &str) {
        self.state().ses.verify(identity);
    }

    /// Creates a configuration set of Amazon SES.
    pub fn create_configuration_set(&self, name: &str) {
        self.state().ses.create_configuration_set(name);
    }

    /// Puts an address on the account's suppression list: SES takes mails to it and sends none.
    pub fn suppress(&self, address: &str) {
        self.state().ses.suppress(address);
    }

    /// The mails that Amazon SES has taken, oldest first.
    pub fn mails(&self) -> Vec<Mail> {
        self.mails_since(0)
    }

    /// The mails after the first `count` ones.
    pub fn mails_since(&self, count: usize) -> Vec<Mail> {
        self.state().ses.mails_since(count)
    }

    /// Creates a topic of Amazon SNS. Returns its ARN.
    pub fn create_topic(&self, name: &str) -> String {
        self.state().topics.create(name)
    }

    /// What topics have taken, oldest first.
    pub fn publications(&self) -> Vec<Publication> {
        self.state().topics.published()
    }

    /// Creates an event bus.
    pub fn create_bus(&self, name: &str) {
        self.state().buses.create(name);
    }

    /// Puts a rule on a bus.
    ///
    /// # Errors
    /// [`Error::Rule`] when there is no such bus or queue, and for patterns and input paths that EventBridge
    /// refuses or that are not supported here.
    pub fn put_rule(
        &self,
        bus: &str,
        name: &str,
        pattern: &Value,
        targets: Vec<Target>,
    ) -> Result<(), Error> {
        let mut state = self.state();
        if let Some(target) = targets.iter().find(|target| !state.queues.contains(&target.queue)) {
            let reason = format!("there is no queue `{}`", target.queue);
            return Err(Error::Rule { rule: name.to_owned(), reason });
        }
        state.buses.put_rule(bus, name, pattern, targets)
    }

    /// All events that were published on a bus, oldest first, whether or not a rule matched.
    pub fn archive(&self, bus: &str) -> Vec<Value> {
        self.state().buses.archive(bus)
    }

    /// How often an operation, such as `SQS.SendMessage`, was called over HTTP. Calls that failed on request count
    /// too. A stack receives from its queues without HTTP, so those receives do not count.
    ///
    /// The services are `SQS`, `DynamoDB`, `EventBridge`, `Scheduler`, `SecretsManager`, `S3`, `SES`, `SNS`, `Lambda` and
    /// `CloudFormation`.
    pub fn calls(&self, operation: &str) -> usize {
        self.state().faults.calls(operation)
    }

    /// How many requests DynamoDB got: by operation, such as `UpdateItem`, and by kind of item. The kind is the part
    /// of the key before the first `#`, such as `incident`. A request for items of several kinds is counted under all
    /// of them joined, as in `group+incident`; a query is counted under its index's name. Failed calls and retries
    /// count too.
    pub fn requests(&self) -> BTreeMap<(String, String), usize> {
        self.state().faults.requests()
    }

    /// Makes the next calls of an operation fail. SDK clients retry: their default is three attempts.
    pub fn fail_next(&self, operation: &str, times: usize, fault: Fault) {
        self.state().faults.fail_next(operation, times, fault);
    }

    /// Makes all calls of an operation fail with status 500 once it was called so often, until [`Aws::clear_faults`].
    pub fn fail_after(&self, operation: &str, calls: usize) {
        self.state().faults.fail_after(operation, calls);
    }

    /// Forgets which calls were to fail.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Sends a notice to `observer` whenever something happens in the services.
    pub(crate) fn observe(&self, observer: mpsc::UnboundedSender<Notice>) {
        self.state().observer = Some(observer);
    }

    /// The visibility timeout of a queue; `None` when the queue does not exist.
    pub(crate) fn visibility_timeout(&self, queue: &str) -> Option<Duration> {
        self.state().queues.visibility_timeout(queue)
    }

    /// Receives from a queue, as a function's event source mapping does. Waits up to `wait` for the first message.
    pub(crate) async fn receive(
        &self,
        queue: &str,
        max: usize,
        wait: Duration,
    ) -> Result<Vec<sqs::Message>, Refusal> {
        Ok(self.shared.receive(queue, max, None, wait).await?.messages)
    }

    /// Deletes messages by receipt handle.
    pub(crate) fn delete<'a>(&self, queue: &str, receipts: impl Iterator<Item = &'a str>) {
        let mut state = self.state();
        for receipt in receipts {
            // If the queue no longer exists there is nothing to delete.
            let _ = state.queues.delete(queue, receipt);
        }
    }
}
