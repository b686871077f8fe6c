//! The functions' processes, each behind proxies of its own, so that the caller is known; and what Lambda does
//! with a queue.

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

/// Time for which nothing of ours runs in an invocation that ran out of it: what the runtime keeps in reserve, and some.
const RESERVE: Duration = Duration::from_millis(1_500);

/// Whether a process ended because we killed it.
fn was_killed(status: ExitStatus) -> bool {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status) == Some(9);
    #[cfg(not(unix))]
    return !status.success();
}

/// Where a process sits: one after the other, as each is killed.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) number: usize,
    invocations: AtomicU64,
    process: OnceLock<LambdaProcess>,
}

impl Seat {
    pub(crate) fn new(number: usize) -> Arc<Self> {
        Arc::new(Self { number, invocations: AtomicU64::new(0), process: OnceLock::new() })
    }

    pub(crate) fn take(&self, process: LambdaProcess) {
        self.process.set(process).expect("one process per seat");
    }

    pub(crate) fn process(&self) -> &LambdaProcess {
        self.process.get().expect("the seat is taken")
    }

    /// The invocation under way.
    pub(crate) fn invocation(&self) -> Invocation {
        (self.number, self.invocations.load(Ordering::SeqCst))
    }

    /// Invokes the function; how that ended is written down.
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

/// A seat and the proxies in front of it.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) seat: Arc<Seat>,
    pub(crate) _wires: Vec<Proxy>,
}

/// What Lambda does for one worker of a queue: receives, invokes, deletes what is done. A delete may get lost.
#[derive(Debug)]
pub(crate) struct Poller {
    pub(crate) emulator: Emulator,
    pub(crate) mapping: Mapping,
    pub(crate) seat: Arc<Seat>,
    pub(crate) random: Random,
    pub(crate) history: Arc<History>,
}

impl Poller {
    /// Until the task ends.
    pub(crate) async fn poll(self) {
        let queue = &self.mapping.queue;
        loop {
            let messages =
                self.emulator.receive(queue, self.mapping.batch_size, Duration::from_secs(2)).await;
            if messages.is_empty() {
                continue;
            }
            self.history.count("batches");
            let Some(answer) = self.seat.invoke(&batch(queue, &messages), &self.history).await else {
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

/// The event that a function gets.
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
