//! The functions' processes, each behind its own proxies, so that the caller of each request is known; and Lambda's
//! handling of a queue.

use crate::announcements::{Ended, Invocation};
use crate::emulator::{Emulator, FUNCTION_TIMEOUT};
use crate::history::History;
use crate::proxy::Proxy;
use crate::random::Random;
use local_aws::template::Mapping;
use local_aws::{ACCOUNT, InvocationError, LambdaProcess, REGION};
use serde_json::{Value, json};
use std::process::ExitStatus;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use testkit::dynamodb::say;

/// How long an invocation does nothing before its timeout: the runtime's reserve and a margin.
const RESERVE: Duration = Duration::from_millis(1_500);

/// Whether the test killed the process.
fn was_killed(status: ExitStatus) -> bool {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status) == Some(9);
    #[cfg(not(unix))]
    return !status.success();
}

/// A worker slot: the processes that run in it one after another, as each is killed.
#[derive(Debug)]
pub(crate) struct FunctionSlot {
    pub(crate) number: usize,
    invocations: AtomicU64,
    process: OnceLock<LambdaProcess>,
}

impl FunctionSlot {
    pub(crate) fn new(number: usize) -> Arc<Self> {
        Arc::new(Self { number, invocations: AtomicU64::new(0), process: OnceLock::new() })
    }

    pub(crate) fn take(&self, process: LambdaProcess) {
        self.process.set(process).expect("one process per slot");
    }

    pub(crate) fn process(&self) -> &LambdaProcess {
        self.process.get().expect("the slot is taken")
    }

    /// The running invocation.
    pub(crate) fn invocation(&self) -> Invocation {
        (self.number, self.invocations.load(Ordering::SeqCst))
    }

    /// Invokes the function and records how the invocation ended.
    pub(crate) async fn invoke(&self, event: &Value, history: &History) -> Option<Value> {
        self.invocations.fetch_add(1, Ordering::SeqCst);
        let invocation = self.invocation();
        let began = Instant::now();
        if event["Records"][0]["body"].as_str().is_some_and(timer::is_timer) {
            history.started_by_timer(invocation);
        }
        let answer = self.process().invoke(event).await;
        let late = began.elapsed() > FUNCTION_TIMEOUT - RESERVE;
        let ended = match &answer {
            Ok(_) if late => Ended::OutOfTime,
            Ok(_) => Ended::Answered,
            Err(InvocationError::TimedOut { .. }) => Ended::OutOfTime,
            Err(InvocationError::Ended { status: Some(status) }) if was_killed(*status) => {
                history.count("invocations killed");
                Ended::Killed
            }
            Err(error) => {
                say(&format!("{} fell over: {error}", self.process().name()));
                history.count("fallen over");
                Ended::Answered
            }
        };
        history.ended(invocation, ended);
        answer.ok()
    }
}

/// A worker slot and its proxies.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) slot: Arc<FunctionSlot>,
    pub(crate) _wires: Vec<Proxy>,
}

/// Lambda's work for one worker of a queue: receives, invokes, and deletes completed messages. A delete can get lost.
#[derive(Debug)]
pub(crate) struct Poller {
    pub(crate) emulator: Emulator,
    pub(crate) mapping: Mapping,
    pub(crate) slot: Arc<FunctionSlot>,
    pub(crate) random: Random,
    pub(crate) history: Arc<History>,
}

impl Poller {
    /// Runs until the task is stopped.
    pub(crate) async fn poll(self) {
        let queue = &self.mapping.queue;
        loop {
            let messages =
                self.emulator.receive(queue, self.mapping.batch_size, Duration::from_secs(2)).await;
            if messages.is_empty() {
                continue;
            }
            self.history.count("batches");
            let Some(answer) = self.slot.invoke(&batch(queue, &messages), &self.history).await else {
                continue;
            };
            let failures = answer["batchItemFailures"].as_array().expect("a batch reply");
            for message in messages {
                let failed = failures.iter().any(|failure| failure["itemIdentifier"] == message["MessageId"]);
                if !failed && self.random.happens(20) {
                    self.history.count("deletes lost");
                } else if !failed {
                    self.emulator.delete(queue, &message).await;
                }
            }
        }
    }
}

/// The Lambda event for a batch of messages.
fn batch(queue: &str, messages: &[Value]) -> Value {
    let records = messages.iter().map(|message| {
        json!({
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {},
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"),
            "awsRegion": REGION,
        })
    });
    json!({ "Records": records.collect::<Vec<_>>() })
}
